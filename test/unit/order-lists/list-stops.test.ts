/** What of an order list guards a position: its stop legs for their shares, once their workflow watches the price. */
import { describe, expect, test } from '@jest/globals';
import { stopsOfList } from '../../../src/domain/list-stops';
import { legTriggerId, type OrderListLeg } from '../../../src/domain/order-list';
import { protectionOf } from '../../../src/domain/protection';
import { ListWorld } from './list-model';

const stops = (world: ListWorld, extremes = new Map<string, string | null>()) => stopsOfList(world.list, world.children, extremes, world.nowMs);
const lookAfter = (world: ListWorld, ...happenings: Parameters<ListWorld['happen']>[0][]): ListWorld => {
  for (const happening of happenings) {
    world.happen(happening);
    world.look();
  }
  return world;
};
const withStop = (world: ListWorld, change: Partial<OrderListLeg>): ListWorld => {
  world.list = { ...world.list, legs: world.list.legs.map((leg) => (leg.type.startsWith('stop') ? { ...leg, ...change } : leg)) };
  return world;
};
function entered(): ListWorld {
  const world = new ListWorld('BRACKET');
  world.look();
  return lookAfter(world, { kind: 'fill', of: 0, percent: 40 });
}

describe('a bracket', () => {
  test('guards nothing before its entry fills, and then what is held, however that changes', () => {
    const world = new ListWorld('BRACKET');
    world.look();
    expect(stops(world)).toEqual([]);
    const [stop] = stops(entered());
    expect(stop).toMatchObject({ leg: 4, side: 'sell', state: 'ARMED', execution: 'durable', leavesQuantity: '4', triggerPrice: '90', orderListId: world.list.id });
    const held = entered();
    // An entry that filled more, unheard by its workflow, is guarded too: the trigger has no quantity.
    held.happen({ kind: 'fill', of: 0, percent: 50 });
    expect(protectionOf({ side: 'long', quantity: '7' }, stops(held)).protection).toBe('durable');
    expect(protectionOf({ side: 'long', quantity: '7.1' }, stops(held)).protection).toBe('none');
  });

  test('whose stop is not armed yet, was ended or belongs to a list that is being canceled guards nothing', () => {
    expect([stops(withStop(entered(), { state: 'WAITING' })), stops(withStop(entered(), { state: 'CANCELED' }))]).toEqual([[], []]);
    const world = entered();
    world.list = { ...world.list, pendingCancel: true };
    expect(stops(world)).toEqual([]);
  });

  test('whose stop a price has set off guards what it has not sold yet', () => {
    const world = lookAfter(entered(), { kind: 'cross', of: 4 });
    expect(stops(world)).toMatchObject([{ state: 'TRIGGERED', leavesQuantity: '4' }]);
  });

  test('shows the nearer of its stop and the break-even that it was moved to', () => {
    const shown = (stop: Partial<OrderListLeg>, extreme: string | null = null) => {
      const world = withStop(entered(), stop);
      const extremes = new Map(world.list.legs.map((leg) => [legTriggerId(world.list.id, leg), extreme]));
      return protectionOf({ side: 'long', quantity: '4' }, stops(world, extremes)).desiredStop;
    };
    expect(shown({})).toMatchObject({ triggerPrice: '90', leg: 4 });
    expect(shown({ breakEvenPrice: '100' })?.triggerPrice).toBe('100');
    expect(shown({ breakEvenPrice: '80' })?.triggerPrice).toBe('90');
    const trailing = { type: 'trailingStopMarket', triggerPrice: null, trailingOffset: '5', trailingOffsetType: 'price' } as const;
    expect([shown(trailing)?.triggerPrice, shown(trailing, '110')?.triggerPrice, shown({ ...trailing, breakEvenPrice: '107' }, '110')?.triggerPrice, shown({ ...trailing, breakEvenPrice: '100' })?.triggerPrice]).toEqual([null, '105', '107', '100']);
  });
});

test('an exit pair guards what neither leg has sold; a take-profit guards nothing', () => {
  const world = new ListWorld('OUO');
  world.look();
  expect(stops(world)).toMatchObject([{ leg: 2, leavesQuantity: '10' }]);
  expect(stops(lookAfter(world, { kind: 'fill', of: 0, percent: 30 }))).toMatchObject([{ leg: 2, leavesQuantity: '7' }]);
});
