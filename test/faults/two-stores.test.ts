/**
 * S15: PostgreSQL is restored from a backup, or Temporal's store loses its last commits. Entries wait, exits pass, both agree
 * again, and a client's retry of an order made after the backup places nothing.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import type { ApiAnswer, ApiOrder, ErrorBody } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { temporaryFolder } from '../support/servers';
import { StreamClient } from '../support/socket-client';
import { startStack, type Stack } from '../support/stack';
import { waitingOrdersComeBack } from './two-stores-waiting';
import { queried } from '../support/queried';

let stack: Stack;
beforeEach(async () => {
  stack = await startStack();
}, 180_000);
afterEach(async () => {
  await stack.stop();
}, 60_000);

const MARKET = 'BTC-PERP';
const farBelow = { symbol: MARKET, side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;
type Placed = ApiAnswer<ApiOrder & ErrorBody>;

const place = (clientOrderId: string, terms: Readonly<Record<string, unknown>> = {}): Promise<Placed> => stack.client.place({ accountId: stack.accountId, clientOrderId, ...farBelow, ...terms });

/** Sends the same until it is answered, as a caller is told to. */
async function placed(clientOrderId: string, terms: Readonly<Record<string, unknown>> = {}): Promise<ApiOrder> {
  const { status, body } = await stack.client.until(`an answer for ${clientOrderId}`, async () => {
    const answer = await place(clientOrderId, terms);
    return answer.status < 500 ? answer : null;
  });
  if (status !== 201 && status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function venueOrdersOf(clientIds: readonly string[]): Promise<number> {
  const named = new Set((await stack.client.orders(`status=all&accountId=${stack.accountId}`)).filter((order) => clientIds.includes(order.clientOrderId)).map((order) => order.venueOrderId));
  return (await stack.sim.orders()).filter((order) => named.has(order.orderId)).length;
}

interface Ready {
  readonly entries: { readonly status: string; readonly detail: string | null };
}
const entries = async (): Promise<Ready['entries']> => (await stack.client.call<Ready>('GET', '/readyz')).body.entries;
const entriesPass = (): Promise<true> => stack.client.until('entries to pass', async () => ((await entries()).status === 'open' ? true : null), 120_000);

/** The one value that PostgreSQL answers. */
async function asked(sql: string): Promise<string> {
  return String(Object.values((await queried<Record<string, unknown>>(stack.postgres.url, sql))[0] ?? {})[0]);
}

const dataFolder = (): Promise<string> => asked('SHOW data_directory');
const beat = async (): Promise<number> => Number(await asked("SELECT max((value ->> 'beat')::int) FROM settings WHERE value ? 'beat'"));

/** What the restored database lacks was found, read back, and both agree: by the worker's own words, because a reader may not have noticed yet. */
async function recovered(): Promise<void> {
  await stack.client.until('the loss to be noticed and mended', async () => {
    const log = stack.worker.log();
    const noticed = log.indexOf('the stores differ');
    return noticed >= 0 && log.includes('PostgreSQL and Temporal agree again', noticed) ? true : null;
  }, 120_000);
  await stack.client.until('the API to read again', async () => ((await stack.client.call('GET', '/api/v1/accounts')).status === 200 ? true : null));
  await entriesPass();
}

/** A cold copy, as an operator makes it: it looks the same as the original in everything but what it lacks. */
async function backUp(): Promise<{ restore(): Promise<void> }> {
  const data = await dataFolder();
  const copy = path.join(temporaryFolder('backup'), 'data');
  const copied = await beat();
  await stack.postgres.stop();
  execFileSync('cp', ['-a', data, copy]);
  await stack.postgres.start();
  await entriesPass();
  // Temporal remembers a beat once the next one begins: with two more it knows one that the copy lacks.
  await stack.client.until('two beats after the backup', async () => ((await beat()) >= copied + 2 ? true : null));
  return {
    restore: async () => {
      await stack.postgres.stop();
      rmSync(data, { recursive: true });
      execFileSync('cp', ['-a', copy, data]);
      await stack.postgres.start();
    },
  };
}

describe('S15: PostgreSQL is restored from a backup', () => {
  test('orders since the backup come back, retries place nothing again, entries wait and exits pass, streams get resync', async () => {
    const kept = await placed('kept');
    const held = await placed('held', { type: 'market', timeInForce: 'IOC', quantity: '0.02', limitPrice: undefined });
    await stack.client.untilState(held.id, 'FILLED');
    const backup = await backUp();
    await stack.client.until('the API to read again', async () => ((await stack.client.order(kept.id)).state === 'WORKING' ? true : null));

    const live = await StreamClient.connect(stack.apiUrl, stack.client.key);
    await live.subscribe({ channel: 'orders', accountId: stack.accountId });
    const alone = await placed('alone');
    // The database has just come back: an item that is answered 503 is sent again with its id, as it says.
    const together = await stack.client.until('every order of the batch to be recorded', async () => {
      const answer = await stack.client.call<{ results: { orderId: string | null }[] }>('POST', '/api/v1/orders/batch', {
        orders: ['b0', 'b1', 'b2'].map((clientOrderId) => ({ accountId: stack.accountId, clientOrderId, ...farBelow })),
      });
      const ids = answer.body.results.flatMap(({ orderId }) => orderId ?? []);
      return ids.length === 3 ? ids : null;
    });
    expect(together.map((id) => id.length)).toEqual([36, 36, 36]);
    const keyed = await stack.client.place({ accountId: stack.accountId, ...farBelow }, { 'idempotency-key': 'after-the-backup' });
    const bought = await placed('bought', { type: 'market', timeInForce: 'IOC', quantity: '0.01', limitPrice: undefined });
    await stack.client.untilState(bought.id, 'FILLED');
    const denied = await place('denied', { limitPrice: '999999999', quantity: '1000000000' });
    expect(denied.status).toBe(422);
    const atVenue = (await stack.sim.orders()).length;

    // Held so that the second phase stays open: entries of the account wait for its look at everything, which reads positions; an exit needs none.
    const look = await stack.sim.fault({ kind: 'hold', count: 1_000, match: { method: 'GET', path: '/positions' } });
    await backup.restore();
    // One that is asked before the restored database is noticed may be taken, and is then like any other.
    const probes: string[] = [];
    const refused = await stack.client.until('an entry to be held back', async () => {
      const clientOrderId = `entry-${randomUUID()}`;
      probes.push(clientOrderId);
      const answer = await place(clientOrderId);
      return answer.status === 503 && answer.body.error?.message.startsWith('entries are held back') ? answer : null;
    });
    expect(refused.body.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', retryable: true, outcome: 'unknown' });
    expect(refused.headers.get('retry-after')).toBe('1');
    const exit = await stack.client.until('an exit to pass', async () => {
      const answer = await place('exit', { side: 'sell', type: 'market', timeInForce: 'IOC', quantity: '0.005', limitPrice: undefined, reduceOnly: true });
      return answer.status === 201 || answer.status === 202 ? answer.body : null;
    });
    await stack.client.untilState(exit.id, 'FILLED');
    expect((await entries()).status).toBe('held');
    const canceled = await stack.client.call('DELETE', `/api/v1/orders/${kept.id}`);
    expect([200, 202]).toContain(canceled.status);
    await stack.client.untilState(kept.id, 'CANCELED');
    await stack.sim.release(look);
    await entriesPass();

    // Every retry meets its order: by client id, by key, each of a batch, and the one that was refused.
    for (const [clientOrderId, id] of [['alone', alone.id], ...together.map((id, index) => [`b${index}`, id])]) expect((await placed(clientOrderId ?? '')).id).toBe(id);
    const again = await stack.client.place({ accountId: stack.accountId, ...farBelow }, { 'idempotency-key': 'after-the-backup' });
    expect([again.status < 300, again.body.id]).toEqual([true, keyed.body.id]);
    expect((await placed('bought', { type: 'market', timeInForce: 'IOC', quantity: '0.01', limitPrice: undefined })).id).toBe(bought.id);
    await stack.client.untilState(bought.id, 'FILLED');
    expect((await place('denied', { limitPrice: '999999999', quantity: '1000000000' })).status).toBeGreaterThanOrEqual(400);
    expect((await stack.sim.orders()).length).toBe(atVenue + 1 + (await venueOrdersOf(probes)));
    expect(await venueOrdersOf(['alone', 'b0', 'b1', 'b2', 'kept', 'held', 'bought', 'exit'])).toBe(8);
    await stack.client.until('resync', async () => (live.notices.some((notice) => notice.kind === 'resync') ? true : null));
    live.close();

    const late = await placed('entry-afterwards');
    await stack.client.untilState(late.id, 'WORKING');
    await settledAndBalanced(stack);
    const { body } = await stack.client.call<{ positions: { symbol: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`);
    expect(Number(body.positions.find((position) => position.symbol === MARKET)?.quantity)).toBeCloseTo(0.025, 9);
    const external = (await stack.client.orders(`status=all&accountId=${stack.accountId}`)).filter((order) => order.origin === 'EXTERNAL');
    expect(external).toEqual([]);
  }, 400_000);

  waitingOrdersComeBack({ stack: () => stack, placed, recovered, backUp });

  test('an order whose outcome nobody had heard when the database went back is found at the venue, not sent again', async () => {
    const backup = await backUp();
    const before = (await stack.sim.orders()).length;
    const hold = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: '/orders' } });
    // Its connection breaks with the database: the caller sends the same until it is answered.
    const waiting = placed('unheard');
    await stack.client.until('the venue to have it', async () => ((await stack.sim.orders()).length > before ? true : null));
    await backup.restore();
    await stack.sim.release(hold);
    await waiting;
    await entriesPass();
    const order = await placed('unheard');
    await stack.client.untilState(order.id, 'WORKING');
    await settledAndBalanced(stack);
    expect((await stack.sim.orders()).length - before).toBe(1);
  }, 300_000);

  test('PostgreSQL started anew and whole: entries pass again by themselves, and nothing was read back', async () => {
    const before = await placed('before');
    await stack.postgres.kill('SIGQUIT');
    await stack.postgres.restart();
    const after = await placed('after');
    await stack.client.untilState(after.id, 'WORKING');
    expect((await placed('before')).id).toBe(before.id);
    expect(stack.worker.log()).not.toContain('the stores differ');
    await settledAndBalanced(stack);
  }, 200_000);
});
