/**
 * The HTTP client all venues share. It turns what happened on the wire into the four venue errors, and never sends
 * anything twice: repeats of reads are a decorator (read-retry.ts), repeats of sends are the order workflow's decision.
 */
import { Pool } from 'undici';
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '../domain/clock';
import type { SendOptions } from '../domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable, type VenueError } from '../domain/venue-errors';
import { ConnectionSlots } from './connection-slots';
import { exchange, ExchangeFailure, type ExchangeRequest, type HttpAnswer } from './http-exchange';

/** An answer to 100 orders is about 60 KB, a day of candles 200 KB; more than this is not an answer we asked for. */
export const MAX_RESPONSE_BYTES = 8 * 1024 * 1024;
/** Kept of a venue's words for the timeline. */
export const MAX_RAW_CHARACTERS = 4_096;
/** How long an entry may wait for a connection (DESIGN.md section 3: budget and pool within 300 ms). */
export const ENTRY_WAIT_MS = 300;
/** When a venue limits us without saying for how long. */
export const DEFAULT_RETRY_AFTER_MS = 1_000;
/** One attempt of a read. */
export const READ_TIMEOUT_MS = 5_000;
/** Enough for 16 accounts' groups in flight at once, small enough for a venue's connection limit. */
const SEND_CONNECTIONS = 64;
const EXIT_CONNECTIONS = 8;
const READ_CONNECTIONS = 16;
/** A peer that does not even complete a handshake for so long is away. */
const CONNECT_TIMEOUT_MS = 3_000;
/** Below the 5 s after which Node's and most venues' servers close an idle connection under us. */
const KEEP_ALIVE_MS = 4_000;

export interface VenueHttpOptions {
  readonly venue: string;
  /** Origin with an optional path prefix. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly sendConnections?: number;
  readonly exitConnections?: number;
  readonly readTimeoutMs?: number;
  readonly maxResponseBytes?: number;
  readonly entryWaitMs?: number;
}

export interface HttpCall {
  readonly method: ExchangeRequest['method'];
  /** Path and query, below the base URL. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Strings that must never be seen in errors or raw answers: keys, secrets, signatures' keys. */
  readonly secrets?: readonly string[];
}

export class VenueHttpClient {
  private readonly sends: Pool;
  private readonly reads: Pool;
  private readonly slots: ConnectionSlots;
  private readonly prefix: string;

  constructor(private readonly options: VenueHttpOptions) {
    const url = new URL(options.baseUrl);
    this.prefix = url.pathname.replace(/\/$/, '');
    const total = options.sendConnections ?? SEND_CONNECTIONS;
    // Pipelining 1: one request at a time on a connection, so a failure is that request's alone.
    const pool = { pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MS }, keepAliveTimeout: KEEP_ALIVE_MS, keepAliveMaxTimeout: KEEP_ALIVE_MS };
    this.sends = new Pool(url.origin, { ...pool, connections: total });
    this.reads = new Pool(url.origin, { ...pool, connections: READ_CONNECTIONS });
    this.slots = new ConnectionSlots({ total, reservedForExits: options.exitConnections ?? EXIT_CONNECTIONS });
  }

  /**
   * Sends a request that has an effect, at most once. Answers 2xx and 4xx (the adapter reads the refusal). Throws
   * VenueUnavailable (certainly not sent), VenueRateLimited, VenueOutcomeUnknown (a byte may have left).
   */
  async send(call: HttpCall, options: SendOptions): Promise<HttpAnswer> {
    const { venue, clock } = this.options;
    const leftMs = options.sendBeforeMs - clock.nowMs();
    const waitMs = options.priority === 'entry' ? Math.min(leftMs, this.options.entryWaitMs ?? ENTRY_WAIT_MS) : leftMs;
    const release = await this.slots.acquire(options.priority, waitMs);
    if (!release) {
      if (options.priority === 'exit' || leftMs <= 0) throw new VenueUnavailable(venue, `${venue}: no connection came free before the deadline; nothing was sent`, 'deadline');
      throw new VenueRateLimited(venue, `${venue}: no connection came free within ${waitMs} ms; nothing was sent`, waitMs, 'budget');
    }
    const request = this.request(call, options.maySend, options.sendBeforeMs, options.signal);
    try {
      return this.judge(call, await exchange(this.sends, clock, request, release));
    } catch (error) {
      throw error instanceof ExchangeFailure ? sendFailure(venue, call, error) : error;
    }
  }

  /** One attempt of a request without effect. Answers 2xx and 4xx; throws as `send` does, 5xx included. */
  async read(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { venue, clock } = this.options;
    const deadlineMs = clock.nowMs() + (this.options.readTimeoutMs ?? READ_TIMEOUT_MS);
    try {
      return this.judge(call, await exchange(this.reads, clock, this.request(call, null, deadlineMs, signal), () => undefined));
    } catch (error) {
      throw error instanceof ExchangeFailure ? readFailure(venue, call, error) : error;
    }
  }

  /** Waits for no answer in flight: their callers get an error. */
  async close(): Promise<void> {
    await Promise.all([this.sends.destroy(), this.reads.destroy()]);
  }

  private request(call: HttpCall, maySend: ExchangeRequest['maySend'], deadlineMs: number, signal: AbortSignal): ExchangeRequest {
    const headers = { accept: 'application/json', ...(call.body === undefined ? {} : { 'content-type': 'application/json' }), ...call.headers };
    const maxResponseBytes = this.options.maxResponseBytes ?? MAX_RESPONSE_BYTES;
    return { method: call.method, path: this.prefix + call.path, headers, body: call.body ?? null, maySend, deadlineMs, signal, maxResponseBytes };
  }

  private judge(call: HttpCall, answer: HttpAnswer): HttpAnswer {
    const { venue, clock } = this.options;
    const raw = rawText(answer.body, call.secrets);
    const where = `${venue} answered ${call.method} ${pathOnly(call)} with ${answer.status}`;
    if (answer.status === 429 || answer.status === 418) {
      throw new VenueRateLimited(venue, where, retryAfterMs(answer.headers, clock.nowMs()), 'venue');
    }
    if (answer.status >= 500) throw new VenueOutcomeUnknown(venue, where, 'serverError', raw);
    if (answer.status === 408) throw new VenueOutcomeUnknown(venue, where, 'timeout', raw);
    // Redirects are not followed: a request with a key or an effect goes only where the settings say.
    if (answer.status < 200 || (answer.status >= 300 && answer.status < 400)) throw new VenueOutcomeUnknown(venue, where, 'unreadable', raw);
    return answer;
  }
}

function sendFailure(venue: string, call: HttpCall, failure: ExchangeFailure): VenueError {
  const what = `${venue}: ${call.method} ${pathOnly(call)}: ${rawText(failure.message, call.secrets)}`;
  const cause = { cause: failure.cause };
  if (failure.wrote) return new VenueOutcomeUnknown(venue, `${what}; it may have taken effect`, unknownReason(failure), null, cause);
  const reason = failure.reason === 'tooLarge' ? 'connection' : failure.reason;
  return new VenueUnavailable(venue, `${what}; nothing was sent`, reason, cause);
}

function readFailure(venue: string, call: HttpCall, failure: ExchangeFailure): VenueError {
  const what = `${venue}: ${call.method} ${pathOnly(call)}: ${rawText(failure.message, call.secrets)}`;
  const cause = { cause: failure.cause };
  if (failure.reason === 'canceled') return new VenueUnavailable(venue, what, 'canceled', cause);
  if (failure.wrote || failure.reason === 'deadline') return new VenueOutcomeUnknown(venue, what, unknownReason(failure), null, cause);
  return new VenueUnavailable(venue, what, 'connection', cause);
}

function unknownReason(failure: ExchangeFailure): VenueOutcomeUnknown['reason'] {
  if (failure.reason === 'tooLarge') return 'unreadable';
  return failure.reason === 'connection' ? 'reset' : 'timeout';
}

/** A query may hold a listen key or a signature. */
function pathOnly(call: HttpCall): string {
  return call.path.split('?', 1)[0] ?? '';
}

/** A venue's words, cut to length and with every given secret taken out. */
export function rawText(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '[redacted]');
  return clean.length > MAX_RAW_CHARACTERS ? `${clean.slice(0, MAX_RAW_CHARACTERS)}…` : clean;
}

/** Retry-After in seconds or as an HTTP date (RFC 9110 section 10.2.3), in ms from now; at least 1. */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(value)) return Math.max(1, Math.ceil(Number(value) * 1000));
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? DEFAULT_RETRY_AFTER_MS : Math.max(1, atMs - nowMs);
}

/** The 4xx of a request as a whole: certainly without effect. */
export function refusal(venue: string, code: string, venueCode: string, message: string, raw: string): VenueRefused {
  return new VenueRefused(venue, code, venueCode, `${venue} refused: ${venueCode}: ${message}`, raw);
}
