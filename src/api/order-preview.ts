/**
 * What an order would come to, without placing it: the same quantiser and the same judge, the book as this process knows it.
 * It reads only: no row, no event, no workflow, and no request to the venue.
 */
import { expectedFill, type ExpectedFill } from '../domain/book-walk';
import { isoTime } from '../domain/clock';
import { decimal, decimalText, ZERO } from '../domain/decimal';
import type { Market } from '../domain/market';
import type { OrderIntent } from '../domain/order';
import type { AccountFigures } from '../risk/figures';
import { judgeOrder, valuationPrice, type RiskVerdict } from '../risk/judge';
import type { Directory } from './directory';
import { notFound } from './errors';
import type { IntentMaker } from './order-intent';
import type { OrderTerms } from './order-terms';
import type { AgedBook, ApiPorts } from './ports';

/** Nothing is recorded under it. */
const NO_CLIENT_ID = 'preview';

export class OrderPreview {
  constructor(
    private readonly ports: Pick<ApiPorts, 'riskFigures' | 'prices' | 'clock'>,
    private readonly directory: Directory,
    private readonly intents: IntentMaker,
  ) {}

  /** Throws what placing would throw before it is recorded: NOT_FOUND, UNPROCESSABLE with the nearest valid values. */
  async of(terms: OrderTerms, userId: string): Promise<Record<string, unknown>> {
    const intent = await this.intents.make(terms, { userId, clientOrderId: terms.clientOrderId ?? NO_CLIENT_ID, stamp: null });
    const [market, { account: figures, user }, book] = await Promise.all([this.directory.market(intent.venue, intent.symbol), this.ports.riskFigures(intent.accountId, intent.symbol), this.freshBook(intent)]);
    if (market === null) throw notFound('market');
    const held = decimal(figures.symbols[intent.symbol]?.positionQuantity ?? '0');
    const against = intent.side === 'buy' ? held.negated() : held;
    const fill = book === null ? null : expectedFill(intent, book.book, intent.reduceOnly ? decimalText(against.greaterThan(ZERO) ? against : ZERO) : null);
    const { accountId, venue, symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly } = intent;
    return {
      order: { accountId, venue, symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly },
      risk: shownVerdict(judgeOrder(intent, figures, user)),
      fees: { asset: market.quote, makerFeeRate: market.makerFeeRate, takerFeeRate: market.takerFeeRate, expected: expectedFee(intent, market, figures, fill) },
      fill,
      book: book === null ? null : { sequence: book.book.sequence, ageMs: book.ageMs },
      at: isoTime(this.ports.clock.nowMs()),
    };
  }

  /** A book that nobody changed for long is fresh all the same where fresh best prices say so. */
  private async freshBook({ venue, symbol }: OrderIntent): Promise<AgedBook | null> {
    const book = await this.ports.prices.book(venue, symbol);
    if (book === null || !book.stale) return book;
    const [latest] = this.ports.prices.latest(venue, [symbol]);
    if (latest === undefined || latest.stale) return null;
    const { bids, asks } = book.book;
    return same(bids[0]?.[0], latest.ticker.bid) && same(asks[0]?.[0], latest.ticker.ask) ? book : null;
  }
}

function same(level: string | undefined, quoted: string | null): boolean {
  return level === undefined || quoted === null ? level === undefined && quoted === null : decimal(level).equals(decimal(quoted));
}

function shownVerdict(verdict: RiskVerdict): Record<string, unknown> {
  const refusal = verdict.verdict === 'denied' ? { code: verdict.code, message: verdict.message } : { code: null, message: null };
  return { verdict: verdict.verdict, ...refusal, figures: verdict.shown };
}

/** Taker for what fills at once, maker for what rests at the limit. Without a book: all of it as taker, at the price that risk values it at. */
function expectedFee(intent: OrderIntent, market: Market, figures: AccountFigures, fill: ExpectedFill | null): string | null {
  if (fill === null) {
    const price = valuationPrice(intent, figures.symbols[intent.symbol]?.markPrice ?? null);
    return price === null ? null : decimalText(price.times(decimal(intent.quantity)).times(decimal(market.takerFeeRate)));
  }
  const taken = decimal(fill.quantity).times(decimal(fill.averagePrice ?? '0')).times(decimal(market.takerFeeRate));
  const rested = decimal(fill.restingQuantity).times(decimal(intent.limitPrice ?? '0')).times(decimal(market.makerFeeRate));
  return decimalText(taken.plus(rested).toDecimalPlaces(FEE_DECIMALS));
}

/** Finer than any venue books fees. */
const FEE_DECIMALS = 18;
