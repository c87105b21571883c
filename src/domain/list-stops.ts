/**
 * The stops of order lists, as far as they guard a position now: a leg that waits for a price, or that a price has set off, for its share.
 * Its workflow holds it: it is durable, and with `both` an order of the list at the venue stands behind it. Pure.
 */
import { decimalText, ZERO } from './decimal';
import { legTriggerId, type OrderList, type OrderListChild, type OrderListLeg } from './order-list';
import { figuresOfLegs, sharesOf } from './order-list-shares';
import { STOP_TYPES, type StandingStop } from './protection';

export function isStopLeg({ type, reduceOnly }: Pick<OrderListLeg, 'type' | 'reduceOnly'>): boolean {
  return reduceOnly && (STOP_TYPES as readonly string[]).includes(type);
}

/** `extremes`: what trailing triggers have seen, by trigger id. */
export function stopsOfList(list: OrderList, children: readonly OrderListChild[], extremes: ReadonlyMap<string, string | null>, nowMs: number): readonly StandingStop[] {
  const shares = sharesOf(list, figuresOfLegs(list, children), nowMs);
  return list.legs.flatMap((leg): StandingStop[] => {
    const share = shares[leg.n] ?? ZERO;
    const { state } = leg;
    // Before its workflow has armed it nothing watches the price for it.
    if (!isStopLeg(leg) || share.isZero() || (state !== 'ARMED' && state !== 'TRIGGERED')) return [];
    const { accountId, symbol, side, type, triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, breakEvenPrice } = leg;
    const held = { id: list.id, orderListId: list.id, leg: leg.n, venueOrderId: null, execution: leg.execution ?? 'durable', parentOrderId: null, acknowledgedAt: null } as const;
    const level = { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, breakEvenPrice, extreme: extremes.get(legTriggerId(list.id, leg)) ?? null };
    return [{ ...held, accountId, symbol, side, type, state, leavesQuantity: decimalText(share), ...level }];
  });
}
