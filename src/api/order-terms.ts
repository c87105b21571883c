/** What a caller asked for, with every default filled in; and whether two intents ask for the same. */
import { decimalText } from '../domain/decimal';
import type { Order, OrderSide, OrderType, TimeInForce } from '../domain/order';
import type { OrderRequest } from '../schemas/orders';
import type { Timeline } from '../domain/timeline';

export interface OrderTerms {
  readonly accountId: string;
  readonly clientOrderId: string | null;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly timeInForce: TimeInForce;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly postOnly: boolean;
  readonly reduceOnly: boolean;
}

/** An absent field and its default are the same request: they hash alike. */
export function termsOf(request: OrderRequest): OrderTerms {
  return {
    accountId: request.accountId,
    clientOrderId: request.clientOrderId ?? null,
    symbol: request.symbol,
    side: request.side,
    type: request.type,
    timeInForce: request.timeInForce ?? (request.type === 'market' ? 'IOC' : 'GTC'),
    quantity: decimalText(request.quantity),
    limitPrice: request.limitPrice === undefined ? null : decimalText(request.limitPrice),
    postOnly: request.postOnly ?? false,
    reduceOnly: request.reduceOnly ?? false,
  };
}

const FIXED_FIELDS = ['symbol', 'side', 'type', 'timeInForce', 'postOnly', 'reduceOnly'] as const;
const AMENDABLE_FIELDS = ['quantity', 'limitPrice'] as const;
type ComparedField = (typeof FIXED_FIELDS)[number] | (typeof AMENDABLE_FIELDS)[number];

/**
 * The fields in which an order differs from what is asked for now. An amendment changes the order's own terms, so those
 * are compared with the first intent (from the timeline) where the row differs.
 */
export async function differingFields(asked: Pick<OrderTerms, ComparedField>, order: Order, timelineOf: () => Promise<Timeline | null>): Promise<string[]> {
  const fixed = FIXED_FIELDS.filter((field) => asked[field] !== order[field]);
  const terms = AMENDABLE_FIELDS.filter((field) => !sameDecimal(asked[field], order[field]));
  if (terms.length === 0) return fixed;
  const intent = (await timelineOf())?.intent ?? null;
  if (intent === null) return [...fixed, ...terms];
  return [...fixed, ...terms.filter((field) => !sameDecimal(asked[field], intent[field]))];
}

function sameDecimal(a: string | null, b: string | null): boolean {
  if (a === null || b === null) return a === b;
  return decimalText(a) === decimalText(b);
}
