/** The whole order path on Hyperliquid's protocol: lost answers, many at once, an amendment, a wrong key. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPaperSimulator, type StartedSimulator } from '../../src/simulator';
import { addressOf } from '../../src/venues/ecdsa';
import { SimulatorControl } from '../support/simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from '../support/stack';

let simulator: StartedSimulator;
let sim: SimulatorControl;
let stack: Stack;
let accountId: string;
const agentKey = randomBytes(32).toString('hex');
const address = `0x${randomBytes(20).toString('hex')}`;
const WORKERS = 4;

const account = (credentials: Readonly<Record<string, string>>) =>
  stack.client.call<{ id: string; error?: { code: string; message: string } }>('POST', '/api/v1/accounts', { name: `hl-${randomUUID().slice(0, 8)}`, venue: 'hyperliquid', credentials, limits: WIDE_LIMITS });

beforeAll(async () => {
  simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
  sim = new SimulatorControl(simulator.url);
  await sim.call('POST', '/__sim/accounts', { account: address, key: addressOf(Buffer.from(agentKey, 'hex')), collateral: '1000000' });
  stack = await startStack({
    workers: WORKERS,
    environment: { SUREFILL_VENUES: 'paper,hyperliquid', SUREFILL_HYPERLIQUID_HTTP_URL: simulator.url, SUREFILL_HYPERLIQUID_WS_URL: simulator.url.replace('http', 'ws') },
  });
  const made = await account({ agentKey, address });
  expect({ status: made.status, body: made.body }).toMatchObject({ status: 201 });
  accountId = made.body.id;
  await stack.client.balanceKnown(accountId);
}, 180_000);
afterAll(async () => {
  await stack.stop();
  await simulator.close();
});

const resting = () => ({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500' });

describe('an account with an agent wallet', () => {
  test('a key that the account did not approve is refused when the account is added', async () => {
    const { status, body } = await account({ agentKey: randomBytes(32).toString('hex'), address });
    expect([status >= 400, body.error?.message]).toEqual([true, expect.stringContaining('not approved')]);
  });
});

describe('orders on the protocol of Hyperliquid', () => {
  test('S2: an order whose answer is lost is one order at the venue, UNKNOWN and then WORKING by evidence', async () => {
    const before = (await sim.orders()).length;
    await sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/order' } });
    const placed = await stack.client.place(resting());
    const order = await stack.client.untilState(placed.body.id, 'WORKING');
    expect((await sim.orders()).length - before).toBe(1);
    const { body } = await stack.client.call('GET', `/api/v1/orders/${order.id}/timeline`);
    expect(JSON.stringify(body)).toContain('order.unknown');
  }, 120_000);

  test(`S6: 200 concurrent orders over ${WORKERS} worker processes and one signer: every one works, no nonce is refused`, async () => {
    const before = (await sim.orders()).length;
    const answers = await Promise.all(Array.from({ length: 200 }, () => stack.client.place(resting())));
    expect(answers.filter(({ status }) => status !== 201 && status !== 202).map(({ body }) => body)).toEqual([]);
    for (const { body } of answers) await stack.client.untilState(body.id, 'WORKING');
    expect((await sim.orders()).length - before).toBe(200);
    for (const { body } of answers) expect(JSON.stringify((await stack.client.call('GET', `/api/v1/orders/${body.id}/timeline`)).body)).not.toContain('Invalid nonce');
  }, 180_000);

  test('S16: an amendment whose answer is lost leaves one live order with the new terms', async () => {
    const placed = await stack.client.place(resting());
    const order = await stack.client.untilState(placed.body.id, 'WORKING');
    await sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/batchModify' } });
    await stack.client.call('PATCH', `/api/v1/orders/${order.id}`, { limitPrice: '48000' }, { 'if-match': `"${order.revision}"` });
    await stack.client.until('the new price', async () => ((await stack.client.order(order.id)).limitPrice === '48000' ? true : null));
    expect((await stack.client.order(order.id)).state).toBe('WORKING');
  }, 120_000);
});
