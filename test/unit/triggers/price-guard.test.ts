import { describe, expect, test } from '@jest/globals';
import { PriceGuard, VenueClockGuess } from '../../../src/streams/prices/price-guard';

const guard = (): PriceGuard => new PriceGuard({ bandBps: 1_000, confirmMs: 500, staleMs: 10_000 });

describe('a price that fires nothing', () => {
  test.each(['0', '-1', 'NaN', '1e5', ''])('is %j', (text) => {
    expect(guard().judge('last', text, 0, 0)).toBe('zero');
  });

  test('is one that its venue said long ago', () => {
    expect([guard().judge('last', '100', 0, 10_001), guard().judge('last', '100', 0, 10_000)]).toEqual(['stale', 'counts']);
  });

  test('is a spike that goes as it came', () => {
    const prices = guard();
    const verdicts = [['100', 0], ['50', 100], ['100', 200], ['50', 900], ['101', 1_000]].map(([text, atMs]) => prices.judge('last', text as string, atMs as number, 0));
    expect(verdicts).toEqual(['counts', 'spike', 'counts', 'spike', 'counts']);
  });
});

describe('a price far from the last', () => {
  test('counts once it has stood', () => {
    const prices = guard();
    expect([['100', 0], ['50', 100], ['51', 400], ['50.5', 600], ['50', 601]].map(([text, atMs]) => prices.judge('last', text as string, atMs as number, 0))).toEqual(['counts', 'spike', 'spike', 'counts', 'counts']);
  });

  test('counts at once where the market\'s other prices went there too', () => {
    const prices = guard();
    prices.judge('last', '100', 0, 0);
    prices.judge('mid', '100', 0, 0);
    expect(prices.judge('mid', '50', 1, 0)).toBe('spike');
    expect(prices.judge('mid', '50', 501, 0)).toBe('counts');
    expect(prices.judge('last', '50', 502, 0)).toBe('counts');
  });

  test('is one by the market\'s other prices where it is the first of its kind', () => {
    const prices = guard();
    prices.judge('mark', '100', 0, 0);
    expect(prices.judge('last', '50', 1, 0)).toBe('spike');
  });
});

describe('a venue whose clock is wrong', () => {
  test.each([-60_000, -2_000, 2_000, 60_000])('by %d ms is neither stale nor early: only what came late is old', (skewMs) => {
    const clock = new VenueClockGuess();
    expect(clock.ageMs(1_000 + skewMs, 1_050)).toBe(0);
    expect(clock.ageMs(1_090 + skewMs, 1_100)).toBe(0);
    expect(clock.ageMs(1_100 + skewMs, 13_110)).toBe(12_000);
    expect(clock.aheadMs).toBe(skewMs - 10);
  });

  test('and is set back is believed again after a while', () => {
    const clock = new VenueClockGuess();
    clock.ageMs(100_000, 0);
    expect(clock.ageMs(40_000, 1)).toBe(60_001);
    clock.ageMs(40_000, 15_000);
    expect(clock.ageMs(70_001, 30_001)).toBe(0);
  });
});
