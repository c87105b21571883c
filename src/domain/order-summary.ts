/** One line that names an order to a person: in the Web UI, the log and the command line. */
import type { OrderCondition } from './condition';
import type { OrderIntent } from './order';

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
