/** Speaks Hyperliquid's HTTP and WebSocket: requests out, checked answers in. What they mean for us is venue.ts. */
import type { z } from 'zod';
import type { ReadOptions, SendOptions } from '../../domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited } from '../../domain/venue-errors';
import { DEFAULT_RETRY_AFTER_MS, rawText, refusal, VenueHttpClient, type HttpCall } from '../http';
import type { HttpAnswer } from '../http-exchange';
import type { VenueClock } from '../venue-clock';
import { unknownFields } from './drift';
import { refusalCode } from './refusals';
import * as wire from './schemas';

/** The Date header counts whole seconds; only a jump beyond this moves our idea of the venue's clock. */
const DATE_TOLERANCE_MS = 2_000;
/** A setting is sent once, by whoever needs it. */
const CONTROL_TIMEOUT_MS = 5_000;

export type ExchangeAnswer = z.infer<typeof wire.exchangeAnswerSchema>;

export class HyperliquidClient {
  constructor(
    private readonly venue: string,
    private readonly http: VenueHttpClient,
    private readonly venueClock: VenueClock,
    private readonly nowMs: () => number,
    private readonly tellDrift: (what: string) => void,
  ) {}

  /** One read. Throws VenueRefused on a 4xx, VenueOutcomeUnknown('unreadable') on an answer of another shape. */
  async info<S extends z.ZodType>(request: object, schema: S, options: ReadOptions): Promise<z.output<S>> {
    const call: HttpCall = { method: 'POST', path: '/info', body: JSON.stringify(request) };
    const answer = await this.http.read(call, options.signal);
    const parsed = this.parse(answer, schema);
    if (typeof parsed === 'object' && parsed !== null && 'time' in parsed && typeof parsed.time === 'number') {
      this.venueClock.observe({ sentAtMs: answer.sentAtMs, receivedAtMs: answer.receivedAtMs, venueTimeMs: parsed.time });
    }
    return parsed;
  }

  /** Sends signed text once. A refusal of the whole request is an answer; the caller says what it means. */
  async exchange(body: string, options: SendOptions): Promise<{ answer: ExchangeAnswer; raw: string; latencyMs: number }> {
    const answer = await this.http.send({ method: 'POST', path: '/exchange', body }, options);
    const parsed = this.parse(answer, wire.exchangeAnswerSchema);
    if (parsed.status === 'err' && /too many cumulative requests/i.test(parsed.response)) throw new VenueRateLimited(this.venue, `${this.venue}: ${parsed.response}`, 10 * DEFAULT_RETRY_AFTER_MS, 'venue');
    return { answer: parsed, raw: rawText(answer.body), latencyMs: answer.receivedAtMs - answer.sentAtMs };
  }

  /** A signed setting without orders in it. Throws VenueRefused with the venue's words. */
  async control(body: string, options: ReadOptions): Promise<void> {
    const sendBeforeMs = this.nowMs() + CONTROL_TIMEOUT_MS;
    const { answer, raw } = await this.exchange(body, { maySend: () => Promise.resolve(true), sendBeforeMs, signal: options.signal, priority: options.priority === 'exit' ? 'exit' : 'entry' });
    if (answer.status === 'err') throw refusal(this.venue, refusalCode(answer.response), 'ERR', answer.response, raw);
  }

  private parse<S extends z.ZodType>(answer: HttpAnswer, schema: S): z.output<S> {
    this.observeDate(answer);
    if (answer.status >= 400) throw refusal(this.venue, refusalCode(answer.body), `HTTP_${answer.status}`, rawText(answer.body), rawText(answer.body));
    const body = jsonOf(answer.body);
    const parsed = schema.safeParse(body);
    if (parsed.success) {
      for (const path of unknownFields(schema, body)) this.tellDrift(`an answer has the unknown field ${path}`);
      return parsed.data;
    }
    this.tellDrift(`an answer is of another shape: ${issueOf(parsed.error)}`);
    throw new VenueOutcomeUnknown(this.venue, `${this.venue}: the answer is not readable: ${issueOf(parsed.error)}`, 'unreadable', rawText(answer.body));
  }

  private observeDate(answer: HttpAnswer): void {
    const secondMs = Date.parse(answer.headers.date ?? '');
    if (Number.isNaN(secondMs) || !this.venueClock.measured) return;
    const off = this.venueClock.nowMs() - secondMs;
    if (off > -DATE_TOLERANCE_MS && off < 1_000 + DATE_TOLERANCE_MS + (answer.receivedAtMs - answer.sentAtMs)) return;
    this.venueClock.observe({ sentAtMs: answer.sentAtMs, receivedAtMs: answer.receivedAtMs, venueTimeMs: secondMs + 500 });
  }
}

function issueOf({ issues: [issue] }: z.ZodError): string {
  return issue === undefined ? 'another shape' : `${issue.path.filter((part) => typeof part === 'string').join('.')}: ${issue.message}`;
}

/** Undefined for what is not JSON: no schema accepts it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
