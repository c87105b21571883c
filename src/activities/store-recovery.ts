/**
 * What the store guard does: compares PostgreSQL with what Temporal remembers of it, and where one of them lost something,
 * reads orders back from their workflows' start arguments, has every account looked at, and only then lets entries pass.
 */
import { Context } from '@temporalio/activity';
import { needsNewKey, type Account } from '../domain/account';
import { compareStores, type StoreMark, type StoreReading } from '../domain/store-state';
import { conditionalWorkflowId } from '../temporal/workflow-ids';
import { accountScope } from './account-ports';
import { beating } from './beating';
import { missingGroups, readBack, type ReadBackPorts, type ReadBackResult } from './read-back';

export type Comparison =
  | { readonly kind: 'agree'; readonly mark: StoreMark }
  /** `sinceMs`: orders of workflows that started before it are in PostgreSQL. */
  | { readonly kind: 'differ'; readonly reason: string; readonly sinceMs: number };

export interface StoreRecoveryActivities {
  compareWithPostgresql(input: { readonly mark: StoreMark | null }): Promise<Comparison>;
  readBackOrders(input: { readonly sinceMs: number }): Promise<ReadBackResult>;
  lookAtAccounts(input: { readonly reason: string }): Promise<{ readonly sinceMs: number; readonly unread: readonly string[] }>;
  awaitLooks(input: { readonly sinceMs: number; readonly unread: readonly string[] }): Promise<{ readonly unread: readonly string[] }>;
  letEntriesPass(input: { readonly mark: StoreMark | null; readonly reason: string; readonly readBack: number; readonly unfinished?: readonly string[] }): Promise<{ readonly mark: StoreMark | null }>;
}

export interface StoreRecoveryPorts extends ReadBackPorts {
  readonly states: {
    read(): Promise<StoreReading>;
    beat(mark: StoreMark | null): Promise<StoreMark>;
    begin(why: { readonly lost: 'postgresql' | 'temporal'; readonly reason: string; readonly accountIds: readonly string[] }): Promise<void>;
    reading(accountIds: readonly string[]): Promise<void>;
    open(mark: StoreMark | null): Promise<StoreMark | null>;
  };
  accounts(): Promise<readonly Account[]>;
  /** Those whose keys nobody opens any more, whatever their status. */
  withLostKeys(): Promise<ReadonlySet<string>>;
  /** Venues that this process knows. */
  readonly venues: readonly string[];
  ensureAccountWatched(account: Account): Promise<void>;
  /** Asks the account's watcher for a look at everything. */
  reconcile(accountId: string, reason: string): Promise<void>;
  readCheckpoint(scope: string): Promise<unknown>;
  alert(accountId: string, data: Readonly<Record<string, unknown>>): Promise<void>;
}

/** A workflow may have started this long before the last beat that a backup has, and its order been recorded after it. */
const OVERLAP_MS = 60_000;
/** One wait for the accounts' looks; the guard's workflow waits again. */
const LOOKS_WITHIN_MS = 5_000;
const ASK_AGAIN_MS = 100;

export function createStoreRecoveryActivities(ports: StoreRecoveryPorts): StoreRecoveryActivities {
  return {
    compareWithPostgresql: ({ mark }) => beating(() => compare(ports, mark)),
    readBackOrders: ({ sinceMs }) => beating(() => readBack(ports, sinceMs)),
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
    letEntriesPass: ({ mark, reason, readBack: found, unfinished = [] }) => beating(async () => {
      const opened = await ports.states.open(mark);
      if (opened === null) return { mark: null };
      for (const account of await ports.accounts()) await ports.alert(account.id, { kind: 'storesRecovered', reason, readBack: found, ...unfinishedOf(account.id, unfinished) });
      ports.log({ reason, readBack: found, unfinished }, `PostgreSQL and Temporal agree again: entries pass${unfinished.length === 0 ? '' : '; the named workflows have not told what they wait for'}`);
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

/** Orders of the account whose workflows have not told what they wait for: their rows are as they were accepted, or as the backup has them. */
function unfinishedOf(accountId: string, unfinished: readonly string[]): { readonly unfinished?: readonly string[] } {
  const mine = unfinished.filter((workflowId) => workflowId.startsWith(conditionalWorkflowId(accountId, '')));
  return mine.length === 0 ? {} : { unfinished: mine };
}

/** Every account that can be looked at: not one that needs a new key, nor of a venue that is not configured. */
async function watchedAccounts(ports: StoreRecoveryPorts): Promise<readonly Account[]> {
  const [accounts, lost] = await Promise.all([ports.accounts(), ports.withLostKeys()]);
  return accounts.filter((account) => ports.venues.includes(account.venue) && !needsNewKey(account) && !lost.has(account.id));
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
