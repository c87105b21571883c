import { describe, expect, test } from '@jest/globals';
import { OrderResolver, type OrderResolverPorts } from '../../../src/activities/order-resolver';
import { DomainError } from '../../../src/domain/errors';
import { applyEvidence, NO_FILLS } from '../../../src/domain/order-state';
import type { Order } from '../../../src/domain/order';
import type { OrderEvidence } from '../../../src/domain/order-store';
import { NO_MEMORY, type PlacingFacts, type ResolutionMemory } from '../../../src/domain/resolution';
import type { Venue, VenueCapabilities, VenueFill, VenueOrder } from '../../../src/domain/venue';
import { VenueRateLimited, VenueUnavailable } from '../../../src/domain/venue-errors';
import { AT, sampleFill, sampleOrder, sampleView } from '../domain/order-samples';

const CREATED_MS = Date.parse(AT);
const signal = new AbortController().signal;

class World {
  order: Order = sampleOrder({ state: 'UNKNOWN' });
  nowMs = CREATED_MS + 1_000;
  venueOffsetMs = 0;
  byId: VenueOrder | null = null;
  open: VenueOrder[] = [];
  closed: VenueOrder[] = [];
  fills: VenueFill[] = [];
  truncatedBeforeMs: number | null = null;
  failure: Error | null = null;
  facts: PlacingFacts | null = { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: true, lastDeadlineMs: CREATED_MS + 2_000, lastRateLimited: false };
  capabilities: Partial<VenueCapabilities> = { resendSafety: 'uniqueClientId', absenceFinalAfterMs: 1_000, fullFillHistory: true };
  readonly evidence: OrderEvidence[] = [];
  readonly sent: string[] = [];
  noncesSettled = 0;
  readonly since: number[] = [];
  prepared: string | null = 't2';
  conflict = false;
  /** What the venue makes of a request that is sent again. */
  onSend: () => void = () => undefined;
  venues: readonly string[] = ['paper'];
  carriesClientId = true;
  /** Orders of the venue that are some order of ours. */
  readonly claimed = new Set<string>();
  equalInFlight = false;

  step(memory: ResolutionMemory = NO_MEMORY): ReturnType<OrderResolver['step']> {
    return new OrderResolver(this.ports()).step(this.order.id, memory, signal);
  }

  private ports(): OrderResolverPorts {
    const answer = async <T>(value: T): Promise<T> => {
      if (this.failure !== null) throw this.failure;
      return value;
    };
    const session = {
      findOrder: () => answer(this.byId),
      openOrders: () => answer(this.open),
      closedOrders: () => answer(this.closed),
      fillsSince: (sinceMs: number, cursor: string | null) => {
        this.since.push(sinceMs);
        const at = Number(cursor ?? 0);
        return answer({ fills: this.fills.slice(at, at + 1), next: at + 1 < this.fills.length ? String(at + 1) : null, truncatedBeforeMs: this.truncatedBeforeMs });
      },
    };
    const venue = { name: 'paper', capabilities: this.capabilities, session: () => session, venueTimeMs: () => answer(this.nowMs + this.venueOffsetMs), carriesClientId: () => this.carriesClientId } as unknown as Venue;
    return {
      clock: { nowMs: () => this.nowMs },
      venues: new Map(this.venues.map((name) => [name, venue])),
      nameless: {
        claim: (_orderId, candidates) => {
          const free = candidates.find(({ venueOrderId }) => !this.claimed.has(venueOrderId));
          if (free === undefined) return Promise.resolve(null);
          if (this.equalInFlight) return Promise.resolve('wait');
          this.claimed.add(free.venueOrderId);
          this.order = { ...this.order, state: 'WORKING', venueOrderId: free.venueOrderId };
          return Promise.resolve({ order: this.order, changed: true });
        },
      },
      evidence: {
        apply: async (items) =>
          items.map((item) => {
            this.evidence.push(item);
            this.order = applyEvidence(this.order, item.evidence, NO_FILLS).order;
            return { order: this.order, changed: true };
          }),
      },
      resend: {
        prepareAgain: async () => {
          if (this.conflict) throw new DomainError('CONFLICT', 'an earlier attempt can still take effect');
          return this.prepared;
        },
      },
      credentials: async () => ({ key: 'k' }),
      orderById: async (id) => (id === this.order.id ? this.order : null),
      factsOf: async () => this.facts,
      settleNonce: async () => {
        this.noncesSettled += 1;
      },
      send: async (attemptId, orderIds) => {
        this.sent.push(attemptId);
        this.onSend();
        return this.order.state === 'WORKING' ? [] : orderIds;
      },
    };
  }
}

function world(changes: Partial<World> = {}): World {
  return Object.assign(new World(), changes);
}

/** The world after the order's life, at a time when its absence is final. */
const longAfter = (changes: Partial<World> = {}): World => world({ nowMs: CREATED_MS + 60_000, ...changes });

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

  test('and certainly never left is rejected as not sent, with the rate limit named where it was that', async () => {
    const facts = { placeBeforeMs: CREATED_MS + 10_000, mayHaveLeft: false, lastDeadlineMs: null, lastRateLimited: false };
    const unsent = longAfter({ facts });
    const limited = longAfter({ facts: { ...facts, lastRateLimited: true } });
    await unsent.step();
    await limited.step();
    expect([unsent.order.reasonCode, limited.order.reasonCode]).toEqual(['NOT_SENT', 'RATE_LIMITED']);
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
