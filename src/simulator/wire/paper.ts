/** The paper venue's own HTTP protocol: routing, authentication, and the faults that meet a request. */
import type { Account } from '../account';
import { PaperError, PAPER_ERROR_STATUS } from '../errors';
import type { WireProtocol } from '../server';
import { type PaperAnswer, answerThrough, errorAnswer } from './fault-answers';
import type { Fault } from '../faults';
import type { PaperVenue } from '../paper-venue';
import * as orders from './paper-orders';
import * as queries from './paper-queries';
import { MAX_CLIENT_MESSAGE_BYTES, serveStream } from './paper-stream';
import type { Query } from './paper-queries';

export interface PaperRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly key: string | undefined;
  /** Parsed JSON, or undefined without a body. */
  readonly body: unknown;
}

type PublicHandler = (venue: PaperVenue, query: Query) => string;
type PrivateRead = (venue: PaperVenue, account: Account, query: Query) => string;
type PrivateWrite = (venue: PaperVenue, account: Account, body: unknown) => string;

const PUBLIC: Readonly<Record<string, PublicHandler>> = {
  'GET /time': queries.getTime,
  'GET /markets': queries.getMarkets,
  'GET /orderbook': queries.getOrderbook,
  'GET /trades': queries.getTrades,
  'GET /candles': queries.getCandles,
  'GET /funding': queries.getFunding,
  'GET /funding-rates': queries.getFundingRates,
  'GET /tickers': queries.getTickers,
};
const READS: Readonly<Record<string, PrivateRead>> = {
  'GET /orders': queries.getOrders,
  'GET /fills': queries.getFills,
  'GET /funding-payments': queries.getFundingPayments,
  'GET /positions': queries.getPositions,
  'GET /balances': queries.getBalances,
};
const WRITES: Readonly<Record<string, PrivateWrite>> = {
  'POST /orders': orders.placeOrders,
  'POST /orders/cancel': orders.cancelOrders,
  'POST /orders/cancel-all': orders.cancelAll,
  'POST /orders/amend': orders.amendOrder,
  'POST /leverage': orders.setLeverage,
  'POST /dead-man': orders.setDeadMan,
};

export function paperWire(venue: PaperVenue): WireProtocol {
  return {
    maxMessageBytes: MAX_CLIENT_MESSAGE_BYTES,
    handle: ({ method, path, query, headers, body }) => {
      const key = headers['x-paper-key'];
      return handlePaper(venue, { method, path, query, body, key: typeof key === 'string' ? key : undefined });
    },
    stream: (socket) => serveStream(venue, socket),
    error: errorAnswer,
    headers: () => ({ 'x-paper-time': String(venue.clock.now()) }),
  };
}

/** Handles one request of the venue's protocol from its arrival to its answer. */
export async function handlePaper(venue: PaperVenue, request: PaperRequest): Promise<PaperAnswer> {
  const route = `${request.method} ${request.path}`;
  const known = route in PUBLIC || route in READS || route in WRITES;
  let account: Account | null = null;
  let refusal: PaperError | null = known ? null : new PaperError('NOT_FOUND', `no route ${route}`);
  if (known && !(route in PUBLIC)) {
    try {
      account = venue.authenticate(request.key);
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      refusal = error;
    }
  }
  const logged = venue.requests.add({
    time: venue.clock.now(),
    method: request.method,
    path: known ? request.path : '(unknown)',
    account: account?.name ?? null,
    clientIds: route in WRITES || request.query.has('clientIds') ? clientIdsOf(request) : [],
  });
  const faults = venue.faults.forRequest(logged);
  if (faults.length > 0) logged.fault = faults.map((fault) => fault.kind).join('+');
  const answer = await answerThrough(venue, faults, { refuse: (fault) => refuse(request, fault), error: errorAnswer }, () => {
    if (refusal !== null) throw refusal;
    return perform(venue, route, request, account);
  });
  logged.status = answer.status;
  return answer;
}

function perform(venue: PaperVenue, route: string, request: PaperRequest, account: Account | null): string {
  const open = PUBLIC[route];
  if (open !== undefined) return open(venue, request.query);
  if (account === null) throw new Error(`${route} needs an account`);
  const read = READS[route];
  if (read !== undefined) return read(venue, account, request.query);
  return (WRITES[route] as PrivateWrite)(venue, account, request.body);
}

/** The answer of a refuse fault: per item for placing and canceling unless a status is given, else the whole request. */
function refuse(request: PaperRequest, fault: Fault): PaperAnswer {
  const error = { code: fault.code ?? 'BAD_REQUEST', message: fault.message ?? 'refused' };
  const items = fault.status === undefined ? itemsOf(request.body) : null;
  if (items !== null && request.method === 'POST') {
    const results = items.map((item) => (request.path === '/orders' ? { clientId: clientIdOf(item) ?? '', ok: false, error } : { ok: false, error }));
    return { status: 200, text: JSON.stringify({ results }) };
  }
  const known = PAPER_ERROR_STATUS[error.code as keyof typeof PAPER_ERROR_STATUS] as number | undefined;
  return { status: fault.status ?? known ?? 400, text: JSON.stringify({ error }) };
}

function itemsOf(body: unknown): unknown[] | null {
  if (typeof body !== 'object' || body === null) return null;
  const { orders: placed, cancels } = body as { orders?: unknown; cancels?: unknown };
  if (Array.isArray(placed)) return placed as unknown[];
  return Array.isArray(cancels) ? (cancels as unknown[]) : null;
}

function clientIdOf(item: unknown): string | undefined {
  const clientId = typeof item === 'object' && item !== null ? (item as { clientId?: unknown }).clientId : undefined;
  return typeof clientId === 'string' ? clientId : undefined;
}

function clientIdsOf(request: PaperRequest): string[] {
  const asked = request.query.get('clientIds');
  if (asked !== null) return asked.split(',').slice(0, orders.MAX_BATCH);
  const items = itemsOf(request.body) ?? [request.body];
  return items.slice(0, orders.MAX_BATCH).map(clientIdOf).filter((clientId) => clientId !== undefined);
}
