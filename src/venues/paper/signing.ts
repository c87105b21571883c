/**
 * The bytes of a paper request. Nothing is signed: the key in a header is the account's credential, and it is added when
 * the bytes are sent, never stored with them. The text is canonical (one spelling for one request), so that a stored
 * request compares and resends byte for byte.
 */
import { z } from 'zod';
import { VenueRefused } from '../../domain/venue-errors';
import type { OrderType } from '../../domain/order';
import type { AmendRequest, OrderReference, PlaceRequest, PrepareContext, SignedRequest } from '../../domain/venue';

/** The venue refuses a longer list (BATCH_TOO_LARGE). */
export const MAX_BATCH_SIZE = 100;

const bytesSchema = z.object({ method: z.literal('POST'), path: z.string().startsWith('/'), body: z.record(z.string(), z.unknown()) });
export type PaperBytes = z.infer<typeof bytesSchema>;

/** A place request for 1 to 100 orders. Throws VenueRefused where paper has no such order. */
export function placeBytes(venue: string, orders: readonly PlaceRequest[], context: PrepareContext): SignedRequest {
  checkSize(venue, orders.length);
  const body = { expiresAt: context.venueDeadlineMs, orders: orders.map((order) => placeItem(venue, order)) };
  return { kind: 'place', bytes: JSON.stringify({ method: 'POST', path: '/orders', body }), nonce: context.nonce, venueDeadlineMs: context.venueDeadlineMs };
}

export function amendBytes(amendment: AmendRequest, context: PrepareContext): SignedRequest {
  const { limitPrice, quantity, triggerPrice = null } = amendment;
  const body = {
    expiresAt: context.venueDeadlineMs,
    ...reference(amendment.order),
    amendId: amendment.amendmentId,
    ...(limitPrice === null ? {} : { price: limitPrice }),
    ...(quantity === null ? {} : { quantity }),
    ...(triggerPrice === null ? {} : { triggerPrice }),
  };
  return { kind: 'amend', bytes: JSON.stringify({ method: 'POST', path: '/orders/amend', body }), nonce: context.nonce, venueDeadlineMs: context.venueDeadlineMs };
}

/** Cancels have no deadline at paper: canceling twice is canceling once. */
export function cancelBytes(venue: string, orders: readonly OrderReference[], context: PrepareContext): SignedRequest {
  checkSize(venue, orders.length);
  const body = { cancels: orders.map(reference) };
  return { kind: 'cancel', bytes: JSON.stringify({ method: 'POST', path: '/orders/cancel', body }), nonce: context.nonce, venueDeadlineMs: null };
}

/** Throws VenueRefused when the bytes are not this venue's: nothing was sent. */
export function readBytes(venue: string, request: SignedRequest): PaperBytes {
  try {
    return bytesSchema.parse(JSON.parse(request.bytes));
  } catch {
    // The text may be sealed or foreign; showing it helps nobody.
    throw new VenueRefused(venue, 'other', 'BAD_BYTES', `${venue}: the stored request is not readable; prepare it again`);
  }
}

/** The types that wait for a trigger, and those of all that have a limit price. */
const TRIGGERED: ReadonlySet<OrderType> = new Set<OrderType>(['stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit']);
const LIMITED: ReadonlySet<OrderType> = new Set<OrderType>(['limit', 'stopLimit', 'takeProfitLimit']);

function placeItem(venue: string, order: PlaceRequest): Record<string, unknown> {
  const { triggerPrice = null, triggerPriceType, expireAtMs = null } = order;
  const hasTrigger = TRIGGERED.has(order.type);
  const refuse = (venueCode: string, message: string): VenueRefused => new VenueRefused(venue, 'other', venueCode, `${venue} ${message}`);
  if (!hasTrigger && order.type !== 'market' && order.type !== 'limit') throw refuse('UNSUPPORTED_TYPE', `has no ${order.type} orders; its watcher must trail`);
  if (hasTrigger !== (triggerPrice !== null)) throw refuse('BAD_TRIGGER', hasTrigger ? `needs the triggerPrice of a ${order.type} order` : `has no triggerPrice for ${order.type} orders`);
  if (triggerPriceType === 'index') throw refuse('BAD_TRIGGER', 'has no index price; use mark or last');
  if ((order.timeInForce === 'GTD') !== (expireAtMs !== null)) throw refuse('BAD_EXPIRY', 'needs expireAtMs for GTD, and for GTD alone');
  return {
    clientId: order.venueClientId,
    symbol: order.venueSymbol,
    side: order.side,
    type: order.type,
    // A market order never rests.
    timeInForce: order.type === 'market' && order.timeInForce === 'GTC' ? 'IOC' : order.timeInForce,
    ...(order.limitPrice === null || !LIMITED.has(order.type) ? {} : { price: order.limitPrice }),
    quantity: order.quantity,
    postOnly: order.postOnly,
    reduceOnly: order.reduceOnly,
    ...(triggerPrice === null ? {} : { triggerPrice, ...(triggerPriceType === undefined ? {} : { triggerPriceType }) }),
    ...(expireAtMs === null ? {} : { expireAt: expireAtMs }),
  };
}

function reference(order: OrderReference): { orderId: string } | { clientId: string } {
  return order.venueOrderId === null ? { clientId: order.venueClientId } : { orderId: order.venueOrderId };
}

function checkSize(venue: string, count: number): void {
  if (count < 1 || count > MAX_BATCH_SIZE) {
    throw new VenueRefused(venue, 'other', 'BATCH_TOO_LARGE', `${venue} takes 1 to ${MAX_BATCH_SIZE} orders a request, not ${count}`);
  }
}
