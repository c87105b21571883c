/** What an event means to a rule. Pure: the same rule and event always give the same step. */
import type { AlertFact, AlertRule } from './alert';
import { CHAIN_ALERTS } from './chain-stall';
import { decimal, decimalText } from './decimal';
import { ENDED_DEPOSIT_STATES, UNSENT_DEPOSIT_STATES, type DepositState } from './deposit';
import { STREAM_ALERTS, type EventType, type StreamEvent } from './events';
import type { Fill } from './order';

/** What the texts say of an account. */
export interface KnownAccount {
  readonly name: string;
  readonly venue: string;
}

/**
 * `raise`: tell now; `wait`: tell at `dueAtMs` unless it is cleared before (a later wait under the same key takes the place of an
 * earlier one); `clear`: what was waited for has passed.
 */
export type AlertStep =
  | { readonly kind: 'raise'; readonly clears: string | null; readonly fact: AlertFact }
  | { readonly kind: 'wait'; readonly key: string; readonly dueAtMs: number; readonly fact: AlertFact }
  | { readonly kind: 'clear'; readonly key: string };

/** Events that any rule looks at. */
export const JUDGED_EVENTS: readonly EventType[] = [
  'fill.created', 'account.alert', 'deposit.created', 'deposit.updated', 'deposit.credited', 'deposit.refunded', 'deposit.failed', 'deposit.ended', 'deposit.reviewNeeded', 'deposit.reversed', 'deposit.held', 'deposit.unclaimed', 'withdrawal.failed', 'swap.quoted', 'swap.updated',
];

/** Kinds of account.alert that say that a position is not protected as it should be. */
const PROTECTION_ALERTS: ReadonlySet<string> = new Set(['unprotected', 'exitNotFilled', 'noNativeStop', 'belowMinimum']);
const LOSS_ALERTS: ReadonlySet<string> = new Set(['dailyLossLimit', 'drawdownLimit']);

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** null: the rule has nothing to do with it. */
export function stepOf(rule: AlertRule, event: StreamEvent, accountOf: (id: string) => KnownAccount | null): AlertStep | null {
  if (Date.parse(event.at) < Date.parse(rule.activeSince)) return null;
  if (event.accountId !== null && rule.accountIds !== null && !rule.accountIds.includes(event.accountId)) return null;
  const account = event.accountId === null ? null : accountOf(event.accountId);
  switch (rule.kind) {
    case 'fill':
      return event.type === 'fill.created' && account !== null ? fillStep(rule, event, account) : null;
    case 'protection':
      return event.type === 'account.alert' && account !== null ? protectionStep(rule, event, account) : null;
    case 'loss':
      return event.type === 'account.alert' && account !== null ? lossStep(event, account) : null;
    case 'venueDown':
      return event.type === 'account.alert' && account !== null ? venueStep(rule, event, account) : null;
    case 'depositStuck':
      if (event.type === 'withdrawal.failed') return fundingStep(event);
      if (event.type === 'deposit.unclaimed') return unclaimedStep(event);
      if (event.type === 'account.alert') return chainStep(event);
      return event.type.startsWith('deposit.') || event.type.startsWith('swap.') ? depositStep(rule, event) : null;
    // Judged by prices and marks, where those are known.
    case 'price':
    case 'liquidationDistance':
      return null;
  }
}

type RuleOf<Kind extends AlertRule['kind']> = Extract<AlertRule, { kind: Kind }>;

function fillStep(rule: RuleOf<'fill'>, event: StreamEvent, account: KnownAccount): AlertStep | null {
  const fill = event.data['fill'] as Fill;
  const { side, minNotional } = rule.parameters;
  if (rule.symbols !== null && !rule.symbols.includes(fill.symbol)) return null;
  if (side !== null && fill.side !== side) return null;
  const notional = decimal(fill.price).times(decimal(fill.quantity));
  if (minNotional !== null && notional.lessThan(decimal(minNotional))) return null;
  return {
    kind: 'raise',
    clears: null,
    fact: {
      subject: `fill/${fill.accountId}/${fill.symbol}`,
      title: `${fill.side === 'buy' ? 'Bought' : 'Sold'} ${fill.quantity} ${fill.symbol} at ${fill.price}`,
      body: `Account ${account.name} at ${fill.venue}: worth ${decimalText(notional)}, fee ${fill.fee} ${fill.feeAsset}.`,
      accountId: fill.accountId,
      symbol: fill.symbol,
      data: { orderId: fill.orderId, venueFillId: fill.venueFillId, side: fill.side, price: fill.price, quantity: fill.quantity },
    },
  };
}

function protectionStep(rule: RuleOf<'protection'>, event: StreamEvent, account: KnownAccount): AlertStep | null {
  const kind = textAt(event.data, 'kind') ?? '';
  if (!PROTECTION_ALERTS.has(camelCase(kind))) return null;
  const symbol = textAt(event.data, 'symbol');
  if (rule.symbols !== null && (symbol === null || !rule.symbols.includes(symbol))) return null;
  const words = textAt(event.data, 'words') ?? textAt(event.data, 'reason') ?? 'its protection is not where it should be';
  return {
    kind: 'raise',
    clears: null,
    fact: { subject: `protection/${event.accountId ?? ''}/${symbol ?? ''}/${kind}`, title: `${symbol ?? 'A position'} is not protected as it should be`, body: `Account ${account.name} at ${account.venue}: ${words} (${kind}).`, accountId: event.accountId, symbol, data: { ...event.data } },
  };
}

function lossStep(event: StreamEvent, account: KnownAccount): AlertStep | null {
  const kind = textAt(event.data, 'kind') ?? '';
  if (!LOSS_ALERTS.has(kind)) return null;
  const reason = textAt(event.data, 'reason') ?? kind;
  const status = textAt(event.data, 'status') ?? 'restricted';
  return { kind: 'raise', clears: null, fact: { subject: `${kind}/${event.accountId ?? ''}`, title: `Account ${account.name} is ${status}: a loss limit was reached`, body: `At ${account.venue}: ${reason}.`, accountId: event.accountId, symbol: null, data: { ...event.data } } };
}

function venueStep(rule: RuleOf<'venueDown'>, event: StreamEvent, account: KnownAccount): AlertStep | null {
  const { venue, afterSeconds } = rule.parameters;
  if (venue !== null && venue !== account.venue) return null;
  const key = `gap/${event.accountId ?? ''}`;
  const kind = textAt(event.data, 'kind');
  if (kind === STREAM_ALERTS.resynced) return { kind: 'clear', key };
  if (kind !== STREAM_ALERTS.gap) return null;
  const since = textAt(event.data, 'from') ?? event.at;
  return {
    kind: 'wait',
    key,
    dueAtMs: Date.parse(event.at) + afterSeconds * SECOND,
    // By the venue: five accounts there are one alert.
    fact: { subject: `venue/${account.venue}`, title: `${account.venue} cannot be reached`, body: `Account ${account.name} has not been in step with the venue since ${since}: ${textAt(event.data, 'reason') ?? 'its stream is away'}.`, accountId: event.accountId, symbol: null, data: { venue: account.venue, since } },
  };
}

function depositStep(rule: RuleOf<'depositStuck'>, event: StreamEvent): AlertStep | null {
  const deposit = event.data['deposit'] as { readonly id?: unknown; readonly state?: unknown } | undefined;
  if (typeof deposit?.id !== 'string' || typeof deposit.state !== 'string') return null;
  const { id } = deposit;
  const state = deposit.state as DepositState;
  const key = `deposit/${id}`;
  if (event.type === 'deposit.held') {
    const [reason, advice] = [textAt(event.data, 'reason') ?? '', textAt(event.data, 'advice') ?? ''];
    return { kind: 'raise', clears: key, fact: { subject: `${key}/held`, title: `A deposit's money is not where it should be (${reason})`, body: `Deposit ${id}: ${advice}.`, accountId: null, symbol: null, data: { depositId: id, reason, advice } } };
  }
  // Before anything is sent it waits for its owner, who knows.
  if (ENDED_DEPOSIT_STATES.has(state) || UNSENT_DEPOSIT_STATES.has(state)) return { kind: 'clear', key };
  const fact = (body: string): AlertFact => ({ subject: key, title: `A deposit is stuck in ${state}`, body, accountId: null, symbol: null, data: { depositId: id, state, since: event.at } });
  if (event.type === 'deposit.reviewNeeded') return { kind: 'raise', clears: key, fact: fact(`Deposit ${id} waits for a person to look at it.`) };
  const { afterMinutes } = rule.parameters;
  return { kind: 'wait', key, dueAtMs: Date.parse(event.at) + afterMinutes * MINUTE, fact: fact(`Nothing has happened to deposit ${id} for ${afterMinutes} minutes, since ${event.at}.`) };
}

/** What arrived for nobody lies in suspense until an operator says whose it is. */
function unclaimedStep(event: StreamEvent): AlertStep {
  const { amount, asset, txHash } = (event.data['transfer'] ?? {}) as { readonly amount?: unknown; readonly asset?: unknown; readonly txHash?: unknown };
  const body = `${String(amount)} of ${String(asset)} came in ${String(txHash)} and lies in suspense (${textAt(event.data, 'why') ?? 'nobody claims it'}): an operator releases it.`;
  return { kind: 'raise', clears: null, fact: { subject: `unclaimed/${String(txHash)}`, title: 'Money arrived that no deposit claims', body, accountId: null, symbol: null, data: { ...event.data } } };
}

/** In the stream of an operator alone: others hear of their own deposits. It was told because it lasts. */
function chainStep(event: StreamEvent): AlertStep | null {
  if (textAt(event.data, 'kind') !== CHAIN_ALERTS.stalled) return null;
  const [chain, reason, since] = ['chain', 'reason', 'since'].map((field) => textAt(event.data, field) ?? '');
  const body = `Since ${since}: ${reason}. What arrives is counted once its endpoints answer, and alike: look at SUREFILL_${(chain ?? '').toUpperCase()}_RPC_URLS.`;
  return { kind: 'raise', clears: null, fact: { subject: `chain/${chain}`, title: `No deposit that arrives on ${chain} is counted`, body, accountId: null, symbol: null, data: { ...event.data } } };
}

/** What was to go on to an account stays in the wallet. Another withdrawal that failed is told to whoever asked for it. */
function fundingStep(event: StreamEvent): AlertStep | null {
  const withdrawal = event.data['withdrawal'] as { readonly amount?: unknown; readonly reason?: unknown; readonly funding?: { readonly depositId?: unknown; readonly accountId?: unknown } } | undefined;
  const { depositId, accountId } = withdrawal?.funding ?? {};
  if (typeof depositId !== 'string' || typeof accountId !== 'string') return null;
  const reason = String(withdrawal?.reason);
  const body = `Deposit ${depositId} was to go on to account ${accountId}, and did not (${reason}): ${String(withdrawal?.amount)} USDC are in your wallet. Withdraw them, or begin another deposit once the account is right.`;
  return { kind: 'raise', clears: null, fact: { subject: `funding/${depositId}`, title: 'A deposit did not go on to its account', body, accountId: null, symbol: null, data: { depositId, accountId, reason } } };
}

function textAt(data: Readonly<Record<string, unknown>>, field: string): string | null {
  const value = data[field];
  return typeof value === 'string' ? value : null;
}

/** UNPROTECTED and unprotected are one word. */
function camelCase(kind: string): string {
  return kind === kind.toUpperCase() ? kind.toLowerCase() : kind;
}

/** What a rule remembers of a subject. */
export interface SubjectMemory {
  /** ms; null: it never spoke. */
  readonly raisedAtMs: number | null;
  readonly suppressed: number;
}

/** Whether an alert is told or kept silent, and what is remembered then. What a told one kept silent before is said in it. */
export function afterFact(memory: SubjectMemory, cooldownSeconds: number, atMs: number): { readonly told: boolean; readonly memory: SubjectMemory } {
  const { raisedAtMs, suppressed } = memory;
  if (raisedAtMs !== null && atMs - raisedAtMs < cooldownSeconds * SECOND) return { told: false, memory: { raisedAtMs, suppressed: suppressed + 1 } };
  return { told: true, memory: { raisedAtMs: atMs, suppressed: 0 } };
}

/** When an alert may be told without a snooze: at once, or with its digest. `openDigestMs`: when the digest that is open is ready. */
export function readyAtMs({ digestMinutes }: Pick<AlertRule, 'digestMinutes'>, atMs: number, openDigestMs: number | null): number {
  if (digestMinutes === null) return atMs;
  return openDigestMs !== null && openDigestMs > atMs ? openDigestMs : atMs + digestMinutes * MINUTE;
}

/** When a channel may hear of it: not before it is ready, and not in a snooze. */
export function dueAtMs(rule: Pick<AlertRule, 'digestMinutes' | 'snoozedUntil'>, atMs: number, openDigestMs: number | null): number {
  const readyMs = readyAtMs(rule, atMs, openDigestMs);
  return rule.snoozedUntil === null ? readyMs : Math.max(readyMs, Date.parse(rule.snoozedUntil));
}
