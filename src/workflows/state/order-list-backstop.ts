/**
 * The native stop behind a leg that waits for its price: one at the venue, as large as what the leg guards and at its level. Where either
 * changes it is canceled by evidence, then placed anew: so two of them never fill, and meanwhile the list's own stop guards.
 */
import { decimal, decimalText } from '../../domain/decimal';
import { isNativeStop, isOpenListChild, nativeStopOf, type OrderListChild, type OrderListLeg } from '../../domain/order-list';
import { openOf } from '../../domain/order-list-shares';
import { roundQuantityDown } from '../../domain/quantise';
import { MAX_NATIVE_FAILURES, REPLACE_AT_SHARE } from './conditional-order';
import { failuresOf, NOTHING, retryAt, type LegPlan, type LegView } from './order-list-leg-plan';

export function backstop(view: LegView): LegPlan {
  const { leg, children, share, market, nowMs } = view;
  const native = nativeStopOf(leg);
  const own = children.filter(isNativeStop);
  const live = own.find(isOpenListChild);
  const quantity = roundQuantityDown(market.rules, decimalText(share), null);
  if (native === null || quantity === null) return live === undefined ? NOTHING : { ...NOTHING, cancel: [live] };
  if (live !== undefined) {
    const replaceAtMs = market.nativeExpiresAfterMs == null ? null : live.recordedAtMs + market.nativeExpiresAfterMs * REPLACE_AT_SHARE;
    const isOther = live.version !== leg.version || live.triggerPrice !== native.triggerPrice || !openOf(live).equals(decimal(quantity));
    if (isOther || (replaceAtMs !== null && nowMs >= replaceAtMs)) return { ...NOTHING, cancel: [live] };
    return { ...NOTHING, wakeAtMs: replaceAtMs };
  }
  if (isWithoutNative(leg, children)) return NOTHING;
  const retryAtMs = retryAt(own);
  if (retryAtMs > nowMs) return { ...NOTHING, wakeAtMs: retryAtMs };
  return { ...NOTHING, place: { leg: leg.n, step: 'native', version: leg.version, type: native.type, timeInForce: 'GTC', postOnly: leg.postOnly, quantity, limitPrice: leg.limitPrice, triggerPrice: native.triggerPrice } };
}

/** What a person is told then, once. */
export const NO_NATIVE_STOP = 'the venue does not take the native stop; the durable one stands alone';

/** The venue has refused, or ended, so many of these terms in a row: the durable stop stands alone, until its terms are others. */
export function isWithoutNative(leg: OrderListLeg, children: readonly OrderListChild[]): boolean {
  return failuresOf(children.filter((child) => isNativeStop(child) && child.version === leg.version)).length >= MAX_NATIVE_FAILURES;
}
