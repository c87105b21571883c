/**
 * What the store guard does: compares PostgreSQL with what Temporal remembers of it, and where one of them lost something,
 * reads orders back from their workflows' start arguments, has every account looked at, and only then lets entries pass.
 */
import { Context } from '@temporalio/activity';
import { KEY_REFUSED, type Account } from '../domain/account';
import { isoTime, type Clock } from '../domain/clock';
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedGroup, RecordedMutation } from '../domain/order-store';
import type { ListedGroup, RememberedGroup, RememberedHeld, RememberedMutation } from '../domain/remembered-orders';
import { compareStores, type StoreMark, type StoreReading } from '../domain/store-state';
import { accountScope } from './account-ports';
import { beating } from './beating';
import { MUTATION_SEND_TTL_MS } from './mutation-settler';
import { PLACE_SEND_TTL_MS } from './order-path';
import { endAgain, standAgain, type StandingPorts } from './standing-orders';

export type Comparison =
  | { readonly kind: 'agree'; readonly mark: StoreMark }
  /** `sinceMs`: orders of workflows that started before it are in PostgreSQL. */
  | { readonly kind: 'differ'; readonly reason: string; readonly sinceMs: number };

export interface ReadBackResult {
  /** Orders that PostgreSQL had lost and has again. */
  readonly readBack: number;
  /** Orders of accounts that PostgreSQL does not know: they cannot be read back. */
  readonly withoutAccount: number;
  /** Workflows older than this are gone from Temporal, ms; null: nothing in the time that matters is. */
  readonly forgottenBeforeMs: number | null;
}

export interface StoreRecoveryActivities {
  compareWithPostgresql(input: { readonly mark: StoreMark | null }): Promise<Comparison>;
  readBackOrders(input: { readonly sinceMs: number }): Promise<ReadBackResult>;
  lookAtAccounts(input: { readonly reason: string }): Promise<{ readonly sinceMs: number; readonly unread: readonly string[] }>;
  awaitLooks(input: { readonly sinceMs: number; readonly unread: readonly string[] }): Promise<{ readonly unread: readonly string[] }>;
  letEntriesPass(input: { readonly mark: StoreMark | null; readonly reason: string; readonly readBack: number }): Promise<{ readonly mark: StoreMark | null }>;
}

export interface StoreRecoveryPorts {
  readonly clock: Clock;
  readonly states: {
    read(): Promise<StoreReading>;
    beat(mark: StoreMark | null): Promise<StoreMark>;
    begin(why: { readonly lost: 'postgresql' | 'temporal'; readonly reason: string; readonly accountIds: readonly string[] }): Promise<void>;
    reading(accountIds: readonly string[]): Promise<void>;
    open(mark: StoreMark | null): Promise<StoreMark | null>;
  };
  /** What Temporal remembers. */
  readonly history: {
    groupsSince(sinceMs: number): AsyncIterable<ListedGroup>;
    openMutations(): AsyncIterable<RememberedMutation>;
    heldSince(sinceMs: number): AsyncIterable<{ read(): Promise<RememberedHeld | null> }>;
    haveSupervisorsLook(): Promise<number>;
    windowMs(): Promise<number | null>;
  };
  /** Orders that wait in workflows. */
  readonly standing: StandingPorts;
  /** Of these, those that have no row, by client id or by the id the venue was told. */
  withoutRow<Named extends OrderNames>(orders: readonly Named[]): Promise<readonly Named[]>;
  recordOrders(intents: readonly OrderIntent[], context: { readonly ownerWorkflowId: string; readonly sendTtlMs: number; readonly readBack: { readonly denied: ReadonlySet<string> } }): Promise<RecordedGroup>;
  recordMutation(intent: MutationIntent, context: { readonly ownerWorkflowId: string; readonly sendTtlMs: number }): Promise<RecordedMutation>;
  isMutationKnown(mutationId: string): Promise<boolean>;
  endWorkflow(workflowId: string, reason: string): Promise<void>;
  accounts(): Promise<readonly Account[]>;
  /** Venues that this process knows. */
  readonly venues: readonly string[];
  ensureAccountWatched(account: Account): Promise<void>;
  /** Asks the account's watcher for a look at everything. */
  reconcile(accountId: string, reason: string): Promise<void>;
  readCheckpoint(scope: string): Promise<unknown>;
  alert(accountId: string, data: Readonly<Record<string, unknown>>): Promise<void>;
  log(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface OrderNames {
  readonly accountId: string;
  readonly clientOrderId: string;
  readonly venueClientId: string | null;
}

/** A workflow may have started this long before the last beat that a backup has, and its order been recorded after it. */
const OVERLAP_MS = 60_000;
/** Workflows whose start arguments are read at once. */
const READS_AT_ONCE = 16;
/** One wait for the accounts' looks; the guard's workflow waits again. */
const LOOKS_WITHIN_MS = 5_000;
const ASK_AGAIN_MS = 100;

export function createStoreRecoveryActivities(ports: StoreRecoveryPorts): StoreRecoveryActivities {
  return {
    compareWithPostgresql: ({ mark }) => beating(() => compare(ports, mark)),
    readBackOrders: ({ sinceMs }) => beating(() => readBackOrders(ports, sinceMs)),
    lookAtAccounts: ({ reason }) => beating(async () => {
      const accounts = await watchedAccounts(ports);
      const sinceMs = ports.clock.nowMs();
      await ports.states.reading(accounts.map((account) => account.id));
      for (const account of accounts) {
        await ports.ensureAccountWatched(account);
        await ports.reconcile(account.id, reason);
      }
      return { sinceMs, unread: accounts.map((account) => account.id) };
    }),
    awaitLooks: ({ sinceMs, unread }) => beating(() => awaitLooks(ports, sinceMs, unread)),
    letEntriesPass: ({ mark, reason, readBack }) => beating(async () => {
      const opened = await ports.states.open(mark);
      if (opened === null) return { mark: null };
      for (const account of await ports.accounts()) await ports.alert(account.id, { kind: 'storesRecovered', reason, readBack });
      ports.log({ reason, readBack }, 'PostgreSQL and Temporal agree again: entries pass');
      return { mark: opened };
    }),
  };
}

async function compare(ports: StoreRecoveryPorts, mark: StoreMark | null): Promise<Comparison> {
  const reading = await ports.states.read();
  const { state } = reading;
  const sinceMs = Math.max(0, state.beatAtMs - OVERLAP_MS);
  const found = compareStores(mark, reading);
  // Begun by an earlier execution that did not end it.
  if (state.phase !== 'open' && found.kind !== 'differ' && state.instance === reading.instance) return { kind: 'differ', reason: state.reason ?? 'an earlier recovery did not end', sinceMs };
  const difference = found.kind === 'differ' ? found : found.kind === 'restarted' ? await lostSince(ports, sinceMs, state.phase === 'open' ? null : state.reason) : null;
  if (difference === null) return { kind: 'agree', mark: await ports.states.beat(mark) };
  ports.log({ reason: difference.reason, since: new Date(sinceMs).toISOString() }, 'the stores differ: entries wait, exits pass');
  await ports.states.begin({ lost: difference.lost, reason: difference.reason, accountIds: (await watchedAccounts(ports)).map((account) => account.id) });
  return { kind: 'differ', reason: difference.reason, sinceMs };
}

/** PostgreSQL was started anew: an order that its workflow knows to be recorded, and that is not there, is proof of a loss. */
async function lostSince(ports: StoreRecoveryPorts, sinceMs: number, unfinished: string | null): Promise<{ readonly lost: 'postgresql'; readonly reason: string } | null> {
  if (unfinished !== null) return { lost: 'postgresql', reason: unfinished };
  let lost = 0;
  for await (const groups of missingGroups(ports, sinceMs)) {
    const recorded = groups.flatMap(({ intents, verdicts }) => intents.filter((intent) => verdicts.get(intent.id) === 'accepted'));
    lost += (await ports.withoutRow(recorded)).length;
  }
  return lost === 0 ? null : { lost: 'postgresql', reason: `PostgreSQL lacks ${lost} orders that Temporal knows to be recorded` };
}

/** Groups that may have orders without a row, some at a time. */
async function* missingGroups(ports: StoreRecoveryPorts, sinceMs: number): AsyncIterable<readonly RememberedGroup[]> {
  const listed: (() => Promise<RememberedGroup | null>)[] = [];
  let single: (OrderNames & { readonly read: () => Promise<RememberedGroup | null> })[] = [];
  const readSome = async (): Promise<readonly RememberedGroup[]> => {
    listed.push(...(await ports.withoutRow(single)).map(({ read }) => read));
    single = [];
    const now = listed.splice(0, READS_AT_ONCE);
    return (await Promise.all(now.map((read) => read()))).filter((group) => group !== null);
  };
  for await (const group of ports.history.groupsSince(sinceMs)) {
    const { order } = group;
    if (order === null) listed.push(() => group.read());
    else single.push({ ...order, venueClientId: null, read: () => group.read() });
    if (listed.length + single.length >= READS_AT_ONCE) yield await readSome();
  }
  while (listed.length + single.length > 0) yield await readSome();
}

async function readBackOrders(ports: StoreRecoveryPorts, sinceMs: number): Promise<ReadBackResult> {
  let readBack = 0;
  let withoutAccount = 0;
  const known = new Set((await ports.accounts()).map((account) => account.id));
  for await (const groups of missingGroups(ports, sinceMs)) {
    for (const { workflowId, intents, verdicts } of groups) {
      const missing = (await ports.withoutRow(intents)).filter((intent) => verdicts.get(intent.id) !== 'duplicate');
      const mine = missing.filter((intent) => known.has(intent.accountId));
      withoutAccount += missing.length - mine.length;
      if (mine.length === 0) continue;
      const denied = new Set(mine.filter((intent) => verdicts.get(intent.id) === 'denied').map((intent) => intent.id));
      await ports.recordOrders(mine, { ownerWorkflowId: workflowId, sendTtlMs: PLACE_SEND_TTL_MS, readBack: { denied } });
      readBack += mine.length;
    }
  }
  readBack += await readBackHeld(ports, sinceMs, known);
  await readBackMutations(ports);
  // Order lists and strategies: their workflows give back what they saw last.
  await ports.history.haveSupervisorsLook();
  const windowMs = await ports.history.windowMs();
  const forgottenBeforeMs = windowMs !== null && sinceMs < ports.clock.nowMs() - windowMs ? ports.clock.nowMs() - windowMs : null;
  if (readBack > 0 || withoutAccount > 0 || forgottenBeforeMs !== null) {
    ports.log({ readBack, withoutAccount, forgottenBefore: forgottenBeforeMs === null ? null : new Date(forgottenBeforeMs).toISOString() }, 'orders were read back from Temporal');
  }
  return { readBack, withoutAccount, forgottenBeforeMs };
}

/** Orders that wait get the terms they have now, and what ended since the backup stays ended. One that does not answer tells its row itself when it next moves. */
async function readBackHeld(ports: StoreRecoveryPorts, sinceMs: number, known: ReadonlySet<string>): Promise<number> {
  let readBack = 0;
  let reading: (() => Promise<RememberedHeld | null>)[] = [];
  const readSome = async (): Promise<void> => {
    const read = await Promise.allSettled(reading.map((each) => each()));
    reading = [];
    for (const result of read) {
      if (result.status === 'rejected') ports.log({ err: result.reason as unknown }, 'an order that waits in a workflow could not be read back from it yet');
      const held = result.status === 'rejected' ? null : result.value;
      if (held === null || !known.has(held.intent.accountId)) continue;
      const { workflowId: ownerWorkflowId, intent, standing } = held;
      const wasBehind = standing === null ? await endAgain(ports.standing, held, isoTime(ports.clock.nowMs())) : await standAgain(ports.standing, { intent, ownerWorkflowId, standing });
      if (wasBehind) readBack += 1;
    }
  };
  for await (const each of ports.history.heldSince(sinceMs)) {
    reading.push(() => each.read());
    if (reading.length >= READS_AT_ONCE) await readSome();
  }
  await readSome();
  return readBack;
}

/** Amends and cancels under way get their rows again, so that their workflows go on; one that cannot be is ended: the venue's view rules. */
async function readBackMutations(ports: StoreRecoveryPorts): Promise<void> {
  for await (const { workflowId, intent } of ports.history.openMutations()) {
    if (await ports.isMutationKnown(intent.id)) continue;
    const recorded = await ports.recordMutation(intent, { ownerWorkflowId: workflowId, sendTtlMs: MUTATION_SEND_TTL_MS });
    if (recorded.verdict !== 'accepted') await ports.endWorkflow(workflowId, `the ${intent.kind} was lost with the database, and the order does not take it any more`);
  }
}

/** Every account that can be looked at: not one whose key its venue refuses, nor of a venue that is not configured. */
async function watchedAccounts(ports: StoreRecoveryPorts): Promise<readonly Account[]> {
  return (await ports.accounts()).filter((account) => ports.venues.includes(account.venue) && !(account.status === 'HALTED' && account.statusReason === KEY_REFUSED));
}

async function awaitLooks(ports: StoreRecoveryPorts, sinceMs: number, asked: readonly string[]): Promise<{ unread: readonly string[] }> {
  const deadlineMs = ports.clock.nowMs() + LOOKS_WITHIN_MS;
  const { cancellationSignal } = Context.current();
  let unread = asked;
  while (!cancellationSignal.aborted) {
    const there = new Set((await watchedAccounts(ports)).map((account) => account.id));
    const looked = await Promise.all(unread.map(async (id) => !there.has(id) || lookedFromMs(await ports.readCheckpoint(accountScope(id))) >= sinceMs));
    const left = unread.filter((_, index) => looked[index] !== true);
    if (left.length < unread.length) await ports.states.reading(left);
    unread = left;
    if (unread.length === 0 || ports.clock.nowMs() >= deadlineMs) break;
    // Another process writes the checkpoint: there is nothing here to be told by.
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  return { unread };
}

/** When the account's last complete look began, our clock; -Infinity before the first. */
function lookedFromMs(checkpoint: unknown): number {
  if (typeof checkpoint !== 'object' || checkpoint === null || !('lookedFromMs' in checkpoint)) return -Infinity;
  return typeof checkpoint.lookedFromMs === 'number' ? checkpoint.lookedFromMs : -Infinity;
}
