/** The price band: how far from the mark an order may buy above it, or sell below it. */
import { decimal, decimalText } from '../domain/decimal';
import type { ErrorCode } from '../domain/errors';
import type { AccountFigures, RiskOrder } from './figures';

export interface BandBreach {
  readonly code: ErrorCode;
  readonly message: string;
  readonly shown: Readonly<Record<string, string | null>>;
}

const PERCENT = 100;

/**
 * null: inside the band, or none is set. A limit is held against the mark; a market order has none, so the price it would meet
 * (the best on the other side, else the mark itself) is. Without a fresh mark nothing can be held against it: denied.
 *
 * An order that its venue holds until a trigger is reached is held against the trigger: the mark will be there then.
 *
 * Only the side that loses money is bounded: a buy far below the mark rests, and harms nobody.
 */
export function judgePriceBand(order: RiskOrder, figures: AccountFigures): BandBreach | null {
  const { priceBandPercent } = figures.limits;
  if (priceBandPercent === null || order.reduceOnly) return null;
  const market = figures.symbols[order.symbol];
  if (market === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const { markPrice } = market;
  if (markPrice === null) return { code: 'RISK_PRICE_UNKNOWN', message: `no fresh price of ${order.symbol} to hold the order against`, shown: { markPrice, priceBandPercent } };
  const trigger = order.condition?.triggerPrice ?? null;
  const reference = trigger ?? markPrice;
  const met = trigger !== null ? trigger : order.side === 'buy' ? market.askPrice : market.bidPrice;
  const price = decimal(order.limitPrice ?? met ?? markPrice);
  const width = decimal(reference).times(decimal(priceBandPercent)).dividedBy(PERCENT);
  const bound = order.side === 'buy' ? decimal(reference).plus(width) : decimal(reference).minus(width);
  if (order.side === 'buy' ? price.lessThanOrEqualTo(bound) : price.greaterThanOrEqualTo(bound)) return null;
  const what = order.limitPrice === null ? `the best price for a market ${order.side}` : `a ${order.side} limit of`;
  return {
    code: 'RISK_PRICE_BAND',
    message: `${what} ${decimalText(price)} is beyond ${decimalText(bound)}, ${priceBandPercent} % from the ${trigger === null ? 'mark' : 'trigger'} ${reference}`,
    shown: { price: decimalText(price), priceBound: decimalText(bound), markPrice, priceBandPercent },
  };
}
