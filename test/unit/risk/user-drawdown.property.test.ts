import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NO_USER_LIMITS } from '../../../src/domain/account';
import { decimal, decimalText, sum } from '../../../src/domain/decimal';
import { peakAfter, userLossTripOf } from '../../../src/domain/loss-limits';
import { judgeOrder } from '../../../src/risk/judge';
import { accountFigures, riskOrder } from './risk-samples';

const ACCOUNTS = 3;

/** What one account gained or lost since the step before; whether a watcher looked after it. */
const step = fc.record({ account: fc.nat(ACCOUNTS - 1), change: fc.integer({ min: -30, max: 30 }), looks: fc.boolean() });
const scenario = fc.record({ steps: fc.array(step, { minLength: 5, maxLength: 40 }), maxDrawdown: fc.integer({ min: 5, max: 80 }), maxDailyLoss: fc.integer({ min: 5, max: 80 }) });
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

interface Seen {
  /** Of each account, today and since the beginning. */
  readonly profits: readonly string[];
  readonly storedPeak: string | null;
  /** Of each account by itself. */
  readonly ownPeaks: readonly string[];
  readonly maxDrawdown: string;
  readonly maxDailyLoss: string;
}
interface Verdicts {
  /** Code of an entry's denial; null: taken. */
  readonly entry: string | null;
  readonly trip: string | null;
}
type Risk = (seen: Seen) => Verdicts;

const total = (amounts: readonly string[]): string => decimalText(sum(amounts.map((amount) => decimal(amount))));

/** As the store puts it together. */
const asItIs: Risk = ({ profits, storedPeak, maxDrawdown, maxDailyLoss }) => {
  const [own = '0', ...others] = profits;
  const standing = { profit: total(profits), peak: storedPeak };
  const verdict = judgeOrder(riskOrder(), accountFigures({ dailyProfit: own }), { limits: { ...NO_USER_LIMITS, maxDrawdown, maxDailyLoss }, others: others.map((dailyProfit) => accountFigures({ dailyProfit })), standing });
  const trip = userLossTripOf({ status: 'ACTIVE', dailyProfit: total(profits), maxDailyLoss, maxDrawdown, profit: standing.profit, peak: storedPeak === null ? null : peakAfter(storedPeak, standing.profit) });
  return { entry: verdict.verdict === 'denied' ? verdict.code : null, trip: trip?.kind ?? null };
};

function boundTogether(risk: Risk): fc.IPropertyWithHooks<[Scenario]> {
  return fc.property(scenario, ({ steps, maxDrawdown, maxDailyLoss }) => {
    const profits = Array.from({ length: ACCOUNTS }, () => 0);
    const ownPeaks = Array.from({ length: ACCOUNTS }, () => 0);
    let stored: number | null = null;
    for (const { account, change, looks } of steps) {
      profits[account] = (profits[account] ?? 0) + change;
      const together = profits.reduce((so, each) => so + each, 0);
      ownPeaks.forEach((peak, of) => (ownPeaks[of] = Math.max(peak, profits[of] ?? 0)));
      if (looks) stored = Math.max(stored ?? together, together);
      const drawdown = stored === null ? 0 : Math.max(stored, together) - together;
      const found = risk({ profits: profits.map(String), ownPeaks: ownPeaks.map(String), storedPeak: stored === null ? null : String(stored), maxDrawdown: String(maxDrawdown), maxDailyLoss: String(maxDailyLoss) });
      const isDrawn = drawdown >= maxDrawdown;
      const isLost = -together >= maxDailyLoss;
      expect(found.entry !== null).toBe(isDrawn || isLost);
      expect(found.trip).toBe(isDrawn ? 'drawdownLimit' : isLost ? 'dailyLossLimit' : null);
    }
  });
}

const RUNS = { numRuns: 1_500 };

describe('whatever the accounts of a user gain and lose', () => {
  test('entries are denied, and all accounts restricted, exactly while their sum is too far below its peak or the day\'s beginning', () => {
    fc.assert(boundTogether(asItIs), RUNS);
  });

  test.each<[string, Risk]>([
    ['looks at each account by itself', (seen) => asItIs({ ...seen, profits: [seen.profits[0] ?? '0'] })],
    ['lets a gain elsewhere count for nothing', (seen) => asItIs({ ...seen, profits: seen.profits.map((profit, of) => (of > 0 && profit !== '0' && !profit.startsWith('-') ? '0' : profit)) })],
    ['adds up the peaks of the accounts, which were at different times', (seen) => asItIs({ ...seen, storedPeak: seen.storedPeak === null ? null : total(seen.ownPeaks) })],
    ['forgets the peak', (seen) => asItIs({ ...seen, storedPeak: null })],
  ])('the property finds one that %s', (_name, risk) => {
    expect(fc.check(boundTogether(risk), { ...RUNS, seed: 1 }).failed).toBe(true);
  });
});
