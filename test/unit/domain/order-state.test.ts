import { describe, expect, test } from '@jest/globals';
import { fillKey, venueViewKey, type Evidence } from '../../../src/domain/evidence';
import { addFill, applyEvidence, NO_FILLS } from '../../../src/domain/order-state';
import { AT, sampleFill, sampleOrder, sampleView } from './order-samples';

const view = (overrides: Parameters<typeof sampleView>[0] = {}, source: 'answer' | 'stream' | 'query' = 'answer'): Evidence => {
  const order = sampleView(overrides);
  return { kind: 'venueView', key: venueViewKey(order), order, source, at: AT };
};
const unknown: Evidence = { kind: 'outcomeUnknown', key: 'unknown/1', message: 'no answer', at: AT };

describe('an order follows evidence', () => {
  test('an acknowledged order works, knows its venue id and says when', () => {
    const { order, events } = applyEvidence(sampleOrder(), view(), NO_FILLS);
    expect(order).toMatchObject({ state: 'WORKING', venueOrderId: 'o1', acknowledgedAt: AT, revision: 2 });
    expect(events.map((event) => event.type)).toEqual(['order.working']);
  });

  test('an answer that never came leaves it UNKNOWN, and the same silence twice says nothing new', () => {
    const first = applyEvidence(sampleOrder(), unknown, NO_FILLS);
    expect(first.order.state).toBe('UNKNOWN');
    expect(applyEvidence(first.order, unknown, NO_FILLS)).toEqual({ order: first.order, events: [] });
  });

  test('an UNKNOWN order that the venue shows works again, and its doubt is forgotten', () => {
    const { order } = applyEvidence(sampleOrder({ state: 'UNKNOWN', reasonMessage: 'no answer' }), view({}, 'query'), NO_FILLS);
    expect(order).toMatchObject({ state: 'WORKING', reasonMessage: null });
  });

  test('silence after the venue showed the order changes nothing', () => {
    const working = sampleOrder({ state: 'WORKING', venueOrderId: 'o1' });
    expect(applyEvidence(working, unknown, NO_FILLS).order).toBe(working);
  });

  test('a gateway that only took the order leaves it SUBMITTED, and never takes back WORKING', () => {
    const accepted: Evidence = { kind: 'accepted', key: 'accepted/1', venueOrderId: 'o1', at: AT };
    expect(applyEvidence(sampleOrder(), accepted, NO_FILLS).order).toMatchObject({ state: 'SUBMITTED', submittedAt: AT });
    expect(applyEvidence(sampleOrder({ state: 'WORKING' }), accepted, NO_FILLS).order).toMatchObject({ state: 'WORKING', venueOrderId: 'o1' });
  });

  test.each([
    ['refused', { kind: 'refused', key: 'r', reasonCode: 'INSUFFICIENT_MARGIN', message: 'too little', at: AT }, 'INSUFFICIENT_MARGIN'],
    ['notSent', { kind: 'notSent', key: 'n', reasonCode: 'NOT_SENT', message: 'no connection', at: AT }, 'NOT_SENT'],
    ['neverPlaced', { kind: 'neverPlaced', key: 'p', message: 'absent twice', at: AT }, 'NEVER_PLACED'],
  ] as const)('%s ends an order that the venue never showed, with the reason', (_name, evidence, reasonCode) => {
    const { order, events } = applyEvidence(sampleOrder({ state: 'UNKNOWN' }), evidence, NO_FILLS);
    expect(order).toMatchObject({ state: 'REJECTED', reasonCode, closedAt: AT });
    expect(events.map((event) => event.type)).toEqual(['order.rejected']);
    const working = sampleOrder({ state: 'WORKING' });
    expect(applyEvidence(working, evidence, NO_FILLS).order).toBe(working);
    const partly = sampleOrder({ state: 'UNKNOWN', filledQuantity: '1' });
    expect(applyEvidence(partly, evidence, NO_FILLS).order).toBe(partly);
  });

  test('fills add up to an exact average and fee, and the last one closes the order', () => {
    const one = sampleFill({ quantity: '4', price: '100', fee: '0.4' });
    const two = sampleFill({ venueFillId: 'f2', quantity: '6', price: '101', fee: '0.6' });
    const afterOne = applyEvidence(sampleOrder({ state: 'WORKING' }), { kind: 'fill', key: fillKey(one), fill: one, at: AT }, addFill(NO_FILLS, one));
    expect(afterOne.order).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '4', leavesQuantity: '6', avgPrice: '100' });
    const afterTwo = applyEvidence(afterOne.order, { kind: 'fill', key: fillKey(two), fill: two, at: AT }, addFill(addFill(NO_FILLS, one), two));
    expect(afterTwo.order).toMatchObject({ state: 'FILLED', filledQuantity: '10', leavesQuantity: '0', avgPrice: '100.6', fee: '1', feeAsset: 'USDC', filledAt: AT });
  });

  describe('an exit of the whole position', () => {
    const exit = sampleOrder({ state: 'WORKING', grouping: 'positionExits', reduceOnly: true, quantity: '10', leavesQuantity: '10' });

    test('is filled when the venue says so, however much that is, and counts what its fills say', () => {
      const fill = sampleFill({ quantity: '10' });
      const more = sampleFill({ venueFillId: 'f2', quantity: '5' });
      const first = applyEvidence(exit, { kind: 'fill', key: fillKey(fill), fill, at: AT }, addFill(NO_FILLS, fill)).order;
      expect(first).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '10', quantity: '10', leavesQuantity: '0' });
      const second = applyEvidence(first, { kind: 'fill', key: fillKey(more), fill: more, at: AT }, addFill(addFill(NO_FILLS, fill), more)).order;
      expect(second).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '15', quantity: '15', leavesQuantity: '0' });
      expect(applyEvidence(second, view({ status: 'filled', quantity: '0', filledQuantity: '0' }), addFill(addFill(NO_FILLS, fill), more)).order).toMatchObject({ state: 'FILLED', filledQuantity: '15', quantity: '15' });
    });

    test('of which the venue names no size works', () => {
      const { order } = applyEvidence({ ...exit, quantity: '0', leavesQuantity: '0', state: 'SUBMITTED' }, view({ quantity: '0', filledQuantity: '0' }), NO_FILLS);
      expect(order).toMatchObject({ state: 'WORKING', filledQuantity: '0' });
    });
  });

  test('a fill that arrives after the cancel is a correction that is shown, not a reopened order', () => {
    const canceled = sampleOrder({ state: 'CANCELED', closedAt: AT, leavesQuantity: '0' });
    const fill = sampleFill({ quantity: '3' });
    const { order, events } = applyEvidence(canceled, { kind: 'fill', key: fillKey(fill), fill, at: AT }, addFill(NO_FILLS, fill));
    expect(order).toMatchObject({ state: 'CANCELED', filledQuantity: '3', leavesQuantity: '0' });
    expect(events.map((event) => event.type)).toEqual(['order.corrected']);
  });

  test('late fills of the whole quantity correct a canceled order to FILLED', () => {
    const fill = sampleFill({ quantity: '10' });
    const { order } = applyEvidence(sampleOrder({ state: 'CANCELED', reasonCode: 'CANCELED_BY_VENUE' }), { kind: 'fill', key: fillKey(fill), fill, at: AT }, addFill(NO_FILLS, fill));
    expect(order).toMatchObject({ state: 'FILLED', reasonCode: null });
  });

  describe('an order that was concluded to be REJECTED', () => {
    const rejected = sampleOrder({ state: 'REJECTED', reasonCode: 'NEVER_PLACED', reasonMessage: 'absent', closedAt: AT, leavesQuantity: '10' });

    test.each([
      ['open', '0', 'WORKING', '10'],
      ['open', '4', 'PARTIALLY_FILLED', '6'],
      ['canceled', '4', 'CANCELED', '0'],
      ['expired', '0', 'EXPIRED', '0'],
      ['filled', '10', 'FILLED', '0'],
    ] as const)('takes the venue\'s state when the venue shows it %s with %s filled, and that is told', (status, filledQuantity, state, leavesQuantity) => {
      const { order, events } = applyEvidence(rejected, view({ status, filledQuantity }, 'query'), NO_FILLS);
      expect(order).toMatchObject({ state, filledQuantity, leavesQuantity, reasonCode: null, reasonMessage: null, acknowledgedAt: AT });
      expect(order.closedAt === null).toBe(status === 'open');
      expect(events.map((event) => event.type)).toEqual(['order.corrected']);
    });

    test('works again with its rest when a fill of it comes', () => {
      const fill = sampleFill({ quantity: '3' });
      const { order, events } = applyEvidence(rejected, { kind: 'fill', key: fillKey(fill), fill, at: AT }, addFill(NO_FILLS, fill));
      expect(order).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '3', leavesQuantity: '7', closedAt: null });
      expect(events.map((event) => event.type)).toEqual(['order.corrected']);
    });

    test('stays so when the venue says the same', () => {
      expect(applyEvidence(rejected, view({ status: 'rejected' }, 'query'), NO_FILLS).order.state).toBe('REJECTED');
    });
  });

  test('an order that the venue itself showed rejected is not reopened by an older message or a late fill, and is by a newer one', () => {
    const rejected = applyEvidence(sampleOrder({ state: 'SUBMITTED' }), view({ status: 'rejected', updatedAtMs: 5_000 }, 'stream'), NO_FILLS).order;
    expect(rejected.state).toBe('REJECTED');
    expect(applyEvidence(rejected, view({ updatedAtMs: 4_000 }, 'stream'), NO_FILLS).order.state).toBe('REJECTED');
    expect(applyEvidence(rejected, view({ updatedAtMs: 5_000 }, 'stream'), NO_FILLS).order.state).toBe('REJECTED');
    const fill = sampleFill({ quantity: '3' });
    const late = applyEvidence(rejected, { kind: 'fill', key: fillKey(fill), fill, at: AT }, addFill(NO_FILLS, fill));
    expect([late.order.state, late.events[0]?.type]).toEqual(['REJECTED', 'order.corrected']);
    expect(applyEvidence(rejected, view({ updatedAtMs: 6_000 }, 'query'), NO_FILLS).order.state).toBe('WORKING');
  });

  test.each([
    ['canceled', 'CANCELED', 'order.canceled'],
    ['expired', 'EXPIRED', 'order.expired'],
    ['rejected', 'REJECTED', 'order.rejected'],
    ['filled', 'FILLED', 'order.filled'],
  ] as const)('the venue says %s', (status, state, type) => {
    const filledQuantity = status === 'filled' ? '10' : '0';
    const { order, events } = applyEvidence(sampleOrder({ state: 'WORKING' }), view({ status, filledQuantity, reasonCode: 'VENUE_REASON' }), NO_FILLS);
    expect(order.state).toBe(state);
    expect(order.closedAt).toBe(AT);
    expect(events.map((event) => event.type)).toEqual([type]);
  });

  test('an order rejected after it had filled in part was canceled, not refused', () => {
    expect(applyEvidence(sampleOrder({ state: 'WORKING' }), view({ status: 'rejected', filledQuantity: '2' }), NO_FILLS).order.state).toBe('CANCELED');
  });

  test('a cancel asked for by the caller is the reason the order shows', () => {
    const pending = sampleOrder({ state: 'WORKING', pendingCancel: true });
    expect(applyEvidence(pending, view({ status: 'canceled' }), NO_FILLS).order).toMatchObject({ state: 'CANCELED', reasonCode: 'CANCELED_BY_USER', pendingCancel: false });
  });

  test('requests to cancel and amend show as overlays and are taken off when refused', () => {
    const working = sampleOrder({ state: 'WORKING' });
    const cancel = applyEvidence(working, { kind: 'cancelRequested', key: 'c', at: AT }, NO_FILLS);
    expect(cancel.order.pendingCancel).toBe(true);
    expect(applyEvidence(cancel.order, { kind: 'cancelRequested', key: 'c2', at: AT }, NO_FILLS).events).toEqual([]);
    const refused = applyEvidence(cancel.order, { kind: 'cancelRefused', key: 'r', reasonCode: 'OTHER', message: 'no', at: AT }, NO_FILLS);
    expect(refused.order.pendingCancel).toBe(false);
    expect(refused.events.map((event) => event.type)).toEqual(['order.cancelRefused']);
    const amend = applyEvidence(working, { kind: 'amendRequested', key: 'a', limitPrice: '99', quantity: null, at: AT }, NO_FILLS);
    expect(amend.order).toMatchObject({ pendingReplace: true, limitPrice: '100' });
    const amendRefused = applyEvidence(amend.order, { kind: 'amendRefused', key: 'ar', reasonCode: 'OTHER', message: 'no', at: AT }, NO_FILLS);
    expect(amendRefused.order.pendingReplace).toBe(false);
    const closed = sampleOrder({ state: 'FILLED' });
    expect(applyEvidence(closed, { kind: 'cancelRequested', key: 'c', at: AT }, NO_FILLS).order).toBe(closed);
  });

  test('an amendment takes effect only when settled; a stream view in between changes no terms', () => {
    const pending = sampleOrder({ state: 'WORKING', pendingReplace: true });
    expect(applyEvidence(pending, view({ quantity: '5', limitPrice: '99', updatedAtMs: 2_000 }, 'stream'), NO_FILLS).order).toMatchObject({ quantity: '10', limitPrice: '100' });
    const settled = applyEvidence(pending, { kind: 'amendSettled', key: 's', order: sampleView({ quantity: '5', limitPrice: '99', updatedAtMs: 2_000 }), at: AT }, NO_FILLS);
    expect(settled.order).toMatchObject({ quantity: '5', limitPrice: '99', leavesQuantity: '5', pendingReplace: false });
    expect(settled.events.map((event) => event.type)).toEqual(['order.amended']);
    const stop = sampleOrder({ state: 'WORKING', pendingReplace: true, type: 'stopMarket', limitPrice: null, execution: 'native', triggerPrice: '90' });
    const moved = applyEvidence(stop, { kind: 'amendSettled', key: 's', order: sampleView({ limitPrice: null, triggerPrice: '91.0', updatedAtMs: 2_000 }), at: AT }, NO_FILLS);
    expect([moved.order.triggerPrice, moved.events.map((event) => event.type)]).toEqual(['91', ['order.amended']]);
    // A venue that no longer tells what it waited for says nothing of it.
    expect(applyEvidence(stop, { kind: 'amendSettled', key: 's', order: sampleView({ limitPrice: null, triggerPrice: '0', updatedAtMs: 2_000 }), at: AT }, NO_FILLS).order.triggerPrice).toBe('90');
    const unchanged = applyEvidence(pending, { kind: 'amendSettled', key: 's', order: sampleView({ updatedAtMs: 2_000 }), at: AT }, NO_FILLS);
    expect(unchanged.events.map((event) => event.type)).toEqual(['order.updated']);
    const gone = applyEvidence(pending, { kind: 'amendSettled', key: 's', order: sampleView({ status: 'canceled' }), at: AT }, NO_FILLS);
    expect(gone.events.map((event) => event.type)).toEqual(['order.canceled']);
    const late = applyEvidence(sampleOrder({ state: 'FILLED', pendingReplace: true }), { kind: 'amendSettled', key: 's', order: sampleView(), at: AT }, NO_FILLS);
    expect(late.order).toMatchObject({ state: 'FILLED', pendingReplace: false });
  });

  test('an older view never takes back amended terms', () => {
    const amended = sampleOrder({ state: 'WORKING', quantity: '5', limitPrice: '99', venueSeenAtMs: 5_000 });
    expect(applyEvidence(amended, view({ updatedAtMs: 4_000 }, 'stream'), NO_FILLS).order).toMatchObject({ quantity: '5', limitPrice: '99' });
  });

  test('a fill known to the venue but not yet to us counts at once, with the venue\'s average', () => {
    const { order } = applyEvidence(sampleOrder({ state: 'WORKING' }), view({ filledQuantity: '4', avgPrice: '100.5' }), NO_FILLS);
    expect(order).toMatchObject({ state: 'PARTIALLY_FILLED', filledQuantity: '4', leavesQuantity: '6', avgPrice: '100.5' });
  });
});
