/**
 * Holds one venue's public stream, keeps its markets' rules current and evaluates its triggers. Prices go to the bus and never to Temporal.
 * What two holders publish for a moment harms nobody, so the scope is only looked at now and then: the older one then ends. What they
 * fire is stored under the scope's epoch, so the older one fires nothing.
 */
import { EpochLost, type WriterEpoch } from '../domain/order-store';
import type { Market } from '../domain/market';
import type { PublicMessage, Venue } from '../domain/venue';
import { VenueError } from '../domain/venue-errors';
import { sleepUnlessAborted } from '../venues/back-off';

/** A watched venue's market data; it reconnects by itself and never ends by itself. */
export interface MarketDataFeed {
  close(): Promise<void>;
}

/** What waits for this venue's prices (streams/triggers/trigger-engine.ts). */
export interface MarketTriggers {
  load(): Promise<void>;
  begin(writer: WriterEpoch, watchedMs: number | null): Promise<void>;
  /** `asked`: not by the stream. */
  hear(message: PublicMessage, asked: boolean): void;
  /** Up to when (our clock, ms) no price is missing from what is stored. */
  checkpoint(): Promise<number>;
  close(): Promise<void>;
}

export interface MarketWatcherPorts {
  readonly watching: {
    takeEpoch(scope: string, holder: string): Promise<WriterEpoch>;
    readCheckpoint(scope: string): Promise<unknown>;
    checkpoint(scope: string, data: { readonly [field: string]: number }, writer?: WriterEpoch): Promise<void>;
  };
  readonly holder: string;
  /** Between two reads of the venue's markets, ms. */
  readonly marketRefreshMs: number;
  saveMarkets(markets: readonly Market[]): Promise<void>;
  openMarketData(venue: Venue, markets: readonly Market[], onMessage: (message: PublicMessage, asked: boolean) => void): MarketDataFeed;
  openTriggers(venue: Venue): MarketTriggers;
  onTrouble(scope: string, error: unknown): void;
}

/** A venue that did not tell its markets is asked again after this. */
const RETRY_MS = 1_000;
const MARKETS_TIMEOUT_MS = 10_000;
/** Between two checkpoints: so much of the past a successor reads again, and so long may a holder that was replaced go on publishing. */
const SCOPE_CHECK_MS = 1_000;

export class MarketWatcher {
  private feed: MarketDataFeed | null = null;
  private subscribed = '';
  private readonly triggers: MarketTriggers;

  constructor(
    private readonly ports: MarketWatcherPorts,
    private readonly venue: Venue,
  ) {
    this.triggers = ports.openTriggers(venue);
  }

  /** Until told to stop or until a successor takes over. */
  async run(signal: AbortSignal): Promise<void> {
    const scope = `market/${this.venue.name}`;
    try {
      // Triggers are loaded and the socket is open before the scope is taken: a take-over leaves no hole in the prices.
      const [, first] = await Promise.all([this.triggers.load(), this.refresh(signal)]);
      let refreshInMs = first;
      const writer = await this.ports.watching.takeEpoch(scope, this.ports.holder);
      await this.triggers.begin(writer, watchedUntil(await this.ports.watching.readCheckpoint(scope)));
      while (!signal.aborted) {
        const waitMs = Math.min(refreshInMs, SCOPE_CHECK_MS);
        if (!(await sleepUnlessAborted(waitMs, signal))) return;
        refreshInMs -= waitMs;
        try {
          if (refreshInMs <= 0) refreshInMs = await this.refresh(signal);
          const watchedMs = await this.triggers.checkpoint();
          await this.ports.watching.checkpoint(scope, { markets: this.subscribed.split(' ').length, watchedMs }, writer);
        } catch (error) {
          if (error instanceof EpochLost) return;
          // A database that is away for a moment is no reason to go blind, nor to ask the venue without a pause what it cannot keep.
          this.ports.onTrouble(this.venue.name, error);
          if (refreshInMs <= 0) refreshInMs = RETRY_MS;
        }
      }
    } finally {
      await this.feed?.close();
      await this.triggers.close();
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
      this.feed = this.ports.openMarketData(this.venue, markets, (message, asked) => this.triggers.hear(message, asked));
      this.subscribed = symbols;
    }
    return this.ports.marketRefreshMs;
  }
}

/** Of the scope's checkpoint; null where nobody has watched triggers here. */
function watchedUntil(checkpoint: unknown): number | null {
  const { watchedMs } = (checkpoint ?? {}) as { readonly watchedMs?: unknown };
  return typeof watchedMs === 'number' ? watchedMs : null;
}
