/** The private trading routes of the paper venue. The protocol: docs/paper-protocol.md. */
import type { Account } from '../account';
import { PaperError } from '../errors';
import { hideNewOrder } from '../fault-effects';
import { type Order, type OrderRequest, type TriggerPriceType, orderView } from '../order';
import type { PaperVenue } from '../paper-venue';
import { type Fields, readFields } from './fields';

/** Items in one placing or canceling request. */
export const MAX_BATCH = 100;

type ItemResult = Record<string, unknown>;

/** POST /orders: each item is judged on its own, in list order. */
export function placeOrders(venue: PaperVenue, account: Account, body: unknown): string {
  const fields = readFields(body);
  checkExpiry(venue, fields);
  const items = batch(fields, 'orders');
  const now = venue.clock.now();
  const results = items.map((item) => placeItem(venue, account, item, now));
  return JSON.stringify({ time: now, results });
}

function placeItem(venue: PaperVenue, account: Account, item: unknown, now: number): ItemResult {
  let clientId: unknown;
  try {
    const fields = readFields(item);
    clientId = fields.value('clientId');
    return { clientId, ok: true, order: orderView(placeOne(venue, account, readOrder(fields), now)) };
  } catch (error) {
    if (!(error instanceof PaperError)) throw error;
    return { clientId: typeof clientId === 'string' ? clientId : '', ok: false, error: error.body() };
  }
}

/** Places one order; an armed hide fault makes it invisible from its first moment. */
export function placeOne(venue: PaperVenue, account: Account, request: OrderRequest, now: number): Order {
  const order = venue.exchange.place(account, request, now);
  order.hiddenUntil = hideNewOrder(venue, account.name, order.clientId);
  return order;
}

const TYPES = ['market', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit'] as const;

/** Parses one order. Throws BAD_REQUEST naming the field. */
export function readOrder(fields: Fields, fallbackClientId?: string): OrderRequest {
  const type = fields.oneOf('type', TYPES);
  const hasTrigger = type !== 'market' && type !== 'limit';
  const hasLimit = type === 'limit' || type === 'stopLimit' || type === 'takeProfitLimit';
  const timeInForce = fields.value('timeInForce') === undefined && !hasLimit ? unlimitedTimeInForce(hasTrigger) : fields.oneOf('timeInForce', ['GTC', 'GTD', 'IOC', 'FOK']);
  if (!hasLimit && fields.value('price') !== undefined) throw new PaperError('BAD_REQUEST', `a ${type} order has no price`);
  if (!hasTrigger && fields.value('triggerPrice') !== undefined) throw new PaperError('BAD_REQUEST', `a ${type} order has no triggerPrice`);
  const postOnly = fields.flag('postOnly');
  if (postOnly && (type !== 'limit' || (timeInForce !== 'GTC' && timeInForce !== 'GTD'))) {
    throw new PaperError('BAD_REQUEST', 'postOnly needs a limit order with timeInForce GTC or GTD');
  }
  if (type === 'market' && timeInForce === 'GTD') throw new PaperError('BAD_REQUEST', 'a market order never rests: use timeInForce IOC or FOK');
  return {
    clientId: fields.optionalText('clientId') ?? fallbackClientId ?? fields.text('clientId'),
    symbol: fields.text('symbol'),
    side: fields.oneOf('side', ['buy', 'sell']),
    type,
    timeInForce,
    price: hasLimit ? fields.positive('price') : null,
    quantity: fields.positive('quantity'),
    postOnly,
    reduceOnly: fields.flag('reduceOnly'),
    expireAt: fields.optionalInteger('expireAt', 0) ?? null,
    triggerPrice: hasTrigger ? fields.positive('triggerPrice') : null,
    triggerPriceType: fields.value('triggerPriceType') === undefined ? 'mark' : fields.oneOf<TriggerPriceType>('triggerPriceType', ['mark', 'last']),
  };
}

/** A market order takes what is there; one with a trigger waits for it until it is canceled. */
function unlimitedTimeInForce(hasTrigger: boolean): 'GTC' | 'IOC' {
  return hasTrigger ? 'GTC' : 'IOC';
}

/** POST /orders/cancel. */
export function cancelOrders(venue: PaperVenue, account: Account, body: unknown): string {
  const now = venue.clock.now();
  const results = batch(readFields(body), 'cancels').map((item): ItemResult => {
    try {
      return { ok: true, order: orderView(venue.exchange.cancel(account, readReference(readFields(item)), now)) };
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      return { ok: false, error: error.body() };
    }
  });
  return JSON.stringify({ results });
}

/** POST /orders/cancel-all. */
export function cancelAll(venue: PaperVenue, account: Account, body: unknown): string {
  const symbol = readFields(body ?? {}).optionalText('symbol');
  const canceled = venue.exchange.cancelAll(account, venue.clock.now(), symbol);
  return JSON.stringify({ canceled: canceled.map(orderView) });
}

/** POST /orders/amend. */
export function amendOrder(venue: PaperVenue, account: Account, body: unknown): string {
  const fields = readFields(body);
  const amendId = fields.text('amendId');
  const reference = readReference(fields);
  const price = fields.optionalPositive('price');
  const quantity = fields.optionalPositive('quantity');
  const triggerPrice = fields.optionalPositive('triggerPrice');
  if (price === undefined && quantity === undefined && triggerPrice === undefined) throw new PaperError('BAD_REQUEST', 'give a new price, quantity or triggerPrice');
  const now = venue.clock.now();
  // An amend that was done already is answered again even after its request's deadline.
  const done = venue.exchange.amendAnswer(account, reference, amendId);
  if (done !== undefined) return done;
  checkExpiry(venue, fields);
  return venue.exchange.amend(account, { ...reference, amendId, price, quantity, triggerPrice }, now);
}

/** POST /leverage. */
export function setLeverage(venue: PaperVenue, account: Account, body: unknown): string {
  const fields = readFields(body);
  const symbol = fields.text('symbol');
  const given = fields.value('leverage');
  const leverage = typeof given === 'string' ? Number(given) : given;
  if (typeof leverage !== 'number' || !Number.isSafeInteger(leverage) || leverage < 1) {
    throw new PaperError('BAD_REQUEST', 'leverage must be an integer of at least 1');
  }
  venue.exchange.setLeverage(account, symbol, leverage);
  return JSON.stringify({ symbol, leverage: String(leverage) });
}

/** POST /dead-man: 0 clears it. */
export function setDeadMan(venue: PaperVenue, account: Account, body: unknown): string {
  const at = venue.setDeadMan(account, readFields(body).integer('timeoutMs', 0));
  return JSON.stringify({ at });
}

function checkExpiry(venue: PaperVenue, fields: Fields): void {
  const expiresAt = fields.integer('expiresAt', 0);
  const now = venue.clock.now();
  if (now > expiresAt) throw new PaperError('EXPIRED_REQUEST', `the request expired at ${expiresAt}, it is ${now}: nothing was done`);
}

function batch(fields: Fields, name: string): unknown[] {
  const items = fields.list(name);
  if (items.length === 0) throw new PaperError('BAD_REQUEST', `${name} is empty`);
  if (items.length > MAX_BATCH) throw new PaperError('BATCH_TOO_LARGE', `${name} has ${items.length} items, the maximum is ${MAX_BATCH}`);
  return items;
}

function readReference(fields: Fields): { orderId?: string; clientId?: string } {
  const orderId = fields.optionalText('orderId');
  const clientId = fields.optionalText('clientId');
  if ((orderId === undefined) === (clientId === undefined)) throw new PaperError('BAD_REQUEST', 'give orderId or clientId, not both');
  return orderId === undefined ? { clientId } : { orderId };
}
