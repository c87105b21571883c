/** Prices and books for clients: the newest value of each market at a bounded rate, never a queue of old ones. */
import { randomUUID } from 'node:crypto';
import { isoTime, type Clock } from '../../domain/clock';
import type { MarketChannel, MarketSubscribeRequest } from '../../schemas/socket';
import type { Outgoing } from '../outgoing';
import type { PriceCache } from './price-cache';
import type { MarketChannelEvent, Subscribed } from '../socket-events';

/** Between two events of one market. Ten a second is more than an eye sees; changes in between are skipped, the first is told at once. */
export const CLIENT_INTERVAL_MS = 100;

/** Between two looks for what became stale by time alone, as when its watcher died and nobody says anything of it: a tenth of what makes it stale. */
export const STALE_LOOK_MS = 1_000;

type Subject = Pick<MarketSubscribeRequest, 'channel' | 'venue' | 'symbol'>;

interface Viewer {
  readonly out: Outgoing;
  /** Of the last event it was sent, or of its snapshot. */
  sequence: number;
}

/** One channel of one market, and who looks at it. */
interface Shown extends Subject {
  readonly viewers: Set<Viewer>;
  /** Those whose last message had not left when the newest event was told. */
  readonly behind: Set<Viewer>;
  /** Of the newest event told. All viewers share it, so that an event is encoded once for all of them. */
  sequence: number;
  changed: boolean;
  /** Of what was told last, or shown to the first who looked. */
  stale: boolean;
  toldAtMs: number;
  timer: NodeJS.Timeout | null;
}

export class MarketFeed {
  /** Sequences are this process's: after a reconnect to another one they begin again. */
  private readonly generation = randomUUID();
  private readonly shown = new Map<string, Shown>();
  private readonly stops: (() => void)[] = [];
  private showsBooks = false;
  private readonly staleTimer: NodeJS.Timeout;

  constructor(
    private readonly prices: Pick<PriceCache, 'latest' | 'book' | 'onPrice' | 'onBook'>,
    private readonly clock: Clock,
    private readonly intervalMs: number = CLIENT_INTERVAL_MS,
  ) {
    this.stops.push(prices.onPrice((venue, symbol) => this.mark('prices', venue, symbol)));
    this.staleTimer = setInterval(() => this.markStale(), STALE_LOOK_MS).unref();
  }

  /** `venue` and `symbol` as the market is called, not an alias of it. */
  open(subject: Subject, out: Outgoing): { readonly subscribed: Subscribed; readonly close: () => void } {
    if (subject.channel === 'orderbook' && !this.showsBooks) {
      this.showsBooks = true;
      this.stops.push(this.prices.onBook((venue, symbol) => this.mark('orderbook', venue, symbol)));
    }
    const market = this.marketOf(subject);
    const viewer: Viewer = { out, sequence: market.sequence };
    market.viewers.add(viewer);
    const close = (): void => {
      market.behind.delete(viewer);
      if (market.viewers.delete(viewer) && market.viewers.size === 0) this.forget(market);
    };
    return { subscribed: { snapshot: this.value(market), sequence: viewer.sequence, generation: this.generation }, close };
  }

  close(): void {
    clearInterval(this.staleTimer);
    for (const stop of this.stops) stop();
    for (const market of [...this.shown.values()]) this.forget(market);
  }

  private marketOf({ channel, venue, symbol }: Subject): Shown {
    const name = key(channel, venue, symbol);
    const known = this.shown.get(name);
    if (known) return known;
    const made: Shown = { channel, venue, symbol, viewers: new Set(), behind: new Set(), sequence: 0, changed: false, stale: this.value({ channel, venue, symbol })?.stale ?? false, toldAtMs: -Infinity, timer: null };
    this.shown.set(name, made);
    return made;
  }

  private forget(market: Shown): void {
    if (market.timer) clearTimeout(market.timer);
    market.viewers.clear();
    market.behind.clear();
    this.shown.delete(key(market.channel, market.venue, market.symbol));
  }

  private mark(channel: MarketChannel, venue: string, symbol: string): void {
    const market = this.shown.get(key(channel, venue, symbol));
    if (!market) return;
    market.changed = true;
    this.schedule(market);
  }

  private markStale(): void {
    for (const market of this.shown.values()) {
      const value = this.value(market);
      if (value !== null && value.stale !== market.stale) this.mark(market.channel, market.venue, market.symbol);
    }
  }

  private schedule(market: Shown): void {
    market.timer ??= setTimeout(() => this.tell(market), Math.max(0, market.toldAtMs + this.intervalMs - performance.now()));
  }

  private tell(market: Shown): void {
    market.timer = null;
    market.toldAtMs = performance.now();
    // Nothing new: only those who missed the last event are looked at.
    const viewers = market.changed ? market.viewers : market.behind;
    const value = this.value(market);
    if (value !== null) {
      const previousSequence = market.sequence;
      if (market.changed) market.sequence += 1;
      market.changed = false;
      market.stale = value.stale;
      const event = this.event(market, previousSequence, value);
      for (const viewer of viewers) this.show(market, viewer, event);
    }
    if (market.behind.size > 0) this.schedule(market);
  }

  private show(market: Shown, viewer: Viewer, event: MarketChannelEvent): void {
    // What it was sent before has not left: it is given the newest value of a later round.
    if (viewer.out.busy) {
      market.behind.add(viewer);
      return;
    }
    market.behind.delete(viewer);
    viewer.out.emit('event', viewer.sequence === event.previousSequence ? event : { ...event, previousSequence: viewer.sequence });
    viewer.sequence = event.sequence;
  }

  private event({ channel, venue, symbol, sequence }: Shown, previousSequence: number, value: object): MarketChannelEvent {
    const type = channel === 'prices' ? 'price.updated' : 'orderbook.updated';
    return { channel, venue, symbol, sequence, previousSequence, generation: this.generation, at: isoTime(this.clock.nowMs()), type, data: value } as MarketChannelEvent;
  }

  private value({ channel, venue, symbol }: Subject) {
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
