/** Load on the REST API from a process of its own. One JSON argument: see RestLoad. Prints a Measurement. */
import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { measure } from './measure';

export interface RestLoad {
  readonly url: string;
  readonly key: string;
  readonly accountIds: readonly string[];
  readonly count: number;
  readonly concurrency: number;
  /** placeAndCancel times only the cancels. */
  readonly what: 'place' | 'placeAndCancel';
}

/** Far below any market: it rests, and reserves little. */
const RESTING = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' };

/** Between two questions about an order that was answered 202. */
const ASK_AGAIN_MS = 50;

async function run(load: RestLoad): Promise<void> {
  const pool = new Pool(load.url, { connections: load.concurrency });
  const request = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<{ id: string }> => {
    const answer = await pool.request({
      method,
      path,
      headers: { authorization: `Bearer ${load.key}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 202) return acknowledged(JSON.parse(text) as { id: string });
    if (answer.statusCode !== 200 && answer.statusCode !== 201) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`);
    return JSON.parse(text) as { id: string };
  };
  /** An answer that came too late for its request: the time until the order itself is acknowledged counts. */
  const acknowledged = async (order: { id: string }): Promise<{ id: string }> => {
    for (;;) {
      const { state } = (await request('GET', `/api/v1/orders/${order.id}`)) as { id: string; state?: string };
      if (state !== 'SUBMITTING' && state !== 'SUBMITTED' && state !== 'UNKNOWN') return order;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  };
  const place = (index: number): Promise<{ id: string }> =>
    request('POST', '/api/v1/orders?timeoutMs=30000', { accountId: load.accountIds[index % load.accountIds.length], clientOrderId: randomUUID(), ...RESTING });
  if (load.what === 'place') {
    process.stdout.write(`${JSON.stringify(await measure(async (index) => void (await place(index)), load.count, load.concurrency))}\n`);
  } else {
    const ids: string[] = [];
    for (let index = 0; index < load.count; index += 1) ids.push((await place(index)).id);
    process.stdout.write(`${JSON.stringify(await measure(async (index) => void (await request('DELETE', `/api/v1/orders/${ids[index]}`)), load.count, load.concurrency))}\n`);
  }
  await pool.close();
}

void run(JSON.parse(process.argv[2] ?? '{}') as RestLoad);
