/** The protocol of Hyperliquid over the matching core: /info, /exchange and /ws, with its weights, words and faults. */
import { PaperError } from '../errors';
import type { Fault } from '../faults';
import type { PaperVenue } from '../paper-venue';
import type { WireProtocol, WireRequest } from '../server';
import { type PaperAnswer, answerThrough } from './fault-answers';
import { bridgePort } from './hyperliquid-bridge';
import { HyperliquidExchange } from './hyperliquid-exchange';
import { followGroups } from './hyperliquid-groups';
import { infoWeight, MALFORMED, readInfo } from './hyperliquid-info';
import { exchangeWeight, itemsOf, signerOfBody } from './hyperliquid-requests';
import type { Network } from './hyperliquid-signatures';
import { HyperliquidStream } from './hyperliquid-stream';
import { HyperliquidUsers } from './hyperliquid-users';
import { FillNotes } from './hyperliquid-views';

/** A signed batch of 100 orders posted over the socket is about 20 KB. */
const MAX_MESSAGE_BYTES = 256 * 1024;

export interface HyperliquidOptions {
  readonly network: Network;
  readonly weightPerMinute: number;
  readonly switchVolume: number;
}

export function hyperliquidWire(venue: PaperVenue, options: HyperliquidOptions): WireProtocol {
  const users = new HyperliquidUsers(venue, options, (body) => signerOfBody(body, options.network));
  const exchange = new HyperliquidExchange(venue, users, options.network);
  const context = { venue, users, notes: new FillNotes() };
  for (const account of venue.exchange.state.accounts.values()) context.notes.note(account, venue.exchange.state.orders);
  const act = (body: unknown): unknown => exchange.run(body);
  const stream = new HyperliquidStream(context, async (body) => {
    const answer = act(body);
    await venue.commit();
    return answer;
  });
  exchange.onReplaced = (order, oid) => stream.noteReplaced(order, oid);
  venue.committed.add(({ changes }) => {
    for (const order of changes.orders) if (order.cancelReason === 'DEAD_MAN') users.noteSwitch(order.account, venue.clock.now());
    if (followGroups(venue, changes.orders)) venue.background();
  });

  return {
    maxMessageBytes: MAX_MESSAGE_BYTES,
    handle: (request) => handle(venue, users, request, request.path === '/exchange' ? act : (body) => readInfo(context, body)),
    stream: (socket) => stream.serve(socket),
    error: errorAnswer,
    bridge: bridgePort(venue, users),
    headers: () => ({ date: new Date(venue.clock.now()).toUTCString() }),
  };
}

async function handle(venue: PaperVenue, users: HyperliquidUsers, request: WireRequest, act: (body: unknown) => unknown): Promise<PaperAnswer> {
  const { method, path, body, address } = request;
  if (method !== 'POST' || (path !== '/info' && path !== '/exchange')) return { status: 404, text: 'null' };
  const { kind, user, cloids } = factsOf(path, body, users);
  // One path serves everything: the log and the faults name what was asked for.
  const logged = venue.requests.add({ time: venue.clock.now(), method, path: `${path}/${kind}`, account: user, clientIds: cloids });
  const faults = venue.faults.forRequest(logged);
  if (faults.length > 0) logged.fault = faults.map((fault) => fault.kind).join('+');
  const weight = path === '/exchange' ? exchangeWeight(body) : infoWeight(kind);
  const answer = users.takeWeight(address, weight, Date.now())
    ? await answerThrough(venue, faults, { refuse: (fault) => refuse(body, fault), error: errorAnswer }, () => JSON.stringify(act(body)))
    : { status: 429, text: 'null' };
  logged.status = answer.status;
  return answer;
}

/** What a request is about, as the log and the faults' matches name it. */
function factsOf(path: string, body: unknown, users: HyperliquidUsers): { kind: string; user: string | null; cloids: string[] } {
  const fields = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {});
  const request = fields(body);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  if (path === '/info') {
    const user = text(request['user'])?.toLowerCase() ?? null;
    const oid = text(request['oid']);
    return { kind: text(request['type']) ?? '(none)', user, cloids: oid === null ? [] : [oid] };
  }
  const action = fields(request['action']);
  const items = itemsOf(action);
  const cloids = items.flatMap((item) => [item['c'], item['cloid'], item['oid'], fields(item['order'])['c']]).flatMap((value) => text(value) ?? []);
  return { kind: text(action['type']) ?? '(none)', user: users.signerHint(body), cloids };
}

function refuse(body: unknown, fault: Fault): PaperAnswer {
  const message = fault.message ?? 'refused';
  if (fault.status !== undefined) return { status: fault.status, text: JSON.stringify(message) };
  const action = (body as { action?: Readonly<Record<string, unknown>> }).action ?? {};
  const items = itemsOf(action);
  if (items.length === 0) return { status: 200, text: JSON.stringify({ status: 'err', response: message }) };
  const type = 'cancels' in action ? 'cancel' : 'order';
  return { status: 200, text: JSON.stringify({ status: 'ok', response: { type, data: { statuses: items.map(() => ({ error: message })) } } }) };
}

/** What the venue's gateway says: plain words for what it cannot read, nothing for a limit. */
function errorAnswer(error: PaperError): PaperAnswer {
  if (error.code === 'RATE_LIMITED') return { status: 429, text: 'null' };
  if (error.code === 'INTERNAL') return { status: 500, text: 'null' };
  return { status: error.message === MALFORMED || error.code === 'BAD_REQUEST' ? 422 : 400, text: error.message };
}
