/**
 * Typed event maps of the Socket.io stream, for the server and for clients. A TypeScript client:
 *
 *     import type { ClientToServerEvents, ServerToClientEvents } from 'surefill/stream';
 *     const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(url, { auth: { token } });
 *     socket.on('event', (event) => { if (event.channel === 'orders') show(event.data.order); });
 */
import type { Alert } from '../domain/alert';
import type { Account, Balance, Position } from '../domain/account';
import type { ChainTransfer, ShownDeposit } from '../domain/deposit';
import type { EventType } from '../domain/events';
import type { OrderBook, Ticker } from '../domain/market';
import type { Fill, Order } from '../domain/order';
import type { OrderList } from '../domain/order-list';
import type { Signal } from '../domain/signal';
import type { Strategy } from '../domain/strategy';
import type { Trade } from '../domain/trade';
import type { Withdrawal } from '../domain/withdrawal';
import type { ErrorBody } from '../schemas/errors';
import type { AccountChannel, MarketChannel, SubscribeRequest, UnsubscribeRequest, UserChannel } from '../schemas/socket';

export type { AccountChannel, UserChannel, MarketChannel, ShownDeposit, ChainTransfer, Alert, SubscribeRequest, UnsubscribeRequest, ErrorBody, Order, OrderList, Strategy, Signal, Fill, Position, Balance, Trade, Account, Ticker, OrderBook };

/** The state to begin with: open orders, order lists and strategies, recent fills, open positions, balances, recent trades, the account, recent deposits; alerts that nobody acknowledged; the newest ticker or book, null while unknown. */
export type Snapshot = readonly Order[] | readonly OrderList[] | readonly Strategy[] | readonly Fill[] | readonly Position[] | readonly Balance[] | readonly Trade[] | readonly Account[] | readonly ShownDeposit[] | readonly Alert[] | (Ticker & Freshness) | (OrderBook & Freshness) | null;

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
interface Place {
  readonly sequence: number;
  readonly previousSequence: number;
  readonly generation: string;
  readonly at: string;
}

/** More may be in `data` than what is named: what the change was about. */
type Data<Known = unknown> = Readonly<Record<string, unknown>> & Known;

export interface AccountEvent<Name extends AccountChannel, Type extends EventType, Known = unknown> extends Place {
  readonly channel: Name;
  readonly accountId: string;
  readonly type: Type;
  readonly data: Data<Known>;
}

/** Of the user's own stream. */
export interface UserEvent<Name extends UserChannel, Type extends EventType, Known = unknown> extends Place {
  readonly channel: Name;
  readonly type: Type;
  readonly data: Data<Known>;
}

export interface MarketEvent<Name extends MarketChannel, Type extends string, Known> extends Place {
  readonly channel: Name;
  readonly venue: string;
  readonly symbol: string;
  readonly type: Type;
  readonly data: Data<Known & Freshness>;
}

type TypesOf<Word extends string> = Extract<EventType, `${Word}.${string}`>;

/** Told apart by `channel`. Each carries the whole state it tells of. */
export type ChannelEvent =
  | AccountEvent<'orders', TypesOf<'order'>, { readonly order: Order }>
  | AccountEvent<'orderLists', TypesOf<'orderList'>, { readonly orderList: OrderList }>
  | AccountEvent<'strategies', TypesOf<'strategy'>, { readonly strategy: Strategy }>
  | AccountEvent<'fills', TypesOf<'fill'>, { readonly fill: Fill }>
  | AccountEvent<'positions', TypesOf<'position'>, { readonly position: Position }>
  | AccountEvent<'balances', TypesOf<'balance'>, { readonly balance: Balance }>
  | AccountEvent<'trades', TypesOf<'trade'>, { readonly trade: Trade }>
  /** `signal`: of signal.*. */
  | AccountEvent<'account', TypesOf<'account' | 'signal'>, { readonly signal?: Signal }>
  /** `transfer`: of deposit.unclaimed and its taking back, which belong to no deposit. `withdrawal`: of withdrawal.*. */
  | UserEvent<'deposits', TypesOf<'deposit' | 'swap' | 'withdrawal'>, { readonly deposit?: ShownDeposit; readonly transfer?: ChainTransfer; readonly withdrawal?: Withdrawal }>
  | UserEvent<'alerts', 'alert.raised' | 'alert.acknowledged', { readonly alert: Alert }>
  | UserEvent<'alerts', 'alert.undelivered' | 'alert.channelDisabled', { readonly channelId: string }>
  | MarketChannelEvent;

export type MarketChannelEvent =
  | MarketEvent<'prices', 'price.updated', Ticker>
  | MarketEvent<'orderbook', 'orderbook.updated', OrderBook>;

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
export type ResyncNotice = ({ readonly channel: AccountChannel; readonly accountId: string } | { readonly channel: UserChannel }) & {
  readonly reason: 'venueReconciled' | 'restored' | 'tooOld';
  readonly sequence: number;
  readonly generation: string;
  readonly snapshot: Snapshot;
};

export interface ServerToClientEvents {
  event: (event: ChannelEvent) => void;
  gap: (notice: GapNotice) => void;
  resync: (notice: ResyncNotice) => void;
}

export interface ClientToServerEvents {
  subscribe: (request: SubscribeRequest, answer: (answer: Subscribed | ErrorBody) => void) => void;
  unsubscribe: (request: UnsubscribeRequest, answer: (answer: Record<string, never> | ErrorBody) => void) => void;
}
