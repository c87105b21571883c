import { describe, expect, test } from '@jest/globals';
import { AccountInbox, MAX_WAITING } from '../../../src/activities/account-inbox';
import type { VenueOrder } from '../../../src/domain/venue';
import { sampleFill, sampleView } from '../domain/order-samples';

const order = (changes: Partial<VenueOrder> = {}) => ({ kind: 'order' as const, order: sampleView(changes), atMs: 1 });
const balance = (total: string, atMs: number) => ({ kind: 'balance' as const, balance: { asset: 'USDC', total, available: total, locked: '0' }, atMs });

describe('what came together is written together', () => {
  test('of several views of one order the furthest counts, in whatever order they came', () => {
    const inbox = new AccountInbox();
    inbox.push(order({ revision: 3, status: 'filled', filledQuantity: '10', updatedAtMs: 3 }));
    inbox.push(order({ revision: 2, filledQuantity: '4', updatedAtMs: 2 }));
    expect(inbox.take().orders.map(({ revision }) => revision)).toEqual([3]);
  });

  test('without revisions and in one instant an ended order is not opened again', () => {
    const inbox = new AccountInbox();
    inbox.push(order({ revision: null, status: 'canceled' }));
    inbox.push(order({ revision: null, status: 'open' }));
    expect(inbox.take().orders.map(({ status }) => status)).toEqual(['canceled']);
  });

  test('orders of different names are all kept, and every fill', () => {
    const inbox = new AccountInbox();
    inbox.push(order({ venueOrderId: 'o1' }));
    inbox.push(order({ venueOrderId: 'o2' }));
    inbox.push({ kind: 'fill', fill: sampleFill({ venueFillId: 'f1' }), atMs: 1 });
    inbox.push({ kind: 'fill', fill: sampleFill({ venueFillId: 'f1' }), atMs: 1 });
    const batch = inbox.take();
    expect(batch.orders.length).toBe(2);
    expect(batch.fills.length).toBe(2);
  });

  test('the last word on a balance counts, by the venue\'s time and not by arrival', () => {
    const inbox = new AccountInbox();
    inbox.push(balance('7', 20));
    inbox.push(balance('5', 10));
    expect(inbox.take().words).toEqual([{ atMs: 20, positions: [], balances: [{ asset: 'USDC', total: '7', available: '7', locked: '0' }] }]);
  });

  test('words of different instants keep their own times, oldest first', () => {
    const inbox = new AccountInbox();
    inbox.push({ kind: 'position', position: { venueSymbol: 'ETH-PERP', side: 'flat' }, atMs: 9 });
    inbox.push(balance('5', 4));
    expect(inbox.take().words.map(({ atMs }) => atMs)).toEqual([4, 9]);
  });

  test('a gap is told', () => {
    const inbox = new AccountInbox();
    inbox.push({ kind: 'gap', reason: 'reconnected' });
    expect(inbox.take()).toMatchObject({ gap: 'reconnected' });
    expect(inbox.isEmpty).toBe(true);
  });

  test('more than can be kept is dropped and told as a gap', () => {
    const inbox = new AccountInbox();
    for (let sent = 0; sent <= MAX_WAITING; sent += 1) inbox.push(balance('1', sent));
    const batch = inbox.take();
    expect(batch.gap).toMatch(/more messages/);
    expect(batch.words.length).toBe(1);
  });
});

describe('waiting', () => {
  const never = new AbortController().signal;

  test('ends with a message, a nudge, or the signal, and leaves no listener behind', async () => {
    const stop = new AbortController();
    const inbox = new AccountInbox();
    const first = inbox.arrival(1_000_000, stop.signal);
    inbox.push(balance('1', 1));
    await first;
    inbox.take();
    const second = inbox.arrival(1_000_000, stop.signal);
    inbox.nudge();
    await second;
    inbox.nudge();
    await inbox.arrival(1_000_000, stop.signal);
    const third = inbox.arrival(1_000_000, stop.signal);
    stop.abort();
    await third;
    expect(inbox.isEmpty).toBe(true);
  });

  test('does not begin while something is there, or the time is over', async () => {
    const inbox = new AccountInbox();
    await inbox.arrival(0, never);
    inbox.push(balance('1', 1));
    await inbox.arrival(1_000_000, never);
    expect(inbox.isEmpty).toBe(false);
  });
});
