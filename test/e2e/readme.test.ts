/** README's tour, its fenced blocks run as they stand in one shell against a real `npm start`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isRunning, type ProcessIdentity } from '../../scripts/process-identity';
import { ROOT } from '../../src/main/launcher/folders';
import { ApiClient, type ApiOrder } from '../support/api-client';
import { npmStart, recordedProcesses, startEnvironment, type NpmStart } from '../support/npm-start';
import { SimulatorControl } from '../support/simulator-control';

/** Between the outputs of two blocks; the blocks themselves stay as they are. */
const SEPARATOR = '=== next block ===';

let running: NpmStart;
let api: ApiClient;
let venue: SimulatorControl;
let accountId = '';
let workerBefore: ProcessIdentity | undefined;
let workerAfter: ProcessIdentity | undefined;
/** What each block printed: prices, placing, amending, kill -9, canceling, asking for a deposit, its way. */
let printed: readonly string[] = [];

beforeAll(async () => {
  const { home, environment } = await startEnvironment();
  // The worker that replaces the killed one may take longer to start here than an order may wait for it.
  running = npmStart({ ...environment, SUREFILL_DEMO: 'on', SUREFILL_PLACE_DEADLINE_MS: '120000' });
  const ready = await running.ready();
  api = new ApiClient(`${ready.get('api')}`, readFileSync(path.join(home, 'owner-key'), 'utf8').trim());
  venue = new SimulatorControl(`${ready.get('paper')}`);
  accountId = await api.accountNamed('paper');
  await api.balanceKnown(accountId);
  await api.until('a price of BTC-PERP', async () => {
    const { body } = await api.call<{ prices: unknown[] }>('GET', '/api/v1/prices?symbols=BTC-PERP');
    return body.prices.length > 0 ? true : null;
  });
  workerBefore = recordedProcesses(home).get('worker');
  printed = await runInOneShell(blocks(), { ...environment, API: api.url });
  workerAfter = recordedProcesses(home).get('worker');
});

afterAll(async () => {
  running.kill('SIGTERM');
  await running.exited;
});

function blocks(): string[] {
  return [...readFileSync(path.join(ROOT, 'README.md'), 'utf8').matchAll(/^```bash\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
}

async function runInOneShell(scripts: readonly string[], environment: NodeJS.ProcessEnv): Promise<string[]> {
  const shell = spawn('bash', ['-e', '-o', 'pipefail'], { cwd: ROOT, env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const words: string[] = [];
  const errors: string[] = [];
  shell.stdout.setEncoding('utf8').on('data', (text: string) => words.push(text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  shell.stdin.end(scripts.join(`\necho '${SEPARATOR}'\n`));
  const [code] = (await once(shell, 'close')) as [number | null];
  const output = words.join('');
  if (code !== 0) throw new Error(`the tour ended with ${code}\n${output}\n${errors.join('')}\n${running.lines.join('\n')}`);
  return output.split(`${SEPARATOR}\n`);
}

function shownBy(block: number): string {
  const words = printed[block];
  if (words === undefined) throw new Error(`README has no block ${block + 1}`);
  return words;
}

async function orderCalled(prefix: string): Promise<ApiOrder> {
  const order = (await api.orders(`status=all&accountId=${accountId}`)).find(({ clientOrderId }) => clientOrderId.startsWith(prefix));
  if (order === undefined) throw new Error(`no order ${prefix}`);
  return order;
}

test('the tour has seven blocks, and asks for the price first', () => {
  expect(printed).toHaveLength(7);
  expect(JSON.parse(shownBy(0))).toMatchObject({ prices: [{ symbol: 'BTC-PERP' }] });
});

test('the placed order works, and is found by its client id', () => {
  expect(shownBy(1)).toMatch(/state: 'WORKING',\s+venueOrderId: '\S+',\s+revision: \d+\s+}\nWORKING\n/);
});

test('it is amended, and its timeline says what was asked, sent, answered and learned', async () => {
  expect(shownBy(2)).toContain("{ state: 'WORKING', limitPrice: '1100', revision:");
  expect(shownBy(2)).toContain("verdict: 'accepted'");
  expect(shownBy(2)).toMatch(/kind: 'place',\s+sentAt: '\S+',\s+outcome: 'answered'/);
  expect(shownBy(2)).toMatch(/kind: 'amend',\s+sentAt: '\S+',\s+outcome: 'answered'/);
  const { id } = await orderCalled('tour-');
  const { body } = await api.call<{ attempts: unknown[]; evidence: { at: string; kind: string }[] }>('GET', `/api/v1/orders/${id}/timeline`);
  expect(body.attempts.length).toBeGreaterThanOrEqual(2);
  expect(body.evidence.length).toBeGreaterThan(0);
  for (const { at, kind } of body.evidence.slice(0, 1)) expect(shownBy(2)).toContain(`${at} ${kind}`);
});

test('the order placed after kill -9 of the worker works, once', async () => {
  if (workerBefore === undefined || workerAfter === undefined) throw new Error('no worker was recorded');
  expect(isRunning(workerBefore)).toBe(false);
  expect(isRunning(workerAfter)).toBe(true);
  expect(shownBy(3)).toMatch(/state: 'WORKING',\s+clientOrderId: 'survivor-\d+'/);
  const survivor = await orderCalled('survivor-');
  const theirs = await venue.orders();
  expect(theirs.filter(({ orderId }) => orderId === survivor.venueOrderId)).toHaveLength(1);
  expect(theirs).toHaveLength(2);
});

test('what rested is canceled, and the events say so', async () => {
  expect(shownBy(4)).toMatch(/^2 canceled\n/);
  expect(shownBy(4)).toMatch(/^\d+ order\.canceled$/m);
  expect((await api.untilState((await orderCalled('tour-')).id, 'CANCELED')).limitPrice).toBe('1100');
  await api.untilState((await orderCalled('survivor-')).id, 'CANCELED');
  expect((await venue.orders()).map(({ status }) => status)).toEqual(['canceled', 'canceled']);
});

test('a deposit is quoted, with an approval of exactly its amount', () => {
  expect(shownBy(5)).toMatch(/{\s+state: 'AWAITING_SIGNATURE',\s+receive: '99',\s+fees: \d,\s+approve: '100'\s+}\n$/);
});

test('signed by the wallet, it travels to its credit, and its timeline has every stage', async () => {
  const stages = [...shownBy(6).matchAll(/ -> ([A-Z_]+)$/gm)].map(([, state]) => state);
  const way = ['CREATED', 'AWAITING_SIGNATURE', 'SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'BRIDGING', 'DEST_SEEN', 'CREDITED'];
  expect(stages.filter((state, index) => state !== stages[index - 1])).toEqual(way);
  expect(shownBy(6)).toMatch(/\[\s+{\s+asset: 'USDC@31338\/0x[0-9a-f]+',\s+amount: '99',/);
  const { body } = await api.call<{ deposits: { state: string; amount: string }[] }>('GET', '/api/v1/deposits');
  expect(body.deposits).toMatchObject([{ state: 'CREDITED', amount: '100' }]);
});
