/** The key of a piece of evidence: the same fact has one, whoever brings it; another fact has another. */
import { describe, expect, test } from '@jest/globals';
import { fillKey, venueViewKey } from '../../../src/domain/evidence';
import { sampleFill, sampleView } from './order-samples';

describe('the key of a venue\'s view', () => {
  test('is the same however often, and whenever, the venue says the same', () => {
    expect(venueViewKey(sampleView({ updatedAtMs: 5_000 }))).toBe(venueViewKey(sampleView()));
  });

  test.each([
    ['the venue\'s order', { venueOrderId: 'o2' }],
    ['the status', { status: 'canceled' as const }],
    ['what is filled', { filledQuantity: '3' }],
    ['an amended quantity', { quantity: '9' }],
    ['an amended price', { limitPrice: '101' }],
    ['the venue\'s revision', { revision: 2 }],
  ])('differs with %s', (_what, change) => {
    expect(venueViewKey(sampleView(change))).not.toBe(venueViewKey(sampleView()));
  });

  test('a market order, and a venue that counts no revisions, have one as well', () => {
    const bare = sampleView({ limitPrice: null, revision: null });
    expect(venueViewKey(bare)).toBe('view/o1/open/0/10/-/-');
    expect(venueViewKey(bare)).not.toBe(venueViewKey(sampleView({ limitPrice: null })));
    expect(venueViewKey(bare)).not.toBe(venueViewKey(sampleView({ revision: null })));
  });
});

describe('the key of a fill', () => {
  test('does not depend on what else is told of it', () => {
    expect(fillKey(sampleFill({ fee: '0.2', realizedPnl: '1' }))).toBe(fillKey(sampleFill()));
  });

  test.each([
    ['id', { venueFillId: 'f2' }],
    ['order', { venueOrderId: 'o2' }],
    ['market, where venues use an id again', { venueSymbol: 'ETH-PERP' }],
    ['side, where both sides of a trade share an id', { side: 'sell' as const }],
  ])('differs with its %s', (_what, change) => {
    expect(fillKey(sampleFill(change))).not.toBe(fillKey(sampleFill()));
  });
});
