import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ApiPorts } from '../../src/api/ports';
import { VenueUnavailable } from '../../src/domain/venue-errors';
import { ApiHarness, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const get = (path: string): Promise<Answer> => api.ask('GET', path);
const restart = async (override: (ports: ApiPorts) => ApiPorts): Promise<void> => {
  await api.close();
  api = await new ApiHarness().start(override);
};
const away = (): Promise<never> => Promise.reject(new VenueUnavailable('paper', 'paper does not answer', 'connection'));

describe('one market\'s price', () => {
  test('has everything a terminal shows, its source and its age', async () => {
    api.backend.nowMs += 2_000;
    const { status, body } = await get('/api/v1/prices/BTC-PERP?venue=paper');
    expect([status, body]).toEqual([200, {
      venue: 'paper', symbol: 'BTC-PERP', bid: '49999.5', ask: '50000.5', last: '50000', mark: '50000', at: '2026-01-31T12:00:00.000Z',
      volume24h: '2.4', funding: { rate: '0.0001', nextAt: '2026-01-31T13:00:00.000Z' }, source: 'stream', ageMs: 2_000, stale: false,
    }]);
  });

  test('that is older than maxAgeMs is asked of the venue; without maxAgeMs it is shown as stale', async () => {
    api.backend.nowMs += 11_000;
    expect((await get('/api/v1/prices/BTC-PERP?venue=paper')).body).toMatchObject({ source: 'stream', ageMs: 11_000, stale: true, last: '50000' });
    expect((await get('/api/v1/prices/BTC-PERP?venue=paper&maxAgeMs=11000')).body).toMatchObject({ source: 'stream' });
    expect((await get('/api/v1/prices/BTC-PERP?venue=paper&maxAgeMs=10999')).body).toMatchObject({ source: 'venue', ageMs: 0, stale: false, last: '50001', at: '2026-01-31T12:00:11.000Z' });
  });

  test('is an error when the venue cannot give a young enough one, never an old price', async () => {
    await restart((ports) => ({ ...ports, venues: { ...ports.venues, tickers: away } }));
    api.backend.nowMs += 5_000;
    const answer = await get('/api/v1/prices/BTC-PERP?venue=paper&maxAgeMs=1000');
    expect([answer.status, answer.body.error.code]).toEqual([503, 'VENUE_UNAVAILABLE']);
  });

  test('is shown without its volume and funding when the venue does not tell them, and the log says why', async () => {
    await restart((ports) => ({ ...ports, venues: { ...ports.venues, candles: away, funding: away } }));
    expect((await get('/api/v1/prices/BTC-PERP?venue=paper')).body).toMatchObject({ last: '50000', volume24h: null, funding: null });
    expect(api.logs).toContain('a market\'s figure could not be read');
  });

  test('asks the venue for volume and funding once a minute, however often it is read', async () => {
    const asked = { candles: 0, funding: 0 };
    await restart((ports) => ({
      ...ports,
      venues: {
        ...ports.venues,
        candles: (...call) => ((asked.candles += 1), ports.venues.candles(...call)),
        funding: (...call) => ((asked.funding += 1), ports.venues.funding(...call)),
      },
    }));
    for (let n = 0; n < 5; n += 1) await get('/api/v1/prices/BTC-PERP?venue=paper');
    expect(asked).toEqual({ candles: 1, funding: 1 });
    api.backend.nowMs += 60_001;
    await get('/api/v1/prices/BTC-PERP?venue=paper');
    expect(asked).toEqual({ candles: 2, funding: 2 });
  });

  test('needs a market that exists, named clearly', async () => {
    expect((await get('/api/v1/prices/NONE')).status).toBe(404);
    expect((await get('/api/v1/prices/BTC-PERP')).body.error.message).toContain('name one as ?venue=');
    expect((await get('/api/v1/prices/BTC-PERP?venue=paper&maxAgeMs=-1')).status).toBe(400);
  });
});

describe('what a market did', () => {
  test('trades come newest first, as many as asked for', async () => {
    const { body } = await get('/api/v1/markets/BTCUSD/trades?venue=paper&limit=2');
    expect([body.symbol, body.trades.map((trade: Answer['body']) => trade.id)]).toEqual(['BTC-PERP', ['t-3', 't-2']]);
  });

  test('candles span what was asked for: a limit before now, or from and to', async () => {
    const newest = await get('/api/v1/markets/BTC-PERP/candles?venue=paper&interval=1h&limit=2');
    expect(newest.body.candles.map((candle: Answer['body']) => candle.at)).toEqual(['2026-01-31T10:00:00.000Z', '2026-01-31T11:00:00.000Z']);
    const between = await get('/api/v1/markets/BTC-PERP/candles?venue=paper&interval=5m&from=2026-01-31T00:00:00Z&to=2026-01-31T00:15:00Z');
    expect([between.body.interval, between.body.candles.length]).toEqual(['5m', 3]);
  });

  test.each([
    ['from=2026-01-31T00:00:00Z&to=2026-01-31T00:00:00Z', 'before to'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-31T00:00:00Z', 'at most 1000'],
    ['from=yesterday', 'ISO 8601'],
    ['from=0001-01-01T00:00:00Z', 'since 1970'],
    ['interval=2m', 'interval'],
  ])('a span of candles that makes no sense is refused: %s', async (query, words) => {
    const { status, body } = await get(`/api/v1/markets/BTC-PERP/candles?venue=paper&${query}`);
    expect([status, body.error.message]).toEqual([400, expect.stringContaining(words)]);
  });

  test('funding has a rate and a next time', async () => {
    expect((await get('/api/v1/markets/BTC-PERP/funding?venue=paper')).body).toEqual({ venue: 'paper', symbol: 'BTC-PERP', rate: '0.0001', predicted: '0.0002', nextAt: '2026-01-31T13:00:00.000Z', at: '2026-01-31T12:00:00.000Z' });
  });

  test('funding that was charged comes oldest first, of more than asked for the newest, in the span asked for', async () => {
    const ratesOf = async (query: string): Promise<unknown> => (await get(`/api/v1/markets/BTC-PERP/funding/history?venue=paper${query}`)).body.rates;
    expect(await ratesOf('')).toEqual([{ at: '2026-01-31T09:00:00.000Z', rate: '0.0003' }, { at: '2026-01-31T10:00:00.000Z', rate: '0.0002' }, { at: '2026-01-31T11:00:00.000Z', rate: '0.0001' }]);
    expect(await ratesOf('&limit=1')).toEqual([{ at: '2026-01-31T11:00:00.000Z', rate: '0.0001' }]);
    expect(await ratesOf('&from=2026-01-31T09:30:00Z&to=2026-01-31T10:30:00Z')).toEqual([{ at: '2026-01-31T10:00:00.000Z', rate: '0.0002' }]);
  });

  test.each([
    ['?venue=paper&from=2026-01-31T12:00:00Z&to=2026-01-31T12:00:00Z', 400, 'before to'],
    ['?venue=paper&from=2025-12-01T00:00:00Z', 400, 'at most 31 days'],
    ['?venue=other', 422, 'other does not tell what it charged'],
  ])('funding that cannot be told is refused in words: %s', async (query, status, words) => {
    const answer = await get(`/api/v1/markets/BTC-PERP/funding/history${query}`);
    expect([answer.status, answer.body.error.message]).toEqual([status, expect.stringContaining(words)]);
  });
});

describe('a venue\'s health', () => {
  test('tells its market data, one read of it and its clock', async () => {
    const { body } = await get('/api/v1/venues/paper/health');
    expect(body).toMatchObject({ venue: 'paper', status: 'available', marketData: { priced: 1, stale: 0, newestAgeMs: 0 }, request: { status: 'ok', error: null }, clockOffsetMs: 25 });
  });

  test('is an answer, not an error, when the venue is away', async () => {
    await restart((ports) => ({ ...ports, venues: { ...ports.venues, tickers: away } }));
    const { status, body } = await get('/api/v1/venues/paper/health');
    expect([status, body.request.status, body.request.error, body.clockOffsetMs]).toEqual([200, 'failed', 'paper does not answer', null]);
    expect((await get('/api/v1/venues/nowhere/health')).status).toBe(404);
  });
});
