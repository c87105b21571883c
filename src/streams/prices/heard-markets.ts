/** The markets of one venue as they are heard: which of what is said are prices that count (price-guard.ts), in their order. */
import type { PriceType } from '../../domain/condition';
import { decimal, decimalText } from '../../domain/decimal';
import type { PublicTrade, Ticker } from '../../domain/market';
import { MarketPrices, type Price } from './market-prices';
import { VenueClockGuess, type PriceRules, type Verdict } from './price-guard';

interface HeardMarketsOptions {
  readonly venue: string;
  readonly rules: PriceRules;
  readonly onRefused?: (symbol: string, verdict: Verdict) => void;
}

export class HeardMarkets {
  private readonly markets = new Map<string, MarketPrices>();
  private readonly venueClock = new VenueClockGuess();

  /** `evaluate`: a price counts, and is remembered. */
  constructor(
    private readonly options: HeardMarketsOptions,
    private readonly evaluate: (symbol: string, price: Price, market: MarketPrices) => void,
  ) {}

  market(symbol: string): MarketPrices {
    const known = this.markets.get(symbol);
    if (known !== undefined) return known;
    const made = new MarketPrices(this.options.rules);
    this.markets.set(symbol, made);
    return made;
  }

  all(): Iterable<MarketPrices> {
    return this.markets.values();
  }

  /** `source`: the venue that said it; `asked`: its stream did not tell it. */
  ticker(ticker: Ticker, source: string, observedAtMs: number, asked = false): void {
    const { symbol, bid, ask, last, mark, at } = ticker;
    const isCrossed = bid !== null && ask !== null && Number(bid) >= Number(ask) && decimal(bid).greaterThanOrEqualTo(decimal(ask));
    if (isCrossed) return this.options.onRefused?.(symbol, 'crossed');
    const ageMs = source === this.options.venue ? this.venueClock.ageMs(at, observedAtMs) : 0;
    const mid = bid === null || ask === null ? null : decimalText(decimal(bid).plus(decimal(ask)).dividedBy(TWO));
    const prices: readonly (readonly [PriceType, string | null])[] = [['mid', mid], ['mark', mark], ['index', ticker.index ?? null], ['last', last]];
    if (asked) this.market(symbol).askedMs = observedAtMs;
    for (const [type, text] of prices) if (text !== null) this.price(symbol, { type, text, source, atMs: at, observedAtMs }, 'ticker', ageMs);
  }

  trades(symbol: string, trades: readonly PublicTrade[], observedAtMs: number): void {
    for (const { price, at } of trades) this.price(symbol, { type: 'last', text: price, source: this.options.venue, atMs: at, observedAtMs }, 'trades', this.venueClock.ageMs(at, observedAtMs));
  }

  private price(symbol: string, price: Price, channel: 'ticker' | 'trades', ageMs: number): void {
    const market = this.market(symbol);
    if (market.isOvertaken(price, channel)) return;
    const verdict = market.guard.judge(price.type, price.text, price.observedAtMs, ageMs);
    if (verdict !== 'counts') return this.options.onRefused?.(symbol, verdict);
    if (price.source === this.options.venue) market.heardMs = price.observedAtMs;
    market.remember(price);
    this.evaluate(symbol, price, market);
  }
}

const TWO = decimal('2');
