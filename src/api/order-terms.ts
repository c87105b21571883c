/** What a caller asked for, with every default filled in; and whether two intents ask for the same. */
import type { OrderCondition } from '../domain/condition';
import { decimalText, sameDecimal } from '../domain/decimal';
import { UNCONDITIONAL, type Order, type OrderIntent, type OrderSide, type OrderType, type TimeInForce } from '../domain/order';
import type { OrderRequest } from '../schemas/orders';
import type { Timeline } from '../domain/timeline';
import { conditionAsked } from './order-conditions';

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
  /** Absent: it waits for nothing. */
  readonly condition?: OrderCondition;
}

/** An absent field and its default are the same request: they hash alike. */
export function termsOf(request: OrderRequest): OrderTerms {
  const condition = conditionAsked(request);
  return {
    ...(condition === undefined ? {} : { condition }),
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
const FIXED_CONDITIONS = ['execution', 'triggerPriceType', 'trailingOffsetType', 'gapPolicy', 'startAt', 'expireTime'] as const;
const AMENDABLE_CONDITIONS = ['triggerPrice', 'trailingOffset', 'activationPrice'] as const;
type AmendableField = (typeof AMENDABLE_FIELDS)[number] | (typeof AMENDABLE_CONDITIONS)[number];
type ComparedField = (typeof FIXED_FIELDS)[number] | (typeof AMENDABLE_FIELDS)[number];

/**
 * The fields in which an order differs from what is asked for now. An amendment changes the order's own terms, so those
 * are compared with the first event, which has what was asked for then, where the row differs.
 */
export async function differingFields(asked: Pick<OrderTerms, ComparedField | 'condition'> & Pick<OrderIntent, 'group'>, order: Order, timelineOf: () => Promise<Timeline | null>): Promise<string[]> {
  const condition = asked.condition ?? UNCONDITIONAL;
  const fixed: string[] = [...FIXED_FIELDS.filter((field) => asked[field] !== order[field]), ...FIXED_CONDITIONS.filter((field) => condition[field] !== order[field]), ...((asked.group?.grouping ?? null) === order.grouping ? [] : ['grouping'])];
  const terms = { quantity: asked.quantity, limitPrice: asked.limitPrice, triggerPrice: condition.triggerPrice, trailingOffset: condition.trailingOffset, activationPrice: condition.activationPrice };
  const amendable = [...AMENDABLE_FIELDS, ...AMENDABLE_CONDITIONS].filter((field) => !sameDecimal(terms[field], order[field]));
  if (amendable.length === 0) return fixed;
  const first = askedFirst(await timelineOf());
  if (first === null) return [...fixed, ...amendable];
  return [...fixed, ...amendable.filter((field) => !sameDecimal(terms[field], first[field] ?? null))];
}

type FirstTerms = Readonly<Partial<Record<AmendableField, string | null>>>;

/** The terms before any amendment; null for an order that is not ours. */
function askedFirst(timeline: Timeline | null): FirstTerms | null {
  const recorded = timeline?.events[0]?.data['order'];
  return typeof recorded === 'object' && recorded !== null ? recorded : (timeline?.intent ?? null);
}
