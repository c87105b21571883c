/** S24 with real servers: a level crossed while the watcher runs, and one traded through while every watcher is down. S52: nothing fires early, whatever the venue's clock says. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
let database: Client;
beforeAll(async () => {
  stack = await startStack();
  database = new Client({ connectionString: stack.postgres.url });
  await database.connect();
}, 180_000);
afterAll(async () => {
  await database.end();
  await stack.stop();
});

async function mark(): Promise<number> {
  const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
  return Number(markets.find((market) => market.symbol === 'BTC-PERP')?.mark);
}

/** Armed as a workflow does it, for a workflow that does not exist. */
async function arm(kind: 'level' | 'trailing', priceType: string, triggerPrice: string | null, offset: string | null): Promise<string> {
  const id = randomUUID();
  await database.query(
    `INSERT INTO triggers(id, user_id, account_id, workflow_id, venue, symbol, kind, price_type, direction, trigger_price, trailing_offset, trailing_offset_type, gap_policy, revision, status, armed_at_ms, checkpoint_at_ms, changed_at)
     VALUES ($1, 'u', $2, 'order/none', 'paper', 'BTC-PERP', $3, $4, 'atOrBelow', $5, $6, $7, 'traded', 1, 'ARMED', $8, $8, now())`,
    [id, stack.accountId, kind, priceType, triggerPrice, offset, offset === null ? null : 'percent', Date.now()],
  );
  return id;
}

async function row(id: string): Promise<{ status: string; extreme: string | null; evidence: Record<string, unknown> | null }> {
  const { rows } = await database.query('SELECT status, extreme::text AS extreme, evidence FROM triggers WHERE id = $1', [id]);
  return rows[0] as { status: string; extreme: string | null; evidence: Record<string, unknown> | null };
}

/** Whatever the venue's clock is made to say. */
const WELL_AFTER_MS = 120_000;

async function venueOrder(side: 'buy' | 'sell'): Promise<void> {
  const answer = await fetch(`${stack.simulator.url}/orders`, { method: 'POST', headers: { 'x-paper-key': stack.venueKey, 'content-type': 'application/json' }, body: JSON.stringify({ expiresAt: Date.now() + WELL_AFTER_MS, orders: [{ clientId: randomUUID().replaceAll('-', ''), symbol: 'BTC-PERP', side, type: 'market', quantity: '0.001', timeInForce: 'IOC' }] }) });
  expect(answer.status).toBe(200);
}

test('a level that the mark reaches fires with its evidence, one that it does not reach waits', async () => {
  const price = await mark();
  const id = await arm('level', 'mark', String(Math.floor(price * 0.98)), null);
  const far = await arm('level', 'mark', String(Math.floor(price * 0.5)), null);
  await stack.sim.price('BTC-PERP', String(Math.floor(price * 0.97)));
  const fired = await stack.client.until('it fired', async () => ((await row(id)).status === 'FIRED' ? row(id) : null));
  expect(fired.evidence).toMatchObject({ priceType: 'mark', origin: 'stream', source: 'paper', backup: false });
  expect((await row(far)).status).toBe('ARMED');
}, 60_000);

test('the peak happens while every watcher is down: on return the mark includes it', async () => {
  await venueOrder('buy');
  const price = await mark();
  // The first price it follows must be of the trade above: the ticker before it still tells of the one before.
  const id = await stack.client.until('a trigger that follows the last trade', async () => {
    const armed = await arm('trailing', 'last', null, '2');
    const { extreme } = await stack.client.until('its first extreme', async () => ((await row(armed)).extreme === null ? null : row(armed)));
    return Math.abs(Number(extreme) - price) < price * 0.01 ? armed : null;
  });
  await stack.watcher.kill();
  await stack.sim.price('BTC-PERP', String(Math.floor(price * 1.05)));
  await venueOrder('buy');
  await stack.sim.price('BTC-PERP', String(Math.floor(price * 1.02)));
  await venueOrder('sell');
  await stack.watcher.start();
  const fired = await stack.client.until('it fired', async () => ((await row(id)).status === 'FIRED' ? row(id) : null));
  expect(fired.evidence).toMatchObject({ origin: 'trades', epoch: 2 });
  expect(Number(fired.evidence?.['extreme'])).toBeGreaterThan(price * 1.045);
}, 90_000);

afterEach(() => stack.sim.clearFaults());

// Upwards: a venue whose clock is set back tells of earlier trades as later ones, and nobody can know better.
test.each([-60_000, -2_000, 2_000, 60_000])('S52: the venue\'s clock is %i ms ahead: what was traded before a stop was armed does not fire it, heard or read back; what is traded after does', async (offsetMs) => {
  await stack.sim.fault({ kind: 'skewClock', offsetMs });
  await stack.sim.price('BTC-PERP', '50000');
  await venueOrder('buy');
  // The level that is armed next was traded just now.
  await stack.sim.price('BTC-PERP', '49400');
  await venueOrder('sell');
  await stack.sim.price('BTC-PERP', '50000');
  await venueOrder('buy');
  const [stop, canary] = [await arm('level', 'last', '49500', null), await arm('level', 'last', '49800', null)];
  await stack.watcher.kill();
  await stack.watcher.start();
  await stack.sim.price('BTC-PERP', '49700');
  await venueOrder('sell');
  const evidence = (await stack.client.until('the nearer one fired', async () => ((await row(canary)).status === 'FIRED' ? row(canary) : null))).evidence;
  expect(Number(evidence?.['price'])).toBeGreaterThan(49_600);
  expect((await row(stop)).status).toBe('ARMED');
  await stack.sim.price('BTC-PERP', '49400');
  await venueOrder('sell');
  await stack.client.until('it fired', async () => ((await row(stop)).status === 'FIRED' ? true : null));
}, 120_000);
