/** S51: SIGTERM under load. Whoever is told to stop ends what it has begun; a caller behind a balancer sees no failed request. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { freePort } from '../../src/main/launcher/ports';
import { ApiClient } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { startStack, type RoleProcess, type Stack } from '../support/stack';

let stack: Stack;
let second: RoleProcess;
let clients: readonly ApiClient[] = [];
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
  const port = await freePort();
  second = stack.another('api', { PORT: String(port) });
  await second.start();
  clients = [stack.client, new ApiClient(`http://127.0.0.1:${port}`, stack.client.key)];
}, 180_000);
afterAll(async () => {
  await stack.stop();
});

const farBelow = { symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '1000' } as const;
const CALLERS = 8;

/** What a balancer does: asks /readyz again and again, and sends only to those that are ready. */
class Balancer {
  readonly statuses: number[] = [];
  readonly orderIds: string[] = [];
  readonly broken: unknown[] = [];
  private readonly ready = new Set<ApiClient>(clients);
  private stopped = false;
  private next = 0;

  /** Until `ended` settles, and for so many orders after it. */
  async run(ended: Promise<unknown>): Promise<void> {
    const looking = this.look();
    void ended.finally(() => (this.stopped = true));
    await Promise.all(Array.from({ length: CALLERS }, () => this.call()));
    await looking;
  }

  private async look(): Promise<void> {
    while (!this.stopped) {
      await Promise.all(clients.map(async (client) => {
        const status = await client.call('GET', '/readyz').then((answer) => answer.status, () => 503);
        if (status === 200) this.ready.add(client);
        else this.ready.delete(client);
      }));
    }
  }

  private async call(): Promise<void> {
    while (!this.stopped) {
      const ready = [...this.ready];
      const client = ready[(this.next += 1) % ready.length];
      if (client === undefined) throw new Error('no API is ready');
      try {
        const { status, body } = await client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), ...farBelow });
        this.statuses.push(status);
        this.orderIds.push(body.id);
      } catch (error) {
        this.broken.push(error);
      }
    }
  }
}

/** Every order of the load that is answered is at the venue, once. */
async function noFailedRequest(load: Balancer, before: number): Promise<void> {
  expect(load.broken).toEqual([]);
  expect(load.statuses.filter((status) => status !== 201)).toEqual([]);
  expect(load.statuses.length).toBeGreaterThan(CALLERS);
  await settledAndBalanced(stack);
  expect((await stack.sim.orders()).length - before).toBe(load.orderIds.length);
  expect(new Set(load.orderIds).size).toBe(load.orderIds.length);
}

describe('S51: SIGTERM under load', () => {
  test.each([
    ['an API', () => second],
    ['a worker', () => stack.workers[0]],
    ['the watcher', () => stack.watcher],
  ])('%s: no failed request, every order in flight finishes, and it ends by itself', async (_what, which) => {
    const process = which();
    if (process === undefined) throw new Error('nothing to stop');
    const before = (await stack.sim.orders()).length;
    const load = new Balancer();
    const stopping = stack.client
      .until('the load to run', async () => (load.orderIds.length >= CALLERS ? true : null))
      .then(() => process.terminate());
    await load.run(stopping);
    expect(await stopping).toBe(0);
    await noFailedRequest(load, before);
    await process.start();
  }, 180_000);

  test('a request that waits longer than stopping may take is answered with what is known of its order', async () => {
    // Accepted, its answer lost, and shown to nobody for longer than the API takes to stop.
    const hiddenMs = 15_000;
    await stack.sim.fault({ kind: 'hide', count: 1, durationMs: hiddenMs });
    await stack.sim.fault({ kind: 'stallStream', durationMs: hiddenMs });
    const drop = await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
    const [, client] = clients;
    const waiting = client?.place({ accountId: stack.accountId, clientOrderId: randomUUID(), ...farBelow }, {}, '?timeoutMs=30000');
    await stack.sim.met(drop);
    const code = second.terminate();
    const answer = await waiting;
    expect(answer?.status).toBe(202);
    expect(await code).toBe(0);
    await stack.client.untilState(answer?.body.id ?? '', 'WORKING');
    await settledAndBalanced(stack);
    await second.start();
  }, 180_000);
});
