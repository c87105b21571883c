/**
 * Holds one venue's public stream and keeps its markets' rules current. Prices go to the bus and never to Temporal. What two
 * holders publish for a moment harms nobody, so the scope is only looked at now and then: the older one then ends.
 */
import { EpochLost, type WriterEpoch } from '../domain/order-store';
import type { Market } from '../domain/market';
import type { Venue } from '../domain/venue';
import { VenueError } from '../domain/venue-errors';
import { sleepUnlessAborted } from '../venues/back-off';

/** A watched venue's market data; it reconnects by itself and never ends by itself. */
export interface MarketDataFeed {
  close(): Promise<void>;
}

export interface MarketWatcherPorts {
  readonly watching: {
    takeEpoch(scope: string, holder: string): Promise<WriterEpoch>;
    checkpoint(scope: string, data: { readonly [field: string]: number }, writer?: WriterEpoch): Promise<void>;
  };
  readonly holder: string;
  /** Between two reads of the venue's markets, ms. */
  readonly marketRefreshMs: number;
  saveMarkets(markets: readonly Market[]): Promise<void>;
  openMarketData(venue: Venue, markets: readonly Market[]): MarketDataFeed;
  onTrouble(scope: string, error: unknown): void;
}

/** A venue that did not tell its markets is asked again after this. */
const RETRY_MS = 1_000;
const MARKETS_TIMEOUT_MS = 10_000;
/** How long a holder that was replaced may go on publishing at most, beside its successor. */
const SCOPE_CHECK_MS = 5_000;

export class MarketWatcher {
  private feed: MarketDataFeed | null = null;
  private subscribed = '';

  constructor(
    private readonly ports: MarketWatcherPorts,
    private readonly venue: Venue,
  ) {}

  /** Until told to stop or until a successor takes over. */
  async run(signal: AbortSignal): Promise<void> {
    const scope = `market/${this.venue.name}`;
    try {
      // The socket is open before the scope is taken: a take-over leaves no hole in the prices.
      let refreshInMs = await this.refresh(signal);
      const writer = await this.ports.watching.takeEpoch(scope, this.ports.holder);
      while (!signal.aborted) {
        const waitMs = Math.min(refreshInMs, SCOPE_CHECK_MS);
        if (!(await sleepUnlessAborted(waitMs, signal))) return;
        refreshInMs -= waitMs;
        try {
          if (refreshInMs <= 0) refreshInMs = await this.refresh(signal);
          await this.ports.watching.checkpoint(scope, { markets: this.subscribed.split(' ').length }, writer);
        } catch (error) {
          if (error instanceof EpochLost) return;
          // A database that is away for a moment is no reason to go blind.
          this.ports.onTrouble(this.venue.name, error);
          refreshInMs = Math.min(refreshInMs, RETRY_MS);
        }
      }
    } finally {
      await this.feed?.close();
    }
  }

  /** After how long to refresh again. */
  private async refresh(signal: AbortSignal): Promise<number> {
    let markets: readonly Market[];
    try {
      markets = await this.venue.markets({ signal: AbortSignal.any([signal, AbortSignal.timeout(MARKETS_TIMEOUT_MS)]), priority: 'read' });
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      if (!signal.aborted) this.ports.onTrouble(this.venue.name, error);
      return RETRY_MS;
    }
    await this.ports.saveMarkets(markets);
    const symbols = markets.map((market) => market.venueSymbol).sort().join(' ');
    // New markets need new subscriptions; the same ones keep their socket.
    if (symbols !== this.subscribed && !signal.aborted) {
      await this.feed?.close();
      this.feed = this.ports.openMarketData(this.venue, markets);
      this.subscribed = symbols;
    }
    return this.ports.marketRefreshMs;
  }
}
