/** What a list does at turns that random play seldom meets. */
import { expect, test } from '@jest/globals';
import { decimalText, sum } from '../../../src/domain/decimal';
import { isOpenListChild, type LegTerms } from '../../../src/domain/order-list';
import { openOf } from '../../../src/domain/order-list-shares';
import { ListWorld } from './list-model';
import { leg, LEGS, type Happening } from './list-samples';

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
