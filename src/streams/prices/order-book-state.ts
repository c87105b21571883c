/** One market's book, kept from a snapshot and the differences after it; after a gap its stream passes nothing until the next snapshot. */
import { Decimal, decimal } from '../../domain/decimal';
import type { BookLevel } from '../../domain/market';
import type { PublicMessage } from '../../domain/venue';

type BookMessage = Extract<PublicMessage, { kind: 'book' }>;

interface Level {
  readonly price: Decimal;
  readonly level: BookLevel;
}

/** Levels sorted from best to worst. */
class BookSide {
  private levels: Level[] = [];

  /** `sign`: 1 where the lowest price is best (asks), -1 where the highest is. */
  constructor(private readonly sign: 1 | -1) {}

  replace(levels: readonly BookLevel[]): void {
    this.levels = [];
    this.apply(levels);
  }

  /** A quantity of zero takes the level away. Throws RangeError on what is not a decimal. */
  apply(levels: readonly BookLevel[]): void {
    for (const level of levels) {
      const price = decimal(level[0]);
      const index = this.indexOf(price);
      const known = this.levels[index]?.price.equals(price) ?? false;
      if (decimal(level[1]).isZero()) this.levels.splice(index, known ? 1 : 0);
      else this.levels.splice(index, known ? 1 : 0, { price, level });
    }
  }

  top(depth: number): BookLevel[] {
    return this.levels.slice(0, depth).map(({ level }) => level);
  }

  /** Where the price is, or belongs. */
  private indexOf(price: Decimal): number {
    let [low, high] = [0, this.levels.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.levels[middle]?.price;
      if (other && other.comparedTo(price) * this.sign < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class OrderBookState {
  private readonly bids = new BookSide(-1);
  private readonly asks = new BookSide(1);
  private whole = false;
  private last: Pick<BookMessage, 'sequence' | 'atMs'> = { sequence: 0, atMs: 0 };

  /** Differences before the first snapshot, or older than it, tell nothing. */
  apply(message: BookMessage): void {
    if (message.type === 'snapshot') {
      this.bids.replace(message.bids);
      this.asks.replace(message.asks);
      this.whole = true;
    } else {
      if (!this.whole || message.sequence <= this.last.sequence) return;
      this.bids.apply(message.bids);
      this.asks.apply(message.asks);
    }
    this.last = { sequence: message.sequence, atMs: message.atMs };
  }

  top(depth: number): { bids: BookLevel[]; asks: BookLevel[]; sequence: number; at: number } | null {
    return this.whole ? { bids: this.bids.top(depth), asks: this.asks.top(depth), sequence: this.last.sequence, at: this.last.atMs } : null;
  }
}
