import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isRunning, signalExactly, type ProcessIdentity } from '../../scripts/process-identity';
import { ROOT } from '../../src/main/launcher/folders';
import { freePort } from '../../src/main/launcher/ports';
import type { Role } from '../../src/main/launcher/role-plan';
import { METRIC_NAMES, METRIC_ROLES, type Metric } from '../../src/main/metrics/names';
import { ProcessRecords } from '../../src/main/launcher/process-records';
import { historyWindow } from '../../src/main/launcher/temporal-retention';
import { npmStart, recordedProcesses, startEnvironment, type NpmStart } from '../support/npm-start';

const SERVERS = ['postgres', 'temporal'];
const OURS = ['api', 'demo-arbitrum', 'demo-bridge', 'demo-ethereum', 'simulator-paper', 'watcher', 'worker'];

describe('npm start', () => {
  let home = '';
  let environment: NodeJS.ProcessEnv = {};
  let running: NpmStart;

  beforeAll(async () => {
    ({ home, environment } = await startEnvironment());
    environment = { ...environment, METRICS_PORT: `${await freePort()}`, SUREFILL_DEMO: 'on' };
    running = start();
    await running.ready();
  });

  afterAll(async () => {
    running.kill('SIGTERM');
    await running.exited;
  });

  function start(more: NodeJS.ProcessEnv = {}): NpmStart {
    return npmStart({ ...environment, ...more });
  }

  /** The block that holds the demo's first contract, from now on for ever. */
  async function firstBlock(): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockByNumber', params: ['0x1', false] });
    const answer = await fetch(`${(await running.ready()).get('demo-chain')}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return ((await answer.json()) as { result: { hash: string } | null }).result?.hash;
  }

  const recorded = (): Map<string, ProcessIdentity> => recordedProcesses(home);

  test('says where everything is, and everything is there', async () => {
    const ready = await running.ready();
    expect([...ready.keys()]).toEqual(['api', 'docs', 'temporal-ui', 'paper', 'key-file', 'demo-chain', 'demo-wallet']);
    const key = readFileSync(path.resolve(ROOT, path.join(home, 'owner-key')), 'utf8').trim();
    expect(statSync(path.join(home, 'owner-key')).mode & 0o077).toBe(0);
    const status = async (url: string, headers: Record<string, string> = {}): Promise<number> => (await fetch(url, { headers })).status;
    expect(await status(`${ready.get('api')}/healthz`)).toBe(200);
    expect(await status(`${ready.get('docs')}`)).toBe(200);
    expect(await status(`${ready.get('temporal-ui')}`)).toBe(200);
    expect(await status(`${ready.get('paper')}/markets`)).toBe(200);
    expect(await status(`${ready.get('api')}/api/v1/accounts`)).toBe(401);
    const accounts = await fetch(`${ready.get('api')}/api/v1/accounts`, { headers: { authorization: `Bearer ${key}` } });
    expect(JSON.stringify(await accounts.json())).toContain('"name":"paper"');
  });

  test('gives worker and watcher a port each for their metrics, says which, and each role shows its figures', async () => {
    const line = await running.line('metrics: ');
    const urls = [...line.matchAll(/(worker|watcher)=(\S+)/g)].map(([, role = '', url = '']) => [role, url] as const);
    expect(new Set(urls.map(([, url]) => url)).size).toBe(2);
    const pages = new Map<string, string>();
    for (const [role, url] of urls) pages.set(role, await (await fetch(url)).text());
    pages.set('api', await (await fetch(`${(await running.ready()).get('api')}/metrics`)).text());
    for (const [role, page] of pages) {
      const expected = Object.entries(METRIC_NAMES).flatMap(([metric, name]) => (METRIC_ROLES[metric as Metric].includes(role as Role) ? [name] : []));
      const shown = Object.values(METRIC_NAMES).filter((name) => page.includes(`# TYPE ${name} `));
      expect({ role, shown }).toEqual({ role, shown: expected });
    }
    // Of the Temporal SDK: how long tasks waited for us, and room for more.
    for (const role of ['worker', 'watcher']) expect(pages.get(role)).toContain('temporal_worker_task_slots_available');
  });

  test('keeps the heads of the audit log beside the database, and the check finds it whole', async () => {
    const file = path.join(home, 'audit-head');
    expect(statSync(file).mode & 0o077).toBe(0);
    // The owner, its key and the account named paper.
    expect(readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(' ')[0])).toEqual(['1', '2', '3']);
    const { DATABASE_URL: _, ...settings } = environment;
    const check = spawnSync(process.execPath, [path.join(ROOT, 'dist', 'main', 'audit-check.js')], { env: settings, encoding: 'utf8' });
    expect({ status: check.status, stdout: check.stdout, stderr: check.stderr }).toEqual({ status: 0, stdout: `audit: 3 rows of 1 users, 3 heads in ${file}: complete\n`, stderr: '' });
  });

  test('refuses a second start on the same home, and a wrong setting, in one clear line', async () => {
    const second = start();
    expect(await second.exited).toBe(1);
    expect(second.lines.at(-1)).toBe(`surefill: another npm start (pid ${running.identity.pid}) runs on ${home}: stop it, or set SUREFILL_HOME to another folder`);
    const wrong = start({ PORT: 'abc' });
    expect(await wrong.exited).toBe(1);
    expect(wrong.lines.at(-1)).toBe('surefill: PORT must be an integer from 1 to 65535, got "abc"');
    expect(isRunning(running.identity)).toBe(true);
  });

  test.each([...OURS, ...SERVERS])('starts %s again when it is killed', async (name) => {
    const before = recorded().get(name);
    if (!before) throw new Error(`${name} is not recorded`);
    const again = running.line(`${name} runs again`);
    signalExactly(before, 'SIGKILL');
    await again;
    expect(recorded().get(name)?.pid).not.toBe(before.pid);
    expect(isRunning(before)).toBe(false);
  });

  test('keeps histories for seven days, also after Temporal was started again, and says so', async () => {
    expect(await running.line('keeps the history')).toContain('for 7 days');
    const temporal = new ProcessRecords(path.join(home, 'run')).read('temporal');
    expect(await historyWindow(`127.0.0.1:${temporal?.port}`, 'default')).toBe(7);
  });

  test('killed itself, it takes over the servers it left and replaces the rest, with the same key and the demo\'s chain as it was', async () => {
    const [before, block] = [recorded(), await firstBlock()];
    const key = readFileSync(path.join(home, 'owner-key'), 'utf8');
    running.kill('SIGKILL');
    await running.exited;
    running = start();
    await running.ready();
    const after = recorded();
    expect(SERVERS.map((name) => after.get(name)?.pid)).toEqual(SERVERS.map((name) => before.get(name)?.pid));
    expect(OURS.filter((name) => after.get(name)?.pid === before.get(name)?.pid)).toEqual([]);
    expect([...before].filter(([name, identity]) => OURS.includes(name) && isRunning(identity))).toEqual([]);
    expect(readFileSync(path.join(home, 'owner-key'), 'utf8')).toBe(key);
    expect([typeof block, await firstBlock()]).toEqual(['string', block]);
  });

  test('Ctrl-C stops everything it started, and the next one, where anvil cannot run, says so and has all the rest', async () => {
    const before = recorded();
    expect([...before.keys()]).toEqual(expect.arrayContaining([...OURS, ...SERVERS]));
    running.kill('SIGINT');
    expect(await running.exited).toBe(0);
    expect([...before.values()].filter(isRunning)).toEqual([]);
    expect(recorded().size).toBe(0);
    running = start({ SUREFILL_ANVIL: '/nowhere/anvil' });
    const ready = await running.ready();
    expect([...ready.keys()]).toEqual(['api', 'docs', 'temporal-ui', 'paper', 'key-file']);
    expect(await running.line('the demo of deposits is off')).toMatch(/everything else works: \/nowhere\/anvil does not run here \(.*ENOENT/);
    for (const name of ['api', 'paper']) expect((await fetch(`${ready.get(name)}${name === 'api' ? '/healthz' : '/markets'}`)).status).toBe(200);
    expect([...recorded().keys()].filter((name) => name.startsWith('demo-'))).toEqual([]);
  });
});
