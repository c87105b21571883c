/** What protects a position: whose stops cover all of it, and which of them the price reaches first. */
import { describe, expect, test } from '@jest/globals';
import { isBelowMinimum, protectionOf, type StandingStop } from '../../../src/domain/protection';
import { sampleOrder } from './order-samples';

const LONG = { side: 'long', quantity: '1' } as const;

function stop(changes: Partial<StandingStop> = {}): StandingStop {
  return { ...sampleOrder(), id: 'durable', side: 'sell', type: 'stopMarket', state: 'ARMED', execution: 'durable', leavesQuantity: '1', triggerPrice: '90', triggerPriceType: 'mark', venueOrderId: null, parentOrderId: null, extreme: null, leg: null, breakEvenPrice: null, ...changes };
}
const native = (changes: Partial<StandingStop> = {}): StandingStop => stop({ id: 'native', execution: 'native', state: 'WORKING', venueOrderId: 'v1', acknowledgedAt: '2026-01-01T00:00:00.000Z', ...changes });

describe('a long of 1', () => {
  test.each<[string, string, readonly StandingStop[]]>([
    ['none', 'nothing stands', []],
    ['durable', 'a workflow waits', [stop()]],
    ['durable', 'a workflow is placing the exit', [stop({ state: 'TRIGGERED' })]],
    ['native', 'the venue waits', [native()]],
    ['native', 'the venue waits with a stop placed outside', [native({ execution: null })]],
    ['both', 'a workflow waits and has a stop at the venue', [stop({ execution: 'both' }), native({ parentOrderId: 'durable' })]],
    ['durable', 'the venue has not acknowledged the backstop', [stop({ execution: 'both' }), native({ parentOrderId: 'durable', state: 'SUBMITTING', venueOrderId: null })]],
    ['none', 'the venue has not acknowledged the stop', [native({ state: 'UNKNOWN', venueOrderId: null })]],
    ['none', 'the stop is of a short', [stop({ side: 'buy' })]],
    ['none', 'the stops cover a part', [stop({ leavesQuantity: '0.4' }), native({ parentOrderId: 'durable', leavesQuantity: '0.6' })]],
    ['durable', 'the parts together cover it, one of them with us', [stop({ leavesQuantity: '0.4' }), native({ leavesQuantity: '0.6' })]],
    ['native', 'two at the venue cover it', [native({ leavesQuantity: '0.4' }), native({ id: 'other', leavesQuantity: '0.6' })]],
  ])('is protected by %s where %s', (protection, _, stops) => {
    expect(protectionOf(LONG, stops).protection).toBe(protection);
  });

  test('shows the stop that is wanted apart from the one that the venue has', () => {
    const shown = protectionOf(LONG, [stop({ execution: 'both', triggerPrice: '92' }), native({ parentOrderId: 'durable', triggerPrice: '90' })]);
    expect(shown).toMatchObject({ desiredStop: { orderId: 'durable', execution: 'both', triggerPrice: '92' }, confirmedStop: { orderId: 'native', venueOrderId: 'v1', triggerPrice: '90' } });
    expect(protectionOf(LONG, [stop()])).toMatchObject({ desiredStop: { orderId: 'durable' }, confirmedStop: null });
  });

  test('of several shows the one that the price reaches first: trailing ones by the level they have come to', () => {
    const trail = stop({ id: 'trail', type: 'trailingStopMarket', triggerPrice: null, trailingOffset: '5', trailingOffsetType: 'percent', extreme: '100' });
    expect(protectionOf(LONG, [stop({ id: 'far', triggerPrice: '80' }), trail, stop()]).desiredStop).toMatchObject({ orderId: 'trail', triggerPrice: '95', trailingOffset: '5' });
    expect(protectionOf(LONG, [{ ...trail, extreme: null }, stop()]).desiredStop).toMatchObject({ orderId: 'durable' });
    expect(protectionOf(LONG, [{ ...trail, extreme: null }]).desiredStop).toMatchObject({ orderId: 'trail', triggerPrice: null });
    const short = { side: 'short', quantity: '1' } as const;
    expect(protectionOf(short, [stop({ side: 'buy', id: 'far', triggerPrice: '120' }), stop({ side: 'buy', id: 'near', triggerPrice: '110' })]).desiredStop?.orderId).toBe('near');
  });
});

test('a flat position needs none', () => {
  expect(protectionOf({ side: 'flat', quantity: '0' }, [stop()])).toEqual({ protection: 'none', desiredStop: null, confirmedStop: null });
});

test('what a market does not take as an order cannot have a stop', () => {
  const market = { minQuantity: '0.01', lot: '0.001' };
  expect([isBelowMinimum('0.009', market), isBelowMinimum('0.01', market), isBelowMinimum('0.0005', { minQuantity: '0', lot: '0.001' })]).toEqual([true, false, true]);
});
