import { describe, expect, test } from '@jest/globals';
import type { FirstRight } from '../../../src/domain/order-store';
import { SendRights } from '../../../src/store/orders/send-rights';

const right = (attemptId: string, sendBeforeMs: number): FirstRight => ({ attemptId, fence: 1, request: { kind: 'place', bytes: '', nonce: null, venueDeadlineMs: null }, venue: 'paper', accountId: 'a', orders: [], sendBeforeMs, maybeSent: false });

describe('the first right to send', () => {
  test('is taken once', () => {
    const rights = new SendRights({ nowMs: () => 1_000 });
    rights.keep(right('one', 2_000));
    expect(rights.take('one')?.fence).toBe(1);
    expect(rights.take('one')).toBeNull();
    expect(rights.wasTaken('one')).toEqual({ atMs: 1_000, accountId: 'a' });
    expect(rights.wasTaken('one')).toBeNull();
  });

  test('is given after its time too: its holder knows that nothing was sent', () => {
    const rights = new SendRights({ nowMs: () => 3_000 });
    rights.keep(right('late', 2_000));
    expect(rights.take('late')?.maybeSent).toBe(false);
  });

  test('is forgotten long after its time', () => {
    let nowMs = 1_000;
    const rights = new SendRights({ nowMs: () => nowMs });
    rights.keep(right('old', 2_000));
    nowMs = 100_000;
    rights.keep(right('new', 101_000));
    expect(rights.take('old')).toBeNull();
    expect(rights.take('new')).not.toBeNull();
  });

  test('of more attempts than fit in memory is lost for the oldest, which then go the slow way', () => {
    const rights = new SendRights({ nowMs: () => 1_000 });
    for (let index = 0; index <= 10_000; index += 1) rights.keep(right(String(index), 2_000));
    expect(rights.take('0')).toBeNull();
    expect(rights.take('1')).not.toBeNull();
  });
});
