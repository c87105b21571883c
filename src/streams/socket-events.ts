/** Typed event maps of the Socket.io stream, for the server and for clients. */
import type { Balance, Position } from '../domain/account';
import type { EventType } from '../domain/events';
import type { OrderBook, Ticker } from '../domain/market';
import type { Fill, Order } from '../domain/order';
import type { ErrorBody } from '../schemas/errors';
import type { AccountChannel, MarketChannel, SubscribeRequest, UnsubscribeRequest } from '../schemas/socket';

export type Channel = AccountChannel | MarketChannel;

/** Whom a message is about: what the subscription named. */
export type Subject = { readonly accountId: string } | { readonly venue: string; readonly symbol: string };

/** The state to begin with: open orders, recent fills, open positions, balances; the newest ticker or book, null while unknown. */
export type Snapshot = readonly Order[] | readonly Fill[] | readonly Position[] | readonly Balance[] | (Ticker & Freshness) | (OrderBook & Freshness) | null;

export interface Freshness {
  /** Nobody confirmed it lately, or the venue's market data is down: do not trade on it. */
  readonly stale: boolean;
}

/**
 * `sequence`: where the subscription begins; the first event's previousSequence equals it. `snapshot` is at least as new;
 * it is null where `sinceSequence` was taken up: the events after it follow.
 */
export interface Subscribed {
  readonly snapshot: Snapshot;
  readonly sequence: number;
  readonly generation: string;
}

/** `previousSequence`: of the event before it on this subscription. Another one than the last you saw: subscribe again. */
export type ChannelEvent = Subject & {
  readonly channel: Channel;
  readonly sequence: number;
  readonly previousSequence: number;
  readonly generation: string;
  readonly at: string;
  readonly type: EventType | 'price.updated' | 'orderbook.updated';
  readonly data: Readonly<Record<string, unknown>>;
};

/** The venue's stream of this account was away: events may be late. A `resync` follows when all of them are here. */
export interface GapNotice {
  readonly channel: AccountChannel;
  readonly accountId: string;
  /** When the venue was last heard, as far as known. */
  readonly from: string | number | null;
  /** When the loss was noticed. */
  readonly to: string;
}

/**
 * - venueReconciled: the gap told before is closed; its events were sent in between. snapshot is null.
 * - restored, tooOld: sequences you know are of another past, or too long ago. Forget your state and take the snapshot that
 *   comes with this message or, where this answers a `subscribe`, with its acknowledgement.
 */
export interface ResyncNotice {
  readonly channel: AccountChannel;
  readonly accountId: string;
  readonly reason: 'venueReconciled' | 'restored' | 'tooOld';
  readonly sequence: number;
  readonly generation: string;
  readonly snapshot: Snapshot;
}

export interface ServerToClientEvents {
  event: (event: ChannelEvent) => void;
  gap: (notice: GapNotice) => void;
  resync: (notice: ResyncNotice) => void;
}

export interface ClientToServerEvents {
  subscribe: (request: SubscribeRequest, answer: (answer: Subscribed | ErrorBody) => void) => void;
  unsubscribe: (request: UnsubscribeRequest, answer: (answer: Record<string, never> | ErrorBody) => void) => void;
}
