import { describe, expect, jest, test } from '@jest/globals';
import { Turns } from '../../../src/store/database/turns';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when told to. */
function held(): { readonly work: () => Promise<string>; readonly end: () => void; readonly begun: () => boolean } {
  let end: () => void = () => undefined;
  let begun = false;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: async () => { begun = true; await ended; return 'done'; }, end: () => end(), begun: () => begun };
}

describe('turns', () => {
  test('of one account follow each other in the order they were asked for', async () => {
    const turns = new Turns();
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((number) => turns.inTurn(['a'], async () => { await tick(); order.push(number); })));
    expect(order).toEqual([1, 2, 3]);
  });

  test('of different accounts do not wait for each other', async () => {
    const turns = new Turns();
    const first = held();
    const running = turns.inTurn(['a'], first.work);
    expect(await turns.inTurn(['b'], () => Promise.resolve('at once'))).toBe('at once');
    first.end();
    expect(await running).toBe('done');
  });

  test('over several accounts, asked for in opposite orders, never wait in a circle', async () => {
    const turns = new Turns();
    const done = await Promise.all(Array.from({ length: 50 }, (_, index) => turns.inTurn(index % 2 === 0 ? ['a', 'b'] : ['b', 'a', 'b'], async () => { await tick(); return index; })));
    expect(done).toHaveLength(50);
  });

  test('pass on after a failure', async () => {
    const turns = new Turns();
    await expect(turns.inTurn(['a'], () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await turns.inTurn(['a'], () => Promise.resolve('next'))).toBe('next');
  });

  test('that do not come in time are given up, and cost the others nothing', async () => {
    jest.useFakeTimers();
    try {
      const turns = new Turns();
      const first = held();
      const running = turns.inTurn(['a'], first.work);
      const impatient = turns.inTurn(['b', 'a'], () => Promise.resolve('never')).catch((error: unknown) => error);
      const afterwards = turns.inTurn(['b'], () => Promise.resolve('b is free'));
      await jest.advanceTimersByTimeAsync(5_000);
      expect(await impatient).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await afterwards).toBe('b is free');
      const last = turns.inTurn(['a'], () => Promise.resolve('at last'));
      first.end();
      expect(await running).toBe('done');
      expect(await last).toBe('at last');
    } finally {
      jest.useRealTimers();
    }
  });

  test('of an account that is asked for far too much are refused at once', async () => {
    const turns = new Turns();
    const first = held();
    const running = turns.inTurn(['a'], first.work);
    const queue = Array.from({ length: 2_000 }, () => turns.inTurn(['a'], () => Promise.resolve('served')));
    await tick();
    await expect(turns.inTurn(['a'], () => Promise.resolve('no'))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    first.end();
    await running;
    expect(new Set(await Promise.all(queue))).toEqual(new Set(['served']));
  });
});
