/** Books for whoever asks now and then: this process begins to hear them with the first question. */
import type { AgedBook, PriceCache } from './price-cache';

/** The bus tells the newest book of each market as soon as it is asked to; what takes longer is away. */
const FIRST_BOOK_WAIT_MS = 500;

export class BookReader {
  private stop: (() => void) | null = null;
  private readonly waiting = new Map<string, Set<() => void>>();

  constructor(
    private readonly prices: Pick<PriceCache, 'book' | 'onBook'>,
    private readonly firstBookWaitMs: number = FIRST_BOOK_WAIT_MS,
  ) {}

  /** The newest known; asks no venue. null where nobody tells one. */
  async read(venue: string, symbol: string): Promise<AgedBook | null> {
    this.stop ??= this.prices.onBook((ofVenue, ofSymbol) => this.waiting.get(key(ofVenue, ofSymbol))?.forEach((wake) => wake()));
    if (this.prices.book(venue, symbol) === null) await this.told(key(venue, symbol));
    return this.prices.book(venue, symbol);
  }

  close(): void {
    this.stop?.();
    for (const wakes of this.waiting.values()) wakes.forEach((wake) => wake());
  }

  private told(name: string): Promise<void> {
    return new Promise((resolve) => {
      const wakes = this.waiting.get(name) ?? new Set<() => void>();
      this.waiting.set(name, wakes);
      const wake = (): void => {
        clearTimeout(timer);
        wakes.delete(wake);
        if (wakes.size === 0) this.waiting.delete(name);
        resolve();
      };
      const timer = setTimeout(wake, this.firstBookWaitMs);
      wakes.add(wake);
    });
  }
}

function key(venue: string, symbol: string): string {
  return `${venue}/${symbol}`;
}
