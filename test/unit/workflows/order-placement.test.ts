import { describe, expect, test } from '@jest/globals';
import type { OrderIntent } from '../../../src/domain/order';
import type { RecordedCall, RecordedItem } from '../../../src/domain/order-store';
import { OrderPlacement } from '../../../src/workflows/state/order-placement';
import { AT, sampleOrder } from '../domain/order-samples';

function intent(id: string): OrderIntent {
  return { ...sampleOrder({ id, clientOrderId: `c-${id}` }), signerId: 's1', placeBefore: AT, idempotency: null };
}

const call = (...orderIds: string[]): RecordedCall => ({ attemptId: `t-${orderIds.join('-')}`, venue: 'paper', accountId: 'a1', orderIds, exit: false });
const accepted = (orderId: string): RecordedItem => ({ orderId, verdict: 'accepted' });

describe('the state of a placing', () => {
  test('begins recording, with nothing open and no answer', () => {
    const placement = new OrderPlacement([intent('1')]);
    expect(placement.progress()).toEqual({ phase: 'recording', items: [], openOrderIds: [] });
    expect(placement.hasFirstAnswers).toBe(false);
  });

  test('counts only orders that are sent as open: denied and duplicate ones have their answer', () => {
    const placement = new OrderPlacement(['1', '2', '3'].map(intent));
    const items: RecordedItem[] = [accepted('1'), { orderId: '2', verdict: 'denied' }, { orderId: '9', verdict: 'duplicate' }];
    placement.recorded({ items, calls: [call('1')] });
    expect(placement.progress()).toEqual({ phase: 'sending', items, openOrderIds: ['1'] });
  });

  test('keeps an accepted order open that is in no call: it waits for its signer', () => {
    const placement = new OrderPlacement(['1', '2'].map(intent));
    placement.recorded({ items: [accepted('1'), accepted('2')], calls: [call('1')] });
    placement.answered(['1'], []);
    placement.firstAnswers();
    expect(placement.progress()).toMatchObject({ phase: 'resolving', openOrderIds: ['2'] });
  });

  test('is done when every call settled its orders', () => {
    const placement = new OrderPlacement(['1', '2'].map(intent));
    placement.recorded({ items: [accepted('1'), accepted('2')], calls: [call('1'), call('2')] });
    placement.answered(['1'], []);
    expect(placement.openOrderIds).toEqual(['2']);
    expect(placement.hasFirstAnswers).toBe(false);
    placement.answered(['2'], []);
    placement.firstAnswers();
    expect(placement.hasFirstAnswers).toBe(true);
    expect(placement.progress().phase).toBe('done');
    expect(placement.outcome()).toEqual({ items: [accepted('1'), accepted('2')], openOrderIds: [] });
  });

  test('resolves what stayed open, and tells its caller which those were', () => {
    const placement = new OrderPlacement(['1', '2', '3'].map(intent));
    placement.recorded({ items: ['1', '2', '3'].map(accepted), calls: [call('1', '2', '3')] });
    placement.answered(['1', '2', '3'], ['2', '3']);
    placement.firstAnswers();
    expect(placement.outcome().openOrderIds).toEqual(['2', '3']);
    expect(placement.progress().phase).toBe('resolving');
    placement.settled('3');
    expect(placement.progress()).toMatchObject({ phase: 'resolving', openOrderIds: ['2'] });
    placement.settled('2');
    expect(placement.progress()).toMatchObject({ phase: 'done', openOrderIds: [] });
  });

  test('is done at once when everything was denied', () => {
    const placement = new OrderPlacement([intent('1')]);
    placement.recorded({ items: [{ orderId: '1', verdict: 'denied' }], calls: [] });
    placement.firstAnswers();
    expect(placement.progress().phase).toBe('done');
  });
});

describe('what an operator reads', () => {
  test('counts, and each order with what is open about it', () => {
    const placement = new OrderPlacement(['1', '2', '3'].map(intent));
    placement.recorded({ items: [accepted('1'), { orderId: '2', verdict: 'denied' }, { orderId: '3', verdict: 'duplicate' }], calls: [call('1')] });
    expect(placement.details().split('\n')).toEqual([
      '**sending**: 3 order(s), 1 denied, 1 duplicate, 1 open',
      '- `c-1` BUY 10 BTC-PERP limit 100 GTC on paper - outcome open',
      '- `c-2` BUY 10 BTC-PERP limit 100 GTC on paper',
      '- `c-3` BUY 10 BTC-PERP limit 100 GTC on paper',
    ]);
  });

  test('stays short for a large group', () => {
    const placement = new OrderPlacement(Array.from({ length: 100 }, (_, index) => intent(String(index))));
    const lines = placement.details().split('\n');
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('- and 80 more');
  });
});
