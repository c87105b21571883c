/** Whether an order list is the one that is asked for now. */
import { waitsForPrice, type LegTerms, type OrderList } from '../domain/order-list';
import { differing, type Compared } from './compared-terms';
import type { NewOrderListWish, OrderListsPort } from './order-list-ports';

type ListTerms = Pick<OrderList, 'type' | 'symbol' | 'legs' | 'expireTime' | 'timeLimitMs' | 'breakEvenAfter'>;

const LIST = {
  type: 'fixed', symbol: 'fixed', legs: 'fixed', timeLimitMs: 'fixed', breakEvenAfter: 'fixed', expireTime: 'amendable',
} as const satisfies Compared<Exclude<keyof NewOrderListWish, 'id' | 'clientListId' | 'userId' | 'accountId' | 'venue' | 'ownerWorkflowId'>>;

/** Venue and its symbol follow from the account and the symbol. */
const LEG = {
  role: 'fixed', accountId: 'fixed', symbol: 'fixed', side: 'fixed', type: 'fixed', timeInForce: 'fixed', postOnly: 'fixed', reduceOnly: 'fixed',
  triggerPriceType: 'fixed', trailingOffsetType: 'fixed', gapPolicy: 'fixed', escalation: 'fixed', execution: 'fixed',
  quantity: 'amendable', limitPrice: 'amendable', triggerPrice: 'amendable', trailingOffset: 'amendable', activationPrice: 'amendable',
} as const satisfies Compared<Exclude<keyof LegTerms, 'venue' | 'venueSymbol'>>;

/** The fields in which a list differs from what is asked for now; its first event has what was asked for then. */
export function differingListFields(asked: ListTerms, made: OrderList, timelineOf: () => ReturnType<OrderListsPort['timeline']>): Promise<string[]> {
  const inBoth = asked.legs.slice(0, made.legs.length);
  const ofLegs = inBoth.flatMap((_, n) => Object.entries(LEG).map(([field, how]) => [`legs.${n}.${field}`, how] as const));
  return differing({ ...LIST, ...Object.fromEntries(ofLegs) }, flat(asked), flat(made), async () => {
    const first = (await timelineOf())?.events.find(({ type }) => type === 'orderList.created')?.data['orderList'] as ListTerms | undefined;
    return first === undefined ? null : flat(first);
  });
}

/** Every term by the name under which it is compared; of the legs themselves, how many. */
function flat(list: ListTerms): Readonly<Record<string, unknown>> {
  const legs = list.legs.flatMap((leg, n) => Object.entries({ ...leg, execution: executionOf(leg) }).map(([field, value]): [string, unknown] => [`legs.${n}.${field}`, value]));
  return { ...list, legs: list.legs.length, ...Object.fromEntries(legs) };
}

/** Lists from before there was a choice do not name it. */
function executionOf(leg: LegTerms): LegTerms['execution'] {
  return leg.execution ?? (waitsForPrice(leg) ? 'durable' : null);
}
