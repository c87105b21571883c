/** Speaks Hyperliquid's HTTP and WebSocket: requests out, checked answers in. What they mean for us is venue.ts. */
import type { z } from 'zod';
import type { PrivateMessage, PublicMessage, ReadOptions, SendOptions, VenueOrder } from '../../domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited } from '../../domain/venue-errors';
import { DEFAULT_RETRY_AFTER_MS, rawText, refusal, VenueHttpClient, type HttpCall } from '../http';
import type { HttpAnswer } from '../http-exchange';
import type { SocketDialect, SocketFrame } from '../socket';
import type { VenueClock } from '../venue-clock';
import { canonical, refusalCode, toBalance, toFill, toOrder, toPositions, toTrade } from './normalize';
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
    const parsed = schema.safeParse(jsonOf(answer.body));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new VenueOutcomeUnknown(this.venue, `${this.venue}: the answer is not readable: ${issue ? `${issue.path.join('.')}: ${issue.message}` : 'another shape'}`, 'unreadable', rawText(answer.body));
  }

  private observeDate(answer: HttpAnswer): void {
    const secondMs = Date.parse(answer.headers.date ?? '');
    if (Number.isNaN(secondMs) || !this.venueClock.measured) return;
    const off = this.venueClock.nowMs() - secondMs;
    if (off > -DATE_TOLERANCE_MS && off < 1_000 + DATE_TOLERANCE_MS + (answer.receivedAtMs - answer.sentAtMs)) return;
    this.venueClock.observe({ sentAtMs: answer.sentAtMs, receivedAtMs: answer.receivedAtMs, venueTimeMs: secondMs + 500 });
  }
}

/** Undefined for what is not JSON: no schema accepts it. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const PING = JSON.stringify({ method: 'ping' });
/** Ids of requests posted over a socket. */
const ROLE_POST = 1;

/** Tells of a field or word the adapter does not know. */
export type OnDrift = (what: string) => void;

type Subscription = z.infer<typeof wire.subscribedSchema>['subscription'];

const keyOf = ({ type, coin = '', user = '', dex = '' }: Subscription): string => [type, coin, user.toLowerCase(), dex].join('/');

function subscriptionsOf(list: readonly Subscription[]): { channel: string; frame: string }[] {
  return list.map((subscription) => ({ channel: keyOf(subscription), frame: JSON.stringify({ method: 'subscribe', subscription }) }));
}

interface DialectParts<T> {
  readonly subscriptions: readonly Subscription[];
  readonly gap: (reason: string) => T;
  /** Throws where the data is not what the channel promises: told as drift, and left out. */
  readonly messages: (channel: string, data: unknown) => readonly T[];
  readonly onDrift: OnDrift;
}

function read<T>(text: string, parts: DialectParts<T>, posted: (data: unknown) => SocketFrame<T>): SocketFrame<T> {
  // Sent in plain words before anything else.
  if (!text.startsWith('{')) return { kind: 'ignored' };
  const { channel, data } = wire.streamSchema.parse(JSON.parse(text));
  if (channel === 'pong') return { kind: 'ignored' };
  if (channel === 'subscriptionResponse') return { kind: 'subscribed', channel: keyOf(wire.subscribedSchema.parse(data).subscription), sequence: null };
  if (channel === 'post') return posted(data);
  if (channel === 'error') throw new Error(`the stream answered ${rawText(JSON.stringify(data))}`);
  try {
    return { kind: 'message', channel, sequence: null, previousSequence: null, snapshot: false, messages: parts.messages(channel, data) };
  } catch (error) {
    parts.onDrift(`${channel}: ${error instanceof Error ? error.message : String(error)}`);
    return { kind: 'ignored' };
  }
}

export interface PrivateDialectOptions {
  readonly user: string;
  readonly dexes: readonly string[];
  /** The agent to ask about; null where the account signs itself. */
  readonly agent: string | null;
  readonly agentCheckEveryMs: number;
  readonly nowMs: () => number;
  readonly onDrift: OnDrift;
  /** An order was canceled under a client id that may name another one by now. */
  readonly onDoubtfulCancel: (order: VenueOrder) => void;
}

/** The account's own events. The agent wallet is asked for first, and again and again: the venue tells nobody that it is gone. */
export function privateDialect(options: PrivateDialectOptions): SocketDialect<PrivateMessage> {
  const { user, dexes, agent, nowMs, onDrift } = options;
  const role = agent === null ? null : JSON.stringify({ method: 'post', id: ROLE_POST, request: { type: 'info', payload: { type: 'userRole', user: agent } } });
  const states = new Map<string, z.infer<typeof wire.clearinghouseSchema>>();
  const current = new Map<string, string>();
  let askedAtMs = nowMs();
  const parts: DialectParts<PrivateMessage> = {
    subscriptions: [{ type: 'orderUpdates', user }, { type: 'userFills', user }, ...['', ...dexes].map((dex) => ({ type: 'clearinghouseState', user, dex }))],
    gap: (reason) => ({ kind: 'gap', reason }),
    onDrift,
    messages: (channel, data) => {
      if (channel === 'orderUpdates') return wire.orderStatesSchema.parse(data).flatMap((update) => orderMessage(update, current, options));
      if (channel === 'userFills') {
        const { isSnapshot, fills } = wire.userFillsSchema.parse(data);
        // The first picture holds what every snapshot read holds too.
        return isSnapshot === true ? [] : fills.map((fill) => ({ kind: 'fill', fill: toFill(fill), atMs: fill.time }));
      }
      if (channel === 'clearinghouseState') return stateMessages(wire.streamClearinghouseSchema.parse(data), states, dexes.length + 1);
      throw new Error('unknown channel');
    },
  };
  return {
    authentication: () => {
      // A new connection: what was known of the old one is not compared with what it tells first.
      states.clear();
      current.clear();
      return role;
    },
    subscriptions: subscriptionsOf(parts.subscriptions),
    ping: () => {
      if (role === null || nowMs() - askedAtMs < options.agentCheckEveryMs) return PING;
      askedAtMs = nowMs();
      return role;
    },
    read: (text) => read(text, parts, (data) => (isApproved(data, user) ? { kind: 'authenticated' } : { kind: 'refused', code: 'AGENT_UNKNOWN', reason: 'the agent wallet is not approved by the account' })),
    gap: parts.gap,
    refused: () => ({ kind: 'keyRevoked', atMs: nowMs() }),
    policy: () => 'facts',
  };
}

function isApproved(data: unknown, user: string): boolean {
  const role = wire.postedRoleSchema.parse(wire.postedSchema.parse(data).response.payload).data;
  return role.role === 'agent' && role.data?.user?.toLowerCase() === user;
}

/**
 * An amendment is told as: the new order is open, the old one is canceled, both under one client id. A cancel counts for
 * the id's newest order alone; where this stream never saw that order come, somebody asks what stands under the id.
 */
function orderMessage(update: z.infer<typeof wire.orderStateSchema>, current: Map<string, string>, { onDoubtfulCancel }: PrivateDialectOptions): PrivateMessage[] {
  const order = toOrder(update);
  const id = order.venueClientId;
  if (id !== null && order.status === 'open') current.set(id, order.venueOrderId);
  if (id !== null && order.status === 'canceled' && order.filledQuantity === '0') {
    const newest = current.get(id);
    if (newest === undefined && update.status === 'canceled') {
      onDoubtfulCancel(order);
      return [];
    }
    if (newest !== undefined && newest !== order.venueOrderId) return [];
  }
  if (id !== null && order.status !== 'open') current.delete(id);
  return [{ kind: 'order', order, atMs: update.statusTimestamp }];
}

/**
 * Positions of the dex, those that are gone as flat, and the balance once every dex told its own. The first picture after
 * connecting is only compared with: it holds what every snapshot read holds too.
 */
function stateMessages({ dex, clearinghouseState }: z.infer<typeof wire.streamClearinghouseSchema>, states: Map<string, z.infer<typeof wire.clearinghouseSchema>>, expected: number): PrivateMessage[] {
  const atMs = clearinghouseState.time;
  const before = states.get(dex);
  states.set(dex, clearinghouseState);
  if (before === undefined) return [];
  const positions = toPositions(clearinghouseState);
  const held = new Set(positions.map(({ venueSymbol }) => venueSymbol));
  const gone = toPositions(before).filter(({ venueSymbol }) => !held.has(venueSymbol));
  return [
    ...positions.map((position) => ({ kind: 'position', position, atMs }) as const),
    ...gone.map(({ venueSymbol }) => ({ kind: 'position', position: { venueSymbol, side: 'flat' }, atMs }) as const),
    ...(states.size < expected ? [] : [{ kind: 'balance', balance: toBalance([...states.values()]), atMs } as const]),
  ];
}

/** Books (whole each time), trades and tickers of some coins. */
export function publicDialect(venue: string, coins: readonly string[], onDrift: OnDrift): SocketDialect<PublicMessage> {
  const best = new Map<string, { bid: string | null; ask: string | null; mark: string | null; last: string | null; at: number }>();
  const ticker = (coin: string, change: Partial<{ bid: string | null; ask: string | null; mark: string; last: string; at: number }>): PublicMessage => {
    const known = { ...(best.get(coin) ?? { bid: null, ask: null, mark: null, last: null, at: 0 }), ...change };
    best.set(coin, known);
    return { kind: 'ticker', ticker: { venue, symbol: coin, ...known } };
  };
  const parts: DialectParts<PublicMessage> = {
    subscriptions: coins.flatMap((coin) => ['l2Book', 'trades', 'bbo', 'activeAssetCtx'].map((type) => ({ type, coin }))),
    gap: (reason) => ({ kind: 'gap', reason }),
    onDrift,
    messages: (channel, data) => {
      if (channel === 'l2Book') {
        const { coin, time, levels } = wire.bookSchema.parse(data);
        const [bids, asks] = levels.map((side) => side.map(({ px, sz }): [string, string] => [canonical(px), canonical(sz)]));
        return [{ kind: 'book', symbol: coin, type: 'snapshot', bids: bids ?? [], asks: asks ?? [], sequence: time, atMs: time }];
      }
      if (channel === 'bbo') {
        const { coin, time, bbo } = wire.bboSchema.parse(data);
        return [ticker(coin, { bid: bbo[0] === null ? null : canonical(bbo[0].px), ask: bbo[1] === null ? null : canonical(bbo[1].px), at: time })];
      }
      if (channel === 'activeAssetCtx') {
        const { coin, ctx } = wire.streamContextSchema.parse(data);
        return best.has(coin) ? [ticker(coin, { mark: canonical(ctx.markPx) })] : (best.set(coin, { bid: null, ask: null, mark: canonical(ctx.markPx), last: null, at: 0 }), []);
      }
      if (channel !== 'trades') throw new Error('unknown channel');
      const trades = wire.tradesSchema.parse(data);
      const coin = trades[0]?.coin;
      const last = trades.at(-1);
      return coin === undefined || last === undefined ? [] : [{ kind: 'trades', symbol: coin, trades: trades.map(toTrade) }, ticker(coin, { last: canonical(last.px), at: last.time })];
    },
  };
  return { authentication: () => null, subscriptions: subscriptionsOf(parts.subscriptions), ping: () => PING, read: (text) => read(text, parts, () => ({ kind: 'ignored' })), gap: parts.gap, refused: () => null, policy: () => 'facts' };
}

/** Middles of every coin of some dexes; null tells that none is known any more. */
export function midsDialect(dexes: readonly string[], onDrift: OnDrift): SocketDialect<Readonly<Record<string, string>> | null> {
  const parts: DialectParts<Readonly<Record<string, string>> | null> = {
    subscriptions: ['', ...dexes].map((dex) => ({ type: 'allMids', ...(dex === '' ? {} : { dex }) })),
    gap: () => null,
    onDrift,
    messages: (channel, data) => {
      if (channel !== 'allMids') throw new Error('unknown channel');
      return [wire.streamMidsSchema.parse(data).mids];
    },
  };
  return { authentication: () => null, subscriptions: subscriptionsOf(parts.subscriptions), ping: () => PING, read: (text) => read(text, parts, () => ({ kind: 'ignored' })), gap: parts.gap, refused: () => null, policy: () => 'facts' };
}
