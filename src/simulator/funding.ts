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
  /** What was charged at the funding times that came, oldest first. */
  readonly charged: ChargedRate[];
}

/** The rate of one funding time. */
export interface ChargedRate {
  readonly time: number;
  readonly rate: Decimal;
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

/** `own`: what the market charges where that is not what most venues do. */
export function defaultFunding(own?: Pick<FundingTerms, 'rate' | 'intervalMs'>): FundingTerms {
  return { rate: DEFAULT_FUNDING_RATE, intervalMs: DEFAULT_FUNDING_INTERVAL_MS, ...own, nextAt: null, charged: [] };
}

/** What was charged from `from` to `to`, inclusive, oldest first. Before this process saw a funding time, the oldest rate it knows stood always. */
export function chargedRates({ rate, intervalMs, charged }: FundingTerms, from: number, to: number): ChargedRate[] {
  const [first] = charged;
  const before: ChargedRate[] = [];
  const end = first === undefined ? to + 1 : Math.min(first.time, to + 1);
  const start = Math.max(Math.ceil(from / intervalMs) * intervalMs, fundingTimeAfter(end, intervalMs) - MAX_FUNDING_CATCH_UP * intervalMs);
  for (let time = start; time < end; time += intervalMs) before.push({ time, rate: first?.rate ?? rate });
  return [...before, ...charged.filter(({ time }) => time >= from && time <= to)];
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
  terms.charged.push(...times.map((time) => ({ time, rate: terms.rate })));
  terms.charged.splice(0, terms.charged.length - MAX_FUNDING_CATCH_UP);
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
