/** Whether an amend or a cancel may be taken, by the order as it is under its lock. Pure. */
import type { ErrorCode } from '../../domain/errors';
import { decimal, decimalText, maxOf, ZERO, type Decimal } from '../../domain/decimal';
import { exposureOf } from '../../domain/exposure';
import { isTerminal, UNSETTLED_STATES, type Order } from '../../domain/order';
import type { Mutation, MutationIntent } from '../../domain/order-store';
import type { VenueCapabilities } from '../../domain/venue';
import type { AccountFigures, SymbolFigures } from '../../risk/figures';
import { judgeOrder } from '../../risk/judge';
import { judgePriceBand } from '../../risk/price-band';
import type { UserFigures } from '../../risk/user-limits';
import { exposed } from './apply-evidence';
import type { LockedOrder } from '../database/locks';
import type { MutationRow } from './mutation-rows';

export type MutationCheck =
  /** `onlyAsked`: it may have been sent before and is looked after, but may not be sent now. */
  | { readonly verdict: 'go'; readonly onlyAsked?: true }
  | { readonly verdict: 'nothingToDo'; readonly mutationId: string | null }
  | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string };

/** Of an amend that no worker took, or PostgreSQL did not, in its time. Nothing of it is on record; its workflow ends with it. */
export const TOO_LATE = 'the amendment could not be taken before its deadline and nothing was sent: the order stands as it was. Read it and ask again';

/**
 * An amend's terms are of the moment when it was asked for: after its deadline they are not sent any more, as no order is placed after
 * its own. A cancel is never too late.
 */
export function isTooLate({ kind, sendBefore }: Pick<Mutation, 'kind'> & Pick<MutationIntent, 'sendBefore'>, nowMs: number): boolean {
  return kind === 'amend' && nowMs >= Date.parse(sendBefore);
}

/** A cancel is always taken; one that is under way already, or of an order that ended, needs nothing. */
export function checkCancel(order: Order, earlier: readonly MutationRow[]): MutationCheck {
  if (isTerminal(order.state)) return { verdict: 'nothingToDo', mutationId: null };
  const pending = earlier.find((mutation) => mutation.kind === 'cancel' && mutation.state === 'pending');
  return pending === undefined ? { verdict: 'go' } : { verdict: 'nothingToDo', mutationId: pending.id };
}

/** One mutation in flight per order; an amend needs an order whose placing is settled. */
export function checkAmend(intent: MutationIntent, order: Order, earlier: readonly MutationRow[], capabilities: VenueCapabilities): MutationCheck {
  const deny = (code: ErrorCode, message: string): MutationCheck => ({ verdict: 'denied', code, message });
  if (isTerminal(order.state)) return deny('CONFLICT', `the order is ${order.state}`);
  if (intent.expectedRevision !== null && intent.expectedRevision !== order.revision) return deny('PRECONDITION_FAILED', `the order is at revision ${order.revision}, not ${intent.expectedRevision}`);
  if (UNSETTLED_STATES.has(order.state)) return deny('CONFLICT', `the order is ${order.state}: the venue has not acknowledged it yet`);
  const pending = earlier.find((mutation) => mutation.state === 'pending');
  if (pending !== undefined || order.pendingReplace || order.pendingCancel) return deny('CONFLICT', `${pending?.kind === 'cancel' || order.pendingCancel ? 'a cancel' : 'an amendment'} of the order is under way`);
  if (capabilities.amend === 'none') return deny('UNPROCESSABLE', `${order.venue} cannot amend orders: cancel it and place another`);
  if (intent.limitPrice !== null && order.limitPrice === null) return deny('UNPROCESSABLE', 'an order without a limit price has none to amend');
  if (intent.triggerPrice != null && order.triggerPrice === null) return deny('UNPROCESSABLE', 'an order that waits for no price has no trigger to amend');
  if (intent.triggerPrice != null && decimal(order.filledQuantity).greaterThan(ZERO)) return deny('CONFLICT', 'its trigger was crossed already');
  if (intent.quantity !== null && decimal(intent.quantity).lessThanOrEqualTo(decimal(order.filledQuantity))) return deny('UNPROCESSABLE', `the new quantity must be above what is filled, ${order.filledQuantity}: cancel the order instead`);
  return { verdict: 'go' };
}

/** An amendment that asks for more is judged like a new order in place of the old one. `figures` hold the old one still. */
export function judgeAmend(intent: MutationIntent, locked: LockedOrder, figures: AccountFigures, user: UserFigures | null): MutationCheck {
  const { order } = locked;
  const quantity = decimalText(maxOf(decimal(intent.quantity ?? order.quantity).minus(decimal(order.filledQuantity)), ZERO));
  const limitPrice = intent.limitPrice ?? order.limitPrice;
  const dearer = limitPrice !== null && order.limitPrice !== null && decimal(limitPrice).greaterThan(decimal(order.limitPrice));
  const triggerPrice = intent.triggerPrice ?? order.triggerPrice;
  const later = triggerPrice !== null && order.triggerPrice !== null && decimal(triggerPrice).greaterThan(decimal(order.triggerPrice));
  const asked = { symbol: order.symbol, side: order.side, quantity, limitPrice, reduceOnly: order.reduceOnly, condition: { triggerPrice } };
  if (!decimal(quantity).greaterThan(decimal(order.leavesQuantity)) && !dearer && !later) {
    // A sell that is only made cheaper can still leave the price band; an order that only shrinks cannot.
    const breach = intent.limitPrice === null || limitPrice === order.limitPrice || order.side === 'buy' ? null : judgePriceBand(asked, figures);
    return breach === null ? { verdict: 'go' } : { verdict: 'denied', code: breach.code, message: breach.message };
  }
  const verdict = judgeOrder(asked, without(figures, locked), user);
  return verdict.verdict === 'accepted' ? { verdict: 'go' } : { verdict: 'denied', code: verdict.code, message: verdict.message };
}

function without(figures: AccountFigures, { order, books }: LockedOrder): AccountFigures {
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  // What filled and is not booked yet stays counted: the amendment does not give it back.
  const own = exposureOf({ ...exposed(order, books), fillsMissing: order.filledQuantity });
  const less = (value: string, part: Decimal): string => decimalText(maxOf(decimal(value).minus(part), ZERO));
  const after: SymbolFigures = {
    ...market,
    openBuyQuantity: less(market.openBuyQuantity, own.openBuyQuantity),
    openSellQuantity: less(market.openSellQuantity, own.openSellQuantity),
    openBuyNotional: less(market.openBuyNotional, own.openBuyNotional),
    openSellNotional: less(market.openSellNotional, own.openSellNotional),
    reduceOnlyBuyQuantity: less(market.reduceOnlyBuyQuantity, own.reduceOnlyBuyQuantity),
    reduceOnlySellQuantity: less(market.reduceOnlySellQuantity, own.reduceOnlySellQuantity),
  };
  return { ...figures, openOrders: figures.openOrders - own.openOrders, symbols: { ...figures.symbols, [order.symbol]: after } };
}
