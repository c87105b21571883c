/**
 * What PostgreSQL lost and Temporal remembers, after PostgreSQL was restored from a backup: what waits in workflows first, because a price may
 * come for it at any moment, then orders, amends and cancels.
 */
import type { Clock } from '../domain/clock';
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedGroup, RecordedMutation } from '../domain/order-store';
import type { ListedGroup, ListedHeld, ListedSupervised, RememberedGroup, RememberedMutation, SeenSupervised } from '../domain/remembered-orders';
import { MUTATION_SEND_TTL_MS } from './mutation-settler';
import { PLACE_SEND_TTL_MS } from './order-path';
import { endAgain, standAgain, standAsAccepted, type StandingPorts } from './standing-orders';

export interface ReadBackResult {
  /** Orders, lists and strategies that PostgreSQL had lost, or had as they were before, and has again. */
  readonly readBack: number;
  /** Orders of accounts that PostgreSQL does not know: they cannot be read back. */
  readonly withoutAccount: number;
  /** Workflows older than this are gone from Temporal, ms; null: nothing in the time that matters is. */
  readonly forgottenBeforeMs: number | null;
  /** Workflows that have not told what they wait for; absent in results from before it was counted. */
  readonly unfinished?: readonly string[];
}

export interface OrderNames {
  readonly accountId: string;
  readonly clientOrderId: string;
  readonly venueClientId: string | null;
}

export interface ReadBackPorts {
  readonly clock: Clock;
  /** What Temporal remembers. */
  readonly history: {
    groupsSince(sinceMs: number): AsyncIterable<ListedGroup>;
    openMutations(): AsyncIterable<RememberedMutation>;
    heldSince(sinceMs: number): AsyncIterable<ListedHeld>;
    supervisedSince(sinceMs: number): AsyncIterable<ListedSupervised>;
    haveSupervisorsLook(): Promise<number>;
    windowMs(): Promise<number | null>;
  };
  /** Orders that wait in workflows. */
  readonly standing: StandingPorts;
  readonly supervised: {
    /** Whether its row says that it is over. */
    hasEnded(of: ListedSupervised['of']): Promise<boolean>;
    /** True: its row was gone or behind. */
    readBack(seen: SeenSupervised): Promise<boolean>;
  };
  /** Of these, those that have no row, by client id or by the id the venue was told. */
  withoutRow<Named extends OrderNames>(orders: readonly Named[]): Promise<readonly Named[]>;
  recordOrders(intents: readonly OrderIntent[], context: { readonly ownerWorkflowId: string; readonly sendTtlMs: number; readonly readBack: { readonly denied: ReadonlySet<string> } }): Promise<RecordedGroup>;
  recordMutation(intent: MutationIntent, context: { readonly ownerWorkflowId: string; readonly sendTtlMs: number; readonly isReadBack: true }): Promise<RecordedMutation>;
  isMutationKnown(mutationId: string): Promise<boolean>;
  endWorkflow(workflowId: string, reason: string): Promise<void>;
  accounts(): Promise<readonly { readonly id: string }[]>;
  log(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Workflows that are read at once. */
const READS_AT_ONCE = 16;
/** More names than this help nobody. */
const NAMED_UNFINISHED = 100;

export async function readBack(ports: ReadBackPorts, sinceMs: number): Promise<ReadBackResult> {
  const known = new Set((await ports.accounts()).map((account) => account.id));
  const unfinished: string[] = [];
  const held = await readBackHeld(ports, sinceMs, known, unfinished);
  const supervised = await readBackSupervised(ports, sinceMs, unfinished);
  // Each looks at its row, whatever it has told.
  await ports.history.haveSupervisorsLook();
  const { orders, withoutAccount } = await readBackOrders(ports, sinceMs, known);
  await readBackMutations(ports);
  const found = held + supervised + orders;
  const windowMs = await ports.history.windowMs();
  const forgottenBeforeMs = windowMs !== null && sinceMs < ports.clock.nowMs() - windowMs ? ports.clock.nowMs() - windowMs : null;
  if (found > 0 || withoutAccount > 0 || forgottenBeforeMs !== null || unfinished.length > 0) {
    ports.log({ readBack: found, withoutAccount, forgottenBefore: forgottenBeforeMs === null ? null : new Date(forgottenBeforeMs).toISOString(), unfinished }, 'orders were read back from Temporal');
  }
  return { readBack: found, withoutAccount, forgottenBeforeMs, unfinished: unfinished.slice(0, NAMED_UNFINISHED) };
}

/** Groups that may have orders without a row, some at a time. */
export async function* missingGroups(ports: Pick<ReadBackPorts, 'history' | 'withoutRow'>, sinceMs: number): AsyncIterable<readonly RememberedGroup[]> {
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

async function readBackOrders(ports: ReadBackPorts, sinceMs: number, known: ReadonlySet<string>): Promise<{ readonly orders: number; readonly withoutAccount: number }> {
  let orders = 0;
  let withoutAccount = 0;
  for await (const groups of missingGroups(ports, sinceMs)) {
    for (const { workflowId, intents, verdicts } of groups) {
      const missing = (await ports.withoutRow(intents)).filter((intent) => verdicts.get(intent.id) !== 'duplicate');
      const mine = missing.filter((intent) => known.has(intent.accountId));
      withoutAccount += missing.length - mine.length;
      if (mine.length === 0) continue;
      const denied = new Set(mine.filter((intent) => verdicts.get(intent.id) === 'denied').map((intent) => intent.id));
      await ports.recordOrders(mine, { ownerWorkflowId: workflowId, sendTtlMs: PLACE_SEND_TTL_MS, readBack: { denied } });
      orders += mine.length;
    }
  }
  return { orders, withoutAccount };
}

/** Orders that wait get the terms they have now, and what ended since the backup stays ended. */
async function readBackHeld(ports: ReadBackPorts, sinceMs: number, known: ReadonlySet<string>, unfinished: string[]): Promise<number> {
  return eachOf(ports.history.heldSince(sinceMs), async (listed) => {
    const held = await readOf(ports, listed, unfinished);
    if (held === null || !known.has(held.intent.accountId)) return false;
    const { workflowId: ownerWorkflowId, intent, standing, ended, silence = null } = held;
    if (standing !== null) return standAgain(ports.standing, { intent, ownerWorkflowId, standing });
    if (ended !== null) return endAgain(ports.standing, held);
    if (listed.isOver) return false;
    unfinished.push(ownerWorkflowId);
    if (silence === null) return false;
    ports.log({ err: silence, workflowId: ownerWorkflowId }, 'an order that waits in a workflow could not be read back from it yet');
    return standAsAccepted(ports.standing, { intent, ownerWorkflowId, acceptedAtMs: listed.startedAtMs });
  });
}

/** Order lists and strategies as their workflows saw them last, or ended them: none is open again, and none is made a second time. */
async function readBackSupervised(ports: ReadBackPorts, sinceMs: number, unfinished: string[]): Promise<number> {
  return eachOf(ports.history.supervisedSince(sinceMs), async (listed) => {
    if (listed.isOver && (await ports.supervised.hasEnded(listed.of))) return false;
    const seen = await readOf(ports, listed, unfinished);
    return seen !== null && ports.supervised.readBack(seen);
  });
}

/** null: there is nothing to read (any more), or it does not answer and is unfinished. */
async function readOf<Remembered>(ports: Pick<ReadBackPorts, 'log'>, listed: { readonly workflowId: string; read(): Promise<Remembered | null> }, unfinished: string[]): Promise<Remembered | null> {
  try {
    return await listed.read();
  } catch (error) {
    ports.log({ err: error, workflowId: listed.workflowId }, 'what waits in a workflow could not be read back from it yet');
    unfinished.push(listed.workflowId);
    return null;
  }
}

/** How many of them `work` found something to do for; some at a time. */
async function eachOf<Listed>(all: AsyncIterable<Listed>, work: (listed: Listed) => Promise<boolean>): Promise<number> {
  let found = 0;
  let some: Listed[] = [];
  const doSome = async (): Promise<void> => {
    for (const isFound of await Promise.all(some.map(work))) if (isFound) found += 1;
    some = [];
  };
  for await (const listed of all) {
    some.push(listed);
    if (some.length >= READS_AT_ONCE) await doSome();
  }
  await doSome();
  return found;
}

/** Amends and cancels under way get their rows again, so that their workflows go on; one that cannot be is ended: the venue's view rules. */
async function readBackMutations(ports: ReadBackPorts): Promise<void> {
  for await (const { workflowId, intent } of ports.history.openMutations()) {
    if (await ports.isMutationKnown(intent.id)) continue;
    const recorded = await ports.recordMutation(intent, { ownerWorkflowId: workflowId, sendTtlMs: MUTATION_SEND_TTL_MS, isReadBack: true });
    if (recorded.verdict !== 'accepted') await ports.endWorkflow(workflowId, `the ${intent.kind} was lost with the database, and the order does not take it any more`);
  }
}
