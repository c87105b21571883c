/** Lists whose stop has a native one behind it, under every order of fills, cancels, triggers, refusals, unknown outcomes and crashes. */
import { beforeAll, describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, decimalText, sum, type Decimal } from '../../../src/domain/decimal';
import { isOpenListChild, legHasEnded, type OrderListType } from '../../../src/domain/order-list';
import { MAX_NATIVE_FAILURES } from '../../../src/workflows/state/conditional-order';
import { ListWorld, type Planted } from './list-model';
import { leg, LEGS, type Happening } from './list-samples';

const RUNS = 1_000;
const seed = Number(process.env['SUREFILL_TEST_SEED'] ?? Date.now() % 2 ** 31);
const TYPES: readonly OrderListType[] = ['OCO', 'OUO', 'BRACKET'];

beforeAll(() => console.info(`seed ${seed}; SUREFILL_TEST_SEED=${seed} repeats this run`));

const of = fc.nat({ max: 12 });
const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.integer({ min: 50, max: 4_000 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('fill' as const, 'fill' as const, 'fillUnheard' as const), of, percent: fc.integer({ min: 1, max: 100 }) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('hear' as const, 'cancelConfirmed' as const, 'cancelConfirmed' as const, 'cross' as const, 'falseCross' as const, 'lost' as const), of }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('refuse' as const, 'takenBack' as const), of }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('crash' as const, 'crashBeforePlacing' as const, 'thin' as const, 'halt' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const) }) },
  ),
  { minLength: 5, maxLength: 18 },
);

const backed = (type: OrderListType) => LEGS[type].map((terms, n) => leg(terms.triggerPrice == null ? terms : { ...terms, execution: 'both' }, n));

function play(type: OrderListType, script: readonly Happening[], planted: Planted = {}): ListWorld {
  const world = new ListWorld(type, planted, { legs: backed(type), ...(type === 'BRACKET' ? { breakEvenAfter: 1 } : {}) });
  world.look();
  for (const happening of script) {
    world.happen(happening);
    assertOneNative(world);
    world.assertSound();
    world.look();
    assertOneNative(world);
    world.assertSound();
  }
  return world;
}

/** Two could both go off, and sell of a larger position what is not the list's. */
function assertOneNative(world: ListWorld): void {
  const open = world.children.filter((child) => child.step === 'native' && isOpenListChild(child));
  if (open.length > 1) throw new Error(`${open.length} native stops are open`);
  // What an exit filled unheard is not known to whoever sizes it: what was entered is the bound.
  const entered = world.list.type === 'BRACKET' ? sum(world.children.filter((child) => child.leg === 0).map(({ atVenue }) => decimal(atVenue))) : decimal('10');
  for (const { quantity } of open) if (decimal(quantity).greaterThan(entered)) throw new Error(`a native stop of ${quantity} where ${entered.toFixed()} was entered`);
}

/** In a calm venue: what filled, of whichever order, and what rests are the position; and the native stop is as large as what is left. */
function assertCovered(world: ListWorld): void {
  const { list } = world;
  const stop = list.legs.find(({ execution }) => execution === 'both');
  const exits = list.type === 'BRACKET' ? list.legs.slice(1) : list.legs;
  if (stop === undefined || list.endedAt !== null || list.pendingCancel || exits.some((each) => each.triggered !== null)) return;
  const filled = sum(exits.map(({ n }) => world.filledOf(n)));
  const whole = list.type === 'BRACKET' ? world.filledOf(0) : decimal(stop.quantity);
  const left = whole.minus(filled);
  const natives = world.children.filter((child) => child.step === 'native');
  const open = natives.filter(isOpenListChild);
  const size: Decimal = sum(open.map(({ quantity, filledQuantity }) => decimal(quantity).minus(decimal(filledQuantity))));
  const isOff = legHasEnded(stop) || (list.type === 'OCO' && filled.greaterThan(0));
  const isGivenUp = natives.filter(({ state, cancelAskedAtMs }) => state !== 'FILLED' && cancelAskedAtMs === null && state !== 'WORKING').length >= MAX_NATIVE_FAILURES;
  const due = isOff ? decimal('0') : left;
  if (!isGivenUp && !size.equals(due)) throw new Error(`a native stop of ${decimalText(size)} stands behind ${decimalText(due)}`);
  const level = stop.breakEvenPrice ?? stop.triggerPrice;
  for (const { triggerPrice } of open) if (triggerPrice !== level) throw new Error(`it stands at ${triggerPrice ?? ''}, not at ${level ?? ''}`);
  for (const each of exits) {
    if (each.triggerPrice !== null || legHasEnded(each) || list.type !== 'OUO') continue;
    if (!filled.plus(world.openOfLeg(each.n)).equals(whole)) throw new Error(`leg ${each.n}: ${decimalText(filled)} filled and ${decimalText(world.openOfLeg(each.n))} open are not the position's ${decimalText(whole)}`);
  }
}

describe.each(TYPES)('%s with a native stop behind its own', (type) => {
  it('never has two of them, never reverses a position, in calm has one as large as what is left, and leaves none behind', () => {
    fc.assert(
      fc.property(happenings, (script) => {
        const world = play(type, script);
        world.calm(14);
        world.assertSound();
        assertOneNative(world);
        assertCovered(world);
        world.finish();
        world.assertSound();
        expect([world.list.endedAt === null, world.children.filter(isOpenListChild).length]).toEqual([false, 0]);
      }),
      { numRuns: RUNS, seed },
    );
  });
});

function found(type: OrderListType, planted: Planted): string {
  const details = fc.check(
    fc.property(happenings, (script) => {
      const world = play(type, script, planted);
      world.calm(14);
      world.assertSound();
      assertOneNative(world);
      assertCovered(world);
      world.finish();
      if (world.children.some(isOpenListChild)) throw new Error('an order was left behind');
    }),
    { numRuns: RUNS, seed },
  );
  return details.errorInstance instanceof Error ? details.errorInstance.message : 'nothing';
}

describe('a planted bug is found', () => {
  const isNative = (step: string): boolean => step === 'native';
  it.each([
    ['a native stop that is not resized', 'BRACKET', { step: (step) => ({ ...step, cancel: step.cancel.filter((child) => !isNative(child.step)) }) } satisfies Planted],
    ['a native stop that is placed beside the one before', 'BRACKET', { look: (look) => ({ ...look, children: look.children.map((child) => (isNative(child.step) && child.cancelAskedAtMs !== null ? { ...child, state: 'CANCELED' as const } : child)) }) } satisfies Planted],
    ['what a native stop filled is forgotten', 'OUO', { look: (look) => ({ ...look, children: look.children.map((child) => (isNative(child.step) ? { ...child, filledQuantity: '0' } : child)) }) } satisfies Planted],
  ] as const)('%s', (_what, type, planted) => {
    expect(found(type, planted)).not.toBe('nothing');
  });
});

test('a venue that refuses it again and again is told of once, and the durable stop stands alone until its terms are others', () => {
  const world = play('OUO', []);
  for (let count = 0; count < 40; count += 1) {
    for (const child of world.children) if (child.step === 'native' && isOpenListChild(child)) Object.assign(child, { state: 'REJECTED', reasonCode: 'OTHER', closedAtMs: world.nowMs });
    world.nowMs += 2_000;
    world.look();
  }
  expect(world.children.filter(({ step }) => step === 'native')).toHaveLength(MAX_NATIVE_FAILURES);
  expect(world.list.legs[2]).toMatchObject({ state: 'ARMED', alerted: 'the venue does not take the native stop; the durable one stands alone' });
  world.list = { ...world.list, legs: world.list.legs.map((each) => (each.n === 2 ? { ...each, triggerPrice: '91', version: 1 } : each)) };
  world.look();
  expect(world.children.at(-1)).toMatchObject({ step: 'native', state: 'WORKING', triggerPrice: '91', quantity: '10' });
});

test('it moves to break-even with the stop, and gives way to what a price has set off', () => {
  const world = new ListWorld('BRACKET', {}, { legs: backed('BRACKET'), breakEvenAfter: 1 });
  const natives = (): (readonly [string, string | null | undefined, string])[] => world.children.filter(({ step }) => step === 'native').map(({ quantity, triggerPrice, state }) => [quantity, triggerPrice, state]);
  world.look();
  world.happen({ kind: 'fill', of: 0, percent: 100 });
  world.calm(2);
  expect(natives()).toEqual([['10', '90', 'WORKING']]);
  // The first take-profit fills: the stop is moved, and what stands at the venue is as large as what is left.
  const profit = world.children.findIndex(({ leg: n }) => n === 1);
  world.happen({ kind: 'fill', of: world.children.filter(isOpenListChild).indexOf(world.children[profit] as (typeof world.children)[number]), percent: 100 });
  world.look();
  world.calm(3);
  expect(natives()).toEqual([['10', '90', 'CANCELED'], ['7', '100', 'WORKING']]);
  world.happen({ kind: 'cross', of: 4 });
  world.calm(4);
  expect([natives().at(-1), world.children.at(-1), world.list.state]).toMatchObject([['7', '100', 'CANCELED'], { step: 'market', quantity: '7', state: 'FILLED' }, 'COMPLETED']);
});
