/** The endings of strategies that nobody asked for: their time is over, or they are refused again and again. */
import { MAX_REFUSALS } from '../../src/workflows/state/strategy-run';
import type { Ending } from './executions';
import { AT, canceling, child, facts, run, strategy, working } from './supervision-endings';

const REFUSED_SLICES = Array.from({ length: MAX_REFUSALS }, (_, n) => child({ n: n + 1, leg: `slice-${n}`, timeInForce: 'IOC', state: 'REJECTED', isPlaced: true, reasonCode: 'OTHER', reasonMessage: 'no', closedAtMs: Date.parse(AT) }));

export const STRATEGY_ENDINGS: readonly Ending[] = [
  {
    // Its end came while a part of it rested: that is canceled first, and then it is told.
    workflow: 'iceberg',
    ending: 'expired-with-an-order-open',
    script: {
      ...canceling,
      lookAtStrategy: [facts('iceberg', { expireAt: AT }, [working]), facts('iceberg', { expireAt: AT }, [child({ state: 'CANCELED', isPlaced: true })]), facts('iceberg', { state: 'EXPIRED', revision: 3, endedAt: AT }, [])],
      advanceStrategy: [{ strategy: strategy('iceberg', { state: 'EXPIRED' }), children: [] }],
    },
    run: (client) => run(client, 'iceberg'),
  },
  {
    workflow: 'twap',
    ending: 'failed-after-refusals-in-a-row',
    script: { lookAtStrategy: [facts('twap', {}, REFUSED_SLICES), facts('twap', { state: 'FAILED', revision: 3, endedAt: AT }, REFUSED_SLICES)], advanceStrategy: [{ strategy: strategy('twap', { state: 'FAILED' }), children: [] }] },
    run: (client) => run(client, 'twap'),
  },
];
