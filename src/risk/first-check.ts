/** What no figures can change: an order that breaks one of these is denied whatever the account holds and the market does. */
import type { RiskLimits } from '../domain/account';
import { decimal } from '../domain/decimal';
import type { RiskOrder } from './figures';

/**
 * True only where `judgeOrder` denies under these limits, whatever the figures. A sell is valued at its limit or above, a buy at
 * its limit; a market order by a price, which is no fact that stands.
 */
export function isCertainlyDenied(order: RiskOrder, limits: RiskLimits): boolean {
  if (order.reduceOnly) return false;
  if (limits.allowedSymbols !== null && !limits.allowedSymbols.includes(order.symbol)) return true;
  return order.limitPrice !== null && decimal(order.quantity).times(decimal(order.limitPrice)).greaterThan(decimal(limits.maxOrderNotional));
}
