import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { MarketWatcher, type MarketWatcherPorts } from '../../../src/activities/market-watcher';
import type { Market } from '../../../src/domain/market';
import { EpochLost } from '../../../src/domain/order-store';
import type { Venue } from '../../../src/domain/venue';
import { VenueUnavailable } from '../../../src/domain/venue-errors';

const market = (symbol: string): Market => ({ venue: 'paper', symbol, venueSymbol: symbol, assetClass: 'crypto', base: 'BTC', quote: 'USDC', kind: 'perpetual', tickRule: { kind: 'step', step: '1' }, lot: '1', minQuantity: '1', minNotional: '0', maxLeverage: '1', makerFeeRate: '0', takerFeeRate: '0', sessionHours: null, status: 'open' });

class World {
  markets: Market[] = [market('BTC-PERP')];
  down = false;
  databaseDown = false;
  epoch = 0;
  readonly saved: string[][] = [];
  asked = 0;
  readonly events: string[] = [];
  readonly triggerEvents: string[] = [];
  readonly troubles: unknown[] = [];
  private waiting: (() => void)[] = [];

  run(marketRefreshMs: number): { end: Promise<void>; stop: AbortController } {
    const stop = new AbortController();
    stops.push(stop);
    const venue = {
      name: 'paper',
      markets: async () => {
        this.asked += 1;
        if (this.down) throw new VenueUnavailable('paper', 'connection refused', 'connection');
        return [...this.markets];
      },
    } as unknown as Venue;
    return { end: new MarketWatcher(this.ports(marketRefreshMs), venue).run(stop.signal), stop };
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.waiting = this.waiting.filter((each) => each !== look);
        resolve();
      };
      this.waiting.push(look);
      look();
    });
  }

  private ports(marketRefreshMs: number): MarketWatcherPorts {
    const tell = (): void => this.waiting.forEach((look) => look());
    return {
      holder: 'test',
      marketRefreshMs,
      watching: {
        takeEpoch: async (scope) => {
          this.events.push('scope');
          return { scope, epoch: (this.epoch += 1) };
        },
        readCheckpoint: async () => ({ markets: 1, watchedMs: 7 }),
        checkpoint: async (_scope, _data, writer) => {
          if (this.databaseDown) throw new Error('the database cannot be reached');
          if (writer !== undefined && writer.epoch !== this.epoch) throw new EpochLost(writer);
          tell();
        },
      },
      saveMarkets: async (markets) => {
        if (this.databaseDown) throw new Error('the database cannot be reached');
        this.saved.push(markets.map((each) => each.symbol));
        tell();
      },
      openTriggers: () => ({
        load: async () => void this.triggerEvents.push('load'),
        begin: async ({ epoch }, watchedMs) => {
          this.events.push('triggers');
          this.triggerEvents.push(`begin ${epoch} from ${watchedMs}`);
        },
        hear: () => undefined,
        checkpoint: async () => 9,
        close: async () => void this.triggerEvents.push('close'),
      }),
      openMarketData: (_venue, markets) => {
        this.events.push(`open ${markets.length}`);
        tell();
        return { close: async () => void this.events.push('close') };
      },
      onTrouble: (_scope, error) => {
        this.troubles.push(error);
        tell();
      },
    };
  }
}

const stops: AbortController[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop.abort()));

describe('watching a venue\'s markets', () => {
  test('the stream is open before the scope is taken, and closed in the end', async () => {
    const world = new World();
    const { end, stop } = world.run(10_000);
    await world.until(() => world.events.includes('open 1'));
    stop.abort();
    await end;
    expect(world.events).toEqual(['open 1', 'scope', 'triggers', 'close']);
    // Loaded before the scope was taken, and begun where the one before it had come to.
    expect(world.triggerEvents).toEqual(['load', 'begin 1 from 7', 'close']);
    expect(world.saved).toEqual([['BTC-PERP']]);
  });

  test('a new market is saved and subscribed; the same markets keep their stream', async () => {
    const world = new World();
    world.run(5);
    await world.until(() => world.saved.length >= 3);
    expect(world.events.filter((event) => event.startsWith('open'))).toEqual(['open 1']);
    world.markets = [...world.markets, market('ETH-PERP')];
    await world.until(() => world.events.includes('open 2'));
    expect(world.events.slice(-2)).toEqual(['close', 'open 2']);
  });

  test('a venue that does not tell its markets is asked again', async () => {
    const world = new World();
    world.down = true;
    world.run(10_000);
    await world.until(() => world.troubles.length === 1);
    world.down = false;
    await world.until(() => world.saved.length === 1);
  });

  test('a database that is away for a moment does not stop the prices', async () => {
    const world = new World();
    world.run(5);
    await world.until(() => world.saved.length >= 2);
    world.databaseDown = true;
    await world.until(() => world.troubles.length > 0);
    world.databaseDown = false;
    const before = world.saved.length;
    await world.until(() => world.saved.length > before);
    expect(world.events).not.toContain('close');
  });

  test('a database that stays away costs a question to the venue each second, not as many as the processor makes', async () => {
    jest.useFakeTimers();
    try {
      const world = new World();
      world.run(5);
      await jest.advanceTimersByTimeAsync(20);
      const before = world.asked;
      world.databaseDown = true;
      await jest.advanceTimersByTimeAsync(10_000);
      expect(world.asked - before).toBeLessThanOrEqual(11);
      expect(world.troubles.length).toBeGreaterThanOrEqual(9);
    } finally {
      jest.useRealTimers();
    }
  });

  test('once a successor has the scope it ends', async () => {
    const world = new World();
    const { end } = world.run(5);
    await world.until(() => world.saved.length >= 2);
    world.epoch += 1;
    await end;
    expect(world.events.at(-1)).toBe('close');
  });
});
