/** What the venue's answer says of each order in a request. */
import { decimal } from '../../domain/decimal';
import type { ItemAnswer, PlaceRequest } from '../../domain/venue';
import { VenueOutcomeUnknown } from '../../domain/venue-errors';
import type { HyperliquidBytes } from './actions';
import { canonical } from './normalize';
import { refusalCode } from './refusals';
import type { ItemStatus } from './schemas';

/** One status for each order that was sent: one error may stand for the whole list. Throws VenueOutcomeUnknown on any other count. */
export function statusesOf(venue: string, statuses: readonly ItemStatus[], sent: number, raw: string): readonly ItemStatus[] {
  if (statuses.length === sent) return statuses;
  const [only] = statuses;
  if (statuses.length === 1 && typeof only === 'object' && 'error' in only) return Array.from({ length: sent }, () => only);
  throw new VenueOutcomeUnknown(venue, `${venue}: ${statuses.length} answers came for ${sent} items`, 'unreadable', raw);
}

/** Exits of a group wait for their entry or their trigger and have no id yet: the stream brings it. */
export function acknowledgement(order: PlaceRequest, status: ItemStatus, { atMs }: HyperliquidBytes): ItemAnswer {
  if (typeof status === 'string') return { kind: 'accepted', venueOrderId: null, transactionHash: null };
  if ('error' in status) return refused(status.error);
  const filled = 'filled' in status ? status.filled : null;
  const oid = 'filled' in status ? status.filled.oid : status.resting.oid;
  const whole = filled !== null && decimal(filled.totalSz).greaterThanOrEqualTo(order.quantity);
  return {
    kind: 'acknowledged',
    order: {
      venueOrderId: String(oid), venueClientId: order.venueClientId, venueSymbol: order.venueSymbol, side: order.side, type: order.type, timeInForce: order.timeInForce,
      quantity: order.quantity, limitPrice: order.limitPrice, filledQuantity: filled === null ? '0' : canonical(filled.totalSz), avgPrice: filled === null ? null : canonical(filled.avgPx),
      status: filled === null ? 'open' : whole ? 'filled' : 'canceled', reasonCode: filled === null || whole ? null : 'iocCancel',
      postOnly: order.postOnly, reduceOnly: order.reduceOnly, revision: null, updatedAtMs: atMs, ...(order.triggerPrice === undefined || order.triggerPrice === null ? {} : { triggerPrice: order.triggerPrice, triggeredAtMs: null }),
    },
  };
}

export function refused(words: string): ItemAnswer {
  return { kind: 'refused', code: refusalCode(words), venueCode: 'ERROR', message: words };
}

export function refusedHere({ refused: items }: HyperliquidBytes, index: number): ItemAnswer {
  return items[index] ?? { kind: 'refused', code: 'other', venueCode: 'NOT_SENT', message: 'not sent' };
}
