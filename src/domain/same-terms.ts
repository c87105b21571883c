/** Whether an order that the venue shows without a client id may be one of ours whose answer was lost. Pure. */
import { decimal, sameDecimal } from './decimal';
import type { Order } from './order';
import type { VenueOrder } from './venue';

/** By its terms alone; `sinceMs` (the venue's clock) is when ours cannot have been there yet. Orders of equal terms are one as good as the other. */
export function mayBeTheSame(order: Order, seen: VenueOrder, sinceMs: number): boolean {
  if (seen.venueClientId !== null || seen.updatedAtMs < sinceMs) return false;
  if (seen.venueSymbol !== order.venueSymbol || seen.side !== order.side || seen.reduceOnly !== order.reduceOnly) return false;
  if (!decimal(seen.quantity).equals(order.quantity)) return false;
  const trigger = order.triggerPrice ?? null;
  if (!sameDecimal(seen.triggerPrice ?? null, trigger)) return false;
  // Venues without market orders show one as a limit that does not rest.
  if (order.type === 'market') return seen.type === 'market' || seen.timeInForce === 'IOC';
  return seen.type === order.type && (trigger !== null || seen.timeInForce === order.timeInForce) && sameDecimal(order.limitPrice, seen.limitPrice);
}
