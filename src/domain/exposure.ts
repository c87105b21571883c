/**
 * What one open order can still do to its account, and how a change of the order changes that. The sums are kept per
 * market, so risk never scans orders: after every change, sum of contributions = the stored exposure.
 */
import { decimal, maxOf, ZERO, type Decimal } from './decimal';
import { isHeld, type Execution } from './condition';
import { isTerminal, type OrderSide, type OrderState } from './order';

/** The part of an order that its exposure depends on. */
export interface ExposedOrder {
  readonly state: OrderState;
  readonly side: OrderSide;
  readonly reduceOnly: boolean;
  readonly filledQuantity: string;
  readonly leavesQuantity: string;
  /** Sum of its fills that are booked: the position counts them. */
  readonly fillsQuantity: string;
  /** Filled quantity whose fills the venue will not tell: the position counts it by the venue's word. */
  readonly fillsMissing: string;
  /** What one unit is valued at: the price it was judged by. */
  readonly valuationPrice: string;
  /** An open amendment's total quantity and valuation: until it is settled the worse of both counts. */
  readonly amendQuantity: string | null;
  readonly amendValuation: string | null;
  /** An order that waits in a workflow is never sent: its children count, it does not. */
  readonly execution?: Execution | null;
}

/** Sums over open orders, or a difference of them. */
export interface Exposure {
  readonly openOrders: number;
  readonly openBuyQuantity: Decimal;
  readonly openSellQuantity: Decimal;
  readonly openBuyNotional: Decimal;
  readonly openSellNotional: Decimal;
  readonly reduceOnlyBuyQuantity: Decimal;
  readonly reduceOnlySellQuantity: Decimal;
}

export const NO_EXPOSURE: Exposure = {
  openOrders: 0,
  openBuyQuantity: ZERO,
  openSellQuantity: ZERO,
  openBuyNotional: ZERO,
  openSellNotional: ZERO,
  reduceOnlyBuyQuantity: ZERO,
  reduceOnlySellQuantity: ZERO,
};

/**
 * An order whose outcome is unknown counts whole, like one that works: its leaves are its quantity less what filled. What filled
 * goes on counting, also once the order ended, until its fills are booked: before that no position has it.
 */
export function exposureOf(order: ExposedOrder): Exposure {
  if (isHeld(order)) return NO_EXPOSURE;
  const isOpen = !isTerminal(order.state);
  const unbooked = unbookedQuantity(order);
  if (!isOpen && unbooked.isZero()) return NO_EXPOSURE;
  const amended = order.amendQuantity === null ? ZERO : decimal(order.amendQuantity).minus(decimal(order.filledQuantity));
  const quantity = (isOpen ? maxOf(decimal(order.leavesQuantity), amended) : ZERO).plus(unbooked);
  const price = order.amendValuation === null ? decimal(order.valuationPrice) : maxOf(decimal(order.valuationPrice), decimal(order.amendValuation));
  const notional = quantity.times(price);
  const one = { ...NO_EXPOSURE, openOrders: isOpen ? 1 : 0 };
  if (order.reduceOnly) return order.side === 'buy' ? { ...one, reduceOnlyBuyQuantity: quantity } : { ...one, reduceOnlySellQuantity: quantity };
  return order.side === 'buy' ? { ...one, openBuyQuantity: quantity, openBuyNotional: notional } : { ...one, openSellQuantity: quantity, openSellNotional: notional };
}

/** What the venue says filled and no booked fill explains yet. */
export function unbookedQuantity(order: Pick<ExposedOrder, 'filledQuantity' | 'fillsQuantity' | 'fillsMissing'>): Decimal {
  return maxOf(decimal(order.filledQuantity).minus(decimal(order.fillsQuantity)).minus(decimal(order.fillsMissing)), ZERO);
}

export function plus(a: Exposure, b: Exposure): Exposure {
  return combine(a, b, (x, y) => x.plus(y), a.openOrders + b.openOrders);
}

export function minus(a: Exposure, b: Exposure): Exposure {
  return combine(a, b, (x, y) => x.minus(y), a.openOrders - b.openOrders);
}

export function isNothing(exposure: Exposure): boolean {
  return (
    exposure.openOrders === 0 &&
    [exposure.openBuyQuantity, exposure.openSellQuantity, exposure.openBuyNotional, exposure.openSellNotional, exposure.reduceOnlyBuyQuantity, exposure.reduceOnlySellQuantity].every((value) => value.isZero())
  );
}

function combine(a: Exposure, b: Exposure, of: (x: Decimal, y: Decimal) => Decimal, openOrders: number): Exposure {
  return {
    openOrders,
    openBuyQuantity: of(a.openBuyQuantity, b.openBuyQuantity),
    openSellQuantity: of(a.openSellQuantity, b.openSellQuantity),
    openBuyNotional: of(a.openBuyNotional, b.openBuyNotional),
    openSellNotional: of(a.openSellNotional, b.openSellNotional),
    reduceOnlyBuyQuantity: of(a.reduceOnlyBuyQuantity, b.reduceOnlyBuyQuantity),
    reduceOnlySellQuantity: of(a.reduceOnlySellQuantity, b.reduceOnlySellQuantity),
  };
}

/** What an order is valued at after its terms changed: a sell never below the mark, and what waits at its venue never below its trigger, as when it was judged. */
export function valuationAfter(terms: { readonly side: OrderSide; readonly limitPrice: string | null; readonly triggerPrice: string | null }, markPrice: string | null, before: string): string {
  const { side, limitPrice, triggerPrice } = terms;
  if (side === 'buy' && limitPrice !== null) return limitPrice;
  const bounds = [limitPrice ?? before, ...(limitPrice === null || markPrice === null ? [] : [markPrice]), ...(triggerPrice === null ? [] : [triggerPrice])];
  return bounds.reduce((most, each) => (decimal(each).greaterThan(decimal(most)) ? each : most));
}
