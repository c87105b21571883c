/** Wires what workflows that place orders stand on: what they read, and who tells them that an order of theirs changed. */
import { createSupervisionActivities, type SupervisionActivities } from '../activities/supervision-activities';
import { SupervisorSignals } from '../temporal/supervisor-signals';
import { createHash } from 'node:crypto';
import { createKillSwitchActivities, type KillSwitchActivities } from '../activities/kill-switch-activities';
import { createOrderListActivities, type OrderListActivities } from '../activities/order-list-activities';
import { createStrategyActivities, type StrategyActivities } from '../activities/strategy-activities';
import type { OrderList } from '../domain/order-list';
import { isBeingReadBack } from '../domain/store-state';
import type { Strategy } from '../domain/strategy';
import { TOPICS } from '../streams/bus/topics';
import { CollateralGateway } from '../temporal/collateral-gateway';
import { ConditionalGateway } from '../temporal/conditional-gateway';
import { ensureDeadMan, ensureKillSwitch, ensureOrderList, ensureStrategy, tellOrderList, tellStrategy } from '../temporal/supervising';
import type { SupervisorRound } from '../temporal/supervisor-round';
import type { Platform } from './platform';

export function supervisionActivities({ store, prices, clock }: Platform): SupervisionActivities {
  return createSupervisionActivities({
    clock,
    ordersByIds: (ids) => store.orders.byIds(ids),
    childrenNamed: (parentOrderId, named) => store.held.childrenNamed(parentOrderId, named),
    market: (venue, symbol) => store.markets.get(venue, symbol),
    account: (accountId) => store.accounts.byId(accountId),
    position: async (accountId, symbol) => (await store.accounts.figures(accountId, [symbol])).symbols[symbol]?.positionQuantity ?? '0',
    markOf: (venue, symbol) => prices.markOf(venue, symbol),
    quoteOf: (venue, symbol) => prices.quoteOf(venue, symbol),
  });
}

/** From now on what this process commits of supervised orders is told to their workflows. */
export function tellSupervisors({ store, temporal, logger }: Platform): void {
  const signals = new SupervisorSignals(temporal.client, (error, workflowId) => logger.warn({ err: error, workflowId }, 'a supervisor could not be told; it looks by itself'));
  store.events.onCommitted(signals.onCommitted);
}

export function strategyActivities({ store, prices }: Platform): StrategyActivities {
  return createStrategyActivities({
    readBack: (strategy, children) => store.readBack.strategy(strategy, children),
    isBeingReadBack: async () => isBeingReadBack(await store.states.read()),
    strategies: store.strategies,
    market: (venue, symbol) => store.markets.get(venue, symbol),
    account: (accountId) => store.accounts.byId(accountId),
    markOf: (venue, symbol) => prices.markOf(venue, symbol),
    quoteOf: (venue, symbol) => prices.quoteOf(venue, symbol),
  });
}

export function orderListActivities({ store, prices, venues }: Platform): OrderListActivities {
  return createOrderListActivities({
    readBack: (list, children) => store.readBack.orderList(list, children),
    lists: store.orderLists,
    triggers: store.triggers,
    capabilities: (venue) => venues.get(venue)?.capabilities ?? null,
    market: (venue, symbol) => store.markets.get(venue, symbol),
    account: (accountId) => store.accounts.byId(accountId),
    markOf: (venue, symbol) => prices.markOf(venue, symbol),
    quoteOf: (venue, symbol) => prices.quoteOf(venue, symbol),
  });
}

/** How long a kill switch waits for one waiting order's workflow. */
const CANCEL_HELD_MS = 2_000;

export function killSwitchActivities({ store, bus, clock, temporal, logger }: Platform): KillSwitchActivities {
  const conditional = new ConditionalGateway(temporal.client);
  return createKillSwitchActivities({
    clock,
    switches: store.killSwitches,
    strategies: {
      openOf: (accountId) => store.strategies.openOf(accountId),
      command: (id, userId, command) => store.strategies.command(id, userId, command),
      tell: (strategyId) => tellStrategy(temporal.client, strategyId, 0),
    },
    lists: {
      openOf: (accountId) => store.orderLists.openOf(accountId),
      command: (id, userId, command) => store.orderLists.command(id, userId, command),
      tell: (listId) => tellOrderList(temporal.client, listId, 0),
    },
    heartbeats: store.heartbeats,
    open: (accountId) => store.orders.open(accountId),
    account: (accountId) => store.accounts.byId(accountId),
    market: (venue, symbol) => store.markets.get(venue, symbol),
    askForLook: (accountId) => bus.publish(TOPICS.accountWake(accountId), { accountId }),
    cancelHeld: (order) => temporal.client.withDeadline(Date.now() + CANCEL_HELD_MS, () => conditional.cancel(order)),
    onTrouble: (subject, error) => logger.warn({ err: error, ...subject }, 'a switch could not stop this; it is tried again'),
    sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  });
}

/** Most of each kind that one sweep looks at: what is left is for the next one. */
export const SWEPT = 500;

export interface SupervisorRounds {
  readonly strategies: SupervisorRound<Strategy>;
  readonly lists: SupervisorRound<OrderList>;
}

/**
 * What was recorded while Temporal was away, or by an API process that died before it could start or tell its workflow; and what Temporal lost.
 * Of a database that is being read back only what stops something: what ended since its backup looks as if nobody cared for it.
 */
export async function sweepSupervisors({ store, temporal }: Pick<Platform, 'store' | 'temporal'>, rounds: SupervisorRounds): Promise<void> {
  const { client } = temporal;
  for (const killSwitch of await store.killSwitches.allLatched()) await ensureKillSwitch(client, killSwitch);
  for (const { accountId } of await store.heartbeats.unended()) await ensureDeadMan(client, accountId);
  if (isBeingReadBack(await store.states.read())) return;
  await rounds.strategies.sweep({ page: (after, limit) => store.strategies.unended(limit, after), ensure: (each) => ensureStrategy(client, each), tell: ({ id, revision }) => tellStrategy(client, id, revision) });
  await rounds.lists.sweep({ page: (after, limit) => store.orderLists.unended(limit, after), ensure: (each) => ensureOrderList(client, each), tell: ({ id, revision }) => tellOrderList(client, id, revision) });
  const moves = new CollateralGateway(temporal.client);
  for (const move of await store.collateralMoves.unended(SWEPT)) await moves.ensure(move);
  await sweepHeld({ store, temporal });
}

/** A waiting order that changed later than this may be known to its workflow and not listed yet. */
const HELD_UNCHANGED_MS = 10_000;

/** Waiting orders whose workflow Temporal lost: the triggers are in PostgreSQL, and somebody has to act on them. */
async function sweepHeld({ store, temporal }: Pick<Platform, 'store' | 'temporal'>): Promise<void> {
  // Temporal is asked only where something waits.
  if ((await store.held.unattended(HELD_UNCHANGED_MS, [], 1)).length === 0) return;
  const gateway = new ConditionalGateway(temporal.client);
  for (const order of await store.held.unattended(HELD_UNCHANGED_MS, [...(await gateway.running())], SWEPT)) {
    const account = await store.accounts.byId(order.accountId);
    if (account !== null) await gateway.takeOver(order, account.signerId);
  }
}
