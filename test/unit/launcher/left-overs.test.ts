import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { isRunning, startTimeOf } from '../../../scripts/process-identity';
import { LeftOvers } from '../../../src/main/launcher/left-overs';
import { ManagedProcess } from '../../../src/main/launcher/managed-process';
import { ManagedServer, type ServerPlan } from '../../../src/main/launcher/managed-server';
import { ProcessRecords } from '../../../src/main/launcher/process-records';
import { recordedIn } from '../../../src/main/launcher/record-keeper';
import { watchProcess } from '../../support/watchdog';

let folder = '';
let records: ProcessRecords;
let said: string[] = [];
const started: ManagedProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-test-left-'));
  records = new ProcessRecords(path.join(folder, 'run'));
  said = [];
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.kill()));
  rmSync(folder, { recursive: true });
});

async function left(name: string): Promise<ManagedProcess> {
  const running = await ManagedProcess.start({
    name,
    command: process.execPath,
    args: ['-e', 'setInterval(() => {}, 1000)'],
    environment: process.env,
    logFile: path.join(folder, `${name}.log`),
  });
  watchProcess(running);
  started.push(running);
  return running;
}

function serverOf(name: string, fingerprint: string, serves = true): ManagedServer {
  const plan: ServerPlan = {
    name,
    url: '',
    port: 4000,
    logFile: path.join(folder, `${name}.log`),
    fingerprint,
    stop: { signal: 'SIGTERM', graceMs: 5_000 },
    readyWithinMs: 5_000,
    spawn: () => left(name),
    probe: () => Promise.resolve(serves),
  };
  return new ManagedServer(plan, recordedIn(records, plan));
}

const say = (text: string): void => void said.push(text);

test('a server that a killed supervisor left is taken over, not started twice', async () => {
  const running = await left('postgres');
  records.write({ ...running.identity, name: 'postgres', port: 4000, fingerprint: 'as before' });
  const found = LeftOvers.of(records, say);
  expect(found.portOf('postgres')).toBe(4000);
  const server = serverOf('postgres', 'as before');
  expect(await found.adopt(server)).toBe(true);
  expect(server.pid).toBe(running.pid);
  expect(said).toEqual([`postgres still runs (pid ${running.pid}), it is taken over`]);
  await server.stop();
  expect(isRunning(running.identity)).toBe(false);
});

test.each([
  ['runs with other settings', 'changed', true],
  ['does not answer', 'as before', false],
])('a server that %s is stopped instead', async (_what, fingerprint, serves) => {
  const running = await left('postgres');
  records.write({ ...running.identity, name: 'postgres', fingerprint: 'as before' });
  expect(await LeftOvers.of(records, say).adopt(serverOf('postgres', fingerprint, serves))).toBe(false);
  expect(isRunning(running.identity)).toBe(false);
});

test('a process that only has the recorded pid is neither taken over nor stopped', async () => {
  const stranger = await left('stranger');
  records.write({ pid: stranger.pid, startTime: 'of an earlier process', name: 'worker', fingerprint: '' });
  const found = LeftOvers.of(records, say);
  await found.stopAll(() => true, 1_000);
  expect(stranger.isRunning()).toBe(true);
  expect(said).toEqual([]);
  expect(readdirSync(path.join(folder, 'run'))).toEqual([]);
});

test('only the named ones are stopped, the rest stay for later', async () => {
  const [worker, redis] = [await left('worker'), await left('redis')];
  for (const each of [worker, redis]) records.write({ ...each.identity, name: each.name, fingerprint: '' });
  await LeftOvers.of(records, say).stopAll((name) => name === 'worker', 5_000);
  expect([worker.isRunning(), redis.isRunning()]).toEqual([false, true]);
});

test('a file that is no record is removed, and stops nothing', async () => {
  const worker = await left('worker');
  writeFileSync(path.join(folder, 'run', 'worker.json'), '{"pid":');
  expect(records.running()).toEqual([]);
  expect(worker.isRunning()).toBe(true);
});

test('while a renewed worker works beside its predecessor, both are recorded', async () => {
  const server = serverOf('worker', '');
  await server.start();
  const first = server.current();
  await server.start();
  expect(records.running().map(({ name, pid }) => [name, pid])).toEqual(
    expect.arrayContaining([
      ['worker', server.pid],
      [`worker-retiring-${first.pid}`, first.pid],
    ]),
  );
  await first.kill();
  expect(records.running().map(({ pid }) => pid)).toEqual([server.pid]);
  expect(startTimeOf(first.pid)).toBeUndefined();
});
