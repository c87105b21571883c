/** S50: Redis loses everything or dies. S52: the venue's clock and ours disagree. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import Redis from 'ioredis';
import { Client } from 'pg';
import type { ApiOrder } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { hasRedis } from '../support/servers';
import { startStack, type Stack } from '../support/stack';

const farBelow = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;

async function placed(stack: Stack, clientOrderId: string = randomUUID()): Promise<ApiOrder> {
  const { status, body } = await stack.client.place({ accountId: stack.accountId, clientOrderId, ...farBelow });
  if (status !== 201 && status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function countAtVenue(stack: Stack): Promise<number> {
  return (await stack.sim.orders()).length;
}

describe('S52: the venue\'s clock moves', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(async () => {
    await stack.stop();
  });

  // Triggers look at prices, and how old a price is, is told past the venue's difference: test/unit/triggers/price-guard.test.ts.
  test.each([2_000, -2_000, 60_000, -60_000])('by %i ms: signed requests are made anew once, and every order is placed once', async (offsetMs) => {
    await placed(stack);
    const before = await countAtVenue(stack);
    const refusedBefore = await refusals(stack);
    const skew = await stack.sim.fault({ kind: 'skewClock', offsetMs });
    const first = await placed(stack);
    await stack.client.untilState(first.id, 'WORKING');
    const refusedOnce = (await refusals(stack)) - refusedBefore;
    expect(refusedOnce).toBeLessThanOrEqual(1);
    // A request with a deadline that has long passed by the venue's clock must have been refused, or nothing was tried.
    if (offsetMs === 60_000) expect(refusedOnce).toBe(1);
    for (let more = 0; more < 5; more += 1) await stack.client.untilState((await placed(stack)).id, 'WORKING');
    expect((await refusals(stack)) - refusedBefore).toBe(refusedOnce);
    await stack.client.call('DELETE', `/api/v1/orders/${first.id}`);
    await stack.client.untilState(first.id, 'CANCELED');
    expect((await countAtVenue(stack)) - before).toBe(6);
    await stack.sim.call('DELETE', `/__sim/faults/${skew}`);
    await stack.client.untilState((await placed(stack)).id, 'WORKING');
    await settledAndBalanced(stack);
    expect((await countAtVenue(stack)) - before).toBe(7);
  }, 120_000);

  /** How many placing requests the venue refused so far. */
  async function refusals(from: Stack): Promise<number> {
    return (await from.sim.requests('/orders')).filter((request) => request.method === 'POST' && request.status !== null && request.status >= 400).length;
  }
});

const withRedis = hasRedis() ? describe : describe.skip;
withRedis('S50: Redis', () => {
  let stack: Stack;
  let revokedKey = '';
  beforeAll(async () => {
    stack = await startStack({ redis: true });
    revokedKey = await anotherKey(stack);
  }, 180_000);
  afterAll(async () => {
    await stack.stop();
  });

  /** Fifteen orders at once; the fault strikes when some of them are at the venue. Callers send again what was not answered. */
  async function underLoad(fault: () => Promise<unknown>): Promise<void> {
    const before = await countAtVenue(stack);
    const ids = Array.from({ length: 15 }, () => randomUUID());
    const placing = Promise.all(ids.map((id) => stack.client.until(`an answer for ${id}`, async () => placed(stack, id))));
    await stack.client.until('some orders at the venue', async () => ((await countAtVenue(stack)) > before ? true : null));
    await fault();
    const orders = await placing;
    expect(new Set(orders.map((order) => order.id)).size).toBe(ids.length);
    const again = await placed(stack, ids[0]);
    expect(again.id).toBe(orders[0]?.id);
    await settledAndBalanced(stack);
    expect((await countAtVenue(stack)) - before).toBe(ids.length);
  }

  async function nothingFailsOpen(): Promise<void> {
    const answer = await fetch(`${stack.apiUrl}/api/v1/accounts`, { headers: { authorization: `Bearer ${revokedKey}` } });
    expect(answer.status).toBe(401);
  }

  test('FLUSHALL under load: no order effect, nothing fails open', async () => {
    await revoke(stack, revokedKey);
    const redis = new Redis(stack.redis?.url ?? '');
    await underLoad(() => redis.flushall());
    await nothingFailsOpen();
    await redis.flushall();
    redis.disconnect();
    await nothingFailsOpen();
  }, 120_000);

  test('killed under load, away for a while, and back', async () => {
    await underLoad(async () => stack.redis?.kill('SIGKILL'));
    await nothingFailsOpen();
    await stack.client.untilState((await placed(stack)).id, 'WORKING');
    await stack.redis?.start();
    await nothingFailsOpen();
    await stack.client.untilState((await placed(stack)).id, 'WORKING');
    await settledAndBalanced(stack);
  }, 120_000);

  test('a nonce that was given out is given out by nobody again: nonces are PostgreSQL\'s, and Redis holds none', async () => {
    const redis = new Redis(stack.redis?.url ?? '');
    const names = await redis.keys('*');
    redis.disconnect();
    expect(names.filter((name) => /nonce|session|idempotency|order:/i.test(name))).toEqual([]);
  });
});

/** Another API key of the owner, written as the product would: the hash alone. */
async function anotherKey(stack: Stack): Promise<string> {
  const key = `sf_test_${randomUUID().replaceAll('-', '')}`;
  await inDatabase(stack, "INSERT INTO api_keys(id, user_id, name, key_hash, scopes) SELECT $1, id, 'to be revoked', encode(sha256($2::bytea), 'hex'), ARRAY['read'] FROM users LIMIT 1", [randomUUID(), Buffer.from(key)]);
  const answer = await fetch(`${stack.apiUrl}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  return key;
}

/** And waits until it is refused: an identity may be remembered for a second. */
async function revoke(stack: Stack, key: string): Promise<void> {
  await inDatabase(stack, "UPDATE api_keys SET revoked_at = now() WHERE key_hash = encode(sha256($1::bytea), 'hex')", [Buffer.from(key)]);
  await stack.client.until('the key to be refused', async () => ((await fetch(`${stack.apiUrl}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } })).status === 401 ? true : null));
}

async function inDatabase(stack: Stack, sql: string, values: unknown[]): Promise<void> {
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  try {
    await client.query(sql, values);
  } finally {
    await client.end();
  }
}
