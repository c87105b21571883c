/** On a database that PostgreSQL never analysed: what one order costs does not grow with the orders its account has already. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { fillOf, intentFor, OWNER, openStoreWorld, seen, viewOf, type StoreWorld } from './harness';

const GROUPS = 20;
const GROUP_SIZE = 20;
/** Each step looks a row up by a key of its own, and there are a dozen steps. A look at all of the account's would be 200 on average. */
const MOST_ROWS_OF_AN_ORDER = 40;

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

/** A connection tells what it read when it ends, at the latest. */
async function untilTold(client: Client): Promise<void> {
  const others = `FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
  await client.query(`SELECT pg_terminate_backend(pid, 10000) ${others}`);
  expect((await client.query<{ left: number }>(`SELECT count(*)::int AS left ${others}`)).rows[0]?.left).toBe(0);
}

test('orders, answers, views, fills and lookups read the rows they name and no others of the account', async () => {
  const account = await world.newAccount({ balance: '10000000', limits: { maxOpenOrders: 10_000, maxPositionNotional: '10000000', maxOrderNotional: '1000000' } });
  const writer = await world.store.watching.takeEpoch(`account:${account.id}`, 'first');
  const { store } = world;
  for (let group = 0; group < GROUPS; group += 1) {
    const intents = Array.from({ length: GROUP_SIZE }, () => intentFor(account));
    const recorded = await store.placing.recordOrders(intents, OWNER);
    expect(recorded.items.every(({ verdict }) => verdict === 'accepted')).toBe(true);
    await store.evidence.apply(intents.map((intent) => ({ orderId: intent.id, evidence: seen(viewOf(intent)) })));
    await store.watching.applyVenueOrders(writer, account.id, intents.map((intent) => viewOf(intent, { revision: 2 })), 'stream');
    await store.watching.applyFills(writer, account.id, intents.map((intent) => fillOf(intent, { quantity: '1' })));
    expect(await store.orders.byClientId(account.id, intents[0]?.clientOrderId ?? '')).not.toBeNull();
    expect(await store.orders.withoutRow(intents)).toEqual([]);
  }
  const client = new Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    await untilTold(client);
    const { rows } = await client.query<{ table: string; read: number }>(`SELECT relname AS "table", (idx_tup_fetch + seq_tup_read)::float8 AS read FROM pg_stat_user_tables WHERE relname IN ('orders', 'fills') ORDER BY 1`);
    const orders = GROUPS * GROUP_SIZE;
    expect(rows.map(({ table }) => table)).toEqual(['fills', 'orders']);
    expect(rows.filter(({ read }) => read / orders > MOST_ROWS_OF_AN_ORDER).map(({ table, read }) => `${table}: ${(read / orders).toFixed(1)} rows an order`)).toEqual([]);
  } finally {
    await client.end();
  }
});
