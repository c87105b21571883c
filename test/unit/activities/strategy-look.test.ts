/** What a strategy's workflow is told at each look: Temporal keeps it in the history, and ends a workflow for good by one of more than 2 MB. */
import { describe, expect, test } from '@jest/globals';
import { createStrategyActivities, type StrategyFacts } from '../../../src/activities/strategy-activities';
import type { Account } from '../../../src/domain/account';
import type { Market } from '../../../src/domain/market';
import type { StrategyChild } from '../../../src/domain/strategy';
import { RULES, START_MS, StrategyWorld } from '../strategies/strategy-model';

const PARAMETERS = { chase: { timeoutMs: 604_800_000, repriceMs: 500 }, iceberg: { limitPrice: '99', displayQuantity: '1' } };

/** Moved again and again, each order canceled and the last one working, as its venue answered. */
function moved(times: number): StrategyChild[] {
  return Array.from({ length: times }, (_, index) => ({ n: index + 1, orderId: `0190a1b2-c3d4-7e5f-8a9b-${String(index).padStart(12, '0')}`, leg: 'chase', run: 1, state: index === times - 1 ? 'WORKING' : 'CANCELED', isPlaced: true, timeInForce: 'GTC', postOnly: true, quantity: '0.5', filledQuantity: '0', avgPrice: null, limitPrice: '61234.5', reasonCode: 'CANCELED_BY_USER', reasonMessage: null, pendingCancel: false, createdAtMs: START_MS, closedAtMs: null }));
}

async function look(type: 'chase' | 'iceberg', children: readonly StrategyChild[], isBeingReadBack = false): Promise<StrategyFacts> {
  const { strategy } = new StrategyWorld(type, '10', PARAMETERS[type]);
  const facts = await createStrategyActivities({
    readBack: () => Promise.resolve(false),
    isBeingReadBack: () => Promise.resolve(isBeingReadBack),
    strategies: { byId: () => Promise.resolve({ ...strategy, state: 'RUNNING', run: 1 }), children: () => Promise.resolve(children), advance: () => Promise.resolve(null) },
    market: () => Promise.resolve(RULES as unknown as Market),
    account: () => Promise.resolve({ signerId: 's' } as unknown as Account),
    markOf: () => '100',
    quoteOf: () => null,
  }).lookAtStrategy({ strategyId: strategy.id });
  if (facts === null) throw new Error('the strategy is gone');
  return facts;
}

describe('a look at a chase', () => {
  test('that moved its order each half second for hours is as small as after its first minute', async () => {
    const { children } = await look('chase', moved(20_000));
    expect(JSON.stringify(children).length).toBeLessThan(15_000);
    expect(children.at(-1)).toMatchObject({ n: 20_000, state: 'WORKING' });
  });

  test('that moved its order a few times has them all', async () => {
    expect((await look('chase', moved(20))).children).toHaveLength(20);
  });

  test('is shorter than the one before once in ten orders: each such one has the database asked what it lost', async () => {
    const lengths = await Promise.all(Array.from({ length: 100 }, async (_, more) => (await look('chase', moved(200 + more))).children.length));
    expect(lengths.filter((length, index) => length < (lengths[index - 1] ?? 0))).toHaveLength(10);
  });

  test('whose database may have been restored is shorter than what was seen before, whatever is missing, so that its workflow gives that back', async () => {
    for (const seen of [2, 12, 25, 40, 300]) {
      const { length } = (await look('chase', moved(seen))).children;
      for (const missing of [1, 2, 9, 10, 11, 30]) expect((await look('chase', moved(Math.max(seen - missing, 0)), true)).children.length).toBeLessThan(length);
    }
  });
});

test('a look at a strategy whose orders are few by its terms has all of them', async () => {
  expect((await look('iceberg', moved(900))).children).toHaveLength(900);
});
