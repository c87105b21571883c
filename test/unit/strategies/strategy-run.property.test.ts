import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimal } from '../../../src/domain/decimal';
import { hasEnded, isOpenChild } from '../../../src/domain/strategy';
import type { AnyStrategyDefinition } from '../../../src/domain/strategies/definition';
import { STRATEGIES, strategyNamed } from '../../../src/domain/strategies/registry';
import { StrategyWorld, type Happening, type Planted } from './strategy-model';

const RUNS = 1_000;
const seed = Number(process.env['SUREFILL_TEST_SEED'] ?? Date.now() % 2 ** 31);

const PARAMETERS: Record<string, Record<string, string | number>> = {
  twap: { durationMs: 60_000, slices: 10, randomSizePercent: 40, randomTimePercent: 50 },
  chase: { timeoutMs: 30_000, repriceMs: 1_000 },
  scale: { priceFrom: '95', priceTo: '90', levels: 5, sizeSkew: '1.5', priceSkew: '1.2' },
  iceberg: { limitPrice: '99', displayQuantity: '1.3', randomSizePercent: 30 },
};

const child = fc.nat({ max: 60 });
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 50, max: 9_000 }) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('price' as const), moved: fc.integer({ min: -4, max: 4 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('fill' as const), of: child, percent: fc.integer({ min: 1, max: 100 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lost' as const, 'cancelConfirmed' as const, 'refuse' as const, 'unreached' as const), of: child }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'crashBeforePlacing' as const, 'pause' as const, 'resume' as const, 'edit' as const, 'venueDown' as const, 'venueUp' as const) }) },
  ),
  { minLength: 5, maxLength: 60 },
);

/** What the property says of a strategy with a bug in it. */
function found(type: string, planted: Planted): unknown {
  const details = fc.check(
    fc.property(happenings, (script) => {
      const world = play(type, script, planted);
      world.settle(60, { answerUnknown: false });
      assertBounded(type, world);
    }),
    { numRuns: RUNS, seed },
  );
  return details.errorInstance instanceof Error ? details.errorInstance.message : details.failed;
}

function assertBounded(type: string, world: StrategyWorld): void {
  if (world.worst.greaterThan(10)) throw new Error(`could come to ${world.worst.toFixed()} of 10`);
  if (type === 'chase' && world.live > 1) throw new Error(`${world.live} live orders of a chase`);
}

/** Throws where the strategy could come to more than its quantity, or a chase has two live orders. */
function play(type: string, script: readonly Happening[], planted: Planted = {}): StrategyWorld {
  const world = new StrategyWorld(type, '10', PARAMETERS[type] ?? {}, planted);
  for (const happening of [{ kind: 'time', ms: 0 } as const, ...script]) {
    world.happen(happening);
    world.look();
    assertBounded(type, world);
  }
  return world;
}

describe.each(STRATEGIES.map(({ type }) => type))('%s', (type) => {
  it('never comes to more than its quantity, whatever crashes, fills, is lost, refused, paused or edited', () => {
    fc.assert(fc.property(happenings, (script) => void play(type, script)), { numRuns: RUNS, seed });
  });

  it('ends, once the venue answers and fills, with all of its quantity or a reason why not', () => {
    fc.assert(
      fc.property(happenings, (script) => {
        const world = play(type, script.filter(({ kind }) => kind !== 'refuse'));
        world.settle(200);
        expect(hasEnded(world.strategy.state)).toBe(true);
        if (world.strategy.reason === null) expect(world.filled.toFixed()).toBe('10');
        else expect(world.filled.lessThan(10)).toBe(true);
        expect(world.live).toBe(0);
      }),
      { numRuns: RUNS, seed },
    );
  });

  it('fills exactly its quantity where nothing is refused', () => {
    const world = play(type, []);
    world.settle(200);
    expect([world.strategy.state, world.filled.toFixed(), world.strategy.reason]).toEqual(['COMPLETED', '10', null]);
  });

  it('finds a planted bug: an order whose outcome is unknown is taken for one that ended', () => {
    const blind: Planted = { look: (look) => ({ ...look, children: look.children.map((each) => (each.state === 'UNKNOWN' || !each.isPlaced ? { ...each, state: 'CANCELED' as const, isPlaced: true } : each)) }) };
    expect(found(type, blind)).toMatch(/could come to|live orders/);
  });
});

it.each(['scale', 'iceberg'])('%s fills all of its quantity, whichever of its orders did not reach the venue', (type) => {
  const only = new Set(['time', 'fill', 'unreached', 'crash', 'crashBeforePlacing']);
  fc.assert(
    fc.property(happenings, (script) => {
      const world = play(type, script.filter(({ kind }) => only.has(kind)));
      world.settle(200);
      expect([world.strategy.state, world.filled.toFixed(), world.strategy.reason]).toEqual(['COMPLETED', '10', null]);
    }),
    { numRuns: RUNS, seed },
  );
});

it('finds a planted bug: a chase that places its next order before the last one has ended', () => {
  const eager: Planted = {
    definition: (type): AnyStrategyDefinition => {
      const chase = strategyNamed(type);
      return { ...chase, decide: (view) => chase.decide({ ...view, children: view.children.filter((each) => !each.pendingCancel), remaining: '1' }) };
    },
    look: (look) => ({ ...look, children: look.children.filter((each) => !each.pendingCancel || !isOpenChild(each)) }),
  };
  expect(found('chase', eager)).toMatch(/live orders|could come to/);
});

it('holds a definition that wants more than is left to what is left', () => {
  const greedy: Planted = {
    definition: (type): AnyStrategyDefinition => ({ ...strategyNamed(type), decide: ({ children }) => ({ place: [{ leg: `g${children.length}`, quantity: '4', limitPrice: '90', timeInForce: 'GTC', postOnly: false }], cancel: [], wakeAtMs: null, end: null }) }),
  };
  fc.assert(
    fc.property(happenings, (script) => {
      const world = play('iceberg', script, greedy);
      expect(decimal(world.worst).lessThanOrEqualTo(10)).toBe(true);
    }),
    { numRuns: RUNS, seed },
  );
});

beforeAll(() => console.log(`seed ${seed}`));
