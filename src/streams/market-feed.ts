/** Prices and books for clients: the newest value of each market at a bounded rate, never a queue of old ones. */
import { randomUUID } from 'node:crypto';
import { isoTime, type Clock } from '../domain/clock';
import type { MarketChannel, MarketSubscribeRequest } from '../schemas/socket';
import type { Outgoing } from './outgoing';
import type { PriceCache } from './price-cache';
import type { Snapshot, Subscribed } from './socket-events';

/** Ten a second is more than an eye sees; changes in between are skipped. */
export const CLIENT_INTERVAL_MS = 100;

interface Viewer {
  readonly channel: MarketChannel;
  readonly venue: string;
  readonly symbol: string;
  readonly out: Outgoing;
  /** Counts what was sent to this viewer. */
  sequence: number;
}

export class MarketFeed {
  /** Sequences are this process's: after a reconnect to another one they begin again. */
  private readonly generation = randomUUID();
  private readonly viewers = new Map<string, Set<Viewer>>();
  private readonly changed = new Set<Viewer>();
  private readonly stops: (() => void)[] = [];
  private timer: NodeJS.Timeout | null = null;
  private showsBooks = false;

  constructor(
    private readonly prices: Pick<PriceCache, 'latest' | 'book' | 'onPrice' | 'onBook'>,
    private readonly clock: Clock,
    private readonly intervalMs: number = CLIENT_INTERVAL_MS,
  ) {
    this.stops.push(prices.onPrice((venue, symbol) => this.mark('prices', venue, symbol)));
  }

  /** `venue` and `symbol` as the market is called, not an alias of it. */
  open({ channel, venue, symbol }: Pick<MarketSubscribeRequest, 'channel' | 'venue' | 'symbol'>, out: Outgoing): { readonly subscribed: Subscribed; readonly close: () => void } {
    if (channel === 'orderbook' && !this.showsBooks) {
      this.showsBooks = true;
      this.stops.push(this.prices.onBook((ofVenue, ofSymbol) => this.mark('orderbook', ofVenue, ofSymbol)));
    }
    const viewer: Viewer = { channel, venue, symbol, out, sequence: 0 };
    const name = key(channel, venue, symbol);
    const viewers = this.viewers.get(name) ?? new Set<Viewer>();
    this.viewers.set(name, viewers.add(viewer));
    const close = (): void => {
      this.changed.delete(viewer);
      if (viewers.delete(viewer) && viewers.size === 0) this.viewers.delete(name);
    };
    return { subscribed: { snapshot: this.value(viewer), sequence: 0, generation: this.generation }, close };
  }

  close(): void {
    for (const stop of this.stops) stop();
    if (this.timer) clearTimeout(this.timer);
    this.viewers.clear();
    this.changed.clear();
  }

  private mark(channel: MarketChannel, venue: string, symbol: string): void {
    for (const viewer of this.viewers.get(key(channel, venue, symbol)) ?? []) this.changed.add(viewer);
    if (this.changed.size > 0) this.timer ??= setTimeout(() => this.flush(), this.intervalMs);
  }

  private flush(): void {
    this.timer = null;
    for (const viewer of this.changed) {
      // What it was sent before has not left: it is given the newest value of a later round.
      if (viewer.out.busy) continue;
      this.changed.delete(viewer);
      this.tell(viewer);
    }
    if (this.changed.size > 0) this.timer = setTimeout(() => this.flush(), this.intervalMs);
  }

  private tell(viewer: Viewer): void {
    const value = this.value(viewer);
    if (value === null) return;
    const { channel, venue, symbol, sequence: previousSequence } = viewer;
    viewer.sequence += 1;
    const type = channel === 'prices' ? 'price.updated' : 'orderbook.updated';
    viewer.out.emit('event', { channel, venue, symbol, sequence: viewer.sequence, previousSequence, generation: this.generation, at: isoTime(this.clock.nowMs()), type, data: { ...value } });
  }

  private value({ channel, venue, symbol }: Viewer): Snapshot {
    if (channel === 'prices') {
      const latest = this.prices.latest(venue, symbol);
      return latest && { ...latest.ticker, stale: latest.stale };
    }
    const latest = this.prices.book(venue, symbol);
    return latest && { ...latest.book, stale: latest.stale };
  }
}

function key(channel: MarketChannel, venue: string, symbol: string): string {
  return `${channel}/${venue}/${symbol}`;
}
