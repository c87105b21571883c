/** The index against the loop that looks at every trigger on every price: the same triggers fire, on the same price, from the same level. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { TriggerParameters } from '../../../src/domain/trigger';
import { TriggerIndex, type Crossed } from '../../../src/streams/triggers/trigger-index';
import { RUNS } from '../streams/runs';
import { NaiveTriggers, same, triggerNamed, type Fired } from './naive-triggers';

/** Few different numbers, so that prices meet levels, and some that a double cannot tell apart. */
const HAIR = '0.00000000000000000001';
const price = fc.tuple(fc.integer({ min: 90, max: 110 }), fc.constantFrom('', '', '.5', HAIR.slice(1))).map(([whole, part]) => `${whole}${part}`);
const direction = fc.constantFrom('atOrAbove' as const, 'atOrBelow' as const);
const priceType = fc.constantFrom('last' as const, 'mark' as const);
const level = fc.record({ direction, priceType, triggerPrice: price }).map((given): TriggerParameters => ({ kind: 'level', ...given, trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' }));
const offset = fc.oneof(
  fc.constantFrom('1', '3', '0.5', HAIR).map((trailingOffset) => ({ trailingOffset, trailingOffsetType: 'price' as const })),
  fc.constantFrom('100', '33', '250').map((trailingOffset) => ({ trailingOffset, trailingOffsetType: 'bps' as const })),
  fc.constantFrom('1', '0.5', '3').map((trailingOffset) => ({ trailingOffset, trailingOffsetType: 'percent' as const })),
);
const trailing = fc.tuple(fc.record({ direction, priceType, activationPrice: fc.option(price, { nil: null }) }), offset).map(([given, by]): TriggerParameters => ({ kind: 'trailing', ...given, ...by, triggerPrice: null, gapPolicy: 'traded' }));
const parameters = fc.oneof(level, trailing, trailing);

type Step =
  | { readonly kind: 'tick'; readonly price: string; readonly priceType: 'last' | 'mark' }
  | { readonly kind: 'arm' | 'amend'; readonly n: number; readonly parameters: TriggerParameters; readonly extreme: string | null }
  | { readonly kind: 'disarm'; readonly n: number };
const n = fc.nat(11);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('tick' as const), price, priceType }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('arm' as const), n, parameters, extreme: fc.option(price, { nil: null, freq: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('amend' as const), n, parameters, extreme: fc.constant(null) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disarm' as const), n }) },
);

const shown = ({ trigger, level: at, extreme }: Crossed): Fired => ({ id: trigger.id, revision: trigger.revision, level: at.toFixed(), extreme: extreme?.toFixed() ?? null });
const fieldsOf = ({ id, revision, level: at, extreme }: Fired) => [id, revision, at, extreme];
const byId = (a: Fired, b: Fired): number => (a.id < b.id ? -1 : 1);

/** A stored extreme is one that the parameters allow: what is not active has none. */
function stored(given: TriggerParameters, extreme: string | null): string | null {
  return given.kind === 'trailing' && given.activationPrice === null ? extreme : null;
}

function play(steps: readonly Step[], index: Pick<TriggerIndex, 'arm' | 'disarm' | 'tick' | 'extremeOf'>): void {
  const naive = new NaiveTriggers();
  const revisions = new Map<string, number>();
  for (const each of steps) {
    if (each.kind === 'tick') {
      const fired = index.tick('BTC-PERP', each.priceType, each.price).map(shown).sort(byId);
      same(fired.flatMap(fieldsOf), [...naive.tick('BTC-PERP', each.priceType, each.price)].sort(byId).flatMap(fieldsOf));
      continue;
    }
    const id = `t${each.n}`;
    if (each.kind === 'disarm') {
      index.disarm(id);
      naive.disarm(id);
    } else if (each.kind === 'arm' || naive.ids.includes(id)) {
      const revision = (revisions.get(id) ?? 0) + 1;
      revisions.set(id, revision);
      const trigger = triggerNamed(id, each.parameters, { revision, extreme: stored(each.parameters, each.extreme) });
      index.arm(trigger);
      naive.arm(trigger);
    }
    const { ids } = naive;
    same(ids.map((armed) => index.extremeOf(armed)), ids.map((armed) => naive.extremeOf(armed)));
  }
}

const property = (make: () => Pick<TriggerIndex, 'arm' | 'disarm' | 'tick' | 'extremeOf'>) => fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => play(steps, make()));

describe('the trigger index', () => {
  test('fires what the loop over every trigger fires, whatever is armed, amended and disarmed meanwhile', () => {
    fc.assert(property(() => new TriggerIndex()), { numRuns: RUNS });
  });

  test('tells of each extreme that moved, once', () => {
    const index = new TriggerIndex();
    const trail: TriggerParameters = { kind: 'trailing', priceType: 'last', direction: 'atOrBelow', triggerPrice: null, trailingOffset: '5', trailingOffsetType: 'price', activationPrice: null, gapPolicy: 'traded' };
    for (const id of ['a', 'b']) index.arm(triggerNamed(id, trail));
    index.tick('BTC-PERP', 'last', '100');
    index.tick('BTC-PERP', 'last', '102');
    index.disarm('a');
    expect(index.takeMoved().map(({ id, extreme }) => [id, extreme])).toEqual([['b', '102']]);
    index.tick('BTC-PERP', 'last', '101');
    expect(index.takeMoved()).toEqual([]);
  });
});

describe('the comparison finds an index that', () => {
  const real = (): TriggerIndex => new TriggerIndex();
  test.each<[string, () => Pick<TriggerIndex, 'arm' | 'disarm' | 'tick' | 'extremeOf'>]>([
    ['loses one of several that fire at once', () => wrapped(real(), { tick: (index, ...tick) => index.tick(...tick).slice(0, 1) })],
    ['sees prices rounded to a double', () => wrapped(real(), { tick: (index, symbol, type, text) => index.tick(symbol, type, String(Number(text))) })],
    ['forgets the extreme when it is amended', () => wrapped(real(), { arm: (index, trigger) => { index.disarm(trigger.id); index.arm(trigger); } })],
    ['ignores that a trigger was disarmed', () => wrapped(real(), { disarm: () => undefined })],
    ['starts at the first price instead of the stored extreme', () => wrapped(real(), { arm: (index, trigger) => index.arm({ ...trigger, extreme: null }) })],
    ['mixes price types', () => wrapped(real(), { tick: (index, symbol, _, text) => [...index.tick(symbol, 'last', text), ...index.tick(symbol, 'mark', text)] })],
  ])('%s', (_, make) => {
    expect(fc.check(property(make), { numRuns: RUNS }).failed).toBe(true);
  });
});

interface Defect {
  readonly arm?: (index: TriggerIndex, ...given: Parameters<TriggerIndex['arm']>) => void;
  readonly disarm?: (index: TriggerIndex, id: string) => void;
  readonly tick?: (index: TriggerIndex, ...given: Parameters<TriggerIndex['tick']>) => readonly Crossed[];
}

function wrapped(index: TriggerIndex, defect: Defect): Pick<TriggerIndex, 'arm' | 'disarm' | 'tick' | 'extremeOf'> {
  return {
    arm: (trigger) => (defect.arm ?? ((to, given) => to.arm(given)))(index, trigger),
    disarm: (id) => (defect.disarm ?? ((to, given) => to.disarm(given)))(index, id),
    tick: (...given) => (defect.tick ?? ((to, ...tick) => to.tick(...tick)))(index, ...given),
    extremeOf: (id) => index.extremeOf(id),
  };
}
