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

/** Verifies every request as the library does; `up` says what it answers, and one request can be held. */
class Endpoint {
  readonly calls: Call[] = [];
  mode: 'down' | 'up' | 'hold' = 'up';
  secret = '';
  url = '';
  private held: { readonly call: Call; readonly response: ServerResponse } | null = null;
  private readonly server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => this.take(Buffer.concat(parts).toString('utf8'), request.headers, response));
  });

  async start(): Promise<void> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  get holds(): Call | null {
    return this.held?.call ?? null;
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
    if (this.mode === 'hold' && this.held === null) {
      this.held = { call, response };
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

test('events of an endpoint that was down and of a worker that died in a delivery all arrive, in order per order, each once under one id', async () => {
  const { client } = stack;
  const made = await client.call<{ secret: string; webhook?: { id: string }; id?: string }>('POST', '/api/v1/webhooks', { url: endpoint.url, eventTypes: ['order.*'], accountIds: [stack.accountId] });
  expect(made.status).toBe(201);
  endpoint.secret = made.body.secret;
  const webhookId = made.body.webhook?.id ?? made.body.id ?? '';
  const expected = async (): Promise<string[]> => {
    const { rows } = await database.query<{ type: string; sequence: string }>(`SELECT type, sequence FROM events WHERE stream = $1 AND type LIKE 'order.%' ORDER BY sequence`, [`account:${stack.accountId}`]);
    return rows.map(({ type, sequence }) => `${type}/${sequence}`);
  };
  const names = (calls: readonly Call[]): string[] => calls.map(({ type, sequence }) => `${type}/${sequence}`);
  const allArrive = (): Promise<true> =>
    client.until('every event to arrive', async () => {
      const [wanted, arrived] = [await expected(), new Set(names(delivered()))];
      return wanted.length > 0 && wanted.every((name) => arrived.has(name)) ? true : null;
    });

  // Commits wake the workflow: nobody waits for its next look, a minute later.
  await placeAndCancel(1);
  await allArrive();

  // Down for two orders, whose first event each holds back the rest: too few failures for the breaker.
  endpoint.mode = 'down';
  await placeAndCancel(2);
  await client.until('a delivery to fail', async () => (endpoint.calls.some(({ code }) => code === 500) ? true : null));

  // Back, but slow: the worker dies while the answer to one delivery is awaited.
  endpoint.mode = 'hold';
  await client.until('a delivery to be under way', async () => (endpoint.holds === null ? null : true));
  await stack.worker.kill();
  endpoint.mode = 'up';
  await stack.worker.start();
  await placeAndCancel(1);
  await allArrive();

  // Nothing is missing, nothing is strange, and no event has a second success.
  expect(names(delivered()).sort()).toEqual((await expected()).sort());
  const held = endpoint.holds;
  expect(endpoint.calls.filter(({ id }) => id === held?.id).map(({ code }) => code)).toEqual(expect.arrayContaining([null, 204]));
  const idsOf = new Map<string, Set<string>>();
  for (const call of endpoint.calls) idsOf.set(`${call.type}/${call.sequence}`, (idsOf.get(`${call.type}/${call.sequence}`) ?? new Set()).add(call.id));
  expect([...idsOf.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  for (const orderId of new Set(delivered().map((call) => call.orderId))) {
    const sequences = delivered().filter((call) => call.orderId === orderId).map(({ sequence }) => sequence);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  }
  // The rows say the same: all delivered, the attempt that was cut is named.
  await client.until('every delivery to be settled', async () => ((await client.call<{ waiting: number }>('GET', `/api/v1/webhooks/${webhookId}`)).body.waiting === 0 ? true : null));
  const { rows } = await database.query<{ status: string; count: number }>('SELECT status, count(*)::int AS count FROM webhook_deliveries WHERE endpoint_id = $1 GROUP BY status', [webhookId]);
  expect(rows).toEqual([{ status: 'delivered', count: (await expected()).length }]);
  const cut = await database.query<{ error_class: string }>('SELECT error_class FROM webhook_attempts WHERE delivery_id = $1 AND error_class IS NOT NULL', [held?.id]);
  expect(cut.rows.map((row) => row.error_class)).toContain('interrupted');
  await settledAndBalanced(stack);
}, 120_000);
