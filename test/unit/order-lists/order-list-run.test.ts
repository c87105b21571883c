/** What a list does at turns that random play seldom meets. */
import { expect, test } from '@jest/globals';
import { decimalText, sum } from '../../../src/domain/decimal';
import { stopsOfList } from '../../../src/domain/list-stops';
import { isOpenListChild, type LegTerms } from '../../../src/domain/order-list';
import { openOf } from '../../../src/domain/order-list-shares';
import { ListWorld } from './list-model';
import { leg, LEGS, RESTING_STOP, type Happening } from './list-samples';

function bracket(...legs: readonly Partial<LegTerms>[]): ListWorld {
  const [entry, , , , stop] = LEGS.BRACKET;
  const world = new ListWorld('BRACKET', {}, legs.length === 0 ? {} : { legs: [entry ?? {}, ...legs.map((terms) => ({ role: 'takeProfit' as const, ...terms })), stop ?? {}].map(leg) });
  world.look();
  return world;
}

function after(world: ListWorld, ...happenings: readonly Happening[]): ListWorld {
  for (const happening of happenings) {
    world.happen(happening);
    world.look();
    world.assertSound();
  }
  return world;
}

const open = (world: ListWorld): string => decimalText(sum(world.children.filter((child) => child.leg > 0 && isOpenListChild(child)).map(openOf)));

test('two take-profits of a bracket do not take the same room in one look, while an order of a third is being canceled', () => {
  const world = after(bracket(), { kind: 'fill', of: 0, percent: 1 }, { kind: 'fill', of: 0, percent: 2 }, { kind: 'fill', of: 0, percent: 27 }, { kind: 'takenBack', of: 3 });
  expect(open(world)).toBe('3');
  after(world, { kind: 'fill', of: 0, percent: 1 });
  expect(open(world)).toBe('3.1');
});

test.each(['takeProfitMarket', 'takeProfitLimit'] as const)('a %s of a bracket goes out when its price comes, while another take-profit rests at the venue for its share', (type) => {
  const world = after(bracket({ type, limitPrice: type === 'takeProfitLimit' ? '110' : null, triggerPrice: '110', triggerPriceType: 'mark', gapPolicy: 'traded', quantity: '6' }, { limitPrice: '120', quantity: '4' }), { kind: 'fill', of: 0, percent: 100 });
  expect(open(world)).toBe('4');
  after(world, { kind: 'cross', of: 1 });
  const exit = world.children.filter((child) => child.leg === 1);
  expect([exit.map(({ quantity }) => quantity), open(world)]).toEqual([['6'], '10']);
});

test('and takes before those that rest where one room is wanted by both', () => {
  const target = { type: 'takeProfitMarket', limitPrice: null, triggerPrice: '110', triggerPriceType: 'mark', gapPolicy: 'traded', quantity: '6' } as const;
  const world = after(bracket({ limitPrice: '120', quantity: '4' }, target), { kind: 'fill', of: 0, percent: 50 });
  // 4 of what is held rest; the price comes for a part of the target, and it is what the rest gives way to.
  expect(open(world)).toBe('4');
  after(world, { kind: 'cross', of: 2 }, { kind: 'hear', of: 0 });
  expect(world.children.filter((child) => child.leg === 2).map(({ quantity }) => quantity)).toEqual(['1']);
});

/** An entry of `entry` that triggers one leg. */
function triggering(entry: string, terms: Partial<LegTerms>): ListWorld {
  const world = new ListWorld('OTO', {}, { legs: [{ ...LEGS.OTO[0], quantity: entry }, terms].map(leg) });
  world.look();
  return world;
}

test('a stop is armed, and shown, for a share of its entry that has no finite decimal', () => {
  const world = after(triggering('3', { ...RESTING_STOP, quantity: '1' }), { kind: 'fill', of: 0, percent: 33 });
  expect([world.list.legs[1]?.state, [...world.triggers.values()].map(({ status }) => status)]).toEqual(['ARMED', ['ARMED']]);
  expect(stopsOfList(world.list, world.children, new Map(), world.nowMs).map(({ leavesQuantity }) => leavesQuantity)).toEqual(['0.333333333333333333']);
  after(world, { kind: 'cross', of: 1 });
  expect(world.children.filter((child) => child.leg === 1).map(({ quantity }) => quantity)).toEqual(['0.3']);
});

test('an order that rests for its share, rounded down to the lot, is left alone', () => {
  const world = after(triggering('8', { ...RESTING_STOP, quantity: '1' }), { kind: 'fill', of: 0, percent: 25 }, { kind: 'cross', of: 1 }, { kind: 'time', ms: 2_000 }, { kind: 'time', ms: 2_000 });
  expect(world.children.filter((child) => child.leg === 1).map(({ quantity, state, cancelAskedAtMs }) => [quantity, state, cancelAskedAtMs])).toEqual([['0.2', 'WORKING', null]]);
  // More of the entry: one order for all of the share again.
  after(world, { kind: 'fill', of: 0, percent: 50 }, { kind: 'cancelConfirmed', of: 1 });
  expect(world.children.filter((child) => child.leg === 1 && isOpenListChild(child)).map(({ quantity }) => quantity)).toEqual(['0.6']);
});
