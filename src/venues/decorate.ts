/**
 * Every call of a venue passed through one function: what a decorator is made of. Each concern (budget, breaker,
 * telemetry, repeats of reads) is one such function; the methods of the port are listed here once and nowhere else.
 */
import type { BudgetClass } from '../domain/rate-budget';
import type { VenueBridge } from '../domain/venue-bridge';
import type { ReadOptions, SendOptions, SignedRequest, Venue, VenueAccountSession, VenueCredentials, VenueMoves } from '../domain/venue';

export type VenueCallName =
  | 'send'
  | 'markets'
  | 'tickers'
  | 'orderBook'
  | 'trades'
  | 'candles'
  | 'funding'
  | 'venueTimeMs'
  | 'findOrder'
  | 'openOrders'
  | 'closedOrders'
  | 'fillsSince'
  | 'fundingPayments'
  | 'positions'
  | 'balances'
  | 'checkCredentials'
  | 'setLeverage'
  | 'setDeadManSwitch'
  | 'moveBasis'
  | 'moveOutcome'
  | 'bridgeCredits'
  | 'exitsShown'
  | 'fundingHistory'
  | 'nextNonce'
  | 'voidNonce';

/** Calls that change something at the venue are never repeated by a decorator. A nonce that was used up once says nothing the second time. */
export const EFFECTFUL_CALLS: ReadonlySet<VenueCallName> = new Set(['send', 'setLeverage', 'setDeadManSwitch', 'voidNonce']);

export interface VenueCall {
  readonly venue: string;
  readonly call: VenueCallName;
  readonly class: BudgetClass;
  /** Exits do so anyway. */
  readonly passesBreaker?: boolean;
  readonly signal: AbortSignal;
  /** Our clock, ms; null for reads. */
  readonly sendBeforeMs: number | null;
  /** What is sent; null for reads and settings. */
  readonly request: SignedRequest | null;
}

/** Runs the call, or throws instead. */
export type Around = <T>(call: VenueCall, run: () => Promise<T>) => Promise<T>;

/** The same venue, each of its calls inside `around`. Streams and preparing bytes are no calls. */
export function decorate(venue: Venue, around: Around): Venue {
  const read = <T>(call: VenueCallName, options: ReadOptions, run: () => Promise<T>): Promise<T> => around(readCall(venue.name, call, options), run);
  const prepare = venue.prepare?.bind(venue);
  const signerOf = venue.signerOf?.bind(venue);
  const carriesClientId = venue.carriesClientId?.bind(venue);
  const depositWay = venue.depositWay?.bind(venue);
  const fundingHistory = venue.fundingHistory?.bind(venue);
  return {
    name: venue.name,
    capabilities: venue.capabilities,
    ...(prepare === undefined ? {} : { prepare }),
    ...(signerOf === undefined ? {} : { signerOf }),
    ...(carriesClientId === undefined ? {} : { carriesClientId }),
    ...(depositWay === undefined ? {} : { depositWay }),
    markets: (options) => read('markets', options, () => venue.markets(options)),
    tickers: (options) => read('tickers', options, () => venue.tickers(options)),
    orderBook: (symbol, depth, options) => read('orderBook', options, () => venue.orderBook(symbol, depth, options)),
    trades: (symbol, limit, options) => read('trades', options, () => venue.trades(symbol, limit, options)),
    candles: (symbol, intervalMs, fromMs, toMs, options) => read('candles', options, () => venue.candles(symbol, intervalMs, fromMs, toMs, options)),
    funding: (symbol, options) => read('funding', options, () => venue.funding(symbol, options)),
    ...(fundingHistory === undefined ? {} : { fundingHistory: (symbol: string, fromMs: number, toMs: number, options: ReadOptions) => read('fundingHistory', options, () => fundingHistory(symbol, fromMs, toMs, options)) }),
    // Nearly always answered from memory; the one request that measures the clock passes as it is.
    venueTimeMs: (options) => venue.venueTimeMs(options),
    streamPublic: (symbols, onMessage) => venue.streamPublic(symbols, onMessage),
    session: (credentials: VenueCredentials) => decorateSession(venue.name, venue.session(credentials), around),
    close: () => venue.close(),
  };
}

function decorateSession(venue: string, session: VenueAccountSession, around: Around): VenueAccountSession {
  const read = <T>(call: VenueCallName, options: ReadOptions, run: () => Promise<T>): Promise<T> => around(readCall(venue, call, options), run);
  const nextNonce = session.nextNonce?.bind(session);
  const fundingPayments = session.fundingPayments?.bind(session);
  const checkCredentials = session.checkCredentials?.bind(session);
  const voidNonce = session.voidNonce?.bind(session);
  const { moves, bridge } = session;
  return {
    preparePlace: (orders, context) => session.preparePlace(orders, context),
    prepareAmend: (amendment, context) => session.prepareAmend(amendment, context),
    prepareCancel: (orders, context) => session.prepareCancel(orders, context),
    send: (request, options) => around(sendCall(venue, request, options), () => session.send(request, options)),
    ...(voidNonce === undefined ? {} : { voidNonce: (request: SignedRequest, options: ReadOptions) => read('voidNonce', options, () => voidNonce(request, options)) }),
    findOrder: (order, options) => read('findOrder', options, () => session.findOrder(order, options)),
    openOrders: (options) => read('openOrders', options, () => session.openOrders(options)),
    closedOrders: (sinceMs, options) => read('closedOrders', options, () => session.closedOrders(sinceMs, options)),
    fillsSince: (sinceMs, cursor, options) => read('fillsSince', options, () => session.fillsSince(sinceMs, cursor, options)),
    ...(fundingPayments === undefined ? {} : { fundingPayments: (sinceMs: number, cursor: string | null, options: ReadOptions) => read('fundingPayments', options, () => fundingPayments(sinceMs, cursor, options)) }),
    positions: (options) => read('positions', options, () => session.positions(options)),
    balances: (options) => read('balances', options, () => session.balances(options)),
    ...(checkCredentials === undefined ? {} : { checkCredentials: (options: ReadOptions) => read('checkCredentials', options, () => checkCredentials(options)) }),
    setLeverage: (symbol, leverage, options, marginMode) => read('setLeverage', options, () => session.setLeverage(symbol, leverage, options, marginMode)),
    setDeadManSwitch: (timeoutMs, options) => read('setDeadManSwitch', options, () => session.setDeadManSwitch(timeoutMs, options)),
    ...(moves === undefined ? {} : { moves: decorateMoves(moves, read) }),
    ...(bridge === undefined ? {} : { bridge: decorateBridge(bridge, read) }),
    ...(nextNonce === undefined ? {} : { nextNonce: (options: ReadOptions) => read('nextNonce', options, () => nextNonce(options)) }),
    streamPrivate: (onMessage) => session.streamPrivate(onMessage),
  };
}

function decorateBridge(bridge: VenueBridge, read: <T>(call: VenueCallName, options: ReadOptions, run: () => Promise<T>) => Promise<T>): VenueBridge {
  const { owner, signerId, exitFee } = bridge;
  return {
    owner,
    signerId,
    exitFee,
    credits: (sinceMs, options) => read('bridgeCredits', options, () => bridge.credits(sinceMs, options)),
    exitMessage: (exit) => bridge.exitMessage(exit),
    exitRequest: (exit, signature) => bridge.exitRequest(exit, signature),
    exitsShown: (exits, options) => read('exitsShown', options, () => bridge.exitsShown(exits, options)),
  };
}

function decorateMoves(moves: VenueMoves, read: <T>(call: VenueCallName, options: ReadOptions, run: () => Promise<T>) => Promise<T>): VenueMoves {
  return {
    basis: (move, options) => read('moveBasis', options, () => moves.basis(move, options)),
    prepare: (move, basis, context) => moves.prepare(move, basis, context),
    outcome: (move, basis, nonce, options) => read('moveOutcome', options, () => moves.outcome(move, basis, nonce, options)),
  };
}

function readCall(venue: string, call: VenueCallName, options: ReadOptions): VenueCall {
  return { venue, call, class: options.priority, ...(options.passesBreaker === undefined ? {} : { passesBreaker: options.passesBreaker }), signal: options.signal, sendBeforeMs: null, request: null };
}

function sendCall(venue: string, request: SignedRequest, options: SendOptions): VenueCall {
  return { venue, call: 'send', class: options.priority, signal: options.signal, sendBeforeMs: options.sendBeforeMs, request };
}
