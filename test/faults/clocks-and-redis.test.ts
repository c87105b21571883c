/** S50: Redis loses everything or dies. S52: the venue's clock and ours disagree. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import Redis from 'ioredis';
import type { ApiOrder } from '../support/api-client';
import { startPaperSimulator, type StartedSimulator } from '../../src/simulator';
import { addressOf } from '../../src/venues/ecdsa';
import { settledAndBalanced } from '../support/afterwards';
import { hasRedis } from '../support/servers';
import { SimulatorControl } from '../support/simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from '../support/stack';
import { queried } from '../support/queried';

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

  test('by a minute ahead: a stop that begins at a time does not begin by the venue\'s clock, although its level is crossed', async () => {
    const skew = await stack.sim.fault({ kind: 'skewClock', offsetMs: 60_000 });
    const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
    const crossed = String(Math.ceil(Number(markets.find(({ symbol }) => symbol === 'BTC-PERP')?.mark) * 1.05));
    const stop = async (triggerPrice: string, startAt: string | null): Promise<string> => {
      const { status, body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice, ...(startAt === null ? {} : { startAt }) });
      expect({ status, body }).toMatchObject({ status: 201 });
      return body.id;
    };
    const below = await stop('1000', null);
    const startAt = new Date(Date.now() + 3_000).toISOString();
    const later = await stop(crossed, startAt);
    const triggeredAt = await stack.client.until('the stop to fire', async () => (await stack.client.call<{ triggeredAt: string | null }>('GET', `/api/v1/orders/${later}`)).body.triggeredAt);
    expect(Date.parse(triggeredAt)).toBeGreaterThanOrEqual(Date.parse(startAt));
    expect((await stack.client.order(below)).state).toBe('ARMED');
    await stack.client.untilState(later, 'FILLED');
    await stack.client.call('DELETE', `/api/v1/orders/${below}`);
    await stack.client.untilState(below, 'CANCELED');
    await stack.sim.call('DELETE', `/__sim/faults/${skew}`);
    await settledAndBalanced(stack);
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
  /** A venue whose requests are signed with nonces, and an account of one signer there. */
  let simulator: StartedSimulator;
  let signing: SimulatorControl;
  let signingAccountId = '';
  beforeAll(async () => {
    simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
    signing = new SimulatorControl(simulator.url);
    const [agentKey, address] = [randomBytes(32).toString('hex'), `0x${randomBytes(20).toString('hex')}`];
    await signing.call('POST', '/__sim/accounts', { account: address, key: addressOf(Buffer.from(agentKey, 'hex')), collateral: '1000000' });
    stack = await startStack({ redis: true, environment: { SUREFILL_VENUES: 'paper,hyperliquid', SUREFILL_HYPERLIQUID_HTTP_URL: simulator.url, SUREFILL_HYPERLIQUID_WS_URL: simulator.url.replace('http', 'ws') } });
    revokedKey = await anotherKey(stack);
    const made = await stack.client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'signs with nonces', venue: 'hyperliquid', credentials: { agentKey, address }, limits: WIDE_LIMITS });
    expect({ status: made.status, body: made.body }).toMatchObject({ status: 201 });
    signingAccountId = made.body.id;
    await stack.client.balanceKnown(signingAccountId);
  }, 180_000);
  afterAll(async () => {
    await stack.stop();
    await simulator.close();
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

  test('emptied, then killed, while orders are signed with nonces: every request has a nonce of its own, and the venue refuses none', async () => {
    const before = (await signing.orders()).length;
    const emptied = await someSigned(async () => {
      const redis = new Redis(stack.redis?.url ?? '');
      await redis.flushall();
      redis.disconnect();
    });
    // Alone, a process has an eighth of the venue's budget: an entry may be refused then, which is no order at the venue.
    const killed = await someSigned(async () => stack.redis?.kill('SIGKILL'));
    await stack.redis?.start();
    const all = [...emptied, ...killed];
    expect(emptied.map(({ state }) => state)).toEqual(emptied.map(() => 'WORKING'));
    expect((await signing.orders()).length - before).toBe(all.filter(({ state }) => state === 'WORKING').length);
    const timelines = await Promise.all(all.map(async ({ id }) => JSON.stringify((await stack.client.call('GET', `/api/v1/orders/${id}/timeline`)).body)));
    expect(timelines.filter((timeline) => timeline.includes('Invalid nonce')).length).toBe(0);
    const [nonces] = await queried<{ signed: number; different: number }>(stack.postgres.url, 'SELECT count(*)::int AS signed, count(DISTINCT nonce)::int AS different FROM attempts WHERE account_id = $1 AND nonce IS NOT NULL', signingAccountId);
    expect(nonces?.signed).toBeGreaterThan(0);
    expect(nonces?.different).toBe(nonces?.signed);
  }, 180_000);

  /** Ten orders at once by one signer; the fault strikes when the first of them is at the venue. As they ended. */
  async function someSigned(fault: () => Promise<unknown>): Promise<readonly ApiOrder[]> {
    const before = (await signing.orders()).length;
    const placing = Promise.all(Array.from({ length: 10 }, () => stack.client.place({ accountId: signingAccountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500' })));
    await stack.client.until('an order at the venue', async () => ((await signing.orders()).length > before ? true : null));
    await fault();
    const answers = await placing;
    expect(answers.filter(({ status }) => status !== 201 && status !== 202).map(({ body }) => body)).toEqual([]);
    return Promise.all(answers.map(({ body }) => stack.client.until(`the end of ${body.id}`, async () => {
      const order = await stack.client.order(body.id);
      return ['WORKING', 'DENIED', 'REJECTED'].includes(order.state) ? order : null;
    })));
  }
});

/** Another API key of the owner, written as the product would: the hash alone. */
async function anotherKey(stack: Stack): Promise<string> {
  const key = `sf_test_${randomUUID().replaceAll('-', '')}`;
  await queried(stack.postgres.url, "INSERT INTO api_keys(id, user_id, name, key_hash, scopes) SELECT $1, id, 'to be revoked', encode(sha256($2::bytea), 'hex'), ARRAY['read'] FROM users LIMIT 1", randomUUID(), Buffer.from(key));
  const answer = await fetch(`${stack.apiUrl}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } });
  expect(answer.status).toBe(200);
  return key;
}

/** And waits until it is refused: an identity may be remembered for a second. */
async function revoke(stack: Stack, key: string): Promise<void> {
  await queried(stack.postgres.url, "UPDATE api_keys SET revoked_at = now() WHERE key_hash = encode(sha256($1::bytea), 'hex')", Buffer.from(key));
  await stack.client.until('the key to be refused', async () => ((await fetch(`${stack.apiUrl}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } })).status === 401 ? true : null));
}

