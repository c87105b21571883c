/** Limits of the HTTP edge, each with its reason. */

/** 100 orders of the longest fields fit; more is a mistake or an attack. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** A page of a history, its payloads encrypted; Temporal itself takes no message above 4 MB. */
export const CODEC_BODY_LIMIT_BYTES = 4 * 1024 * 1024;

/** A whole request must have arrived by then: the body limit over a slow line. */
export const REQUEST_TIMEOUT_MS = 15_000;

/** Its headers by then; below the request's own limit. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** How often requests are looked at that take longer: Node's own 30 s would let a slow one live for 45. */
export const SLOW_REQUESTS_CHECK_MS = 1_000;

/** Longer than the 60 s idle time-out of common proxies, so that they close first and never send into a closed socket. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;

/** A socket without any traffic; above the longest answer time-out (30 s) and the keep-alive. */
export const SOCKET_IDLE_TIMEOUT_MS = 120_000;

/** Headers are short here: one key, one id. */
export const MAX_HEADERS = 100;

/** A revoked key stops working within this; a second saves a read for every request of a busy client. */
export const IDENTITY_MAX_AGE_MS = 1_000;
export const IDENTITY_CACHE_SIZE = 10_000;

/** How old what changes rarely may be shown: settings of main (CACHE_*), ms. Orders, positions, fills and balances have no such age. */
export interface CacheLifetimes {
  /** Volume and funding: they move slowly, and each costs a request of the venue's budget. */
  readonly priceMs: number;
  /** An account's owner and venue never change; the limit only bounds how long a wrong read could last. */
  readonly configurationMs: number;
}
export const ACCOUNT_CACHE_SIZE = 10_000;

/** Tick, lot and status of a market: what changes rarely, and the venue checks again. */
export const MARKET_MAX_AGE_MS = 5_000;
export const MARKET_CACHE_SIZE = 10_000;

/** A price waits for them no longer: a venue that is away must not slow down prices that are at hand. */
export const MARKET_FIGURES_WAIT_MS = 1_000;

/** However often a venue's health is asked for, the venue is read once in this time. */
export const VENUE_HEALTH_MAX_AGE_MS = 1_000;
/** Venues of one server. */
export const VENUE_HEALTH_CACHE_SIZE = 1_000;

/** An intent must be recorded within this, whatever timeoutMs says: before that nothing true could be answered. */
export const RECORD_WAIT_MS = 5_000;
/** The read after that, by client id: longer than a database takes that answers at all. */
export const LAST_READ_MS = 1_000;

/** A new account's first balance; without it the account is answered all the same. */
export const FIRST_BALANCE_WAIT_MS = 5_000;

/** Orders that were placed, filled in part or amended a moment ago: what is cancelled soon. About 2 MB. */
export const RECENT_ORDERS_SIZE = 2_000;
/** The summary of a cancel names the terms the order had then: no older than a person would expect. */
export const RECENT_ORDER_MAX_AGE_MS = 60_000;

/** Cancels of one DELETE /orders at once: enough to hide latency, too few to crowd out single cancels. */
export const CANCELS_AT_ONCE = 32;
