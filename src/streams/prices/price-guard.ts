/**
 * Which of a market's prices may fire something. Zero, crossed and stale ones never; one far from the last that counted only once the
 * market's other prices agree, or once it has stood for a while. Pure: the time is given in.
 */
import type { PriceType } from '../../domain/condition';
import { decimal, isPlainDecimal, ZERO, type Decimal } from '../../domain/decimal';

export interface PriceRules {
  /** A price further than this from the one before, in basis points, is a spike until it is confirmed. */
  readonly bandBps: number;
  /** How long a spike has to stand, by more than one message, ms. */
  readonly confirmMs: number;
  /** A price that is older than this by its venue's own clock is stale, ms. */
  readonly staleMs: number;
}

export type Verdict = 'counts' | 'zero' | 'crossed' | 'stale' | 'spike';

const BPS = decimal('10000');

/** One market's prices of one source. */
export class PriceGuard {
  private readonly last = new Map<PriceType, Decimal>();
  private readonly spikes = new Map<PriceType, { readonly price: Decimal; readonly sinceMs: number }>();

  constructor(private readonly rules: PriceRules) {}

  /** `ageMs`: by the venue's clock. */
  judge(priceType: PriceType, text: string, nowMs: number, ageMs: number): Verdict {
    if (!isPlainDecimal(text)) return 'zero';
    const price = decimal(text);
    if (!price.greaterThan(ZERO)) return 'zero';
    if (ageMs > this.rules.staleMs) return 'stale';
    if (!this.isSpike(priceType, price, nowMs)) {
      this.spikes.delete(priceType);
      this.last.set(priceType, price);
      return 'counts';
    }
    return 'spike';
  }

  /** What the market was worth last by this price; null: not known. */
  lastOf(priceType: PriceType): Decimal | null {
    return this.last.get(priceType) ?? null;
  }

  private isSpike(priceType: PriceType, price: Decimal, nowMs: number): boolean {
    const others = [...this.last].filter(([type]) => type !== priceType).map(([, other]) => other);
    const reference = this.last.get(priceType) ?? others[0];
    if (reference === undefined || this.isNear(price, reference)) return false;
    // The book or the mark went there too: that is the market, not a mistake.
    if (others.some((other) => this.isNear(price, other))) return false;
    const spike = this.spikes.get(priceType);
    if (spike === undefined || !this.isNear(price, spike.price)) {
      this.spikes.set(priceType, { price, sinceMs: nowMs });
      return true;
    }
    return nowMs - spike.sinceMs < this.rules.confirmMs;
  }

  private isNear(a: Decimal, b: Decimal): boolean {
    return isWithin(a, b, this.rules.bandBps);
  }
}

/** Whether a price is no further than the band from a reference. */
export function isWithin(price: Decimal, reference: Decimal, bandBps: number): boolean {
  return price.minus(reference).abs().times(BPS).lessThanOrEqualTo(reference.times(bandBps));
}

/** How long the least late message of a while stays the measure of a venue's clock, ms: a clock that was set back is believed after it. */
const CLOCK_WINDOW_MS = 15_000;

/**
 * How far a venue's clock is ahead of ours, taken from its messages: the one that came fastest. Ages are judged by it, so that a venue
 * whose clock is wrong by a minute is neither stale nor early.
 */
export class VenueClockGuess {
  private windowSinceMs = -Infinity;
  private current = -Infinity;
  private before = -Infinity;

  /** Of a message with this venue time, heard now: how old it is, ms. */
  ageMs(venueAtMs: number, nowMs: number): number {
    if (nowMs - this.windowSinceMs >= CLOCK_WINDOW_MS) {
      this.before = this.windowSinceMs === -Infinity ? -Infinity : this.current;
      this.current = -Infinity;
      this.windowSinceMs = nowMs;
    }
    this.current = Math.max(this.current, venueAtMs - nowMs);
    return nowMs + this.aheadMs - venueAtMs;
  }

  /** 0 until something was heard. */
  get aheadMs(): number {
    const ahead = Math.max(this.current, this.before);
    return ahead === -Infinity ? 0 : ahead;
  }
}
