/** S40 over real processes: a receiver that is down while orders are placed, a worker killed while the receiver holds its answer. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { Webhook } from 'standardwebhooks';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack } from '../support/stack';

interface Body {
  readonly type: string;
  readonly stream: string;
  readonly sequence: number;
  readonly orderId: string | null;
}

interface Call extends Body {
  readonly id: string;
  /** What was answered; null: nothing yet, or nobody was there to hear it. */
  code: number | null;
}

/** Verifies every request as the library does. What is sent while it holds is never answered. */
class Endpoint {
  readonly calls: Call[] = [];
  mode: 'down' | 'up' | 'hold' = 'up';
  secret = '';
  url = '';
  readonly held: Call[] = [];
  private readonly server = createServer((request, response) => {
    if (request.method === 'GET') return response.writeHead(200, { connection: 'close' }).end();
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => this.take(Buffer.concat(parts).toString('utf8'), request.headers, response));
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** Once a sender is dead: what it had written is read, each of its connections has ended. */
  async everySenderIsGone(): Promise<void> {
    // Connections are accepted in the order they were made: after this one, none of the dead is still in the queue.
    await (await fetch(this.url)).text();
    await stack.client.until('the connections of the dead worker to end', () => new Promise<true | null>((resolve, reject) => this.server.getConnections((error, count) => (error === null ? resolve(count === 0 ? true : null) : reject(error)))));
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private take(text: string, headers: IncomingHttpHeaders, response: ServerResponse): void {
    const signed = { 'webhook-id': String(headers['webhook-id']), 'webhook-timestamp': String(headers['webhook-timestamp']), 'webhook-signature': String(headers['webhook-signature']) };
    const { type, stream, sequence, orderId } = new Webhook(this.secret).verify(text, signed) as Body;
    const call: Call = { id: signed['webhook-id'], type, stream, sequence, orderId, code: null };
    this.calls.push(call);
    if (this.mode === 'hold') {
      this.held.push(call);
      return;
    }
    call.code = this.mode === 'down' ? 500 : 204;
    response.writeHead(call.code).end();
  }
}

let stack: Stack;
let database: Client;
const endpoint = new Endpoint();
beforeAll(async () => {
  await endpoint.start();
  stack = await startStack({ environment: { SUREFILL_WEBHOOK_HTTP: 'allowed', SUREFILL_WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1/32' } });
  database = new Client({ connectionString: stack.postgres.url });
  await database.connect();
}, 180_000);
afterAll(async () => {
  await database.end();
  await stack.stop();
  await endpoint.stop();
});

let placed = 0;
async function placeAndCancel(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    placed += 1;
    const { body } = await stack.client.place({ accountId: stack.accountId, clientOrderId: `hooked-${placed}`, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' });
    await stack.client.untilState(body.id, 'WORKING');
    await stack.client.call('DELETE', `/api/v1/orders/${body.id}`);
    await stack.client.untilState(body.id, 'CANCELED');
  }
}

const delivered = (): Call[] => endpoint.calls.filter(({ code }) => code === 204);
const nameOf = ({ type, sequence }: Pick<Body, 'type' | 'sequence'>): string => `${type}/${sequence}`;

test('events of an endpoint that was down and of a worker that died in a delivery all arrive, in order per order, each once under one id', async () => {
  const { client } = stack;
  // Nothing is sent before the secret is known here: events of orders alone are wanted, and there is no order yet.
  const made = await client.call<{ id: string; secret: string }>('POST', '/api/v1/webhooks', { url: endpoint.url, eventTypes: ['order.*'], accountIds: [stack.accountId] });
  expect(made.status).toBe(201);
  endpoint.secret = made.body.secret;
  const webhookId = made.body.id;
  const committed = async (): Promise<string[]> => {
    const { rows } = await database.query<{ type: string; sequence: string }>(`SELECT type, sequence FROM events WHERE stream = $1 AND type LIKE 'order.%' ORDER BY sequence`, [`account:${stack.accountId}`]);
    return rows.map(({ type, sequence }) => `${type}/${sequence}`);
  };
  /** The deliveries' rows say that every event was delivered: no answer is on its way. */
  const allDelivered = (): Promise<string[]> =>
    client.until('every event to be delivered', async () => {
      const wanted = await committed();
      const { rows } = await database.query<{ name: string }>(`SELECT event_type || '/' || sequence AS name FROM webhook_deliveries WHERE endpoint_id = $1 AND status = 'delivered'`, [webhookId]);
      const done = new Set(rows.map(({ name }) => name));
      return wanted.length > 0 && wanted.every((name) => done.has(name)) ? wanted : null;
    });

  // Commits wake the workflow: nobody waits for its next look, a minute later.
  await placeAndCancel(1);
  await allDelivered();

  // Down for two orders: the first event of each holds back the rest, and is tried too seldom for the breaker.
  endpoint.mode = 'down';
  await placeAndCancel(2);
  await client.until('a delivery to fail', async () => (endpoint.calls.some(({ code }) => code === 500) ? true : null));

  // Back, but mute: a third order's first event is sent, and the worker dies while the answer to it is awaited.
  endpoint.mode = 'hold';
  await placeAndCancel(1);
  await client.until('a delivery to be under way', async () => (endpoint.held.length === 0 ? null : true));
  await stack.worker.kill();
  await endpoint.everySenderIsGone();

  // The owner says that it is back: however often it failed meanwhile, what waits is due.
  endpoint.mode = 'up';
  expect((await client.call('POST', `/api/v1/webhooks/${webhookId}/enable`)).status).toBe(200);
  await stack.worker.start();
  await placeAndCancel(1);
  const expected = await allDelivered();

  // Nothing is missing, nothing is strange, and no event has a second success.
  expect(delivered().map(nameOf).sort()).toEqual([...expected].sort());
  for (const { id } of endpoint.held) expect(endpoint.calls.filter((call) => call.id === id).map(({ code }) => code)).toEqual(expect.arrayContaining([null, 204]));
  const idsOf = new Map<string, Set<string>>();
  for (const call of endpoint.calls) idsOf.set(nameOf(call), (idsOf.get(nameOf(call)) ?? new Set()).add(call.id));
  expect([...idsOf.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  for (const orderId of new Set(delivered().map((call) => call.orderId))) {
    const sequences = delivered().filter((call) => call.orderId === orderId).map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  }
  // The rows say the same: all delivered, each attempt that was held is named (an attempt ends by itself after 15 s, if this was so slow).
  expect((await client.call<{ waiting: number }>('GET', `/api/v1/webhooks/${webhookId}`)).body.waiting).toBe(0);
  const { rows } = await database.query<{ status: string; count: number }>('SELECT status, count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY status', [webhookId]);
  expect(rows).toEqual([{ status: 'delivered', count: expected.length }]);
  const cut = await database.query<{ id: string }>(`SELECT DISTINCT delivery_id AS id FROM webhook_attempts WHERE delivery_id = ANY($1::text[]) AND error_class IN ('interrupted', 'timeout')`, [endpoint.held.map(({ id }) => id)]);
  expect(cut.rows.map(({ id }) => id).sort()).toEqual([...new Set(endpoint.held.map(({ id }) => id))].sort());
  await settledAndBalanced(stack);
}, 120_000);
