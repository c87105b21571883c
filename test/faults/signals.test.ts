/** An alert is one order, also where the API dies between taking it and placing it, or between placing it and saying so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
let database: Client;
let path = '';
let sourceId = '';
beforeAll(async () => {
  // Nothing here is about an order's deadline, however slow the machine.
  stack = await startStack({ environment: { SUREFILL_PLACE_DEADLINE_MS: '600000' } });
  database = new Client({ connectionString: stack.postgres.url });
  await database.connect();
  const { status, body } = await stack.client.call<{ id: string; path: string }>('POST', '/api/v1/signal-sources', {
    name: 'alerts', kind: 'order', maxDelaySeconds: 3_600,
    template: { accountId: stack.accountId, symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '{{n}}', limitPrice: '1000' },
    fields: { id: { kind: 'text' }, n: { kind: 'decimal' } },
  });
  expect(status).toBe(201);
  ({ path, id: sourceId } = body);
}, 180_000);
afterAll(async () => {
  await database.end();
  await stack.stop();
});

/** As TradingView sends it. Its answer is lost where the API dies: then null. */
async function alert(id: string): Promise<number | null> {
  return fetch(`${stack.apiUrl}${path}`, { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `{"id":"${id}","n":0.01}` }).then(({ status }) => status, () => null);
}

interface Row {
  readonly status: string;
  readonly orderState: string | null;
}

async function rowOf(alertId: string): Promise<Row | null> {
  const { rows } = await database.query<Row>(`SELECT s.status, o.state AS "orderState" FROM signals s LEFT JOIN orders o ON o.account_id = s.account_id AND o.client_order_id = s.client_id WHERE s.source_id = $1 AND s.alert_key = $2`, [sourceId, alertId]);
  return rows[0] ?? null;
}

const until = (alertId: string, words: string, is: (row: Row) => boolean): Promise<Row> =>
  stack.client.until(`alert ${alertId} to be ${words}`, async () => {
    const row = await rowOf(alertId);
    return row !== null && is(row) ? row : null;
  });

/** Another session that holds something, as a slow query would. */
async function holding(statement: string, parameters: readonly string[], work: () => Promise<void>): Promise<void> {
  const holder = new Client({ connectionString: stack.postgres.url });
  await holder.connect();
  try {
    await holder.query('BEGIN');
    await holder.query(statement, [...parameters]);
    await work();
    await holder.query('ROLLBACK');
  } finally {
    await holder.end();
  }
}

test('fifty at once, an API that dies before it placed one, an API that dies before it said so: an order each', async () => {
  // Taken, and no further: an order needs its market, which cannot be read for now.
  let answer: Promise<number | null> = Promise.resolve(null);
  await holding('LOCK TABLE markets IN ACCESS EXCLUSIVE MODE', [], async () => {
    answer = alert('dies-before');
    await until('dies-before', 'taken', ({ status }) => status === 'taken');
    await stack.api.kill();
    expect(await rowOf('dies-before')).toEqual({ status: 'taken', orderState: null });
  });
  await answer;
  await stack.api.start();
  await until('dies-before', 'placed', ({ status }) => status === 'placed');

  // Placed, and nobody can say so: its row is held from before the worker is there to place it.
  await stack.worker.kill();
  answer = alert('dies-after');
  await until('dies-after', 'taken', ({ status }) => status === 'taken');
  await holding('SELECT id FROM signals WHERE source_id = $1 AND alert_key = $2 FOR UPDATE', [sourceId, 'dies-after'], async () => {
    await stack.worker.start();
    await until('dies-after', 'an order', ({ orderState }) => orderState === 'WORKING');
    await stack.api.kill();
    expect((await rowOf('dies-after'))?.status).toBe('taken');
  });
  await answer;
  await stack.api.start();
  await until('dies-after', 'placed', ({ status }) => status === 'placed');

  const answers = await Promise.all(Array.from({ length: 50 }, () => alert('fifty')));
  expect(answers.filter((status) => status !== 200 && status !== 202)).toEqual([]);
  await until('fifty', 'placed', ({ status }) => status === 'placed');

  const orders = await stack.client.orders(`accountId=${stack.accountId}`);
  expect(orders.map(({ state, origin, quantity }) => [state, origin, quantity])).toEqual(Array.from({ length: 3 }, () => ['WORKING', 'SIGNAL', '0.01']));
  const { body } = await stack.client.call<{ signals: { alertId: string; status: string; orderId: string }[] }>('GET', `/api/v1/signal-sources/${sourceId}/signals`);
  expect(body.signals.map(({ alertId, status }) => [alertId, status]).sort()).toEqual([['dies-after', 'placed'], ['dies-before', 'placed'], ['fifty', 'placed']]);
  expect(new Set(body.signals.map(({ orderId }) => orderId))).toEqual(new Set(orders.map(({ id }) => id)));
  const told = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM events WHERE stream = $1 AND type = 'signal.placed'`, [`account:${stack.accountId}`]);
  expect(told.rows).toEqual([{ count: 3 }]);
  await settledAndBalanced(stack);
}, 180_000);
