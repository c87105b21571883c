/** S7: processes and servers die at each point of an order's way. Intents and venue orders stay 1 to 1. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import type { ApiOrder } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { someoneWaitsForALock } from '../support/lock-waits';
import { startStack, type Stack } from '../support/stack';

let stack: Stack;
beforeAll(async () => {
  // What is counted here is orders, however long a busy machine takes to start a worker: none may be refused for being late meanwhile.
  stack = await startStack({ workers: 2, environment: { SUREFILL_PLACE_DEADLINE_MS: '60000' } });
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW_TASKS = 1;

const farBelow = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;

/** Places one order; a caller whose connection breaks sends the same again, as it is told to. */
async function placeUntilAnswered(clientOrderId: string): Promise<ApiOrder> {
  const { status, body } = await stack.client.until(`an answer for ${clientOrderId}`, async () => {
    const answer = await stack.client.place({ accountId: stack.accountId, clientOrderId, ...farBelow });
    return answer.status < 500 ? answer : null;
  });
  if (status !== 201 && status !== 202) throw new Error(`POST /orders answered ${status}: ${JSON.stringify(body)}`);
  return body;
}

async function countAtVenue(): Promise<number> {
  return (await stack.sim.orders()).length;
}

/** Both workers, so that whichever has the order is hit. */
async function killWorkers(): Promise<void> {
  await Promise.all(stack.workers.map((worker) => worker.kill('SIGKILL')));
}
async function startWorkers(): Promise<void> {
  await Promise.all(stack.workers.map((worker) => worker.start()));
}

/** Holds the account's row, and with it every transaction of the order path, until released. */
async function holdAccountRow(): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT id FROM accounts WHERE id = $1 FOR UPDATE', [stack.accountId]);
  return async () => {
    await client.query('ROLLBACK');
    await client.end();
  };
}

/** Waits until some backend waits for a lock: the step is held now. */
async function someoneWaits(): Promise<void> {
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  try {
    await someoneWaitsForALock(client);
  } finally {
    await client.end();
  }
}

test('each worker holds the lease that /readyz counts it by, under the name by which it asks Temporal', async () => {
  const { body } = await stack.client.call<{ workers: { status: string } }>('GET', '/readyz');
  expect(body.workers.status).toBe('ok');
  const connection = await Connection.connect({ address: stack.temporal.url });
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  try {
    // The last of them may only be about to ask.
    const asking = await stack.client.until('both workers to ask for tasks', async () => {
      const { pollers } = await connection.workflowService.describeTaskQueue({ namespace: 'default', taskQueue: { name: TASK_QUEUES.orders }, taskQueueType: WORKFLOW_TASKS });
      const names = [...new Set((pollers ?? []).map(({ identity }) => identity))].sort();
      return names.length === stack.workers.length ? names : null;
    });
    const leases = await stack.client.until('both leases', async () => {
      const { rows } = await client.query<{ name: string }>('SELECT s.name FROM seats s JOIN seat_holders h ON h.id = s.holder_id WHERE s.scope = $1 AND h.expires_at > now() ORDER BY s.name', ['workers']);
      return rows.length === stack.workers.length ? rows.map(({ name }) => name) : null;
    });
    expect(leases).toEqual(asking);
  } finally {
    await client.end();
    await connection.close();
  }
});

describe('S7: workers die with SIGKILL', () => {
  test('before the intent is recorded', async () => {
    const before = await countAtVenue();
    const release = await holdAccountRow();
    const placing = placeUntilAnswered(randomUUID());
    await someoneWaits();
    await killWorkers();
    await release();
    await startWorkers();
    const order = await placing;
    await stack.client.untilState(order.id, 'WORKING');
    expect((await countAtVenue()) - before).toBe(1);
    await settledAndBalanced(stack);
  }, 120_000);

  test.each([
    ['while the venue has the request but has not accepted it', true],
    ['after the venue accepted it, before its answer', false],
  ])('%s', async (_when, beforeAccepting) => {
    const before = await countAtVenue();
    const posts = async (): Promise<number> => (await stack.sim.requests('/orders')).filter((request) => request.method === 'POST').length;
    const postsBefore = await posts();
    const hold = await stack.sim.fault({ kind: 'hold', count: 1, before: beforeAccepting, match: { method: 'POST', path: '/orders' } });
    const placing = placeUntilAnswered(randomUUID());
    await stack.client.until('the request to be held', async () => ((await posts()) > postsBefore ? true : null));
    await killWorkers();
    await stack.sim.release(hold);
    await startWorkers();
    const order = await placing;
    await stack.client.untilState(order.id, 'WORKING');
    expect((await countAtVenue()) - before).toBe(1);
    await settledAndBalanced(stack);
  }, 120_000);

  test('after the acknowledgement, before it is committed', async () => {
    const before = await countAtVenue();
    const hold = await stack.sim.fault({ kind: 'hold', count: 1, match: { method: 'POST', path: '/orders' } });
    const placing = placeUntilAnswered(randomUUID());
    await stack.client.until('the venue to accept', async () => ((await countAtVenue()) > before ? true : null));
    const release = await holdAccountRow();
    await stack.sim.release(hold);
    await someoneWaits();
    await killWorkers();
    await release();
    await startWorkers();
    const order = await placing;
    await stack.client.untilState(order.id, 'WORKING');
    expect((await countAtVenue()) - before).toBe(1);
    await settledAndBalanced(stack);
  }, 120_000);

  test('after it was committed, five times under load', async () => {
    const before = await countAtVenue();
    const ids = Array.from({ length: 60 }, () => randomUUID());
    const placing = Promise.all(ids.map((id) => placeUntilAnswered(id)));
    for (let kill = 0; kill < 5; kill += 1) {
      const reached = before + (kill + 1) * 8;
      await stack.client.until('more orders at the venue', async () => ((await countAtVenue()) >= Math.min(reached, before + ids.length) ? true : null));
      const worker = stack.workers[kill % stack.workers.length];
      await worker?.kill('SIGKILL');
      await worker?.start();
    }
    const orders = await placing;
    expect(new Set(orders.map((order) => order.id)).size).toBe(ids.length);
    await settledAndBalanced(stack);
    expect((await countAtVenue()) - before).toBe(ids.length);
  }, 180_000);
});

describe('S7: a worker is stopped past its time-out, its successor works, then it wakes', () => {
  test.each([
    ['before the send', true],
    ['during the send', false],
  ])('%s: one venue order', async (_when, beforeSend) => {
    const before = await countAtVenue();
    const [sleeper, successor] = stack.workers;
    await successor?.stop();
    const release = beforeSend ? await holdAccountRow() : null;
    const hold = beforeSend ? null : await stack.sim.fault({ kind: 'hold', count: 1, before: true, match: { method: 'POST', path: '/orders' } });
    const postsBefore = (await stack.sim.requests('/orders')).length;
    const placing = placeUntilAnswered(randomUUID());
    if (beforeSend) await someoneWaits();
    else await stack.client.until('the request to be held', async () => ((await stack.sim.requests('/orders')).length > postsBefore ? true : null));
    await sleeper?.kill('SIGSTOP');
    await release?.();
    await successor?.start();
    const order = await placing;
    if (beforeSend) await stack.client.untilState(order.id, 'WORKING');
    if (hold !== null) await stack.sim.release(hold);
    await sleeper?.kill('SIGCONT');
    await stack.client.untilState(order.id, 'WORKING');
    expect((await countAtVenue()) - before).toBe(1);
    await settledAndBalanced(stack);
  }, 120_000);
});

describe('S7: servers die under load', () => {
  test.each([
    ['Temporal with SIGKILL', async () => { await stack.temporal.kill('SIGKILL'); await stack.temporal.start(); }],
    ['PostgreSQL as by -m immediate', async () => { await stack.postgres.kill('SIGQUIT'); await stack.postgres.restart(); }],
    ['the API with SIGKILL', async () => { await stack.api.kill('SIGKILL'); await stack.api.start(); }],
  ])('%s', async (_what, fault) => {
    const before = await countAtVenue();
    const ids: string[] = Array.from({ length: 40 }, () => randomUUID());
    const placing = Promise.all(ids.map((id) => placeUntilAnswered(id)));
    await stack.client.until('some orders at the venue', async () => ((await countAtVenue()) > before ? true : null));
    await fault();
    const orders = await placing;
    expect(new Set(orders.map((order) => order.id)).size).toBe(ids.length);
    await settledAndBalanced(stack);
    const venueIds = new Set((await stack.client.orders(`status=all&accountId=${stack.accountId}`)).filter((order) => ids.includes(order.clientOrderId)).map((order) => order.venueOrderId));
    const atVenue = (await stack.sim.orders()).slice(before);
    expect(atVenue.filter((order) => !venueIds.has(order.orderId))).toEqual([]);
    const placed = (await stack.client.orders(`status=all&accountId=${stack.accountId}`)).filter((order) => ids.includes(order.clientOrderId) && order.state === 'WORKING');
    expect(atVenue.length).toBe(placed.length);
  }, 180_000);
});

interface Timeline {
  readonly intent: object;
  readonly risk: { readonly verdict: string };
  readonly attempts: readonly { readonly outcome: string | null }[];
  readonly evidence: readonly object[];
}

describe('Temporal is stopped', () => {
  test('why an order is what it is can be read all the same', async () => {
    const order = await placeUntilAnswered(randomUUID());
    await stack.client.untilState(order.id, 'WORKING');
    const timeline = () => stack.client.call<Timeline>('GET', `/api/v1/orders/${order.id}/timeline`);
    // The stream may have said it before what came of the request was recorded.
    const { intent, risk, evidence, told } = await stack.client.until('what came of the request', async () => {
      const { body } = await timeline();
      const attempt = body.attempts.find(({ outcome }) => outcome !== null && outcome !== 'superseded');
      return attempt === undefined ? null : { ...body, told: attempt };
    });
    expect(risk.verdict).toBe('accepted');
    await stack.temporal.kill('SIGKILL');
    const { status, body } = await timeline();
    expect(status).toBe(200);
    expect(body).toMatchObject({ intent, risk });
    expect(body.attempts).toContainEqual(told);
    // The stream may have told more of it meanwhile.
    expect(body.evidence.slice(0, evidence.length)).toEqual(evidence);
    expect((await stack.client.orders(`status=open&accountId=${stack.accountId}`)).map(({ id }) => id)).toContain(order.id);
    await stack.temporal.start();
    await settledAndBalanced(stack);
  }, 120_000);
});
