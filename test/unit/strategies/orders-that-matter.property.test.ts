/** A chase decides the same on the orders that matter as on all of its orders. */
import { expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { isOpenChild, type Strategy, type StrategyChild } from '../../../src/domain/strategy';
import { COUNTED, ordersThatMatter } from '../../../src/domain/strategies/orders-that-matter';
import { MAX_REFUSALS, StrategyRun, type StrategyLook, type StrategyMemory } from '../../../src/workflows/state/strategy-run';
import { RULES, START_MS, StrategyWorld } from './strategy-model';

const RUNS = 1_000;
const seed = Number(process.env['SUREFILL_TEST_SEED'] ?? Date.now() % 2 ** 31);

type Choose = (look: StrategyLook) => readonly StrategyChild[];
type Order = Pick<StrategyChild, 'leg' | 'state' | 'reasonCode' | 'filledQuantity' | 'pendingCancel'> & { readonly gapMs: number };

interface Situation {
  readonly look: StrategyLook;
  readonly nowMs: number;
  readonly memory: StrategyMemory;
  /** By the rules of an execution from before refusals were judged by their reasons. */
  readonly asBefore: boolean;
}

const REFUSALS = ['POST_ONLY_WOULD_CROSS', 'OTHER', 'MIN_NOTIONAL', 'NOT_SENT', 'RATE_LIMITED', 'RISK_ACCOUNT_HALTED'] as const;
const leg = fc.oneof({ weight: 12, arbitrary: fc.constant('chase') }, { weight: 1, arbitrary: fc.constant('market') });
const order = (of: fc.Arbitrary<Pick<Order, 'state' | 'reasonCode' | 'filledQuantity'>>): fc.Arbitrary<Order> => fc.record({ leg, gapMs: fc.integer({ min: 0, max: 3_000 }), pendingCancel: fc.boolean(), rest: of }).map(({ rest, ...others }) => ({ ...others, ...rest }));
const canceled = order(fc.record({ state: fc.constantFrom('CANCELED' as const, 'EXPIRED' as const), reasonCode: fc.constantFrom(null, 'CANCELED_BY_USER'), filledQuantity: fc.constant('0') }));
const filled = order(fc.record({ state: fc.constantFrom('CANCELED' as const, 'FILLED' as const, 'REJECTED' as const), reasonCode: fc.constant(null), filledQuantity: fc.constantFrom('0.01', '0.07') }));
const late = order(fc.constant({ state: 'REJECTED', reasonCode: 'POST_ONLY_WOULD_CROSS', filledQuantity: '0' }));
const refused = order(fc.record({ state: fc.constantFrom('REJECTED' as const, 'DENIED' as const), reasonCode: fc.constantFrom(...REFUSALS), filledQuantity: fc.constant('0') }));
const open = order(fc.record({ state: fc.constantFrom('WORKING' as const, 'UNKNOWN' as const, 'PENDING_RISK' as const, 'PARTIALLY_FILLED' as const), reasonCode: fc.constant(null), filledQuantity: fc.constantFrom('0', '0.03') }));
/** Many of a kind, one after another: a few of each would all be kept. */
const stretch = fc.oneof(
  { weight: 4, arbitrary: fc.array(canceled, { maxLength: 40 }) },
  { weight: 3, arbitrary: fc.array(late, { maxLength: 40 }) },
  { weight: 2, arbitrary: fc.array(fc.oneof(canceled, filled), { maxLength: 20 }) },
  { weight: 2, arbitrary: fc.array(refused, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.array(fc.oneof(canceled, refused, filled, late), { maxLength: 30 }) },
);
const orders = fc.tuple(fc.array(stretch, { maxLength: 5 }), fc.option(open, { nil: undefined })).map(([ended, last]): Order[] => [...ended.flat(), ...(last === undefined ? [] : [last])]);

const situation: fc.Arbitrary<Situation> = fc
  .record({
    orders,
    run: fc.integer({ min: 1, max: 2 }),
    /** Orders before it are of the run before. */
    began: fc.nat({ max: 60 }),
    state: fc.oneof({ weight: 8, arbitrary: fc.constant('RUNNING' as const) }, { weight: 1, arbitrary: fc.constantFrom('PAUSED' as const, 'PAUSED_VENUE_DOWN' as const, 'COMPLETED' as const) }),
    pendingCancel: fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    quantity: fc.constantFrom('0.5', '10'),
    timeoutMs: fc.constantFrom(1_000, 604_800_000),
    onTimeout: fc.constantFrom('market', 'stop'),
    afterMs: fc.nat({ max: 20_000 }),
    prices: fc.option(fc.constant({ bid: '99.5', ask: '100.5', mark: '100' }), { nil: null }),
    returns: fc.nat({ max: 3 }),
    asBefore: fc.boolean(),
  })
  .map(({ orders: made, run, began, state, pendingCancel, quantity, timeoutMs, onTimeout, afterMs, prices, returns, asBefore }) => {
    let createdAtMs = START_MS;
    const children = made.map(({ gapMs, ...each }, index): StrategyChild => {
      createdAtMs += gapMs;
      return { n: index + 1, orderId: `o${index + 1}`, run: index < began ? run - 1 : run, isPlaced: each.state !== 'PENDING_RISK', timeInForce: each.leg === 'market' ? 'IOC' : 'GTC', postOnly: each.leg === 'chase', quantity: '0.1', avgPrice: each.filledQuantity === '0' ? null : `9${index % 10}.5`, limitPrice: '99', reasonMessage: `no ${index}`, createdAtMs, closedAtMs: isOpenChild(each) ? null : createdAtMs, ...each };
    });
    const at = new Date(START_MS).toISOString();
    const strategy: Strategy = { ...new StrategyWorld('chase', quantity, { timeoutMs, repriceMs: 500, onTimeout }).strategy, state, pendingCancel, run, startedAt: at, runStartedAt: at };
    return { look: { strategy, children, rules: RULES, prices }, nowMs: createdAtMs + afterMs, memory: { unpricedSinceMs: prices === null ? START_MS : null, returns }, asBefore };
  });

/** What it does, what it remembers, and what it asked of its execution's rules, which is written into its history. */
function decided({ look, nowMs, memory, asBefore }: Situation, children: readonly StrategyChild[]): unknown {
  const asked: string[] = [];
  const ask = (rule: string, answer: boolean) => (): boolean => {
    asked.push(rule);
    return answer;
  };
  const run = new StrategyRun(memory, undefined, { partsAsBefore: () => false, looksAsBefore: ask('looks', asBefore), refusalsAsBefore: ask('refusals', asBefore) });
  return { step: run.step({ ...look, children }, nowMs), memory: run.memory(), asked, afterN: children.at(-1)?.n };
}

const theSame = (choose: Choose) =>
  fc.property(situation, (each) => {
    expect(decided(each, choose(each.look))).toEqual(decided(each, each.look.children));
  });

it.each(['with spare', 'without spare'] as const)('decides the same on those that matter (%s) as on all, whatever became of its orders', (spare) => {
  fc.assert(theSame(({ children, strategy }) => ordersThatMatter(children, strategy.run, spare)), { numRuns: RUNS, seed });
});

const without = (isLeftOut: (child: StrategyChild, look: StrategyLook) => boolean): Choose => (look) => ordersThatMatter(look.children, look.strategy.run, 'without spare').filter((child) => !isLeftOut(child, look));

test.each<[string, Choose]>([
  ['one that filled is left out', without(({ state, filledQuantity }) => state === 'CANCELED' && filledQuantity !== '0')],
  ['one whose outcome is unknown is left out', without(({ state }) => state === 'UNKNOWN')],
  ['those of the market at its end are left out', without(({ leg: of, state }) => of === 'market' && state === 'CANCELED')],
  ['refusals that did not reach the venue are left out', without(({ reasonCode }) => reasonCode === 'NOT_SENT')],
  ['only the newest are kept, whatever they were', ({ children }) => children.slice(-COUNTED)],
  ['those that ended otherwise than by a refusal are left out, so that refusals seem to come in a row', without(({ state, filledQuantity }) => state !== 'REJECTED' && state !== 'DENIED' && !isOpenChild({ state }) && filledQuantity === '0')],
])('finds a planted bug: %s', (_bug, choose) => {
  expect(fc.check(theSame(choose), { numRuns: RUNS, seed }).failed).toBe(true);
});

it('keeps twice what is counted at least', () => {
  expect(COUNTED).toBeGreaterThanOrEqual(2 * MAX_REFUSALS);
});

it('is shorter without spare ones where orders are missing than with them before: a restored database is noticed by that', () => {
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 60 }), open, (made, missing, wasOpen) => {
      const whole = made.map((each, index): StrategyChild => ({ ...each, n: index + 1, orderId: `o${index}`, run: 1, isPlaced: each.state !== 'PENDING_RISK', timeInForce: 'GTC', postOnly: true, quantity: '0.1', avgPrice: null, limitPrice: '99', reasonMessage: null, createdAtMs: START_MS, closedAtMs: null }));
      fc.pre(whole.length > 0);
      // The last order that the backup has was open then.
      const rest = whole.slice(0, Math.max(whole.length - missing, 0));
      const restored = rest.map((each, index) => (index === rest.length - 1 ? { ...each, state: wasOpen.state, filledQuantity: '0' } : each));
      expect(ordersThatMatter(restored, 1, 'without spare').length).toBeLessThan(ordersThatMatter(whole, 1, 'with spare').length);
    }),
    { numRuns: RUNS, seed },
  );
});
