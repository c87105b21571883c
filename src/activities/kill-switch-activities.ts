/** What the kill switch's and the dead-man switch's workflows read, command and record. Types only for workflows. */
import type { Account } from '../domain/account';
import { childIntent, EXIT_PLACE_WITHIN_MS } from '../domain/child-intent';
import type { Sha256Hex } from '../domain/client-ids';
import { isHeld } from '../domain/condition';
import { decimal, decimalText, ZERO } from '../domain/decimal';
import { DomainError } from '../domain/errors';
import { isForgotten, type Heartbeat, type SeenHeartbeat } from '../domain/heartbeat';
import { flatnessOf, isConfirmed, type AccountFlatness, type KillSwitch, type KillSwitchFacts, type NewKillSwitch } from '../domain/kill-switch';
import type { Market } from '../domain/market';
import { isTerminal, type Order, type OrderIntent, type OrderState } from '../domain/order';
import type { QuantityRules } from '../domain/quantise';
import type { KillSwitchExit } from '../store/risk/kill-switches';

/** An order that is to be canceled. */
export interface CancelReference {
  readonly orderId: string;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
}

export interface KillSwitchStep {
  readonly released: boolean;
  readonly confirmed: boolean;
  readonly accounts: readonly AccountFlatness[];
  readonly cancel: readonly CancelReference[];
  readonly exits: readonly OrderIntent[];
}

export interface HeartbeatStep {
  /** When the silence is over, ms; null: disarmed or gone. */
  readonly expiresAtMs: number | null;
  /** Of an account that fell silent. */
  readonly cancel: readonly CancelReference[];
  /** While it is armed: the workflow's to remember. Absent in steps of before that, and once it is not. */
  readonly seen?: SeenHeartbeat;
}

export interface KillSwitchActivities {
  stepKillSwitch(input: { readonly killSwitchId: string; readonly latched?: NewKillSwitch }): Promise<KillSwitchStep>;
  /** `seen`: what the workflow remembers of the last one that armed it. */
  checkHeartbeat(input: { readonly accountId: string; readonly seen?: SeenHeartbeat | undefined }): Promise<HeartbeatStep>;
}

export type TroubleSubject = { readonly orderId: string } | { readonly orderListId: string } | { readonly strategyId: string };

export interface KillSwitchPorts {
  readonly clock: { nowMs(): number };
  readonly switches: {
    byId(id: string): Promise<KillSwitch | null>;
    latchAgain(lost: NewKillSwitch): Promise<KillSwitch | null>;
    facts(id: string): Promise<readonly KillSwitchFacts[]>;
    exits(id: string): Promise<readonly KillSwitchExit[]>;
    recordExit(id: string, exit: Pick<KillSwitchExit, 'n' | 'accountId' | 'symbol' | 'side' | 'quantity'>): Promise<KillSwitchExit | null>;
  };
  readonly strategies: {
    openOf(accountId: string): Promise<readonly { readonly id: string; readonly userId: string }[]>;
    command(id: string, userId: string, command: { readonly kind: 'pause' | 'cancel'; readonly reason: string | null }): Promise<unknown>;
    tell(strategyId: string): Promise<void>;
  };
  readonly lists: {
    openOf(accountId: string): Promise<readonly { readonly id: string; readonly userId: string }[]>;
    command(id: string, userId: string, command: { readonly kind: 'cancel' | 'stopEntries'; readonly reason: string }): Promise<unknown>;
    tell(listId: string): Promise<void>;
  };
  readonly heartbeats: { byAccount(accountId: string): Promise<Heartbeat | null>; rearm(accountId: string, seen: SeenHeartbeat): Promise<Heartbeat | null>; fire(accountId: string, expiresAt: string, openOrders: number): Promise<boolean> };
  /** Every open order, those that wait in workflows too. */
  open(accountId: string): Promise<readonly Order[]>;
  account(accountId: string): Promise<Account | null>;
  market(venue: string, symbol: string): Promise<Market | null>;
  /** Asks whoever watches the account for a look at the venue. May be lost. */
  askForLook(accountId: string): void;
  /** Of an order that waits in a workflow of ours: that workflow cancels it, and what it has placed. */
  cancelHeld(order: Order): Promise<unknown>;
  /** What of it could not be stopped; it is tried again at the next look. */
  onTrouble(subject: TroubleSubject, error: unknown): void;
  readonly sha256Hex: Sha256Hex;
}

/** An exit that filled nothing is tried again after this, doubled each time up to the longest. */
const FIRST_EXIT_RETRY_MS = 1_000;
const LONGEST_EXIT_RETRY_MS = 30_000;

export function createKillSwitchActivities(ports: KillSwitchPorts): KillSwitchActivities {
  return {
    async stepKillSwitch({ killSwitchId, latched }) {
      // Without a row it was never released: a database that was restored has lost it, and what it held is held again.
      const killSwitch = (await ports.switches.byId(killSwitchId)) ?? (latched === undefined ? null : await ports.switches.latchAgain(latched));
      if (killSwitch === null || killSwitch.releasedAt !== null) return { released: true, confirmed: true, accounts: [], cancel: [], exits: [] };
      const facts = await ports.switches.facts(killSwitchId);
      const cancel: CancelReference[] = [];
      const exits: OrderIntent[] = [];
      const reason = `kill switch ${killSwitch.id}`;
      for (const each of facts) {
        if (each.openStrategies > 0) await stopStrategies(ports, each.accountId, killSwitch.mode === 'halt' ? 'pause' : 'cancel', reason);
        if (each.openLists > 0) await endLists(ports, each.accountId, killSwitch.mode === 'halt' ? 'stopEntries' : 'cancel', reason);
        if (killSwitch.mode !== 'halt') cancel.push(...(await cancelable(ports, each.accountId, killSwitch.mode === 'flatten')));
        if (killSwitch.mode === 'flatten') exits.push(...(await exitsOf(ports, killSwitch, each)));
      }
      const accounts = facts.map((each) => flatnessOf(killSwitch, each));
      // Nothing is left to do there but to hear it from the venue.
      for (const { accountId, state } of accounts) if (!isConfirmed(state)) ports.askForLook(accountId);
      return { released: false, confirmed: accounts.every(({ state }) => isConfirmed(state)), accounts, cancel, exits };
    },
    async checkHeartbeat({ accountId, seen }) {
      const row = await ports.heartbeats.byAccount(accountId);
      // A database that was restored has lost it: silence would never be told.
      const heartbeat = seen !== undefined && isForgotten(seen, row) ? ((await ports.heartbeats.rearm(accountId, seen)) ?? (await ports.heartbeats.byAccount(accountId))) : row;
      if (heartbeat === null) return { expiresAtMs: null, cancel: [] };
      if (heartbeat.expiresAt !== null) {
        const expiresAtMs = Date.parse(heartbeat.expiresAt);
        if (expiresAtMs > ports.clock.nowMs()) return { expiresAtMs, cancel: [], seen: seenOf(heartbeat) };
        // Decided, and told, before anything is taken away: a heartbeat that came after all finds everything as it was.
        if (!(await ports.heartbeats.fire(accountId, heartbeat.expiresAt, (await openOurs(ports, accountId, false)).length))) {
          const now = await ports.heartbeats.byAccount(accountId);
          return now === null || now.expiresAt === null ? { expiresAtMs: null, cancel: [] } : { expiresAtMs: Date.parse(now.expiresAt), cancel: [], seen: seenOf(now) };
        }
      } else if (heartbeat.firedAt === null) return { expiresAtMs: null, cancel: [] };
      // Fired, and not heard since: what would place more ends, and what is open is canceled until nothing is.
      await stopStrategies(ports, accountId, 'cancel', SILENCE);
      await endLists(ports, accountId, 'cancel', SILENCE);
      return { expiresAtMs: null, cancel: await cancelable(ports, accountId, false) };
    },
  };
}

function seenOf({ timeoutMs, beatAt }: Heartbeat): SeenHeartbeat {
  return { timeoutMs, beatAt };
}

/** What a person reads of a list or a strategy that a dead-man switch ended. */
const SILENCE = 'the account fell silent';

async function stopStrategies(ports: KillSwitchPorts, accountId: string, kind: 'pause' | 'cancel', reason: string): Promise<void> {
  for (const { id, userId } of await ports.strategies.openOf(accountId)) {
    await apart(ports, { strategyId: id }, async () => {
      await unlessEnded(() => ports.strategies.command(id, userId, { kind, reason }));
      await ports.strategies.tell(id);
    });
  }
}

/** Before their orders are canceled, so that no list places another for one that was taken from it. Halted ones keep their exits. */
async function endLists(ports: KillSwitchPorts, accountId: string, kind: 'cancel' | 'stopEntries', reason: string): Promise<void> {
  for (const { id, userId } of await ports.lists.openOf(accountId)) {
    await apart(ports, { orderListId: id }, async () => {
      await unlessEnded(() => ports.lists.command(id, userId, { kind, reason }));
      await ports.lists.tell(id);
    });
  }
}

/** One that cannot be stopped now holds up no other, of whatever account: it is told of, and stopped at the next look. */
async function apart(ports: KillSwitchPorts, subject: TroubleSubject, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ports.onTrouble(subject, error);
  }
}

/** Ended or canceled by its owner at the same moment: it is stopped. */
async function unlessEnded(command: () => Promise<unknown>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof DomainError) || error.code !== 'CONFLICT') throw error;
  }
}

async function openOurs(ports: KillSwitchPorts, accountId: string, outside: boolean): Promise<readonly Order[]> {
  return (await ports.open(accountId)).filter((order) => !order.pendingCancel && !isExit(order) && (outside || order.origin !== 'EXTERNAL'));
}

/** Orders that wait in workflows are canceled there, at once; the others are to be canceled by child workflows of their own. */
async function cancelable(ports: KillSwitchPorts, accountId: string, outside: boolean): Promise<readonly CancelReference[]> {
  const open = await openOurs(ports, accountId, outside);
  // One whose workflow does not answer holds up no other: it is asked again at the next look.
  await Promise.all(open.filter(isHeld).map((order) => apart(ports, { orderId: order.id }, () => ports.cancelHeld(order))));
  return open.filter((order) => !isHeld(order)).map(({ id, userId, venue, symbol }) => ({ orderId: id, userId, accountId, venue, symbol }));
}

/** The switch's own exits take what they can at once, and end by themselves. */
function isExit(order: Pick<Order, 'supervisorWorkflowId'>): boolean {
  return order.supervisorWorkflowId?.startsWith('kill-switch/') === true;
}

/** One exit a market at a time: recorded, then placed; the next one once the outcome of the last is evidence. */
async function exitsOf(ports: KillSwitchPorts, killSwitch: KillSwitch, { accountId, venue, positions }: KillSwitchFacts): Promise<readonly OrderIntent[]> {
  if (positions.length === 0) return [];
  const account = await ports.account(accountId);
  if (account === null) return [];
  const intents: OrderIntent[] = [];
  for (const { symbol, quantity } of positions) {
    const market = await ports.market(venue, symbol);
    if (market === null || decimal(quantity).isZero()) continue;
    const intentOfExit = (exit: ExitTerms): OrderIntent | null => intentOf(ports, killSwitch, account, market, exit);
    const exit = await nextExit(ports, killSwitch.id, { accountId, symbol, quantity }, (terms) => intentOfExit(terms) !== null);
    const intent = exit === null ? null : intentOfExit(exit);
    if (intent !== null) intents.push(intent);
  }
  return intents;
}

/** What an exit's intent is made of. */
type ExitTerms = Pick<KillSwitchExit, 'n' | 'side' | 'quantity' | 'recordedAtMs'>;

/** null: the last one is under way, it is not time yet, or the market takes no order as small as what is held. */
async function nextExit(ports: KillSwitchPorts, id: string, held: { readonly accountId: string; readonly symbol: string; readonly quantity: string }, isPlaceable: (terms: ExitTerms) => boolean): Promise<KillSwitchExit | null> {
  const all = await ports.switches.exits(id);
  const own = all.filter((exit) => exit.accountId === held.accountId && exit.symbol === held.symbol);
  const last = own.at(-1);
  const nowMs = ports.clock.nowMs();
  if (last !== undefined) {
    if (last.state === null) {
      if (isPlaceable(last)) return last;
      // Its market may have taken it when it was recorded, and then it may be on its way: there is no second one beside it until its time to be placed is over.
      if (nowMs - last.recordedAtMs <= EXIT_PLACE_WITHIN_MS) return null;
    } else if (!isTerminal(last.state as OrderState)) return null;
    const inVain = own.length - 1 - own.findLastIndex((exit) => decimal(exit.filledQuantity).greaterThan(ZERO));
    const restMs = inVain === 0 ? 0 : Math.min(FIRST_EXIT_RETRY_MS * 2 ** (inVain - 1), LONGEST_EXIT_RETRY_MS);
    if (nowMs - last.recordedAtMs < restMs) return null;
  }
  const signed = decimal(held.quantity);
  const next = { n: (all.at(-1)?.n ?? 0) + 1, side: signed.isPositive() ? 'sell' : 'buy', quantity: decimalText(signed.abs()) } as const;
  // One that cannot be placed has no outcome: recorded, it would stand before every later one, though a late fill makes what is held large enough.
  if (!isPlaceable({ ...next, recordedAtMs: nowMs })) return null;
  return ports.switches.recordExit(id, { ...next, accountId: held.accountId, symbol: held.symbol });
}

function intentOf(ports: KillSwitchPorts, killSwitch: KillSwitch, account: Account, market: Market, exit: ExitTerms): OrderIntent | null {
  const owner = {
    userId: account.userId, accountId: account.id, signerId: account.signerId, venue: account.venue, symbol: market.symbol, venueSymbol: market.venueSymbol,
    origin: 'STRATEGY', supervision: { workflowId: `kill-switch/${killSwitch.id}` },
  } as const;
  const terms = { side: exit.side, type: 'market', timeInForce: 'IOC', quantity: exit.quantity, limitPrice: null, postOnly: false, reduceOnly: true } as const;
  const rules: QuantityRules = market;
  const made = childIntent({ parentId: killSwitch.id, leg: 0, child: exit.n }, owner, terms, { rules, referencePrice: null }, exit.recordedAtMs, ports.sha256Hex);
  return made.kind === 'intent' ? made.intent : null;
}
