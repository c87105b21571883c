import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { OrderWatch } from '../../../src/api/order-watch';
import { OrderWaiter } from '../../../src/api/order-waiter';
import { LAST_READ_MS, RECORD_WAIT_MS } from '../../../src/api/limits';
import { isSettled } from '../../../src/api/replies';
import { accountStream, type StreamEvent } from '../../../src/domain/events';
import type { Order, OrderState } from '../../../src/domain/order';

function order(id: string, state: OrderState, revision: number, clientOrderId = `client-${id}`): Order {
  return { id, accountId: 'a', clientOrderId, state, revision, pendingCancel: false } as Order;
}

/** Streams by hand, rows by hand. */
class Backend {
  readonly rows = new Map<string, Order>();
  readonly listeners = new Map<string, (event: StreamEvent) => void>();
  readonly reads: (readonly string[])[] = [];
  clientReads = 0;
  fails = false;
  follows = 0;

  readonly waiter = new OrderWaiter({
    tail: {
      follow: (stream, listener) => {
        this.follows += 1;
        this.listeners.set(stream, listener);
        return () => this.listeners.delete(stream);
      },
    },
    orders: {
      byIds: async (ids) => {
        this.reads.push(ids);
        if (this.fails) throw new Error('PostgreSQL is away');
        return ids.map((id) => this.rows.get(id)).filter((row) => row !== undefined);
      },
      byClientId: async (_accountId, clientOrderId) => {
        this.clientReads += 1;
        return [...this.rows.values()].find((row) => row.clientOrderId === clientOrderId) ?? null;
      },
    },
    log: { warn: () => undefined },
  });

  watch(id: string, isRecorded: (seen: Order) => boolean = () => true): OrderWatch {
    return this.waiter.watch({ accountId: 'a', orderId: id, clientOrderId: `client-${id}` }, { isSettled, isRecorded });
  }

  tell(row: Order): void {
    this.listeners.get(accountStream('a'))?.({ orderId: row.id, data: { order: row } } as unknown as StreamEvent);
  }
}

let backend: Backend;
beforeEach(() => {
  jest.useFakeTimers();
  backend = new Backend();
});
afterEach(() => {
  backend.waiter.close();
  jest.useRealTimers();
});

describe('a request that waits for its order', () => {
  test('is answered by the event that settles it, without a read', async () => {
    const watch = backend.watch('1');
    const outcome = watch.outcome(5_000);
    backend.tell(order('1', 'SUBMITTING', 1));
    backend.tell(order('1', 'WORKING', 2));
    expect(await outcome).toEqual({ kind: 'settled', order: order('1', 'WORKING', 2) });
    expect([backend.reads.length, backend.waiter.size]).toEqual([0, 0]);
  });

  test('is answered by the event of an earlier intent with its client id', async () => {
    const watch = backend.watch('2');
    const outcome = watch.outcome(5_000);
    backend.tell(order('1', 'WORKING', 2, 'client-2'));
    expect(await outcome).toMatchObject({ kind: 'settled', order: { id: '1' } });
  });

  test('never goes back to an older view', async () => {
    const watch = backend.watch('1');
    const outcome = watch.outcome(100);
    backend.tell(order('1', 'UNKNOWN', 3));
    backend.tell(order('1', 'SUBMITTING', 1));
    await jest.advanceTimersByTimeAsync(100);
    expect(await outcome).toMatchObject({ kind: 'unsettled', order: { state: 'UNKNOWN' } });
  });

  test('is told at its time-out what the order is; not before it is recorded', async () => {
    const watch = backend.watch('1');
    const outcome = watch.outcome(100);
    await jest.advanceTimersByTimeAsync(200);
    expect(watch.isOpen).toBe(true);
    backend.tell(order('1', 'SUBMITTING', 1));
    expect(await outcome).toMatchObject({ kind: 'unsettled' });
  });

  test('is told that nothing is recorded, after the limit for that', async () => {
    const outcome = backend.watch('1').outcome(100);
    await jest.advanceTimersByTimeAsync(RECORD_WAIT_MS + LAST_READ_MS);
    expect(await outcome).toEqual({ kind: 'absent' });
  });

  test('that repeats an earlier one is told of its order, though nobody who records anything is there', async () => {
    backend.rows.set('1', order('1', 'WORKING', 5, 'client-2'));
    const outcome = backend.watch('2').outcome(100);
    await jest.advanceTimersByTimeAsync(RECORD_WAIT_MS + LAST_READ_MS);
    expect(await outcome).toMatchObject({ kind: 'settled', order: { id: '1' } });
    expect(backend.clientReads).toBe(1);
  });

  test('is told the same while no row can be read either', async () => {
    backend.fails = true;
    const outcome = backend.watch('2').outcome(100);
    await jest.advanceTimersByTimeAsync(RECORD_WAIT_MS + LAST_READ_MS);
    expect([await outcome, backend.waiter.size]).toEqual([{ kind: 'absent' }, 0]);
  });

  test('an order that does not yet show what was asked for is no answer', async () => {
    const watch = backend.watch('1', (seen) => seen.pendingCancel);
    const outcome = watch.outcome(100);
    backend.tell(order('1', 'UNKNOWN', 1));
    await jest.advanceTimersByTimeAsync(200);
    expect(watch.isOpen).toBe(true);
    backend.tell({ ...order('1', 'UNKNOWN', 2), pendingCancel: true });
    expect(await outcome).toMatchObject({ kind: 'unsettled', order: { revision: 2 } });
  });
});

describe('when no event comes', () => {
  test('all that were recorded are read in one read', async () => {
    const watches = ['1', '2', '3'].map((id) => backend.watch(id));
    const outcomes = watches.map((watch) => watch.outcome(5_000));
    for (const id of ['1', '2', '3']) backend.rows.set(id, order(id, 'WORKING', 2));
    watches.forEach((watch) => watch.recordedNow());
    await jest.advanceTimersByTimeAsync(100);
    expect((await Promise.all(outcomes)).map((outcome) => outcome.kind)).toEqual(['settled', 'settled', 'settled']);
    expect(backend.reads).toEqual([['1', '2', '3']]);
  });

  test('each second everything that waits is read', async () => {
    const outcome = backend.watch('1').outcome(5_000);
    await jest.advanceTimersByTimeAsync(1_100);
    expect(backend.reads).toEqual([['1']]);
    backend.rows.set('1', order('1', 'FILLED', 2));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await outcome).toMatchObject({ kind: 'settled', order: { state: 'FILLED' } });
  });

  test('a duplicate is found under its client id, and absence only counts after the start was answered', async () => {
    const duplicate = backend.watch('2');
    const outcome = duplicate.outcome(5_000);
    await jest.advanceTimersByTimeAsync(1_100);
    expect([backend.clientReads, duplicate.isOpen]).toEqual([0, true]);
    backend.rows.set('1', order('1', 'WORKING', 5, 'client-2'));
    duplicate.recordedNow();
    await jest.advanceTimersByTimeAsync(100);
    expect(await outcome).toMatchObject({ kind: 'settled', order: { id: '1' } });
    const absent = backend.watch('9');
    const nothing = absent.outcome(5_000);
    absent.recordedNow();
    await jest.advanceTimersByTimeAsync(100);
    expect(await nothing).toEqual({ kind: 'absent' });
  });

  test('a failed start is made good by the row, or is the answer', async () => {
    backend.rows.set('1', order('1', 'WORKING', 2));
    const [found, lost] = [backend.watch('1'), backend.watch('2')];
    const outcomes = Promise.allSettled([found.outcome(5_000), lost.outcome(5_000)]);
    for (const watch of [found, lost]) watch.readAfterFailure(new Error('Temporal is away'));
    await jest.advanceTimersByTimeAsync(100);
    expect((await outcomes).map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.kind : String(outcome.reason)))).toEqual(['settled', 'Error: Temporal is away']);
  });

  test('a read that fails is tried again, and a failed start then tells its reason', async () => {
    backend.fails = true;
    const watch = backend.watch('1');
    const outcome = watch.outcome(100).catch((error: unknown) => String(error));
    watch.readAfterFailure(new Error('Temporal is away'));
    await jest.advanceTimersByTimeAsync(RECORD_WAIT_MS);
    expect(await outcome).toBe('Error: Temporal is away');
    expect(backend.reads.length).toBeGreaterThanOrEqual(4);
  });
});

describe('the streams', () => {
  test('are followed once for an account, and a while longer than its last watch', async () => {
    const [one, two] = [backend.watch('1'), backend.watch('2')];
    expect(backend.follows).toBe(1);
    one.close();
    two.close();
    await jest.advanceTimersByTimeAsync(59_000);
    expect(backend.listeners.size).toBe(1);
    backend.watch('3').close();
    expect(backend.follows).toBe(1);
    await jest.advanceTimersByTimeAsync(61_000);
    expect(backend.listeners.size).toBe(0);
    backend.watch('4').close();
    expect(backend.follows).toBe(2);
  });

  test('an event without a whole order is passed over', async () => {
    const watch = backend.watch('1');
    const outcome = watch.outcome(100);
    const listener = backend.listeners.get(accountStream('a'));
    for (const event of [{ orderId: null, data: {} }, { orderId: '1', data: {} }, { orderId: '1', data: { order: null } }, { orderId: '1', data: { order: { id: '2', state: 'WORKING', revision: 1 } } }]) listener?.(event as unknown as StreamEvent);
    expect(watch.latest).toBeNull();
    await jest.advanceTimersByTimeAsync(RECORD_WAIT_MS + LAST_READ_MS);
    expect(await outcome).toEqual({ kind: 'absent' });
  });

  test('closing ends every wait and leaves no timer', async () => {
    const outcomes = [backend.watch('1').outcome(5_000), backend.watch('2').outcome(5_000)];
    backend.tell(order('1', 'SUBMITTING', 1));
    backend.waiter.close();
    expect((await Promise.all(outcomes)).map((outcome) => outcome.kind)).toEqual(['unsettled', 'absent']);
    expect([backend.waiter.size, jest.getTimerCount(), backend.listeners.size]).toEqual([0, 0, 0]);
  });
});
