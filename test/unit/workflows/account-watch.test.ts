import { describe, expect, test } from '@jest/globals';
import { AccountWatchState } from '../../../src/workflows/state/account-watch';

const state = (): AccountWatchState => new AccountWatchState({ accountId: 'a1', venue: 'paper' }, 't0');

describe('what an account\'s workflow knows of itself', () => {
  test('watching since its first start, however often the watcher is started again', () => {
    const watch = state();
    watch.watching('t1');
    watch.watching('t2');
    expect(watch.status()).toEqual({ phase: 'watching', since: 't1', starts: 2, reconciledFor: null });
    expect(watch.details()).toBe('**watching** since t1: account `a1` on paper; holds the private stream');
  });

  test('halted since the first refusal; a second one moves nothing', () => {
    const watch = state();
    watch.watching('t1');
    watch.halted('t2');
    watch.halted('t3');
    expect(watch.status()).toMatchObject({ phase: 'halted', since: 't2' });
    expect(watch.details()).toMatch(/refuses the account's key/);
  });

  test('rests until its status is no longer HALTED', () => {
    const watch = state();
    watch.halted('t1');
    watch.statusChanged('HALTED');
    expect(watch.mayGoOn).toBe(false);
    watch.statusChanged('REDUCING');
    expect(watch.mayGoOn).toBe(true);
  });

  test('a release from before the halt does not count', () => {
    const watch = state();
    watch.statusChanged('ACTIVE');
    watch.halted('t1');
    expect(watch.mayGoOn).toBe(false);
  });

  test('asked to reconcile it goes on, says why, and watches since then', () => {
    const watch = state();
    watch.watching('t1');
    watch.halted('t2');
    watch.reconcileAsked('a new key');
    expect(watch.mayGoOn).toBe(true);
    watch.watching('t3');
    expect(watch.status()).toEqual({ phase: 'watching', since: 't3', starts: 2, reconciledFor: 'a new key' });
  });
});
