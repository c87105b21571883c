/** What Hyperliquid's WebSocket frames mean, and the account's own events; those of markets are in market-dialects.ts. */
import type { z } from 'zod';
import type { PrivateMessage, VenueOrder } from '../../domain/venue';
import { rawText } from '../http';
import type { SocketDialect, SocketFrame } from '../socket';
import { unknownFields } from './drift';
import { readUserFills, UnreadableMessage, type HotFills } from './hot-messages';
import { scanFills } from './hot-text';
import { fundingPayment, isTraded, toBalances, toOrder, toPositions, UnknownWord } from './normalize';
import * as wire from './schemas';

export const PING = JSON.stringify({ method: 'ping' });
/** Ids of requests posted over a socket. */
const ROLE_POST = 1;
/** The account's summary; the venue renamed it once already, and does without it where it does not know the name. */
const WEB_DATA = 'webData3';

type Subscription = z.infer<typeof wire.subscribedSchema>['subscription'];

const keyOf = ({ type, coin = '', user = '', dex = '' }: Subscription): string => [type, coin, user.toLowerCase(), dex].join('/');

export function subscriptionsOf(list: readonly Subscription[]): { channel: string; frame: string }[] {
  return list.map((subscription) => ({ channel: keyOf(subscription), frame: JSON.stringify({ method: 'subscribe', subscription }) }));
}

/** Says what is new, and answers whether that is news. */
export type TellDrift = (what: string) => boolean;

export interface DialectParts<T> {
  readonly subscriptions: readonly Subscription[];
  readonly gap: (reason: string, missingForMs: number) => T;
  /** Throws where the data is not what the channel promises: told as drift, and left out. */
  readonly messages: (channel: string, data: unknown, told: (what: string) => void) => readonly T[];
  readonly tellDrift: TellDrift;
  /** What the holder is told of drift beside the operator; absent: nothing. */
  readonly drifted?: (what: string) => T;
}

export function read<T>(text: string, parts: DialectParts<T>, posted: (data: unknown) => SocketFrame<T>): SocketFrame<T> {
  // Sent in plain words before anything else.
  if (!text.startsWith('{')) return { kind: 'ignored' };
  const { channel, data } = JSON.parse(text) as { channel?: unknown; data?: unknown };
  if (typeof channel !== 'string') throw new TypeError('a frame of the stream names no channel');
  if (channel === 'pong') return { kind: 'ignored' };
  if (channel === 'subscriptionResponse') return { kind: 'subscribed', channel: keyOf(wire.subscribedSchema.parse(data).subscription), sequence: null };
  if (channel === 'post') return posted(data);
  if (channel === 'error') return refusedSubscription(data, parts);
  const news: T[] = [];
  const told = (what: string): void => {
    const said = `${channel}: ${what}`;
    if (parts.tellDrift(said) && parts.drifted !== undefined) news.push(parts.drifted(said));
  };
  let messages: readonly T[] = [];
  try {
    messages = parts.messages(channel, data, told);
  } catch (error) {
    told(wordsOf(error));
  }
  if (news.length > 0) messages = [...messages, ...news];
  return frameOf(channel, messages);
}

export function frameOf<T>(channel: string, messages: readonly T[]): SocketFrame<T> {
  return messages.length === 0 ? { kind: 'ignored' } : { kind: 'message', channel, sequence: null, previousSequence: null, snapshot: false, messages };
}

/** Without the summary an account is watched all the same; any other refusal is ours to notice. */
function refusedSubscription<T>(data: unknown, { subscriptions, tellDrift }: DialectParts<T>): SocketFrame<T> {
  const words = rawText(JSON.stringify(data));
  const summary = words.includes(WEB_DATA) ? subscriptions.find(({ type }) => type === WEB_DATA) : undefined;
  if (summary === undefined) throw new Error(`the stream answered ${words}`);
  tellDrift(`${WEB_DATA} is not known to the venue any more`);
  return { kind: 'subscribed', channel: keyOf(summary), sequence: null };
}

/** By what a message was not readable; of zod's issues the first, without the places in lists. */
function wordsOf(error: unknown): string {
  const issue = (error as { issues?: readonly { path: readonly PropertyKey[]; message: string }[] }).issues?.[0];
  if (issue !== undefined) return `${issue.path.filter((part) => typeof part === 'string').join('.')}: ${issue.message}`;
  return error instanceof Error ? error.message : String(error);
}

export function checked<S extends z.ZodType>(schema: S, data: unknown, told: (what: string) => void): z.output<S> {
  const parsed = schema.parse(data);
  for (const path of unknownFields(schema, data)) told(unknownField(path));
  return parsed;
}

export const unknownField = (path: string): string => `unknown field ${path}`;

export interface PrivateDialectOptions {
  readonly user: string;
  readonly dexes: readonly string[];
  /** The agent to ask about; null where the account signs itself. */
  readonly agent: string | null;
  readonly agentCheckEveryMs: number;
  readonly nowMs: () => number;
  readonly tellDrift: TellDrift;
  /** What margins a dex, by its index in the metadata. */
  readonly collateralOf: (dex: string) => string;
  /** An order was canceled under a client id that may name another one by now. */
  readonly onDoubtfulCancel: (order: VenueOrder) => void;
}

/** The account's own events. The agent wallet is asked for first, and again and again: the venue tells nobody that it is gone. */
export function privateDialect(options: PrivateDialectOptions): SocketDialect<PrivateMessage> {
  const { user, dexes, agent, nowMs, tellDrift } = options;
  const role = agent === null ? null : JSON.stringify({ method: 'post', id: ROLE_POST, request: { type: 'info', payload: { type: 'userRole', user: agent } } });
  const states = new Map<string, wire.Clearinghouse>();
  const current = new Map<string, string>();
  let askedAtMs = nowMs();
  let named: string | null = null;
  const parts: DialectParts<PrivateMessage> = {
    subscriptions: [...['orderUpdates', 'userFills', 'userFundings', WEB_DATA].map((type) => ({ type, user })), ...['', ...dexes].map((dex) => ({ type: 'clearinghouseState', user, dex }))],
    gap: (reason) => ({ kind: 'gap', reason }),
    tellDrift,
    drifted: (what) => ({ kind: 'drift', what, atMs: nowMs() }),
    messages: (channel, data, told) => {
      switch (channel) {
        case 'orderUpdates':
          return checked(wire.orderStatesSchema, data, told).filter(({ order }) => isTraded(order.coin, dexes)).flatMap((update) => knownOrder(() => orderMessage(update, current, options), told));
        case 'userFills':
          return fillMessages(readUserFills(data, (path) => told(unknownField(path))), dexes);
        case 'userFundings': {
          const { isSnapshot, fundings } = checked(wire.streamFundingsSchema, data, told);
          return isSnapshot === true ? [] : fundings.filter(({ coin }) => isTraded(coin, dexes)).map((delta) => ({ kind: 'funding', payment: fundingPayment(delta, options.collateralOf), atMs: delta.time }));
        }
        case 'clearinghouseState':
          return stateMessages(checked(wire.streamClearinghouseSchema, data, told), states, options);
        case WEB_DATA: {
          const { agentAddress } = checked(wire.webDataSchema, data, told).userState;
          // It names one agent of several: one that was ours and is not named any more is asked about at the next ping.
          if (named !== null && named === agent && agentAddress?.toLowerCase() !== agent) askedAtMs = -Infinity;
          named = agentAddress?.toLowerCase() ?? null;
          return [];
        }
        default:
          throw new UnreadableMessage('unknown channel');
      }
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
    read: (text) => {
      const fills = scanFills(text);
      if (fills !== null) return frameOf('userFills', fillMessages(fills, dexes));
      return read(text, parts, (data) => (isApproved(data, user) ? { kind: 'authenticated' } : { kind: 'refused', code: 'AGENT_UNKNOWN', reason: 'the agent wallet is not approved by the account' }));
    },
    gap: parts.gap,
    refused: () => ({ kind: 'keyRevoked', atMs: nowMs() }),
    policy: () => 'facts',
  };
}

/** The first picture holds what every snapshot read holds too. */
function fillMessages({ isSnapshot, fills }: HotFills, dexes: readonly string[]): PrivateMessage[] {
  return isSnapshot ? [] : fills.filter(({ venueSymbol }) => isTraded(venueSymbol, dexes)).map((fill) => ({ kind: 'fill', fill, atMs: fill.atMs }));
}

function isApproved(data: unknown, user: string): boolean {
  const role = wire.postedRoleSchema.parse(wire.postedSchema.parse(data).response.payload).data;
  return role.role === 'agent' && role.data?.user?.toLowerCase() === user;
}

/** One order in a word nobody knows keeps the others of its message from nobody. */
function knownOrder(make: () => PrivateMessage[], told: (what: string) => void): PrivateMessage[] {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof UnknownWord)) throw error;
    told(error.message);
    return [];
  }
}

/**
 * An amendment is told as: the new order is open, the old one is canceled, both under one client id. A cancel counts for
 * the id's newest order alone; where this stream never saw that order come, somebody asks what stands under the id.
 */
function orderMessage(update: wire.HyperliquidOrderState, current: Map<string, string>, { onDoubtfulCancel }: PrivateDialectOptions): PrivateMessage[] {
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
 * Positions of the dex, those that are gone as flat, and the balances once every dex told its own. The first picture after
 * connecting is only compared with: it holds what every snapshot read holds too.
 */
function stateMessages({ dex, clearinghouseState }: z.infer<typeof wire.streamClearinghouseSchema>, states: Map<string, wire.Clearinghouse>, { dexes, collateralOf }: PrivateDialectOptions): PrivateMessage[] {
  const atMs = clearinghouseState.time;
  const before = states.get(dex);
  states.set(dex, clearinghouseState);
  if (before === undefined) return [];
  const positions = toPositions(clearinghouseState);
  const held = new Set(positions.map(({ venueSymbol }) => venueSymbol));
  const gone = toPositions(before).filter(({ venueSymbol }) => !held.has(venueSymbol));
  const balances = states.size < dexes.length + 1 ? [] : toBalances([...states].map(([name, state]) => ({ asset: collateralOf(name), state })));
  return [
    ...positions.map((position) => ({ kind: 'position', position, atMs }) as const),
    ...gone.map(({ venueSymbol }) => ({ kind: 'position', position: { venueSymbol, side: 'flat' }, atMs }) as const),
    ...balances.map((balance) => ({ kind: 'balance', balance, atMs }) as const),
  ];
}
