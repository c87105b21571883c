/**
 * Funding: at each funding time every position pays (or receives) its signed quantity times the mark times the rate. With a
 * positive rate longs pay. The other side of the payments is the market data, which holds what the accounts do not.
 */
import { Decimal, decimal } from '../domain/decimal';
import type { ExchangeState, Venue } from './exchange-state';
import { COLLATERAL } from './market';

/** Eight hours, the period of most venues; counted from midnight UTC. */
export const DEFAULT_FUNDING_INTERVAL_MS = 8 * 60 * 60 * 1000;
/** One basis point a period: the interest part of Binance's and Bybit's rates, what they charge while there is no premium. */
export const DEFAULT_FUNDING_RATE = decimal('0.0001');
/** Funding times made up for after one jump of the clock: a year at eight hours. The ones before are left out. */
export const MAX_FUNDING_CATCH_UP = 1_095;

/** What a market charges, and when next. */
export interface FundingTerms {
  rate: Decimal;
  intervalMs: number;
  /** Venue time; null until the exchange has first been told the time. */
  nextAt: number | null;
}

/** One position's payment at one funding time. */
export interface FundingPayment {
  /** Grows by one with every payment of the venue; the cursor of GET /funding-payments. */
  readonly index: number;
  readonly account: string;
  readonly symbol: string;
  /** Signed: positive is long. */
  readonly quantity: Decimal;
  readonly markPrice: Decimal;
  readonly rate: Decimal;
  /** What the balance changed by, in the collateral: negative is paid. */
  readonly amount: Decimal;
  /** The funding time it is for. */
  readonly time: number;
}

export function defaultFunding(): FundingTerms {
  return { rate: DEFAULT_FUNDING_RATE, intervalMs: DEFAULT_FUNDING_INTERVAL_MS, nextAt: null };
}

/** The first funding time after `now`. */
export function fundingTimeAfter(now: number, intervalMs: number): number {
  return now - (now % intervalMs) + intervalMs;
}

/** The funding times that have come, oldest first; the terms then wait for the next one. */
export function takeDueFundingTimes(terms: FundingTerms, now: number): number[] {
  if (terms.nextAt === null) terms.nextAt = fundingTimeAfter(now, terms.intervalMs);
  if (now < terms.nextAt) return [];
  const following = fundingTimeAfter(now, terms.intervalMs);
  const first = Math.max(terms.nextAt, following - MAX_FUNDING_CATCH_UP * terms.intervalMs);
  const times: number[] = [];
  for (let time = first; time < following; time += terms.intervalMs) times.push(time);
  terms.nextAt = following;
  return times;
}

/** Books one funding time in every position of the market, at its present mark. Before the first mark nothing is charged. */
export function chargeFunding(state: ExchangeState, venue: Venue, time: number): void {
  const { market, funding } = venue;
  const markPrice = venue.book.mark();
  if (markPrice === null || funding.rate.isZero()) return;
  for (const account of venue.holders) {
    const holding = account.holding(market);
    const paid = holding.quantity.times(markPrice).times(funding.rate);
    account.add(COLLATERAL, paid.negated());
    holding.fundingPaid = holding.fundingPaid.plus(paid);
    state.counters.fundingIndex += 1;
    state.recordFunding(account, {
      index: state.counters.fundingIndex,
      account: account.name,
      symbol: market.symbol,
      quantity: holding.quantity,
      markPrice,
      rate: funding.rate,
      amount: paid.negated(),
      time,
    });
    state.touch(account, COLLATERAL, market.symbol);
  }
}

export function fundingView(payment: FundingPayment): Record<string, string | number> {
  return {
    id: String(payment.index),
    symbol: payment.symbol,
    quantity: payment.quantity.toFixed(),
    markPrice: payment.markPrice.toFixed(),
    rate: payment.rate.toFixed(),
    amount: payment.amount.toFixed(),
    asset: COLLATERAL,
    time: payment.time,
  };
}
