/** Idempotency-Keys that come with an order which is there already: what is recorded of them, and what their callers are told. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { bodyHash } from '../../../src/api/canonical-json';
import { OrderPlacement } from '../../../src/api/order-placement';
import type { OrderGatewayPort } from '../../../src/api/order-ports';
import type { OrderTerms } from '../../../src/api/order-terms';
import { OrderWaiter } from '../../../src/api/order-waiter';
import type { Account } from '../../../src/domain/account';
import { DomainError } from '../../../src/domain/errors';
import type { Store } from '../../../src/store';
import { intentFor, openStoreWorld, type StoreWorld } from './harness';

const DAY_MS = 86_400_000;
const OWNER = { ownerWorkflowId: 'order/x', sendTtlMs: 2_000 };
const ROUTE = 'POST /orders';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

/** All that placing asks of it. */
type PlacementGateway = Pick<OrderGatewayPort, 'parts' | 'place' | 'answered'>;
type Changes = Partial<Pick<OrderTerms, 'clientOrderId' | 'side' | 'quantity'>>;

/** Asks as POST /orders does, with recordOrders where the worker would be; says what the caller is told. */
async function ask(account: Account, key: string | null, changes: Changes, store: Store = world.store): Promise<unknown> {
  const terms: OrderTerms = { accountId: account.id, clientOrderId: null, symbol: 'XRP-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '10', limitPrice: '2', postOnly: false, reduceOnly: false, ...changes };
  const log = { warn: () => undefined };
  const waiter = new OrderWaiter({ tail: { follow: () => () => undefined }, orders: store.orders, log });
  const gateway: PlacementGateway = {
    parts: (intents) => [intents],
    place: (intents) => store.placing.recordOrders(intents, { ...OWNER, ownerWorkflowId: `order/${randomUUID()}` }).then(() => undefined),
    answered: () => undefined,
  };
  const parts = {
    ports: {
      gateway,
      orders: store.orders, idempotency: store.idempotency, clock: world.clock, health: { entriesHeld: () => null },
    },
    intents: { make: async ({ side, quantity }: OrderTerms, { id, clientOrderId, stamp }: { id: string; clientOrderId: string; stamp: { key: string; route: string; bodyHash: string } | null }) => intentFor(account, { id, clientOrderId, side, quantity, idempotency: stamp }) },
  };
  const made = parts as unknown as { ports: ConstructorParameters<typeof OrderPlacement>[0]; intents: ConstructorParameters<typeof OrderPlacement>[2] };
  const firstCheck = { denies: async () => false } as unknown as ConstructorParameters<typeof OrderPlacement>[3];
  const placement = new OrderPlacement(made.ports, waiter, made.intents, firstCheck, log);
  try {
    const stamp = key === null ? null : { key, route: ROUTE, bodyHash: bodyHash(ROUTE, terms) };
    const [placed] = await placement.place({ userId: account.userId, idempotency: stamp, timeoutMs: 0 }, [terms]);
    const answer = placed?.answer;
    if (answer instanceof DomainError) return answer.code;
    const { side, quantity } = answer?.body as { side: string; quantity: string };
    return `${side} ${quantity}`;
  } finally {
    waiter.close();
  }
}

describe('an Idempotency-Key that comes with an order which is there already', () => {
  test('is not answered with that order where it has other terms, and no repeat is', async () => {
    const account = await world.newAccount();
    const other = { clientOrderId: 'c-1', side: 'sell', quantity: '20' } as const;
    expect(await ask(account, null, { clientOrderId: 'c-1' })).toBe('buy 10');
    expect([await ask(account, null, other), await ask(account, 'k-2', other), await ask(account, 'k-2', other)]).toEqual(['CONFLICT', 'CONFLICT', 'CONFLICT']);
  });

  test('is answered with it where it is the same, and so are repeats', async () => {
    const account = await world.newAccount();
    expect([await ask(account, null, { clientOrderId: 'c-1' }), await ask(account, 'k-3', { clientOrderId: 'c-1' }), await ask(account, 'k-3', { clientOrderId: 'c-1' })]).toEqual(['buy 10', 'buy 10', 'buy 10']);
  });

  test('used again after it was forgotten meets its order with the same body, and is refused with another', async () => {
    const account = await world.newAccount();
    const later = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 8 * DAY_MS } });
    const muchLater = await world.openAnother({ clock: { nowMs: () => world.clock.nowMs() + 16 * DAY_MS } });
    expect([await ask(account, 'weekly', {}), await ask(account, 'weekly', {})]).toEqual(['buy 10', 'buy 10']);
    expect([await ask(account, 'weekly', {}, later), await ask(account, 'weekly', {}, later)]).toEqual(['buy 10', 'buy 10']);
    const other = { side: 'sell', quantity: '30' } as const;
    expect([await ask(account, 'weekly', other, muchLater), await ask(account, 'weekly', other, muchLater)]).toEqual(['IDEMPOTENCY_MISMATCH', 'IDEMPOTENCY_MISMATCH']);
  });

  test('says so on record, also within the millisecond of that order', async () => {
    const account = await world.newAccount();
    const frozen = await world.openAnother({ clock: { nowMs: () => world.clock.ms } });
    const [stamp, own] = [randomUUID(), randomUUID()].map((key) => ({ key, route: ROUTE, bodyHash: 'x' }));
    const first = intentFor(account, { clientOrderId: 'old', idempotency: own ?? null });
    await frozen.placing.recordOrders([first], OWNER);
    await frozen.placing.recordOrders([intentFor(account, { clientOrderId: 'old', idempotency: stamp ?? null })], { ...OWNER, ownerWorkflowId: 'order/y' });
    expect(await frozen.idempotency.find(account.userId, own?.key ?? '')).toMatchObject({ orderId: first.id, isOwn: true });
    expect(await frozen.idempotency.find(account.userId, stamp?.key ?? '')).toMatchObject({ orderId: first.id, isOwn: false });
  });

  test('twice in one group is bound to that order: the second makes none', async () => {
    const account = await world.newAccount();
    const stamp = { key: randomUUID(), route: ROUTE, bodyHash: 'x' };
    const old = intentFor(account, { clientOrderId: 'old' });
    await world.store.placing.recordOrders([old], OWNER);
    const group = await world.store.placing.recordOrders([intentFor(account, { clientOrderId: 'old', idempotency: stamp }), intentFor(account, { clientOrderId: 'new', idempotency: { ...stamp, bodyHash: 'y' } })], { ...OWNER, ownerWorkflowId: 'order/y' });
    expect(group.items).toEqual([{ orderId: old.id, verdict: 'duplicate' }, { orderId: old.id, verdict: 'duplicate' }]);
    expect(await world.store.orders.byClientId(account.id, 'new')).toBeNull();
  });

  test('of which the order is in the same group is bound to it as well', async () => {
    const account = await world.newAccount();
    const stamp = { key: randomUUID(), route: ROUTE, bodyHash: 'x' };
    const first = intentFor(account, { clientOrderId: 'same' });
    const group = await world.store.placing.recordOrders([first, intentFor(account, { clientOrderId: 'same', idempotency: stamp }), intentFor(account, { clientOrderId: 'new', idempotency: stamp })], OWNER);
    expect(group.items.map(({ orderId, verdict }) => [orderId, verdict])).toEqual([[first.id, 'accepted'], [first.id, 'duplicate'], [first.id, 'duplicate']]);
    expect(await world.store.idempotency.find(account.userId, stamp.key)).toMatchObject({ isOwn: false });
  });
});
