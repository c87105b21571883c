import { describe, expect, test } from '@jest/globals';
import { leavesOutcomeOpen, placeEvidence, reasonCodeOf, unknownEvidence, wholeRefusalEvidence } from '../../../src/activities/answer-evidence';
import type { ItemAnswer, RefusalCode, SendAnswer } from '../../../src/domain/venue';
import { AT, sampleView } from '../domain/order-samples';

const answer = (...items: ItemAnswer[]): SendAnswer => ({ items, raw: '', venueTimeMs: null, latencyMs: 1 });
const refused = (code: RefusalCode): ItemAnswer => ({ kind: 'refused', code, venueCode: 'E7', message: 'no' });

describe('evidence of an answer', () => {
  test('each order has its item, in the order of the request', () => {
    const view = sampleView();
    const evidence = placeEvidence('t1', ['a', 'b', 'c', 'd'], answer({ kind: 'acknowledged', order: view }, { kind: 'accepted', venueOrderId: 'o2', transactionHash: null }, refused('insufficientMargin')), AT);
    expect(evidence.map(({ orderId, evidence: each }) => [orderId, each.kind])).toEqual([['a', 'venueView'], ['b', 'accepted'], ['c', 'refused'], ['d', 'outcomeUnknown']]);
    expect(evidence[0]?.evidence).toMatchObject({ order: view, source: 'answer', at: AT });
    expect(evidence[1]?.evidence).toEqual({ kind: 'accepted', key: 'accepted/t1', venueOrderId: 'o2', at: AT });
    expect(evidence[2]?.evidence).toEqual({ kind: 'refused', key: 'refused/t1', reasonCode: 'INSUFFICIENT_MARGIN', message: 'E7: no', at: AT });
    expect(evidence[3]?.evidence).toMatchObject({ message: 'the venue\'s answer does not mention this order' });
  });

  test.each(['duplicateClientId', 'notFound', 'alreadyClosed'] as const)('%s is never final, of an item or of a request', (code) => {
    expect(leavesOutcomeOpen(code)).toBe(true);
    expect(placeEvidence('t1', ['a'], answer(refused(code)), AT)).toMatchObject([{ evidence: { kind: 'outcomeUnknown', message: 'the venue says E7: no' } }]);
    expect(wholeRefusalEvidence('t1', ['a', 'b'], code, 'no', AT)).toEqual(unknownEvidence('t1', ['a', 'b'], 'no', AT));
  });

  test('a request that came too late leaves the intent as open as it was', () => {
    expect(placeEvidence('t1', ['a', 'b'], answer(refused('expiredRequest'), refused('invalidPrice')), AT)).toMatchObject([{ orderId: 'b', evidence: { kind: 'refused' } }]);
  });

  test.each(['insufficientMargin', 'invalidPrice', 'invalidQuantity', 'postOnlyWouldCross', 'reduceOnlyWouldIncrease', 'noLiquidity', 'marketClosed', 'unauthorized', 'other'] as const)('%s ends the order, of an item or of a request', (code) => {
    expect(leavesOutcomeOpen(code)).toBe(false);
    expect(placeEvidence('t1', ['a'], answer(refused(code)), AT)).toMatchObject([{ evidence: { kind: 'refused', reasonCode: reasonCodeOf(code) } }]);
    expect(wholeRefusalEvidence('t1', ['a', 'b'], code, 'no', AT)).toMatchObject([{ orderId: 'a', evidence: { kind: 'refused' } }, { orderId: 'b', evidence: { kind: 'refused', key: 'refused/t1' } }]);
  });

  test('reasons are in our words', () => {
    expect(reasonCodeOf('postOnlyWouldCross')).toBe('POST_ONLY_WOULD_CROSS');
    expect(reasonCodeOf('other')).toBe('VENUE_REJECTED');
  });
});
