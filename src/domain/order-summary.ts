/** One line that names an order to a person: in the Web UI, the log and the command line. */
import type { OrderIntent } from './order';

/** `BUY 0.5 BTC-PERP limit 61250 GTC on paper`. */
export function describeIntent(intent: Pick<OrderIntent, 'side' | 'quantity' | 'symbol' | 'type' | 'limitPrice' | 'timeInForce' | 'venue' | 'reduceOnly'>): string {
  const price = intent.limitPrice === null ? '' : ` ${intent.limitPrice}`;
  return `${intent.side.toUpperCase()} ${intent.quantity} ${intent.symbol} ${intent.type}${price} ${intent.timeInForce}${intent.reduceOnly ? ' reduce-only' : ''} on ${intent.venue}`;
}
