/**
 * The kill switch. What it holds it holds until a person releases it.
 *
 * - halt: no entries; strategies are paused, entries of order lists end. Other open orders and stops stay, exits pass.
 * - cancel: and every open order that Surefill placed is canceled, stops and take-profits too; strategies and order lists are canceled. What was placed
 *   outside is not ours and stays (DESIGN: EXTERNAL orders are never canceled by us).
 * - flatten: and outside orders as well, because a position is not flat while any order may open it again; positions are closed by
 *   reduce-only market orders, repeated until the venue shows none.
 */
import { decimal } from './decimal';

export const KILL_SWITCH_SCOPES = ['account', 'venue', 'all'] as const;
export type KillSwitchScope = (typeof KILL_SWITCH_SCOPES)[number];

/** From mild to sharp. */
export const KILL_SWITCH_MODES = ['halt', 'cancel', 'flatten'] as const;
export type KillSwitchMode = (typeof KILL_SWITCH_MODES)[number];

export interface KillSwitch {
  readonly id: string;
  readonly userId: string;
  readonly scope: KillSwitchScope;
  /** Of scope account. */
  readonly accountId: string | null;
  /** Of scope venue. */
  readonly venue: string | null;
  readonly mode: KillSwitchMode;
  readonly reason: string | null;
  readonly latchedAt: string;
  readonly latchedBy: string;
  readonly releasedAt: string | null;
  readonly releasedBy: string | null;
}

/** What was asked for: a switch before it is latched, and what its workflow remembers of it. */
export type NewKillSwitch = Pick<KillSwitch, 'id' | 'userId' | 'scope' | 'accountId' | 'venue' | 'mode' | 'reason'>;

/** HALTED: entries are stopped and that is all that was asked. The others say whether it is done, by the venue's own word. */
export const FLATNESS = ['HALTED', 'CANCELING', 'CANCELED_CONFIRMED', 'FLATTENING', 'FLAT_CONFIRMED'] as const;
export type Flatness = (typeof FLATNESS)[number];

/** What is known of one account under a kill switch. */
export interface KillSwitchFacts {
  readonly accountId: string;
  readonly venue: string;
  readonly openOrders: number;
  /** Of the open ones: their outcome at the venue is not known. */
  readonly unknownOrders: number;
  /** Of the open ones: placed outside. */
  readonly outsideOrders: number;
  readonly openStrategies: number;
  /** Order lists with a leg on the account. */
  readonly openLists: number;
  /** Signed quantities that are not zero, by our fills or the venue's word. */
  readonly positions: readonly { readonly symbol: string; readonly quantity: string }[];
  /** Our clock, ms: when the newest whole read of the venue began; null: never. */
  readonly readFromMs: number | null;
  /** The venue's clock, ms: up to when its fills were read. */
  readonly fillsReadToMs: number | null;
  /** The venue's clock, ms. */
  readonly lastFillMs: number | null;
  /** Why the newest exit of a market that is still held did not go through; null: those did, or there was none. */
  readonly exitTrouble: string | null;
}

export interface AccountFlatness {
  readonly accountId: string;
  readonly venue: string;
  readonly state: Flatness;
  /** What is still to be done; null once it is confirmed. */
  readonly reason: string | null;
  readonly readAt: string | null;
}

/** A read counts when it began after the latch and after the last fill: a fill that comes late takes the confirmation back. */
export function flatnessOf({ mode, latchedAt }: Pick<KillSwitch, 'mode' | 'latchedAt'>, facts: KillSwitchFacts): AccountFlatness {
  const { accountId, venue } = facts;
  const readAt = facts.readFromMs === null ? null : new Date(facts.readFromMs).toISOString();
  const shown = (state: Flatness, reason: string | null): AccountFlatness => ({ accountId, venue, state, reason, readAt });
  if (mode === 'halt') return shown('HALTED', null);
  const open = mode === 'flatten' ? facts.openOrders : facts.openOrders - facts.outsideOrders;
  const left = [
    ...(open > 0 ? [`${open} orders are open${facts.unknownOrders > 0 ? `, of ${facts.unknownOrders} the outcome is unknown` : ''}`] : []),
    ...(facts.openStrategies > 0 ? [`${facts.openStrategies} strategies have not ended`] : []),
    ...(facts.openLists > 0 ? [`${facts.openLists} order lists have not ended`] : []),
    ...(mode === 'flatten' ? facts.positions.filter(({ quantity }) => !decimal(quantity).isZero()).map(({ symbol, quantity }) => `${quantity} ${symbol} is held`) : []),
    ...(mode === 'flatten' && facts.positions.length > 0 && facts.exitTrouble !== null ? [`the last exit did not go through: ${facts.exitTrouble}`] : []),
    ...unread(latchedAt, facts),
  ];
  const [busy, done] = mode === 'flatten' ? (['FLATTENING', 'FLAT_CONFIRMED'] as const) : (['CANCELING', 'CANCELED_CONFIRMED'] as const);
  return left.length > 0 ? shown(busy, left.join('; ')) : shown(done, null);
}

function unread(latchedAt: string, { readFromMs, fillsReadToMs, lastFillMs }: KillSwitchFacts): readonly string[] {
  if (readFromMs === null || readFromMs <= Date.parse(latchedAt)) return [`${readFromMs === null ? 'the venue was never read' : `the venue was last read ${new Date(readFromMs).toISOString()}`}, which is before the switch was latched`];
  if (lastFillMs !== null && (fillsReadToMs === null || fillsReadToMs <= lastFillMs)) return [`the venue was not read since the last fill at ${new Date(lastFillMs).toISOString()}`];
  return [];
}

export function isConfirmed(state: Flatness): boolean {
  return state === 'HALTED' || state === 'CANCELED_CONFIRMED' || state === 'FLAT_CONFIRMED';
}

/** The sharper of two. */
export function sharper(a: KillSwitchMode, b: KillSwitchMode): KillSwitchMode {
  return KILL_SWITCH_MODES.indexOf(a) >= KILL_SWITCH_MODES.indexOf(b) ? a : b;
}

/** A venue is what all its accounts are: confirmed when each is. */
export function venueFlatness(accounts: readonly AccountFlatness[]): readonly { readonly venue: string; readonly state: Flatness; readonly reason: string | null }[] {
  const venues = [...new Set(accounts.map(({ venue }) => venue))].sort();
  return venues.map((venue) => {
    const own = accounts.filter((account) => account.venue === venue);
    const open = own.filter(({ state }) => !isConfirmed(state));
    const [first] = open.length > 0 ? open : own;
    if (first === undefined) throw new RangeError(`no account on ${venue}`);
    return { venue, state: first.state, reason: open.length === 0 ? null : open.map(({ accountId, reason }) => `${accountId}: ${reason ?? ''}`).join('; ') };
  });
}
