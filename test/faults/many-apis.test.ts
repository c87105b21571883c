/**
 * Several API processes, on real Redis and without Redis through the hub: what happens is told at each of them, once, and a client
 * whose process dies goes on at another. `docs/decisions/no-socket-adapter.md`.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { ApiClient, type ApiAnswer, type ApiOrder, type ErrorBody } from '../support/api-client';
import { freePort } from '../../src/main/launcher/ports';
import { StreamClient } from '../support/socket-client';
import { startStack, type RoleProcess, type Stack } from '../support/stack';

/** More than any test here opens beside. */
const MAX_SOCKETS = 6;
const DEPOSITS_A_MINUTE = 4;
const CHANNELS = ['orders', 'fills', 'positions', 'balances', 'trades', 'account'] as const;

describe.each([
  ['on Redis', true],
  ['without Redis, through the hub', false],
])('two API processes %s', (_what, redis) => {
  let stack: Stack;
  let second: RoleProcess;
  let secondUrl = '';
  beforeAll(async () => {
    stack = await startStack({ redis, environment: { SUREFILL_LIMIT_SOCKETS: String(MAX_SOCKETS), SUREFILL_SEAT_LEASE_MS: '8000', SUREFILL_LIMIT_DEPOSITS: `${DEPOSITS_A_MINUTE}/min` } });
    const port = await freePort();
    secondUrl = `http://127.0.0.1:${port}`;
    second = stack.another('api', { PORT: String(port) });
    await second.start();
  }, 180_000);
  afterAll(async () => {
    await stack.stop();
  });

  /** Accepted, once there is a price to judge it by. */
  async function placed(order: Readonly<Record<string, string>>): Promise<string> {
    return stack.client.until('an order to be accepted', async () => {
      const { status, body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', quantity: '0.01', ...order });
      if (status === 422) throw new Error(JSON.stringify(body));
      return body.id;
    });
  }
  /** Rests below the market, then is canceled. */
  async function placeAndCancel(): Promise<ApiOrder> {
    const id = await placed({ type: 'limit', limitPrice: '1000' });
    await stack.client.untilState(id, 'WORKING');
    await stack.client.call('DELETE', `/api/v1/orders/${id}`);
    return stack.client.untilState(id, 'CANCELED');
  }
  /** It is filled at once. */
  async function buy(): Promise<void> {
    await stack.client.untilState(await placed({ type: 'market' }), 'FILLED');
  }
  async function listening(url: string): Promise<StreamClient> {
    const client = await StreamClient.connect(url, stack.client.key);
    for (const channel of CHANNELS) expect(await client.subscribe({ channel, accountId: stack.accountId })).toMatchObject({ sequence: expect.any(Number) });
    return client;
  }
  const seen = (client: StreamClient, channel: string): unknown[] => client.of(channel).map(({ sequence, type, generation }) => [sequence, type, generation]);
  async function alike(a: StreamClient, b: StreamClient): Promise<void> {
    await stack.client.until('both have all', async () => (CHANNELS.every((channel) => JSON.stringify(seen(a, channel)) === JSON.stringify(seen(b, channel))) ? true : null));
  }

  test('a client of either is told every event once, chained', async () => {
    const [here, there] = [await listening(stack.apiUrl), await listening(secondUrl)];
    const orders: ApiOrder[] = [];
    for (let n = 0; n < 5; n += 1) orders.push(await placeAndCancel());
    await buy();
    await stack.client.until('the last one here', async () => (here.of('fills').length > 0 && here.of('trades').length > 0 ? true : null));
    await alike(here, there);
    for (const client of [here, there]) {
      const canceled = client.of('orders').filter(({ type }) => type === 'order.canceled').map(({ data }) => (data['order'] as ApiOrder).id);
      expect(canceled).toEqual(orders.map(({ id }) => id));
      for (const channel of CHANNELS) {
        const events = client.of(channel);
        expect(events.slice(1).map(({ previousSequence }) => previousSequence)).toEqual(events.slice(0, -1).map(({ sequence }) => sequence));
      }
      client.close();
    }
  }, 120_000);

  test('a price is told at both', async () => {
    const clients = await Promise.all([stack.apiUrl, secondUrl].map((url) => StreamClient.connect(url, stack.client.key)));
    for (const client of clients) await client.subscribe({ channel: 'prices', venue: 'paper', symbol: 'BTC-PERP' });
    await stack.client.until('a price at both', async () => (clients.every((client) => client.of('prices').length > 0) ? true : null));
    for (const client of clients) {
      expect(client.of('prices')[0]).toMatchObject({ type: 'price.updated', data: { symbol: 'BTC-PERP', stale: false } });
      client.close();
    }
  }, 120_000);

  test('one whose process is killed resumes at the other: every event once over both', async () => {
    const witness = await listening(stack.apiUrl);
    const client = await StreamClient.connect(secondUrl, stack.client.key);
    const began = (await client.subscribe({ channel: 'orders', accountId: stack.accountId })) as { sequence: number; generation: string };
    await placeAndCancel();
    await stack.client.until('some of it', async () => (client.of('orders').length > 0 ? true : null));
    await second.kill();
    await placeAndCancel();
    const before = client.of('orders');
    client.close();
    const back = await StreamClient.connect(stack.apiUrl, stack.client.key);
    const answer = await back.subscribe({ channel: 'orders', accountId: stack.accountId, sinceSequence: before.at(-1)?.sequence, generation: began.generation });
    expect(answer).toEqual({ snapshot: null, sequence: before.at(-1)?.sequence, generation: began.generation });
    await placeAndCancel();
    const both = (): unknown[] => [...before, ...back.of('orders')].map(({ sequence, previousSequence, type }) => [previousSequence, sequence, type]);
    await stack.client.until('the last', async () => (back.of('orders').at(-1)?.type === 'order.canceled' && back.of('orders').at(-1)?.sequence === witness.of('orders').at(-1)?.sequence ? true : null));
    expect(both()).toEqual(witness.of('orders').map(({ sequence, previousSequence, type }) => [previousSequence, sequence, type]));
    for (const each of [witness, back]) each.close();
    await second.start();
  }, 120_000);

  test('an Idempotency-Key that both are given at once is one order, and another body under it is refused by both', async () => {
    const there = new ApiClient(secondUrl, stack.client.key);
    const order = { accountId: stack.accountId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' };
    const atBoth = (key: string, quantities: readonly string[]): Promise<ApiAnswer<ApiOrder & ErrorBody>[]> =>
      Promise.all(Array.from({ length: 20 }, (_, n) => [stack.client, there][n % 2]?.place({ ...order, quantity: quantities[n % quantities.length] }, { 'idempotency-key': key }, '?timeoutMs=30000') ?? Promise.reject(new Error('no client'))));
    const [same, torn] = [randomUUID(), randomUUID()];
    const before = (await stack.sim.orders()).length;
    const answers = await atBoth(same, ['0.01']);
    expect(answers.map(({ status }) => status).filter((status) => status !== 201)).toEqual([]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const mixed = await atBoth(torn, ['0.01', '0.01', '0.02', '0.02']);
    expect(new Set(mixed.filter(({ status }) => status === 201).map(({ body }) => body.id)).size).toBe(1);
    expect(mixed.filter(({ status }) => status !== 201).map(({ status, body }) => [status, body.error.code])).toEqual(Array.from({ length: 10 }, () => [422, 'IDEMPOTENCY_MISMATCH']));
    for (const client of [stack.client, there]) expect((await client.place({ ...order, quantity: '0.03' }, { 'idempotency-key': same })).status).toBe(422);
    expect((await stack.sim.orders()).length - before).toBe(2);
  }, 120_000);

  test('a rate is counted over both', async () => {
    const there = new ApiClient(secondUrl, stack.client.key);
    const startedMs = Date.now();
    const statuses: number[] = [];
    for (let n = 0; n < 4 * DEPOSITS_A_MINUTE; n += 1) statuses.push((await [stack.client, there][n % 2]?.call('POST', '/api/v1/deposits', {}))?.status ?? 0);
    const refilled = ((Date.now() - startedMs) / 60_000) * DEPOSITS_A_MINUTE;
    expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(DEPOSITS_A_MINUTE + Math.ceil(refilled));
    expect(statuses[0]).not.toBe(429);
  }, 120_000);

  test('behind a balancer that knows nothing of clients, REST answers and sockets hear', async () => {
    const targets = [stack.apiUrl, secondUrl].map((url) => Number(new URL(url).port));
    let connections = 0;
    const balancer = createServer((inward) => {
      const outward = connect(targets[connections++ % targets.length] ?? 0, '127.0.0.1');
      inward.pipe(outward).pipe(inward);
      for (const [one, other] of [[inward, outward], [outward, inward]] as const) one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }).listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    const url = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}`;
    const clients = [await listening(url), await listening(url)];
    const { body } = await new ApiClient(url, stack.client.key).place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
    await stack.client.until('both to hear', async () => (clients.every((client) => client.of('orders').some(({ data }) => (data['order'] as ApiOrder).id === body.id && (data['order'] as ApiOrder).state === 'WORKING')) ? true : null));
    for (const each of clients) each.close();
    balancer.close();
  }, 120_000);

  // PostgreSQL counts them, whatever stands between the processes.
  if (!redis) return;
  test('the sockets of a user are counted over both; those of one that is killed are free for others once its lease has ended', async () => {
    /** Sockets that the tests before left may still be counted. */
    const connected = (url: string): Promise<StreamClient> => stack.client.until(`a socket at ${url}`, () => StreamClient.connect(url, stack.client.key));
    const refused = async (url: string): Promise<void> => {
      await expect(StreamClient.connect(url, stack.client.key)).rejects.toThrow(`at most ${MAX_SOCKETS} sockets per user`);
    };
    const here: StreamClient[] = [];
    const there: StreamClient[] = [];
    for (let n = 0; n < MAX_SOCKETS; n += 2) {
      here.push(await connected(stack.apiUrl));
      there.push(await connected(secondUrl));
    }
    for (const url of [stack.apiUrl, secondUrl]) await refused(url);
    await second.kill();
    for (const each of there) each.close();
    const freed: StreamClient[] = [];
    while (freed.length < there.length) freed.push(await connected(stack.apiUrl));
    await refused(stack.apiUrl);
    // Whoever sat at the living one was never put out.
    expect(here.filter(({ socket }) => socket.connected)).toHaveLength(here.length);
    for (const each of [...here, ...freed]) each.close();
    await second.start();
  }, 120_000);
});
