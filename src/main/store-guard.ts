/** Wires the store guard of a worker: its activities, and what makes it compare at once. */
import { createStoreRecoveryActivities, type StoreRecoveryActivities } from '../activities/store-recovery';
import { OrderHistory } from '../temporal/order-history';
import { endWorkflow, isRunning } from '../temporal/executions';
import { doubtStores, ensureAccountWatched, ensureSweeper, reconcileAccount } from '../temporal/watching';
import { STORE_GUARD_WORKFLOW_ID, SWEEPER_WORKFLOW_ID } from '../temporal/workflow-ids';
import type { Platform } from './platform';
import { StoreWatch } from './store-watch';

/** A guard that was asked is not asked again sooner: it may be at work on it. */
const ASK_AGAIN_AFTER_MS = 1_000;
/** What a worker waits for the first comparison, so that who is told it is ready may place: a recovery takes longer and is not waited for. */
const COMPARED_WITHIN_MS = 5_000;

export function storeRecoveryActivities({ store, venues, clock, logger, temporal }: Platform): StoreRecoveryActivities {
  return createStoreRecoveryActivities({
    clock,
    states: store.states,
    history: new OrderHistory(temporal.client),
    standing: { clock, placing: store.placing, held: store.held, triggers: store.triggers, evidence: store.evidence, orderById: (id) => store.orders.byId(id) },
    supervised: {
      hasEnded: async ({ kind, id }) => (await (kind === 'orderList' ? store.orderLists.byId(id) : store.strategies.byId(id)))?.endedAt != null,
      readBack: (seen) => (seen.kind === 'orderList' ? store.readBack.orderList(seen.list, seen.children) : store.readBack.strategy(seen.strategy, seen.children)),
    },
    withoutRow: (orders) => store.orders.withoutRow(orders),
    recordOrders: (intents, context) => store.placing.recordOrders(intents, context),
    recordMutation: (intent, context) => store.mutations.record(intent, context),
    isMutationKnown: async (mutationId) => (await store.mutations.find(mutationId)) !== null,
    endWorkflow: (workflowId, reason) => endWorkflow(temporal.client, workflowId, reason),
    accounts: () => store.accounts.allActive(),
    withLostKeys: () => store.accounts.withLostKeys(),
    venues: [...venues.keys()],
    ensureAccountWatched: (account) => ensureAccountWatched(temporal.client, account),
    reconcile: (accountId, reason) => reconcileAccount(temporal.client, accountId, reason),
    readCheckpoint: (scope) => store.watching.readCheckpoint(scope),
    alert: (accountId, data) => store.accounts.alert(accountId, data),
    log: (fields, message) => logger.warn(fields, message),
  });
}

/** The two that look after all others: one whose history was spoiled is ended and begun anew, because nobody else would notice. */
export async function keepGoing({ settings, logger, temporal: { client } }: Pick<Platform, 'settings' | 'logger' | 'temporal'>): Promise<void> {
  const onSpoiled = (workflowId: string): void => logger.error({ workflowId }, 'a workflow cannot go on with its history: it is ended and begun anew');
  if (!(await isRunning(client, STORE_GUARD_WORKFLOW_ID, onSpoiled))) await doubtStores(client, settings.sweepIntervalMs, 'the guard did not run');
  if (!(await isRunning(client, SWEEPER_WORKFLOW_ID, onSpoiled))) await ensureSweeper(client, { intervalMs: settings.sweepIntervalMs });
}

/** Has the guard compare whenever this process meets another PostgreSQL. Settles when the first comparison is over, or takes long. */
export async function guardStores({ store, settings, logger, temporal }: Platform): Promise<StoreWatch> {
  let askedMs = 0;
  const ask = async (reason: string): Promise<void> => {
    const nowMs = performance.now();
    if (askedMs !== 0 && nowMs - askedMs < ASK_AGAIN_AFTER_MS) return;
    askedMs = nowMs;
    // Temporal may be away: asked again at the next look.
    await doubtStores(temporal.client, settings.sweepIntervalMs, reason).catch((error: unknown) => logger.warn({ err: error }, 'the store guard could not be asked to compare'));
  };
  const watch = new StoreWatch({ read: () => store.states.read(), onDoubt: (reason) => void ask(reason) });
  await ask('a worker started');
  const deadlineMs = performance.now() + COMPARED_WITHIN_MS;
  do await watch.look();
  while (watch.held(null) !== null && performance.now() < deadlineMs);
  return watch;
}
