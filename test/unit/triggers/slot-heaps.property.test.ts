/** Where triggers wait: heaps over slots that are given back and given to others, against lists that are sorted anew each time. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimal, type Decimal } from '../../../src/domain/decimal';
import type { TriggerParameters } from '../../../src/domain/trigger';
import { HeardPrice } from '../../../src/streams/triggers/exact-order';
import { LevelHeap } from '../../../src/streams/triggers/level-heap';
import { OffsetHeaps } from '../../../src/streams/triggers/offset-heap';
import { NONE } from '../../../src/streams/triggers/slots-by-id';
import { TriggerIndex } from '../../../src/streams/triggers/trigger-index';
import { TriggerSlots } from '../../../src/streams/triggers/trigger-slots';
import { RUNS } from '../streams/runs';
import { same, triggerNamed } from './naive-triggers';

const HAIR = '.00000000000000000001';
const number = fc.tuple(fc.integer({ min: 90, max: 110 }), fc.constantFrom('', '', '.5', HAIR)).map(([whole, part]) => `${whole}${part}`);
const LEVEL: TriggerParameters = { kind: 'level', priceType: 'last', direction: 'atOrAbove', triggerPrice: '1', trailingOffset: null, trailingOffsetType: null, activationPrice: null, gapPolicy: 'traded' };
const isLong = (text: string): boolean => text.endsWith(HAIR);

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), at: number }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), n: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('take' as const), at: number }) },
  ),
  { maxLength: 80, size: 'max' },
);

/** Names count, so that a slot's next owner has another one. */
class Waiting {
  readonly held: { readonly id: string; readonly at: string }[] = [];
  private named = 0;

  add(slots: TriggerSlots, at: string): number {
    const id = `t${this.named++}`;
    this.held.push({ id, at });
    return slots.add(triggerNamed(id, LEVEL), 0, Number(at), isLong(at));
  }

  remove(n: number): string | undefined {
    return this.held.splice(n % Math.max(this.held.length, 1), 1)[0]?.id;
  }

  take(reached: (at: Decimal) => boolean): string[] {
    const taken = this.held.filter(({ at }) => reached(decimal(at)));
    for (const each of taken) this.held.splice(this.held.indexOf(each), 1);
    return taken.map(({ id }) => id).sort();
  }
}

const levels = (sign: 1 | -1, makeSlots: () => TriggerSlots) =>
  fc.property(steps, (all) => {
    const [slots, waiting] = [makeSlots(), new Waiting()];
    const heap = new LevelHeap(sign, slots);
    for (const step of all) {
      if (step.kind === 'add') heap.add(waiting.add(slots, step.at), Number(step.at));
      else if (step.kind === 'remove') {
        const slot = slots.find(waiting.remove(step.n) ?? '');
        if (slot === undefined) continue;
        heap.remove();
        slots.release(slot);
      } else {
        const price = new HeardPrice(step.at);
        const isReached = (at: Decimal): boolean => sign * at.comparedTo(price.exact) <= 0;
        const at = new Map(waiting.held.map((each) => [each.id, decimal(each.at)]));
        const taken = heap.take(price, (slot) => {
          const id = slots.id(slot);
          if (!isReached(at.get(id) ?? decimal('0'))) return null;
          slots.release(slot);
          return id;
        });
        same(taken.sort(), waiting.take(isReached));
      }
      const keys = waiting.held.map((each) => Number(each.at));
      same(heap.first() === NONE ? [] : [heap.firstKey()], keys.length === 0 ? [] : [sign === 1 ? Math.min(...keys) : Math.max(...keys)]);
    }
  });

const offsets = (exactOffset: (texts: ReadonlyMap<number, string>, slot: number) => Decimal) =>
  fc.property(steps, (all) => {
    const [slots, waiting, texts] = [new TriggerSlots(), new Waiting(), new Map<number, string>()];
    const heaps = new OffsetHeaps(slots, (slot) => exactOffset(texts, slot));
    let [root, aside]: [number, number] = [NONE, NONE];
    for (const step of all) {
      if (step.kind === 'add') {
        const slot = waiting.add(slots, step.at);
        texts.set(slot, step.at);
        aside = heaps.meld(aside, slot);
        continue;
      }
      root = heaps.meld(root, aside);
      aside = NONE;
      const first = root === NONE ? undefined : slots.id(root);
      const id = step.kind === 'take' ? first : waiting.held[step.n % Math.max(waiting.held.length, 1)]?.id;
      if (id === undefined) continue;
      const smallest = waiting.held.map(({ at }) => decimal(at)).reduce((a, b) => (b.lessThan(a) ? b : a));
      same([waiting.held.find((each) => each.id === first)?.at], [smallest.toFixed()]);
      const slot = slots.find(id) ?? NONE;
      root = heaps.without(root, slot);
      slots.release(slot);
      waiting.held.splice(waiting.held.findIndex((each) => each.id === id), 1);
      same(Array.from(heaps.slotsOf(root), (each) => slots.id(each)).sort(), waiting.held.map((each) => each.id).sort());
    }
  });

const realOffset = (texts: ReadonlyMap<number, string>, slot: number): Decimal => decimal(texts.get(slot) ?? '0');

describe('what waits in slots', () => {
  test.each([1, -1] as const)('is reached level by level, whatever left meanwhile (%d)', (sign) => {
    fc.assert(levels(sign, () => new TriggerSlots()), { numRuns: RUNS });
  });

  test('has its smallest offset first, whatever left and joined meanwhile', () => {
    fc.assert(offsets(realOffset), { numRuns: RUNS });
  });

  test('is told as it was armed, whatever is written in it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 20 });
    const trigger = fc.tuple(text, fc.record({ userId: text, accountId: fc.option(text, { nil: null }), workflowId: text, venue: text, symbol: text, armedAtMs: fc.nat(), checkpointAtMs: fc.nat(), revision: fc.nat(1_000) }), number).map(([id, given, extreme]) =>
      triggerNamed(id, { ...LEVEL, kind: 'trailing', triggerPrice: null, trailingOffset: '2', trailingOffsetType: 'percent' }, { ...given, extreme }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(trigger, { selector: ({ id }) => id, maxLength: 20 }), (triggers) => {
        const index = new TriggerIndex();
        for (const each of triggers) index.arm({ ...each, workflowId: `${each.workflowId} before` });
        // Given back and given to others: what is written in a slot is its last owner's.
        for (const { id } of triggers) index.disarm(id);
        for (const each of triggers) index.arm(each);
        expect(triggers.map(({ id }) => index.get(id))).toEqual(triggers);
        expect([...index.all()].map(({ id }) => id).sort()).toEqual(index.ids().sort());
        expect(index.size).toBe(triggers.length);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('the comparison finds', () => {
  test('a slot whose next owner is taken for the one before', () => {
    const unstamped = (): TriggerSlots => Object.assign(new TriggerSlots(), { stamp: () => 0 });
    expect(fc.check(levels(1, unstamped), { numRuns: RUNS }).failed).toBe(true);
  });

  test('offsets that are ordered by their doubles alone', () => {
    expect(fc.check(offsets((texts, slot) => decimal(String(Number(texts.get(slot) ?? '0')))), { numRuns: RUNS }).failed).toBe(true);
  });
});
