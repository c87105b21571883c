/** Processes die or sleep while they place orders on Hyperliquid's protocol. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { ApiOrder } from '../support/api-client';
import { someoneWaitsForALock } from '../support/lock-waits';
import { startHyperliquidStack, type HyperliquidStack } from '../support/hyperliquid-stack';

const ORDER = { path: '/exchange/order' } as const;
/** Temporal gives tasks to the polls of a process that sleeps, too: each is lost for its time-out, until those polls end after 60 s. */
const SLEEPERS_POLLS_END_MS = 180_000;
/** Beyond that end: whoever takes over may still send the order then. */
const PLACE_DEADLINE_MS = 300_000;

let hl: HyperliquidStack;
beforeAll(async () => {
  // What is counted here is orders, however long a busy machine takes: none may be refused for being late meanwhile.
  hl = await startHyperliquidStack({ workers: 2, environment: { SUREFILL_PLACE_DEADLINE_MS: String(PLACE_DEADLINE_MS) } });
}, 180_000);
afterAll(() => hl.stop());
afterEach(() => hl.sim.clearFaults());

const client = () => hl.stack.client;

describe('S7: processes die or sleep, and intents are orders at the venue, 1 to 1', () => {
  /** Holds the account's row, and with it every transaction of the order path. */
  async function holdAccountRow(): Promise<{ waitedFor: () => Promise<void>; release: () => Promise<void> }> {
    const database = new Client({ connectionString: hl.stack.postgres.url });
    await database.connect();
    await database.query('BEGIN');
    await database.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [hl.accountId]);
    return {
      waitedFor: () => someoneWaitsForALock(database),
      release: async () => {
        await database.query('ROLLBACK');
        await database.end();
      },
    };
  }

  /** One order whose placing meets `disturb` on its way. */
  async function oneOrder(disturb: (placing: Promise<ApiOrder>) => Promise<void>): Promise<void> {
    const before = (await hl.atVenue()).length;
    const placing = hl.placed();
    await Promise.all([disturb(placing), placing]);
    await client().untilState((await placing).id, 'WORKING');
    expect((await hl.atVenue()).length - before).toBe(1);
    await hl.settled();
  }

  test('SIGKILL before the intent is recorded', async () => {
    const row = await holdAccountRow();
    await oneOrder(async () => {
      await row.waitedFor();
      await hl.killWorkers();
      await row.release();
      await hl.startWorkers();
    });
  }, 180_000);

  test.each([
    ['before the venue reads the request', true],
    ['after the venue took it, before its answer', false],
  ])('SIGKILL %s', async (_when, before) => {
    const held = await hl.sim.fault({ kind: 'hold', count: 1, match: ORDER, ...(before ? { before } : {}) });
    await oneOrder(async () => {
      await hl.sim.met(held);
      await hl.killWorkers();
      await hl.sim.release(held);
      await hl.startWorkers();
    });
  }, 180_000);

  test('SIGKILL after the acknowledgement, before it is committed', async () => {
    const held = await hl.sim.fault({ kind: 'hold', count: 1, match: ORDER });
    await oneOrder(async () => {
      await hl.sim.met(held);
      const row = await holdAccountRow();
      await hl.sim.release(held);
      await row.waitedFor();
      await hl.killWorkers();
      await row.release();
      await hl.startWorkers();
    });
  }, 180_000);

  test('SIGSTOP during the send past its time-out: the successor works, then the sleeper wakes', async () => {
    const [sleeper, successor] = hl.stack.workers;
    await successor?.stop();
    const held = await hl.sim.fault({ kind: 'hold', count: 1, before: true, match: ORDER });
    await oneOrder(async (placing) => {
      await hl.sim.met(held);
      await sleeper?.kill('SIGSTOP');
      await successor?.start();
      const { id } = await placing;
      await client().until('the successor to bring it to work', async () => ((await client().order(id)).state === 'WORKING' ? true : null), SLEEPERS_POLLS_END_MS);
      await hl.sim.release(held);
      await sleeper?.kill('SIGCONT');
    });
  }, 300_000);

  test.each([
    ['Temporal dies with SIGKILL', async () => { await hl.stack.temporal.kill('SIGKILL'); await hl.stack.temporal.start(); }],
    ['PostgreSQL dies as by -m immediate', async () => { await hl.stack.postgres.kill('SIGQUIT'); await hl.stack.postgres.restart(); }],
  ])('%s under load', async (_what, fault) => {
    const before = (await hl.atVenue()).length;
    const placing = Promise.all(Array.from({ length: 20 }, () => hl.placed()));
    await client().until('some orders at the venue', async () => ((await hl.atVenue()).length > before ? true : null));
    await fault();
    const orders = await placing;
    for (const { id } of orders) await client().untilState(id, 'WORKING');
    expect((await hl.atVenue()).length - before).toBe(orders.length);
    await hl.settled();
  }, 240_000);
});
