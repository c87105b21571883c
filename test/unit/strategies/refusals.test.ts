/** What becomes of a strategy whose orders were refused, or did not reach the venue. */
import { describe, expect, test } from '@jest/globals';
import type { StrategyChild } from '../../../src/domain/strategy';
import { withFallbacks, type Parameters } from '../../../src/domain/strategies/form';
import { strategyNamed } from '../../../src/domain/strategies/registry';
import { StrategyRun, type StrategyLook } from '../../../src/workflows/state/strategy-run';
import { RULES, START_MS, StrategyWorld } from './strategy-model';

const PRICES = { bid: '99.5', ask: '100.5', mark: '100' } as const;
const AT = new Date(START_MS).toISOString();

function look(type: string, parameters: Record<string, string | number>, children: readonly Partial<StrategyChild>[]): StrategyLook {
  const { strategy } = new StrategyWorld(type, '10', parameters);
  const rows = children.map((child, index): StrategyChild => ({ n: index + 1, orderId: `o${index + 1}`, leg: `level-${index}`, run: 1, state: 'WORKING', isPlaced: true, timeInForce: 'GTC', postOnly: true, quantity: '1', filledQuantity: '0', avgPrice: null, limitPrice: '99.5', reasonCode: null, reasonMessage: null, pendingCancel: false, createdAtMs: START_MS, closedAtMs: null, ...child }));
  return { strategy: { ...strategy, state: 'RUNNING', run: 1, startedAt: AT, runStartedAt: AT }, children: rows, rules: RULES, prices: PRICES };
}

const refused = (reasonCode: string): Partial<StrategyChild> => ({ state: 'REJECTED', reasonCode, reasonMessage: 'no' });

describe('a ladder', () => {
  const step = (...children: readonly Partial<StrategyChild>[]) => new StrategyRun().step(look('scale', { priceFrom: '95', priceTo: '90', levels: 5 }, children), START_MS + 1_000);

  test.each(['NOT_SENT', 'RATE_LIMITED'])('of which a level did not reach the venue (%s) waits for it, though levels after it were taken', (reasonCode) => {
    expect(step({}, {}, refused(reasonCode), refused(reasonCode), {}).note).toMatchObject({ state: 'PAUSED_VENUE_DOWN', reason: expect.stringContaining(reasonCode) });
  });

  test('of which a level was refused because the account is stopped is paused, though levels before it were taken', () => {
    expect(step({}, refused('RISK_ACCOUNT_HALTED'), {}).note).toMatchObject({ state: 'PAUSED', reason: expect.stringContaining('RISK_ACCOUNT_HALTED') });
  });

  test('that began before that was heeded goes on as it began', () => {
    const began = look('scale', { priceFrom: '95', priceTo: '90', levels: 5 }, [refused('NOT_SENT'), {}]);
    expect(new StrategyRun(undefined, undefined, { partsAsBefore: () => false, looksAsBefore: () => false, refusalsAsBefore: () => true }).step(began, START_MS + 1_000).note).toBeNull();
  });
});

describe('a chase', () => {
  const TERMS = { timeoutMs: 60_000, repriceMs: 500 };
  const late = Array.from({ length: 9 }, () => ({ ...refused('POST_ONLY_WOULD_CROSS'), leg: 'chase' }));
  const step = (children: readonly Partial<StrategyChild>[], nowMs: number) => new StrategyRun().step(look('chase', TERMS, children), nowMs);

  test('whose order was too late for a fast market again and again places it at the price as it is, a second later', () => {
    expect(step(late, START_MS + 10)).toMatchObject({ note: null, place: [], waitMs: 990 });
    expect(step(late, START_MS + 1_000)).toMatchObject({ note: null, place: [{ leg: 'chase', limitPrice: '99.5', postOnly: true }] });
    expect(step(late, START_MS + 60_000)).toMatchObject({ note: null, place: [{ leg: 'market', timeInForce: 'IOC' }] });
  });

  test('fails after five other refusals in a row', () => {
    const others = Array.from({ length: 5 }, () => ({ ...refused('OTHER'), leg: 'chase' }));
    expect(step([...others.slice(1), ...late], START_MS + 60_000).note).toBeNull();
    expect(step([...others, ...late], START_MS + 30_000).note).toMatchObject({ state: 'FAILED', reason: expect.stringContaining('OTHER') });
  });
});

test('an iceberg, which rests at one price, fails where that would take liquidity again and again', () => {
  const children = Array.from({ length: 5 }, () => refused('POST_ONLY_WOULD_CROSS'));
  expect(new StrategyRun().step(look('iceberg', { limitPrice: '99', displayQuantity: '3' }, children), START_MS + 60_000).note?.state).toBe('FAILED');
});

test('a selling TWAP whose rest is below the minimum at the price that it may slip to is done, and does not say that its time is over', () => {
  const twap = strategyNamed('twap');
  const parameters: Parameters = withFallbacks(twap.form, { durationMs: 60_000, slices: 6 });
  const view = { id: 'i', side: 'sell' as const, quantity: '10', parameters, rules: RULES, run: 1, elapsedMs: 25_000, runFromMs: 0, children: [], filled: '9.99', remaining: '0.01', prices: { bid: '100.5', ask: '101', mark: '100.5' } };
  expect(twap.decide(view).end).toMatchObject({ state: 'COMPLETED', reason: expect.stringContaining('below the market') });
});
