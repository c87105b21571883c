/** One line that names an order to a person: in the Web UI, the log and the command line. */
import type { OrderCondition } from './condition';
import type { OrderIntent } from './order';
import type { OrderList, OrderListLeg } from './order-list';

/** `BUY 0.5 BTC-PERP limit 61250 GTC on paper`. */
export function describeIntent(intent: Pick<OrderIntent, 'side' | 'quantity' | 'symbol' | 'type' | 'limitPrice' | 'timeInForce' | 'venue' | 'reduceOnly'>): string {
  const price = intent.limitPrice === null ? '' : ` ${intent.limitPrice}`;
  return `${intent.side.toUpperCase()} ${intent.quantity} ${intent.symbol} ${intent.type}${price} ${intent.timeInForce}${intent.reduceOnly ? ' reduce-only' : ''} on ${intent.venue}`;
}

/** `SELL 0.5 BTC-PERP stopMarket when mark reaches 60000 reduce-only on paper`: what a person reads in the list of workflows. */
export function describeConditional(intent: Pick<OrderIntent, 'side' | 'quantity' | 'symbol' | 'type' | 'limitPrice' | 'venue' | 'reduceOnly'>, condition: OrderCondition): string {
  const { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, startAt, expireTime, execution } = condition;
  const unit = trailingOffsetType === 'price' ? '' : ` ${trailingOffsetType ?? ''}`;
  const words = [
    `${intent.side.toUpperCase()} ${intent.quantity} ${intent.symbol} ${intent.type}${intent.limitPrice === null ? '' : ` at ${intent.limitPrice}`}`,
    trailingOffset === null ? null : `trailing ${trailingOffset}${unit} behind ${triggerPriceType ?? 'last'}${activationPrice === null ? '' : ` from ${activationPrice}`}`,
    triggerPrice === null || trailingOffset !== null ? null : `when ${triggerPriceType ?? 'last'} reaches ${triggerPrice}`,
    startAt === null ? null : `from ${startAt}`,
    expireTime === null ? null : `until ${expireTime}`,
    intent.reduceOnly ? 'reduce-only' : null,
    `on ${intent.venue}`,
    execution === 'both' ? 'with a native stop behind it' : null,
  ];
  return words.filter((word) => word !== null).join(' ');
}

/** `BRACKET of 4: entry BUY 0.5 BTC-PERP limit 50000; takeProfit SELL …`: what a person reads in the list of workflows, whose summaries are short. */
export function describeOrderList({ type, legs }: Pick<OrderList, 'type' | 'legs'>): string {
  const words = `${type} of ${legs.length}: ${legs.map(describeLeg).join('; ')}`;
  return words.length <= SUMMARY_LENGTH ? words : `${words.slice(0, SUMMARY_LENGTH - 1)}…`;
}

/** Temporal takes 400 bytes of summary; quantities and prices are ASCII. */
const SUMMARY_LENGTH = 380;

function describeLeg({ role, side, quantity, symbol, type, limitPrice, triggerPrice, trailingOffset, trailingOffsetType, venue }: OrderListLeg): string {
  const level = trailingOffset !== null ? ` trailing ${trailingOffset} ${trailingOffsetType ?? ''}` : triggerPrice !== null ? ` at ${triggerPrice}` : '';
  return `${role} ${side.toUpperCase()} ${quantity} ${symbol} ${type}${limitPrice === null ? '' : ` ${limitPrice}`}${level} on ${venue}`;
}
