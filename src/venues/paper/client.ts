/** Speaks the paper venue's HTTP and WebSocket: requests out, checked answers in. What they mean for us is venue.ts. */
import type { z } from 'zod';
import type { BudgetClass } from '../../domain/rate-budget';
import type { ItemAnswer, PrivateMessage, PublicMessage, ReadOptions, SendAnswer, SendOptions, SignedRequest } from '../../domain/venue';
import { VenueOutcomeUnknown } from '../../domain/venue-errors';
import { rawText, refusal, VenueHttpClient, type HttpCall } from '../http';
import type { HttpAnswer } from '../http-exchange';
import type { ChannelPolicy, SocketDialect, SocketFrame } from '../socket';
import type { VenueClock } from '../venue-clock';
import { canonical, refusalCode, toOrder, toPrivateMessage, toTicker, toTrade } from './normalize';
import { amendAnswerSchema, cancelAnswerSchema, errorBodySchema, errorSchema, placeAnswerSchema, streamSchema } from './schemas';
import { readBytes } from './signing';

/** The venue's clock, on every answer. */
const TIME_HEADER = 'x-paper-time';
const KEY_HEADER = 'x-paper-key';
/** Refusals of the request itself, whatever was in it. */
const WHOLE_REQUEST_CODES: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'KEY_REVOKED', 'BAD_REQUEST', 'BATCH_TOO_LARGE', 'EXPIRED_REQUEST']);
/** Leverage and the dead-man switch: set again by whoever needs them, never repeated here. */
const CONTROL_TIMEOUT_MS = 5_000;

export class PaperClient {
  constructor(
    private readonly venue: string,
    private readonly http: VenueHttpClient,
    private readonly venueClock: VenueClock,
    private readonly nowMs: () => number,
  ) {}

  /** Throws VenueRefused on a 4xx, VenueOutcomeUnknown('unreadable') on an answer of another shape. */
  async get<S extends z.ZodType>(path: string, schema: S, options: ReadOptions, key?: string): Promise<z.output<S>> {
    const call = this.call('GET', path, undefined, key);
    return this.parse(call, schema, await this.http.read(call, options.signal));
  }

  /** A setting at the venue: sent once, with the read's signal. */
  async control<S extends z.ZodType>(path: string, body: object, schema: S, options: ReadOptions, key: string): Promise<z.output<S>> {
    const call = this.call('POST', path, JSON.stringify(body), key);
    const priority: Extract<BudgetClass, 'entry' | 'exit'> = options.priority === 'exit' ? 'exit' : 'entry';
    const sendBeforeMs = this.nowMs() + CONTROL_TIMEOUT_MS;
    return this.parse(call, schema, await this.http.send(call, { maySend: () => Promise.resolve(true), sendBeforeMs, signal: options.signal, priority }));
  }

  /** Sends prepared bytes once; one item per order of the request, in its order. */
  async send(request: SignedRequest, key: string, options: SendOptions): Promise<SendAnswer> {
    const { method, path, body } = readBytes(this.venue, request);
    const call = this.call(method, path, JSON.stringify(body), key);
    const answer = await this.http.send(call, options);
    const items = this.items(request, body, call, answer);
    const venueTimeMs = this.observe(answer);
    return { items, raw: rawText(answer.body, call.secrets), venueTimeMs, latencyMs: answer.receivedAtMs - answer.sentAtMs };
  }

  private items(request: SignedRequest, body: Readonly<Record<string, unknown>>, call: HttpCall, answer: HttpAnswer): readonly ItemAnswer[] {
    if (request.kind === 'amend') return [this.amendItem(call, answer)];
    if (request.kind === 'cancel') {
      const { results } = this.parse(call, cancelAnswerSchema, answer);
      return this.sameLength(call, answer, results, body['cancels']).map(toItem);
    }
    const { results } = this.parse(call, placeAnswerSchema, answer);
    const asked: unknown = body['orders'];
    this.sameLength(call, answer, results, asked);
    results.forEach((result, index) => {
      const order: unknown = Array.isArray(asked) ? asked[index] : undefined;
      const clientId = typeof order === 'object' && order !== null && 'clientId' in order ? order.clientId : undefined;
      if (result.clientId !== clientId) throw this.unreadable(call, answer, `item ${index} answers another order`);
    });
    return results.map(toItem);
  }

  private amendItem(call: HttpCall, answer: HttpAnswer): ItemAnswer {
    const error = this.errorOf(answer);
    if (error && !WHOLE_REQUEST_CODES.has(error.code)) return toItem({ ok: false, error });
    const parsed = this.parse(call, amendAnswerSchema, answer);
    return 'order' in parsed ? toItem({ ok: true, order: parsed.order }) : toItem({ ok: false, error: parsed.error });
  }

  private sameLength<T>(call: HttpCall, answer: HttpAnswer, results: readonly T[], asked: unknown): readonly T[] {
    if (!Array.isArray(asked) || asked.length !== results.length) throw this.unreadable(call, answer, `${results.length} results came`);
    return results;
  }

  private parse<S extends z.ZodType>(call: HttpCall, schema: S, answer: HttpAnswer): z.output<S> {
    this.observe(answer);
    if (answer.status >= 400) {
      const error = this.errorOf(answer);
      if (!error) throw this.unreadable(call, answer, `status ${answer.status} without an error body`);
      throw refusal(this.venue, refusalCode(error.code), error.code, rawText(error.message, call.secrets), rawText(answer.body, call.secrets));
    }
    const parsed = schema.safeParse(jsonOf(answer.body));
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw this.unreadable(call, answer, issue ? `${issue.path.join('.')}: ${issue.message}` : 'another shape');
    }
    return parsed.data;
  }

  private errorOf(answer: HttpAnswer): z.infer<typeof errorSchema> | null {
    const parsed = errorBodySchema.safeParse(jsonOf(answer.body));
    return parsed.success ? parsed.data.error : null;
  }

  private unreadable(call: HttpCall, answer: HttpAnswer, why: string): VenueOutcomeUnknown {
    const path = call.path.split('?', 1)[0];
    return new VenueOutcomeUnknown(this.venue, `${this.venue}: the answer to ${call.method} ${path} is not readable: ${why}`, 'unreadable', rawText(answer.body, call.secrets));
  }

  private observe(answer: HttpAnswer): number | null {
    const stamp = answer.headers[TIME_HEADER];
    if (typeof stamp !== 'string' || !/^\d{1,15}$/.test(stamp)) return null;
    const venueTimeMs = Number(stamp);
    this.venueClock.observe({ sentAtMs: answer.sentAtMs, receivedAtMs: answer.receivedAtMs, venueTimeMs });
    return venueTimeMs;
  }

  private call(method: 'GET' | 'POST', path: string, body?: string, key?: string): HttpCall {
    return {
      method,
      path,
      ...(body === undefined ? {} : { body }),
      ...(key === undefined ? {} : { headers: { [KEY_HEADER]: key }, secrets: [key] }),
    };
  }
}

function toItem(result: z.infer<typeof cancelAnswerSchema>['results'][number]): ItemAnswer {
  if (result.ok) return { kind: 'acknowledged', order: toOrder(result.order) };
  return { kind: 'refused', code: refusalCode(result.error.code), venueCode: result.error.code, message: result.error.message };
}

/** Undefined for what is not JSON: no schema accepts it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PING = JSON.stringify({ op: 'ping' });

/** The account's own events. */
export function privateDialect(key: string, nowMs: () => number): SocketDialect<PrivateMessage> {
  return {
    authentication: () => JSON.stringify({ op: 'auth', key }),
    subscriptions: [{ channel: 'account', frame: JSON.stringify({ op: 'subscribe', channel: 'account' }) }],
    ping: () => PING,
    read: (text) => readFrame(text, privateMessages),
    gap: (reason) => ({ kind: 'gap', reason }),
    refused: () => ({ kind: 'keyRevoked', atMs: nowMs() }),
    policy: () => 'facts',
  };
}

const POLICIES: Readonly<Record<string, ChannelPolicy>> = { ticker: 'latest', book: 'differences', trades: 'facts' };

/** Tickers, books and trades of some symbols. */
export function publicDialect(venue: string, symbols: readonly string[]): SocketDialect<PublicMessage> {
  const channels = symbols.flatMap((symbol) => ['ticker', 'book', 'trades'].map((channel) => ({ channel, symbol })));
  return {
    authentication: () => null,
    subscriptions: channels.map(({ channel, symbol }) => ({ channel: `${channel}/${symbol}`, frame: JSON.stringify({ op: 'subscribe', channel, symbol }) })),
    ping: () => PING,
    read: (text) => readFrame(text, (frame) => publicMessages(venue, frame)),
    gap: (reason, missingForMs) => ({ kind: 'gap', reason, missingForMs }),
    refused: () => null,
    policy: (channel) => POLICIES[channel.split('/', 1)[0] ?? ''] ?? 'facts',
  };
}

type DataFrame = Extract<z.infer<typeof streamSchema>, { previousSequence: number }>;

function privateMessages(frame: DataFrame): readonly PrivateMessage[] {
  const message = frame.channel === 'account' && 'event' in frame ? toPrivateMessage(frame) : null;
  return message === null ? [] : [message];
}

function publicMessages(venue: string, frame: DataFrame): readonly PublicMessage[] {
  if (frame.channel === 'ticker') return [{ kind: 'ticker', ticker: toTicker(venue, frame) }];
  if (frame.channel === 'trades') return [{ kind: 'trades', symbol: frame.symbol, trades: frame.trades.map(toTrade) }];
  if (frame.channel !== 'book') return [];
  const { symbol, type, sequence, time } = frame;
  const levels = (side: typeof frame.bids): [string, string][] => side.map(([price, quantity]) => [canonical(price), canonical(quantity)]);
  return [{ kind: 'book', symbol, type, bids: levels(frame.bids), asks: levels(frame.asks), sequence, atMs: time }];
}

/** Throws on a frame that is not the protocol's. */
function readFrame<T>(text: string, messages: (frame: DataFrame) => readonly T[]): SocketFrame<T> {
  const frame = streamSchema.parse(JSON.parse(text));
  if ('previousSequence' in frame) {
    const channel = frame.channel === 'account' ? 'account' : `${frame.channel}/${frame.symbol}`;
    const snapshot = frame.channel === 'book' && frame.type === 'snapshot';
    return { kind: 'message', channel, sequence: frame.sequence, previousSequence: frame.previousSequence, snapshot, messages: messages(frame) };
  }
  if (frame.op === 'subscribed') {
    return { kind: 'subscribed', channel: frame.symbol ? `${frame.channel}/${frame.symbol}` : frame.channel, sequence: frame.sequence ?? null };
  }
  if (frame.op === 'pong') return { kind: 'ignored' };
  if (frame.op === 'auth' && frame.ok) return { kind: 'authenticated' };
  const { code, message } = errorText(frame.error);
  if (frame.op === 'auth' && refusalCode(code) === 'unauthorized') return { kind: 'refused', code, reason: message };
  throw new Error(`the stream answered ${code}: ${message}`);
}

function errorText(error: string | z.infer<typeof errorSchema> | undefined): { code: string; message: string } {
  if (typeof error === 'string') return { code: error, message: error };
  return error ?? { code: 'UNKNOWN', message: 'no reason given' };
}
