/** What a caller asked for, with every default filled in; and whether two intents ask for the same. */
import type { OrderCondition } from '../domain/condition';
import { decimalText } from '../domain/decimal';
import { UNCONDITIONAL, type Order, type OrderIntent, type OrderSide, type OrderType, type TimeInForce } from '../domain/order';
import type { OrderRequest } from '../schemas/orders';
import type { Timeline } from '../domain/timeline';
import { differing, type Compared } from './compared-terms';
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

const COMPARED = {
  symbol: 'fixed', side: 'fixed', type: 'fixed', timeInForce: 'fixed', postOnly: 'fixed', reduceOnly: 'fixed',
  execution: 'fixed', triggerPriceType: 'fixed', trailingOffsetType: 'fixed', gapPolicy: 'fixed', escalation: 'fixed', startAt: 'fixed', expireTime: 'fixed', grouping: 'fixed',
  quantity: 'amendable', limitPrice: 'amendable', triggerPrice: 'amendable', trailingOffset: 'amendable', activationPrice: 'amendable',
} as const satisfies Compared<Exclude<keyof OrderTerms, 'accountId' | 'clientOrderId' | 'condition'> | keyof OrderCondition | 'grouping'>;

/** The fields in which an order differs from what is asked for now; the first event has what was asked for then. */
export function differingFields(asked: Omit<OrderTerms, 'accountId' | 'clientOrderId'> & Pick<OrderIntent, 'group'>, order: Order, timelineOf: () => Promise<Timeline | null>): Promise<string[]> {
  const { condition, group, ...terms } = asked;
  return differing(COMPARED, { ...terms, ...(condition ?? UNCONDITIONAL), grouping: group?.grouping ?? null }, { ...order }, async () => askedFirst(await timelineOf()));
}

/** The terms before any amendment; null for an order that is not ours. */
function askedFirst(timeline: Timeline | null): Readonly<Record<string, unknown>> | null {
  const recorded = timeline?.events[0]?.data['order'];
  return typeof recorded === 'object' && recorded !== null ? { ...recorded } : (timeline?.intent ?? null);
}
