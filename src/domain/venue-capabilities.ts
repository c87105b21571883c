/** What a venue can do: which of our promises it carries itself, and what may be asked of it. */
import type { MarginMode } from './account';
import type { NonceRule } from './nonce';
import type { OrderGrouping, OrderType, TimeInForce } from './order';
import type { VenueMove } from './venue-moves';
import type { TriggerPriceType } from './venue-orders';

/**
 * Why sending an intent again is safe:
 * - sameBytes: the nonce inside the signed bytes is single-use, so the same bytes take effect at most once; past
 *   their deadline new ones take their place, once the old are proven to have had no effect;
 * - uniqueClientId: the venue refuses a client id it has ever accepted;
 * - venueDeadline: new bytes only after the earlier request's venue-enforced deadline passed and the order is absent;
 * - none: an intent is never sent twice, it stays UNKNOWN.
 */
export type ResendSafety = 'sameBytes' | 'uniqueClientId' | 'venueDeadline' | 'none';

export interface VenueCapabilities {
  readonly resendSafety: ResendSafety;
  /** How long after the deadline an order absent from every read is finally absent. null: absence is never final. */
  readonly absenceFinalAfterMs: number | null;
  /** Each nonce must follow the last by one; orders of one signer go one group at a time, and sessions have `nextNonce`. */
  readonly strictNonces: boolean;
  readonly nonceRule: NonceRule;
  /** sync: the answer says working, filled or refused; async: it says only "taken", the stream tells the rest. */
  readonly acknowledgement: 'sync' | 'async' | 'onChain';
  readonly clientIds: boolean;
  readonly maxBatchSize: number;
  readonly orderTypes: readonly OrderType[];
  readonly timesInForce: readonly TimeInForce[];
  /** Prices that a trigger order may look at, its default first; absent where the venue has no trigger orders. */
  readonly triggerPriceTypes?: readonly TriggerPriceType[];
  /** Its tickers tell an index price: a trigger of ours may look at it. Absent: they do not. */
  readonly indexPrice?: boolean;
  /** How long the venue keeps a trigger order, ms; absent: until it fires or is canceled. */
  readonly nativeStopsExpireAfterMs?: number;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
  /** replace: the venue changes the order in place; cancelReplace: a new order takes its place; none. */
  readonly amend: 'inPlace' | 'cancelReplace' | 'none';
  readonly deadManSwitch: boolean;
  /** Collateral that can be moved within an account; absent: none. Sessions have `moves`, and `resendSafety` is sameBytes. */
  readonly collateralMoves?: readonly VenueMove['kind'][];
  /** How the orders of one list may belong together at the venue, in one request; absent: each stands alone. `resendSafety` is sameBytes there, and nonces are not strict: a group is signed anew whole, never in parts. */
  readonly groupings?: readonly OrderGrouping[];
  /** Absent: cross only. */
  readonly marginModes?: readonly MarginMode[];
  /** False where fills older than some age cannot be read: then carry-in entries are needed. */
  readonly fullFillHistory: boolean;
  /**
   * The total of a balance is cash: deposits, realized profit, fees and funding, nothing unrealized and nothing rounded away.
   * Then what the ledger does not explain of it is a transfer, and is booked as one. Absent: no.
   */
  readonly cashBalances?: boolean;
  /** What may be sent per interval, and the part of it only cancels, exits and outcome queries may use. */
  readonly budget: RateBudgetRule;
}

export interface RateBudgetRule {
  readonly capacity: number;
  readonly refillPerSecond: number;
  /** Fraction of capacity that entries and reads can never use. */
  readonly reserve: number;
}
