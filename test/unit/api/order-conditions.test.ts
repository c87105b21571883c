/** What a venue can do decides what an order may wait for. */
import { describe, expect, test } from '@jest/globals';
import { conditionFor } from '../../../src/api/order-conditions';
import type { OrderTerms } from '../../../src/api/order-terms';
import type { OrderCondition } from '../../../src/domain/condition';
import type { Market } from '../../../src/domain/market';
import { UNCONDITIONAL } from '../../../src/domain/order';
import type { VenueCapabilities } from '../../../src/domain/venue';

const terms = { type: 'stopMarket', side: 'sell' } as OrderTerms;
const market = { venue: 'somewhere', symbol: 'BTC-PERP', tickRule: { kind: 'step', step: '1' } } as Market;
const can = { orderTypes: ['stopMarket'], timesInForce: ['GTC'], triggerPriceTypes: ['mark'] } as unknown as VenueCapabilities;
const asked = (condition: Partial<OrderCondition>): OrderCondition => ({ ...UNCONDITIONAL, execution: 'durable', triggerPrice: '100', ...condition });
const made = (condition: Partial<OrderCondition>, capabilities = can): OrderCondition => conditionFor(terms, asked(condition), capabilities, market, { nowMs: () => 0 });

describe('a trigger by the index price', () => {
  test('is taken where the venue tells one', () => {
    expect(made({ triggerPriceType: 'index' }, { ...can, indexPrice: true })).toMatchObject({ triggerPriceType: 'index', gapPolicy: 'traded' });
  });

  test('is refused where it does not: it would wait for ever', () => {
    expect(() => made({ triggerPriceType: 'index' })).toThrow('somewhere tells no index price; use last, mark or mid');
  });

  test('is refused as the venue\'s own stop where that looks at others only', () => {
    for (const execution of ['native', 'both'] as const) expect(() => made({ triggerPriceType: 'index', execution }, { ...can, indexPrice: true })).toThrow('somewhere triggers by mark');
  });
});

test('without a word of its own it looks at the last price, and the venue\'s own stop at what that venue looks at', () => {
  expect([made({}).triggerPriceType, made({ execution: 'native' }).triggerPriceType]).toEqual(['last', 'mark']);
});
