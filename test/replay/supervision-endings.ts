/** The endings of strategies, of the kill switch and of the dead-man switch. */
import type { Client } from '@temporalio/client';
import type { StrategyFacts } from '../../src/activities/strategy-activities';
import { childOrderId } from '../../src/domain/client-ids';
import type { Strategy, StrategyChild } from '../../src/domain/strategy';
import { withFallbacks } from '../../src/domain/strategies/form';
import { strategyNamed } from '../../src/domain/strategies/registry';
import { ensureDeadMan, ensureKillSwitch, ensureStrategy, tellDeadMan, tellStrategy } from '../../src/temporal/supervising';
import { deadManWorkflowId, killSwitchWorkflowId, strategyWorkflowId } from '../../src/temporal/workflow-ids';
import { canceledWaiting, continued, ended, scheduled, until, type Ending } from './executions';
import { createHash } from 'node:crypto';

export const AT = '2026-01-01T00:00:00.000Z';
const ID = '00000000-0000-4000-8000-0000000000aa';
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

const PARAMETERS: Record<string, Record<string, string | number>> = {
  twap: { durationMs: 60_000, slices: 2 },
  chase: { timeoutMs: 604_800_000, repriceMs: 500 },
  scale: { priceFrom: '99', priceTo: '98', levels: 2 },
  iceberg: { limitPrice: '99', displayQuantity: '1' },
};

export function strategy(type: string, change: Partial<Strategy> = {}): Strategy {
  return {
    id: ID, clientStrategyId: 'c', userId: 'u1', accountId: 'a1', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X-PERP', type, side: 'buy', quantity: '1', reduceOnly: false,
    parameters: withFallbacks(strategyNamed(type).form, PARAMETERS[type] ?? {}), state: 'RUNNING', reason: null, pendingCancel: false, filledQuantity: '0', avgPrice: null, revision: 2, run: 1,
    startAt: null, expireAt: null, startedAt: AT, runStartedAt: AT, pausedAt: null, pausedMs: 0, ownerWorkflowId: strategyWorkflowId(ID), createdAt: AT, updatedAt: AT, endedAt: null, ...change,
  };
}

export function child(change: Partial<StrategyChild> = {}): StrategyChild {
  return {
    n: 1, orderId: childOrderId({ parentId: ID, leg: 1, child: 1 }, sha256Hex), leg: 'part-0', run: 1, state: 'PENDING_RISK', isPlaced: false, timeInForce: 'GTC', postOnly: false, quantity: '1', filledQuantity: '0', avgPrice: null,
    limitPrice: '99', reasonCode: null, reasonMessage: null, pendingCancel: false, createdAtMs: Date.parse(AT), closedAtMs: null, ...change,
  };
}

export function facts(type: string, change: Partial<Strategy> = {}, children: readonly StrategyChild[] = []): StrategyFacts {
  return { strategy: strategy(type, change), children, rules: { tickRule: { kind: 'step', step: '0.5' }, lot: '0.01', minQuantity: '0.01', minNotional: '1' }, prices: { bid: '99', ask: '100', mark: '99.5' }, signerId: 's1' };
}

export const run = async (client: Client, type: string): Promise<string> => {
  await ensureStrategy(client, strategy(type));
  await ended(client.workflow.getHandle(strategyWorkflowId(ID)));
  return strategyWorkflowId(ID);
};
export const canceling = { requestMutation: [{ verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } }] } as const;
const placing = { placeOrders: [{ group: { items: [{ orderId: child().orderId, verdict: 'accepted' }], calls: [] }, openOrderIds: [], unsent: [] }], resolveOrder: [{ kind: 'settled', state: 'WORKING' }] } as const;
const filled = child({ state: 'FILLED', isPlaced: true, filledQuantity: '1', avgPrice: '99' });
export const working = child({ state: 'WORKING', isPlaced: true });
const done = (type: string) => facts(type, { state: 'COMPLETED', revision: 3, filledQuantity: '1', endedAt: AT }, [filled]);

// Of ninety slices over ninety days, the first: the next is due a day later.
const SOON = new Date(Date.now() + 3_600_000).toISOString();
const RANDOM: Partial<Strategy> = { quantity: '9', parameters: withFallbacks(strategyNamed('twap').form, { durationMs: 90 * 86_400_000, slices: 90, randomSizePercent: 40 }), startedAt: SOON, runStartedAt: SOON };
const slice = child({ leg: 'slice-0', timeInForce: 'IOC', quantity: '0.1', limitPrice: '101' });
const filledSlice = child({ ...slice, state: 'FILLED', isPlaced: true, filledQuantity: '0.1', avgPrice: '100' });
const LEVELS = ['99', '98'].map((limitPrice, n) => child({ n: n + 1, leg: `level-${n}`, quantity: '0.5', limitPrice, state: 'WORKING', isPlaced: true }));
const STOPPED_LEVELS = LEVELS.map((level, n) => (n === 0 ? { ...level, state: 'DENIED' as const, reasonCode: 'RISK_ACCOUNT_REDUCING', reasonMessage: 'exits only' } : level));

/** Placed, filled, told and over: what each type does. */
const completed = (type: string): Ending => ({
  workflow: type,
  ending: 'completed',
  script: { ...placing, lookAtStrategy: [facts(type), facts(type, {}, [filled]), done(type)], advanceStrategy: [{ strategy: strategy(type), children: [child()] }, { strategy: done(type).strategy, children: [] }] },
  run: (client) => run(client, type),
});

/** Its owner ends it while a child rests; and somebody cancels its workflow in Temporal, which the sweeper then starts anew. */
const stopped = (type: string): readonly Ending[] => [
  {
    workflow: type,
    ending: 'canceled-by-its-owner',
    script: {
      ...placing, ...canceling,
      lookAtStrategy: [facts(type, { pendingCancel: true }, [working]), facts(type, { pendingCancel: true }, [child({ state: 'CANCELED', isPlaced: true })]), facts(type, { state: 'CANCELED', endedAt: AT }, [])],
      advanceStrategy: [{ strategy: strategy(type, { state: 'CANCELED' }), children: [] }],
    },
    run: (client) => run(client, type),
  },
  {
    workflow: type,
    ending: 'canceled-in-temporal',
    script: { ...placing, lookAtStrategy: [facts(type, { startedAt: new Date().toISOString(), runStartedAt: new Date().toISOString() }, [working])] },
    run: async (client) => {
      await ensureStrategy(client, strategy(type));
      return canceledWaiting(client, strategyWorkflowId(ID));
    },
  },
];

const strategies: Ending[] = [
  ...['twap', 'iceberg', 'scale', 'chase'].flatMap(stopped),
  completed('twap'),
  completed('iceberg'),
  completed('scale'),
  completed('chase'),
  {
    workflow: 'chase',
    ending: 'placed-again-canceled-and-ended',
    script: {
      ...placing,
      requestMutation: [{ verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } }],
      // Recorded by an execution that died before it placed; then its owner ends it.
      lookAtStrategy: [facts('chase', {}, [child()]), facts('chase', { pendingCancel: true }, [working]), facts('chase', { pendingCancel: true }, [child({ state: 'CANCELED', isPlaced: true })]), facts('chase', { state: 'CANCELED', endedAt: AT }, [])],
      advanceStrategy: [{ strategy: strategy('chase', { state: 'CANCELED' }), children: [] }],
    },
    run: (client) => run(client, 'chase'),
  },
  {
    workflow: 'twap',
    ending: 'decided-anew-on-newer-facts',
    script: { ...placing, lookAtStrategy: [facts('twap'), done('twap')], advanceStrategy: [null] },
    run: (client) => run(client, 'twap'),
  },
  {
    workflow: 'twap',
    ending: 'gave-back-an-order-then-completed',
    script: { ...placing, lookAtStrategy: [facts('twap'), facts('twap'), done('twap')], advanceStrategy: [{ strategy: strategy('twap'), children: [child()] }], readBackStrategy: [true] },
    run: (client) => run(client, 'twap'),
  },
  { workflow: 'twap', ending: 'gone', script: { lookAtStrategy: [null] }, run: (client) => run(client, 'twap') },
  {
    // Sizes at random, by shares that parts keep to; nothing is open between two slices, and nothing is looked at.
    workflow: 'twap',
    ending: 'parts-within-their-share-looked-at-when-due',
    script: { ...placing, lookAtStrategy: [facts('twap', RANDOM), facts('twap', RANDOM, [filledSlice]), { ...done('twap'), strategy: strategy('twap', { ...RANDOM, state: 'COMPLETED', revision: 3, endedAt: AT }) }], advanceStrategy: [{ strategy: strategy('twap', RANDOM), children: [slice] }, { strategy: strategy('twap', RANDOM), children: [] }] },
    run: async (client) => {
      await ensureStrategy(client, strategy('twap', RANDOM));
      const handle = client.workflow.getHandle(strategyWorkflowId(ID));
      // The wait for the next slice is a day: its owner's wish wakes it.
      await until(async () => ((await handle.fetchHistory()).events ?? []).filter((event) => event.timerStartedEventAttributes != null).length >= 2);
      await tellStrategy(client, ID, 3);
      await ended(handle);
      return strategyWorkflowId(ID);
    },
  },
  {
    // Of two levels that were recorded at once the first was refused because entries are stopped: that is why it pauses.
    workflow: 'scale',
    ending: 'paused-by-the-reason-of-an-earlier-refusal',
    script: {
      lookAtStrategy: [facts('scale', {}, STOPPED_LEVELS), facts('scale', { state: 'CANCELED', revision: 4, endedAt: AT }, [])],
      advanceStrategy: [{ strategy: strategy('scale', { state: 'PAUSED', revision: 3 }), children: [] }],
    },
    run: (client) => run(client, 'scale'),
  },
  {
    workflow: 'scale',
    ending: 'rested-then-canceled-by-its-owner',
    script: {
      ...placing, ...canceling,
      lookAtStrategy: [facts('scale', {}, LEVELS), facts('scale', { pendingCancel: true }, LEVELS), facts('scale', { pendingCancel: true }, LEVELS.map((each) => ({ ...each, state: 'CANCELED' as const }))), facts('scale', { state: 'CANCELED', endedAt: AT }, [])],
      advanceStrategy: [{ strategy: strategy('scale', { state: 'CANCELED' }), children: [] }],
    },
    run: async (client) => {
      await ensureStrategy(client, strategy('scale'));
      const handle = client.workflow.getHandle(strategyWorkflowId(ID));
      await until(async () => ((await handle.fetchHistory()).events ?? []).some((event) => event.timerStartedEventAttributes != null));
      await tellStrategy(client, ID, 3);
      await ended(handle);
      return strategyWorkflowId(ID);
    },
  },
  // A restored database has less than the workflow saw: it is given back, and the look after it is the one that counts.
  ...['twap', 'scale', 'iceberg', 'chase'].map(
    (type): Ending => ({
      workflow: type,
      ending: 'given-back-to-a-restored-database',
      script: { ...placing, readBackStrategy: [true], lookAtStrategy: [facts(type, { revision: 3, startedAt: SOON, runStartedAt: SOON }, [working]), facts(type, { revision: 2 }, []), done(type)] },
      run: async (client) => {
        await ensureStrategy(client, strategy(type));
        const handle = client.workflow.getHandle(strategyWorkflowId(ID));
        await until(async () => ((await handle.fetchHistory()).events ?? []).some((event) => event.timerStartedEventAttributes != null));
        await tellStrategy(client, ID, 3);
        await ended(handle);
        return strategyWorkflowId(ID);
      },
    }),
  ),
  {
    workflow: 'chase',
    ending: 'continued-as-new',
    // A look each half second: the price stays where the order rests.
    script: { lookAtStrategy: [facts('chase', { startedAt: new Date().toISOString(), parameters: { ...strategy('chase').parameters, repriceMs: 20 } }, [working])] },
    run: async (client) => {
      await ensureStrategy(client, strategy('chase'));
      return continued(client, strategyWorkflowId(ID));
    },
  },
];

const account = { accountId: 'a1', venue: 'paper', readAt: AT } as const;
const flattening = { released: false, confirmed: false, accounts: [{ ...account, state: 'FLATTENING', reason: '1 orders are open' }], cancel: [], exits: [] } as const;
const over = { released: true, confirmed: true, accounts: [], cancel: [], exits: [] } as const;
const order = { orderId: child().orderId, userId: 'u1', accountId: 'a1', venue: 'paper', symbol: 'X-PERP' } as const;
const exit = {
  id: child().orderId, userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: `${ID}.0.1`, venueClientId: 'v1', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X-PERP', side: 'sell', type: 'market', timeInForce: 'IOC',
  quantity: '1', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'STRATEGY', placeBefore: AT, idempotency: null, supervision: { workflowId: killSwitchWorkflowId(ID) },
} as const;
const latched = (client: Client): Promise<void> => ensureKillSwitch(client, { id: ID, userId: 'u1', scope: 'account', accountId: 'a1', venue: null, mode: 'flatten', reason: null, latchedAt: AT, latchedBy: 'key:k', releasedAt: null, releasedBy: null });

const switches: Ending[] = [
  {
    workflow: 'killSwitch',
    ending: 'canceled-in-temporal',
    script: { stepKillSwitch: [flattening] },
    run: async (client) => {
      await latched(client);
      return canceledWaiting(client, killSwitchWorkflowId(ID));
    },
  },
  {
    workflow: 'killSwitch',
    ending: 'canceled-closed-and-released',
    script: { ...placing, ...canceling, stepKillSwitch: [{ ...flattening, cancel: [order], exits: [exit] }, over] },
    run: async (client) => {
      await latched(client);
      await ended(client.workflow.getHandle(killSwitchWorkflowId(ID)));
      return killSwitchWorkflowId(ID);
    },
  },
  {
    workflow: 'killSwitch',
    ending: 'continued-as-new',
    script: { stepKillSwitch: [flattening] },
    run: async (client) => {
      await latched(client);
      return continued(client, killSwitchWorkflowId(ID));
    },
  },
  {
    workflow: 'deadMan',
    ending: 'fired',
    script: { ...canceling, checkHeartbeat: [{ expiresAtMs: Date.now() + 300, cancel: [] }, { expiresAtMs: null, cancel: [order] }, { expiresAtMs: null, cancel: [] }] },
    run: async (client) => {
      await ensureDeadMan(client, 'a1');
      await ended(client.workflow.getHandle(deadManWorkflowId('a1')));
      return deadManWorkflowId('a1');
    },
  },
  {
    workflow: 'deadMan',
    ending: 'told-of-an-earlier-deadline-then-disarmed',
    script: { checkHeartbeat: [{ expiresAtMs: Date.now() + 3_600_000, cancel: [] }, { expiresAtMs: null, cancel: [] }] },
    run: async (client) => {
      await ensureDeadMan(client, 'a1');
      await scheduled(client, deadManWorkflowId('a1'), 'checkHeartbeat', 1);
      await tellDeadMan(client, 'a1');
      await ended(client.workflow.getHandle(deadManWorkflowId('a1')));
      return deadManWorkflowId('a1');
    },
  },
  {
    workflow: 'deadMan',
    ending: 'continued-as-new',
    script: { checkHeartbeat: [{ expiresAtMs: 1, cancel: [] }] },
    run: async (client) => {
      await ensureDeadMan(client, 'a1');
      return continued(client, deadManWorkflowId('a1'));
    },
  },
];

export const SUPERVISION_ENDINGS: readonly Ending[] = [...strategies, ...switches];
