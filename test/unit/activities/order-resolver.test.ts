import { describe, expect, test } from '@jest/globals';
import { OrderResolver, type OrderResolverPorts } from '../../../src/activities/order-resolver';
import { NO_MEMORY } from '../../../src/domain/resolution';
import type { VenueOrder } from '../../../src/domain/venue';
import { VenueRateLimited, VenueUnavailable } from '../../../src/domain/venue-errors';
import { sampleFill, sampleOrder, sampleView } from '../domain/order-samples';
import { CREATED_MS, longAfter, signal, world, World } from './resolver-world';

describe('what the venue shows is evidence', () => {
  test('an order found by its id', async () => {
    const given = world({ byId: sampleView() });
    expect(await given.step()).toEqual({ kind: 'settled', state: 'WORKING' });
    expect(given.since).toEqual([]);
  });

  test.each<[string, Partial<World>]>([
    ['in the open orders only', { open: [sampleView()] }],
    ['in the history only, by the venue\'s own id', { order: sampleOrder({ state: 'SUBMITTED', venueOrderId: 'o1' }), closed: [sampleView({ venueClientId: null, status: 'canceled' })] }],
    ['by a fill only, on a later page', { fills: [sampleFill({ venueClientId: 'other', venueOrderId: 'x' }), sampleFill()] }],
  ])('an order that shows %s', async (_where, changes) => {
    expect(await world(changes).step()).toMatchObject({ kind: 'settled' });
  });

  test('an order that is settled already is not asked about', async () => {
    const given = world({ order: sampleOrder({ state: 'FILLED' }), failure: new Error('asked') });
    expect(await given.step()).toEqual({ kind: 'settled', state: 'FILLED' });
  });

  test('one that does not exist is a fault of ours', async () => {
    const given = world();
    await expect(new OrderResolver({ orderById: async () => null } as unknown as OrderResolverPorts).step(given.order.id, NO_MEMORY, signal)).rejects.toThrow('does not exist');
  });
});

describe('an order that is absent', () => {
  test('is sent again while it lives, and settled by the answer', async () => {
    const given = world();
    given.onSend = () => (given.order = { ...given.order, state: 'WORKING' });
    expect(await given.step()).toEqual({ kind: 'settled', state: 'WORKING' });
    expect(given.sent).toEqual(['t2']);
  });

  test('and was last heard of as SUBMITTING is called UNKNOWN before bytes go out again', async () => {
    const given = world({ order: sampleOrder({ state: 'SUBMITTING' }) });
    let stateAtSend = '';
    given.onSend = () => (stateAtSend = given.order.state);
    await given.step();
    expect(stateAtSend).toBe('UNKNOWN');
  });

  test('and certainly never left goes out without any doubt being told', async () => {
    const given = world({ order: sampleOrder({ state: 'SUBMITTING' }), facts: { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false } });
    await given.step();
    expect(given.sent).toEqual(['t2']);
    expect(given.evidence).toEqual([]);
  });

  test('and was taken by the gateway is not sent again', async () => {
    const given = world({ order: sampleOrder({ state: 'SUBMITTED' }) });
    expect(await given.step()).toMatchObject({ kind: 'pending' });
    expect(given.sent).toEqual([]);
  });

  test('where the database forbids it or has nothing to send, is asked about again', async () => {
    for (const changes of [{ conflict: true }, { prepared: null }]) {
      const given = world(changes);
      expect(await given.step()).toMatchObject({ kind: 'pending', memory: { tries: 1 } });
      expect(given.sent).toEqual([]);
    }
  });

  test('is rejected as never placed after two final looks', async () => {
    const given = longAfter();
    const first = await given.step();
    expect(first).toMatchObject({ kind: 'pending', memory: { finalAbsences: 1 } });
    expect(await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY)).toEqual({ kind: 'settled', state: 'REJECTED' });
    expect(given.order.reasonCode).toBe('NEVER_PLACED');
  });

  test.each<[string, Partial<World>]>([
    ['the venue\'s fills may be truncated', { truncatedBeforeMs: CREATED_MS + 1 }],
    ['the venue cannot show all fills', { capabilities: { resendSafety: 'none', absenceFinalAfterMs: 1_000, fullFillHistory: false } }],
    ['absence is never final there', { capabilities: { resendSafety: 'none', absenceFinalAfterMs: null, fullFillHistory: true } }],
    ['the venue\'s clock has not come so far', { venueOffsetMs: -58_000 }],
  ])('stays open where %s', async (_why, changes) => {
    expect(await longAfter(changes).step({ finalAbsences: 1, tries: 9 })).toMatchObject({ kind: 'pending', memory: { finalAbsences: 1 } });
  });

  test('while it lives is sent as the same bytes only until the venue would refuse them, and anew once its absence is final', async () => {
    const facts = { placeBeforeMs: CREATED_MS + 86_400_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 10_000, lastRateLimited: false };
    const given = world({ facts, capabilities: { resendSafety: 'sameBytes', absenceFinalAfterMs: 120_000, fullFillHistory: true } });
    await given.step();
    expect(given.sent).toHaveLength(1);
    given.nowMs = CREATED_MS + 10_001;
    await given.step();
    expect(given.sent).toHaveLength(1);
    given.nowMs = CREATED_MS + 130_001;
    const first = await given.step();
    expect([given.sent.length, first]).toMatchObject([1, { kind: 'pending', memory: { finalAbsences: 1 } }]);
    const second = await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY);
    expect([given.sent.length, second]).toMatchObject([2, { kind: 'pending' }]);
    // What was sent now may be lost in its turn: its absence is counted from the beginning.
    given.facts = { ...facts, lastDeadlineMs: CREATED_MS + 20_000 };
    given.nowMs = CREATED_MS + 150_000;
    expect([await given.step(second.kind === 'pending' ? second.memory : NO_MEMORY), given.sent.length]).toMatchObject([{ kind: 'pending', memory: { finalAbsences: 1 } }, 2]);
  });

  test('and waits for its entry at the venue is not given up while that lives, and is once it ended', async () => {
    const entry = sampleOrder({ id: 'entry', state: 'WORKING', grouping: 'entryWithExits', groupId: 'entry' });
    for (const state of ['SUBMITTED', 'UNKNOWN'] as const) {
      const given = longAfter({ order: sampleOrder({ state, reduceOnly: true, grouping: 'entryWithExits', groupId: 'entry' }), others: [entry] });
      for (let look = 0, memory = NO_MEMORY; look < 4; look += 1) {
        const step = await given.step(memory);
        if (step.kind === 'settled') throw new Error(`given up as ${step.state}`);
        memory = step.memory;
      }
      expect([given.evidence, given.sent]).toEqual([[], []]);
      given.others = [{ ...entry, state: 'CANCELED' }];
      expect(await given.step({ finalAbsences: 1, tries: 9 })).toEqual({ kind: 'settled', state: 'REJECTED' });
    }
  });

  test('of a group whose entry nobody has seen either is judged as any other', async () => {
    const given = longAfter({ order: sampleOrder({ state: 'UNKNOWN', reduceOnly: true, grouping: 'entryWithExits', groupId: 'entry' }), others: [sampleOrder({ id: 'entry', state: 'UNKNOWN', grouping: 'entryWithExits', groupId: 'entry' })] });
    expect(await given.step({ finalAbsences: 1, tries: 9 })).toEqual({ kind: 'settled', state: 'REJECTED' });
  });

  test('and certainly never left is rejected as not sent, with the rate limit named where it was that', async () => {
    const facts = { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false };
    const unsent = longAfter({ facts });
    const limited = longAfter({ facts: { ...facts, lastRateLimited: true } });
    await unsent.step();
    await limited.step();
    expect([unsent.order.reasonCode, limited.order.reasonCode]).toEqual(['NOT_SENT', 'RATE_LIMITED']);
    // The venue answers here: that it could not be reached is not known.
    expect(unsent.order.reasonMessage).toBe('it could not be sent before its deadline: no worker took it in time, or the venue could not be reached; nothing was sent');
  });

  test('and was placed outside waits for the venue, longer each time', async () => {
    const given = world({ facts: null });
    const first = await given.step();
    expect(first).toMatchObject({ kind: 'pending', memory: { tries: 1 } });
    const second = await given.step(first.kind === 'pending' ? first.memory : NO_MEMORY);
    expect(second).toMatchObject({ memory: { tries: 2 } });
    expect(second.kind === 'pending' && first.kind === 'pending' && second.askAgainInMs > first.askAgainInMs).toBe(true);
  });

  test('fills are read from before the order was made, by whichever clock is behind', async () => {
    const given = world({ venueOffsetMs: -300_000 });
    await given.step();
    expect(given.since[0]).toBeLessThanOrEqual(CREATED_MS - 300_000);
  });
});

describe('a venue that cannot be read', () => {
  test('is asked again later, and not before it allows', async () => {
    const down = await world({ failure: new VenueUnavailable('paper', 'connection refused', 'connection') }).step();
    const limited = await world({ failure: new VenueRateLimited('paper', 'banned', 9_000, 'venue') }).step();
    expect(down).toMatchObject({ kind: 'pending', memory: { tries: 1 } });
    expect(limited).toMatchObject({ kind: 'pending', askAgainInMs: 9_000 });
  });

  test('is not asked about an order that waits for its signer: the signer\'s nonce is settled, and the order goes', async () => {
    const given = world({
      order: sampleOrder({ state: 'SUBMITTING' }),
      failure: new VenueUnavailable('paper', 'connection refused', 'connection'),
      facts: { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false },
      capabilities: { resendSafety: 'sameBytes', strictNonces: true, absenceFinalAfterMs: 1_000 },
    });
    await given.step();
    expect(given.noncesSettled).toBe(1);
    expect(given.sent).toEqual(['t2']);
  });

  test('does not keep an order open that certainly never left, once its life is over', async () => {
    const given = longAfter({ failure: new VenueUnavailable('paper', 'connection refused', 'connection'), facts: { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false } });
    expect(await given.step()).toEqual({ kind: 'settled', state: 'REJECTED' });
  });

  test('and one that is not configured here: asked again, longer each time', async () => {
    expect(await world({ venues: [] }).step()).toMatchObject({ kind: 'pending', memory: { tries: 1 } });
  });

  test('a fault of ours is thrown', async () => {
    await expect(world({ failure: new TypeError('undefined is not a function') }).step()).rejects.toThrow(TypeError);
  });
});

describe('an order that carries no client id at its venue', () => {
  const shown = (change: Partial<VenueOrder> = {}): VenueOrder => {
    const { side, type, timeInForce, quantity, limitPrice, venueSymbol, reduceOnly, postOnly } = sampleOrder();
    return sampleView({ venueClientId: null, side, type, timeInForce, quantity, limitPrice, venueSymbol, reduceOnly, postOnly, updatedAtMs: CREATED_MS, ...change });
  };
  const lost = (changes: Partial<World>): World => world({ carriesClientId: false, order: sampleOrder({ state: 'UNKNOWN', venueOrderId: null }), ...changes });

  test.each([['open', { open: [shown()] }], ['closed', { closed: [shown({ status: 'canceled' })] }]])('is known by its terms among the %s ones, and is not sent again', async (_what, changes) => {
    const given = lost(changes);
    expect(await given.step()).toEqual({ kind: 'settled', state: 'WORKING' });
    expect(given.sent).toEqual([]);
  });

  test.each<[string, Partial<VenueOrder>]>([
    ['another price', { limitPrice: '101' }],
    ['another size', { quantity: '11' }],
    ['the other side', { side: 'sell' }],
    ['another market', { venueSymbol: 'ETH-PERP' }],
    ['a client id', { venueClientId: 'somebody' }],
    ['an earlier time', { updatedAtMs: CREATED_MS - 600_000 }],
    ['a trigger', { triggerPrice: '90' }],
    ['another time in force', { timeInForce: 'IOC' }],
  ])('is not one of %s', async (_what, change) => {
    const given = lost({ open: [shown(change)] });
    await given.step();
    expect([given.order.state, given.sent]).toEqual(['UNKNOWN', ['t2']]);
  });

  test('is not one that is another order of ours, and its absence counts', async () => {
    const given = lost({ open: [shown()] });
    given.claimed.add(shown().venueOrderId);
    await given.step();
    expect([given.order.state, given.sent]).toEqual(['UNKNOWN', ['t2']]);
  });

  test('waits while the answer to an equal order is still out', async () => {
    const given = lost({ open: [shown()], equalInFlight: true });
    expect(await given.step()).toMatchObject({ kind: 'pending' });
    expect(given.sent).toEqual([]);
  });

  test('a market order is known by not resting', async () => {
    const given = lost({ order: sampleOrder({ state: 'UNKNOWN', venueOrderId: null, type: 'market', limitPrice: null, timeInForce: 'IOC' }), closed: [shown({ status: 'filled', timeInForce: 'IOC', limitPrice: '105' })] });
    expect(await given.step()).toMatchObject({ kind: 'settled' });
  });
});
