/** /__sim: the control API of development and tests. It never exists in production mode. */
import { decimal } from '../../domain/decimal';
import { PaperError } from '../errors';
import { armFault, disarmFault } from '../fault-effects';
import type { Fault } from '../faults';
import { orderView } from '../order';
import { type PaperVenue, STARTING_COLLATERAL } from '../paper-venue';
import { readFields } from './fields';
import { placeOne, readOrder } from './paper-orders';
import { type Query, integer } from './paper-queries';

/** How long a request may wait for a fault to be hit. */
const MAX_WAIT_MS = 60_000;
/** Messages of a recording applied by one replay request. */
const MAX_REPLAY = 100_000;
/** A whole position a period: more is a slip of the pen. */
const MAX_FUNDING_RATE = decimal('1');
/** A test need not wait long; a shorter period would be noise. */
const MIN_FUNDING_INTERVAL_MS = 1_000;

const TICKER_PRICES = ['bid', 'ask', 'last', 'mark'] as const;

export interface ControlPort {
  /** Stops or starts listening; `forMs`: starts again by itself. */
  listen(up: boolean, forMs: number | null): void;
  readonly controlUrl: string;
}

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly body: unknown;
}

type Handler = (venue: PaperVenue, request: ControlRequest, port: ControlPort) => unknown;

const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /__sim/orders': (venue) => ({
    orders: [...venue.exchange.state.orders.values()].map((order) => ({ ...orderView(order), account: order.account })),
  }),
  'GET /__sim/requests': (venue, { query }) =>
    venue.requests.find({
      method: query.get('method')?.toUpperCase(),
      path: query.get('path') ?? undefined,
      account: query.get('account') ?? undefined,
      since: query.has('since') ? integer(query, 'since', 0) : undefined,
    }),
  'GET /__sim/state': (venue, _request, port) => ({
    source: venue.prices.describe(),
    markets: [...venue.exchange.state.venues.keys()].map((symbol) => venue.marketData.ticker(symbol)),
    clock: { now: venue.clock.now(), offsetMs: venue.clock.offsetMs, skewMs: venue.clock.skewMs },
    accounts: [...venue.exchange.state.accounts.keys()],
    controlUrl: port.controlUrl,
  }),
  'POST /__sim/prices': async (venue, { body }) => {
    const fields = readFields(body);
    const symbol = fields.text('symbol');
    venue.exchange.state.venue(symbol);
    await venue.movePrice(symbol, fields.positive('price'));
    return venue.marketData.ticker(symbol);
  },
  'POST /__sim/ticker': (venue, { body }) => {
    const fields = readFields(body);
    const symbol = fields.text('symbol');
    const wrong = Object.fromEntries(TICKER_PRICES.flatMap((name) => (fields.value(name) === undefined ? [] : [[name, fields.decimal(name).toFixed()]])));
    venue.marketData.misstate(symbol, wrong, fields.optionalInteger('agoMs', 0) ?? 0);
    return { ...venue.marketData.ticker(symbol), ...wrong };
  },
  'POST /__sim/replay': async (venue, { body }) => ({ applied: await venue.prices.replay(Math.min(MAX_REPLAY, readFields(body).integer('count', 1))) }),
  'POST /__sim/funding': async (venue, { body }) => {
    const fields = readFields(body);
    const symbol = fields.text('symbol');
    const rate = fields.value('rate') === undefined ? undefined : fields.decimal('rate');
    if (rate?.abs().greaterThan(MAX_FUNDING_RATE) === true) throw new PaperError('BAD_REQUEST', `rate must be from -${MAX_FUNDING_RATE.toFixed()} to ${MAX_FUNDING_RATE.toFixed()}`);
    const intervalMs = fields.optionalInteger('intervalMs', MIN_FUNDING_INTERVAL_MS);
    await venue.setFunding(symbol, { ...(rate === undefined ? {} : { rate }), ...(intervalMs === undefined ? {} : { intervalMs }) });
    const { funding } = venue.exchange.state.venue(symbol);
    return { symbol, rate: funding.rate.toFixed(), intervalMs: funding.intervalMs, nextFundingTime: funding.nextAt };
  },
  'POST /__sim/credit': (venue, { body }) => {
    const fields = readFields(body);
    const account = venue.exchange.state.account(fields.optionalText('account') ?? fields.text('address'));
    const asset = fields.text('asset');
    venue.exchange.credit(account, asset, fields.decimal('amount'));
    return { account: account.name, asset, total: account.balance(asset).toFixed() };
  },
  'POST /__sim/accounts': (venue, { body }) => {
    const fields = readFields(body);
    const name = fields.text('account');
    const credit = fields.value('collateral') === undefined ? STARTING_COLLATERAL : fields.decimal('collateral');
    if (credit.lessThan(decimal('0'))) throw new PaperError('BAD_REQUEST', 'collateral must not be negative');
    venue.addKey(fields.text('key'), name, credit);
    return { account: name };
  },
  'POST /__sim/cancel-all': (venue, { body }) => {
    const names = readFields(body).list('accounts');
    const { accounts } = venue.exchange.state;
    const canceled = [...accounts.values()].filter(({ name }) => names.includes(name)).flatMap((account) => venue.exchange.cancelAll(account, venue.clock.now()));
    return { canceled: canceled.length };
  },
  'POST /__sim/clock': async (venue, { body }) => {
    const fields = readFields(body);
    const anyInteger = Number.MIN_SAFE_INTEGER;
    const offsetMs = fields.optionalInteger('offsetMs', anyInteger);
    const advanceMs = fields.optionalInteger('advanceMs', anyInteger);
    const now = fields.optionalInteger('now', 0);
    if (offsetMs !== undefined) venue.clock.offsetMs = offsetMs;
    else if (advanceMs !== undefined) venue.clock.offsetMs += advanceMs;
    else if (now !== undefined) venue.clock.setNow(now);
    else throw new PaperError('BAD_REQUEST', 'give offsetMs, advanceMs or now');
    await venue.setClock();
    return { now: venue.clock.now(), offsetMs: venue.clock.offsetMs };
  },
  'POST /__sim/external-order': (venue, { body }) => {
    const fields = readFields(body);
    const account = venue.exchange.state.account(fields.text('account'));
    const fallback = `external-${venue.exchange.state.counters.orderId + 1}`;
    return { order: orderView(placeOne(venue, account, readOrder(fields, fallback), venue.clock.now())) };
  },
  'POST /__sim/faults': (venue, { body }) => ({ id: armFault(venue, body).id }),
  'GET /__sim/faults': (venue) => ({ faults: venue.faults.list().map((fault) => faultView(venue, fault)) }),
  'DELETE /__sim/faults': (venue) => {
    const armed = venue.faults.list();
    for (const fault of armed) disarmFault(venue, fault.id);
    venue.faults.removeAll();
    return { removed: armed.length };
  },
  'POST /__sim/listen': (_venue, { body }, port) => {
    const fields = readFields(body);
    if (typeof fields.value('up') !== 'boolean') throw new PaperError('BAD_REQUEST', 'up must be true or false');
    port.listen(fields.flag('up'), fields.optionalInteger('forMs', 1) ?? null);
    return { up: fields.flag('up'), controlUrl: port.controlUrl };
  },
};

const FAULT_PATH = /^\/__sim\/faults\/([0-9a-f-]{36})(\/release|\/hits)?$/;

/** Answers one control request (JSON text); what it changed is in the journal by then. */
export async function handleControl(venue: PaperVenue, request: ControlRequest, port: ControlPort): Promise<string> {
  const handler = ROUTES[`${request.method} ${request.path}`];
  const answer = handler === undefined ? await handleFault(venue, request) : await handler(venue, request, port);
  await venue.commit();
  return JSON.stringify(answer);
}

async function handleFault(venue: PaperVenue, { method, path, query }: ControlRequest): Promise<unknown> {
  const [, id = '', action] = FAULT_PATH.exec(path) ?? [];
  if (id !== '' && method === 'DELETE' && action === undefined) {
    if (!disarmFault(venue, id)) throw new PaperError('NOT_FOUND', `no fault ${id} is armed`);
    return { removed: 1 };
  }
  if (id !== '' && method === 'POST' && action === '/release') return { released: venue.faults.release(id) };
  if (id !== '' && method === 'GET' && action === '/hits') {
    const waitMs = integer(query, 'timeoutMs', 0, 0, MAX_WAIT_MS);
    return { hits: await venue.faults.waitForHits(id, integer(query, 'count', 1, 1), waitMs) };
  }
  throw new PaperError('NOT_FOUND', `no control route ${method} ${path}`);
}

function faultView(venue: PaperVenue, fault: Fault): Record<string, unknown> {
  const { key: _secret, left, ...shown } = fault;
  return { ...shown, left: Number.isFinite(left) ? left : null, holding: venue.faults.holding(fault.id) };
}
