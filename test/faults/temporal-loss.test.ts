/**
 * S15: Temporal's store loses its last commits, and the workers end with it or live on. PostgreSQL is whole: orders that lost their owner
 * get one again, one in doubt is pursued to its outcome, and a client's retry places nothing.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ApiAnswer, ApiOrder, ErrorBody } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import { temporaryFolder, type TestServer } from '../support/servers';
import { startStack, type Stack } from '../support/stack';
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

interface Ready {
  readonly entries: { readonly status: string; readonly detail: string | null };
}
const entries = async (): Promise<Ready['entries']> => (await stack.client.call<Ready>('GET', '/readyz')).body.entries;
interface Backup {
  /** Ends the server as a crash does and puts the copy in place of its store, so that what came after the copy is lost. */
  putBack(): Promise<void>;
}

/** A cold copy of Temporal's file and its log. */
async function backUpTemporal(server: TestServer, file: string): Promise<Backup> {
  const folder = path.dirname(file);
  const copy = temporaryFolder('temporal-backup');
  const files = (): string[] => readdirSync(folder).filter((name) => name.startsWith(path.basename(file)));
  await server.stop();
  for (const name of files()) cpSync(path.join(folder, name), path.join(copy, name));
  await server.start();
  return {
    putBack: async () => {
      await server.kill('SIGKILL');
      for (const name of files()) rmSync(path.join(folder, name));
      for (const name of readdirSync(copy)) cpSync(path.join(copy, name), path.join(folder, name));
    },
  };
}

async function beats(): Promise<number> {
  const [row] = await queried<{ beat: number }>(stack.postgres.url, "SELECT (value->>'beat')::int AS beat FROM settings WHERE key = 'store-state'");
  return Number(row?.beat);
}

/** Longer than pollers wait between two tries, so that a worker has given up asking often. */
const LONG_ABSENCE_MS = 6_000;

/** What becomes of the roles while the store goes back. */
const LOSSES: readonly [string, (backup: Backup) => Promise<void>][] = [
  [
    'the worker ends with it, as at a power cut',
    async (backup) => {
      await stack.worker.kill();
      await backup.putBack();
      await stack.temporal.start();
      await stack.worker.start();
    },
  ],
  [
    'workers live on, and it is there again at once',
    async (backup) => {
      await backup.putBack();
      await stack.temporal.start();
    },
  ],
  [
    'workers live on, and it is away for long',
    async (backup) => {
      await backup.putBack();
      await setTimeout(LONG_ABSENCE_MS);
      await stack.temporal.start();
    },
  ],
];

/** Where workers live on is the harder case. */
const WANTED = process.env['SUREFILL_TEST_FULL'] === '1' ? LOSSES : LOSSES.filter(([name]) => name.startsWith('workers live on'));

describe('S15: Temporal\'s store loses its last commits', () => {
  test.each(WANTED)('its orders are found again, one in doubt is pursued, retries place nothing: %s', async (_name, lose) => {
    const early = await placed('early');
    const backup = await backUpTemporal(stack.temporal, stack.temporalFile);
    const ids = ['t0', 't1', 't2'];
    const orders = [];
    for (const id of ids) orders.push(await placed(id));
    // Its answer is lost and the venue hides it: UNKNOWN, and only its workflow would ask.
    await stack.sim.fault({ kind: 'hide', count: 1, durationMs: 12_000 });
    await stack.sim.fault({ kind: 'stallStream', durationMs: 12_000 });
    await stack.sim.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
    const doubtful = (await stack.client.place({ accountId: stack.accountId, clientOrderId: 'doubtful', ...farBelow }, {}, '?timeoutMs=3000')).body;
    expect(['SUBMITTING', 'UNKNOWN']).toContain(doubtful.state);
    const from = await beats();
    await stack.client.until('more than a beat since the copy', async () => ((await beats()) > from + 2 ? true : null));
    const atVenue = (await stack.sim.orders()).length;
    await lose(backup);
    await stack.client.until('Temporal and the worker to answer', async () => ((await stack.client.call('GET', '/readyz')).status === 200 ? true : null));
    await stack.client.until('the loss to be noticed and mended', async () => (stack.worker.log().includes('its last commits are lost') && (await entries()).status === 'open' ? true : null), 120_000);
    await stack.client.untilState(doubtful.id, 'WORKING');
    for (const [index, id] of ids.entries()) expect((await placed(id)).id).toBe(orders[index]?.id);
    expect((await placed('doubtful')).id).toBe(doubtful.id);
    expect((await placed('early')).id).toBe(early.id);
    expect((await stack.sim.orders()).length).toBe(atVenue);
    await stack.client.untilState((await placed('afterwards')).id, 'WORKING');
    // Nobody answered the restored histories by events that they do not have.
    for (const role of [stack.worker, stack.watcher]) expect(role.log()).not.toContain('TMPRL1100');
    await settledAndBalanced(stack);
  }, 400_000);
});
