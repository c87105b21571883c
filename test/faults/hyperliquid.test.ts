/** The scenarios of the order path on Hyperliquid's protocol: many orders at once, lost and late answers, amendments and cancels. */
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';
import { scaledMs } from '../support/scale';

const ORDER = { path: '/exchange/order' } as const;
const WORKERS = 4;

let hl: HyperliquidStack;
beforeAll(async () => {
  // What is counted here is orders, however long a busy machine takes: none may be refused for being late meanwhile.
  hl = await startHyperliquidStack({ workers: WORKERS, environment: { SUREFILL_PLACE_DEADLINE_MS: '60000' } });
}, 180_000);
afterAll(() => hl.stop());
afterEach(() => hl.sim.clearFaults());

const client = () => hl.stack.client;

describe('an account with an agent wallet', () => {
  test('a key that the account did not approve is refused when the account is added', async () => {
    const { status, body } = await hl.add({ agentKey: randomBytes(32).toString('hex'), address: hl.address });
    expect([status >= 400, body.error?.message]).toEqual([true, expect.stringContaining('not approved')]);
  });
});

test(`S6: 200 concurrent orders over ${WORKERS} worker processes and one signer: every one works, no nonce is refused`, async () => {
  const before = (await hl.atVenue()).length;
  const orders = await Promise.all(Array.from({ length: 200 }, () => hl.placed()));
  for (const { id } of orders) await client().untilState(id, 'WORKING');
  expect((await hl.atVenue()).length - before).toBe(200);
  for (const { id } of orders) expect(await hl.timeline(id)).not.toContain('Invalid nonce');
  await hl.settled();
}, 300_000);

describe('answers are lost or late', () => {
  test('S2: 50 retries with one Idempotency-Key and 3 worker kills are one order at the venue: its lost answer is on record, and it works by evidence', async () => {
    const before = (await hl.atVenue()).length;
    const lost = await hl.sim.fault({ kind: 'dropResponse', count: 1, match: ORDER });
    const terms = { accountId: hl.accountId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500' };
    const key = randomUUID();
    const retry = () => client().until('an answer', async () => {
      const answer = await client().place(terms, { 'idempotency-key': key });
      return answer.status < 500 ? answer : null;
    });
    const first = retry();
    await hl.sim.met(lost);
    const retries = [first, ...Array.from({ length: 49 }, retry)];
    await Promise.all(hl.stack.workers.slice(0, 3).map(async (worker) => {
      await worker.kill('SIGKILL');
      await worker.start();
    }));
    const answers = await Promise.all(retries);
    expect(answers.filter(({ status }) => status !== 201 && status !== 202).map(({ body }) => body)).toEqual([]);
    const ids = [...new Set(answers.map(({ body }) => body.id))];
    expect(ids).toHaveLength(1);
    const order = await client().untilState(ids[0] ?? '', 'WORKING');
    expect((await hl.atVenue()).length - before).toBe(1);
    // Whether the stream or the loss was told first: that nobody heard the answer stands beside what the venue shows.
    await client().until('the lost answer on record', async () => ((await hl.timeline(order.id)).includes('outcomeUnknown') ? true : null));
    await hl.settled();
  }, 180_000);

  test('S3: an order hidden from every read stays UNKNOWN and counts as exposure, its bytes sent again have no second effect, and it works when it appears', async () => {
    const before = (await hl.atVenue()).length;
    const exposure = async (): Promise<Readonly<Record<string, unknown>>> => {
      const { body } = await client().call<{ risk: { figures: Record<string, unknown> } }>('POST', '/api/v1/orders/preview', { accountId: hl.accountId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.001', limitPrice: '48500' });
      return body.risk.figures;
    };
    const [freeFigures, sentBefore] = [await exposure(), await hl.posted('order')];
    await hl.sim.fault({ kind: 'hide', count: 1, durationMs: 600_000 });
    await hl.sim.fault({ kind: 'dropResponse', count: 1, match: ORDER });
    const startedMs = Date.now();
    const { id } = await hl.placed();
    const seen = new Set<string>();
    await client().until('the time it is hidden for, and a repeat', async () => {
      const { state } = await client().order(id);
      seen.add(state);
      return Date.now() - startedMs >= scaledMs(90_000) && (await hl.posted('order')) - sentBefore >= 2 ? true : null;
    }, scaledMs(90_000) + 60_000);
    expect([...seen].filter((state) => state !== 'SUBMITTING' && state !== 'UNKNOWN')).toEqual([]);
    expect((await client().order(id)).state).toBe('UNKNOWN');
    expect(await exposure()).not.toEqual(freeFigures);
    const hidden = (await hl.atVenue()).slice(before);
    expect(hidden).toHaveLength(1);
    await hl.sim.fault({ kind: 'hide', clientId: hidden[0]?.clientId, durationMs: 0 });
    await client().untilState(id, 'WORKING');
    expect((await hl.atVenue()).length - before).toBe(1);
    await hl.settled();
  }, 240_000);

  test('S4: the stream acknowledges before the HTTP answer: nothing is submitted twice', async () => {
    const before = await hl.posted('order');
    const held = await hl.sim.fault({ kind: 'hold', count: 1, match: ORDER });
    const clientOrderId = randomUUID();
    const placing = hl.placed({ clientOrderId });
    await hl.sim.met(held);
    await client().until('the order to work by the stream\'s word', async () => {
      const { body } = await client().call<ApiOrder>('GET', `/api/v1/orders/by-client-id/${clientOrderId}?accountId=${hl.accountId}`);
      return body.state === 'WORKING' ? true : null;
    });
    await hl.sim.release(held);
    await placing;
    await hl.settled();
    expect((await hl.posted('order')) - before).toBe(1);
  }, 120_000);

  test('S16: an amendment whose answer is lost leaves one live order with the new terms', async () => {
    const order = await client().untilState((await hl.placed()).id, 'WORKING');
    const before = (await hl.atVenue()).length;
    await hl.sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/batchModify' } });
    await client().call('PATCH', `/api/v1/orders/${order.id}`, { limitPrice: '48000' }, { 'if-match': `"${order.revision}"` });
    await client().until('the new price', async () => ((await client().order(order.id)).limitPrice === '48000' ? true : null));
    await hl.settled();
    expect([(await client().order(order.id)).state, (await hl.atVenue()).length - before]).toEqual(['WORKING', 0]);
  }, 120_000);

  test('S16: a cancel whose answer is lost ends the order once', async () => {
    const order = await client().untilState((await hl.placed()).id, 'WORKING');
    await hl.sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/cancelByCloid' } });
    await client().call('DELETE', `/api/v1/orders/${order.id}`);
    await client().untilState(order.id, 'CANCELED');
    await hl.settled();
  }, 120_000);
});
