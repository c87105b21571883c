/** The simulator's command line and its process. */
import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { readOptions } from '../../../src/simulator/options';

const PROGRAM = resolve(__dirname, '..', '..', '..', 'dist', 'simulator', 'main.js');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Runs the built program; `onReady` is called with its first line. */
function run(args: readonly string[], environment: Record<string, string> = {}, onReady: (line: string, stop: () => void) => void = () => undefined): Promise<Ended> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { env: { ...process.env, ...environment } });
    let [out, error] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.endsWith('\n')) onReady(out.trim(), () => child.kill('SIGTERM'));
    });
    child.stderr.on('data', (chunk: Buffer) => (error += chunk.toString()));
    child.on('error', fail);
    child.on('close', (code) => done({ code, out, error }));
  });
}

describe('the process', () => {
  test('says one line when it is ready, and ends cleanly on SIGTERM', async () => {
    const ended = await run(['--venue', 'paper', '--port', '0', '--seed', '9'], {}, (_line, stop) => stop());
    expect(ended).toEqual({ code: 0, error: '', out: expect.stringMatching(/^simulator venue=paper url=http:\/\/127\.0\.0\.1:\d+ source=generator seed 9\n$/) as unknown as string });
  });

  test('has no control API in production mode', async () => {
    const statuses: Promise<number>[] = [];
    await run(['--venue', 'paper'], { NODE_ENV: 'production' }, (line, stop) => {
      const url = /url=(\S+)/.exec(line)?.[1] ?? '';
      statuses.push(fetch(`${url}/__sim/state`).then(({ status }) => status).finally(stop));
    });
    expect(await Promise.all(statuses)).toEqual([404]);
  });

  test('a recording that is not there is one clear line and exit code 1', async () => {
    const { code, error } = await run(['--venue', 'paper', '--data', '/nowhere/at-all.jsonl']);
    expect([code, error.trim().split('\n')]).toEqual([1, [expect.stringContaining('/nowhere/at-all.jsonl')]]);
  });
});

describe('the command line', () => {
  test('has the documented defaults and takes each setting', () => {
    expect(readOptions(['--venue', 'paper'])).toMatchObject({ host: '127.0.0.1', port: 0, data: null, speed: 1, seed: 1, tickMs: 250, home: null, fsync: false, control: true, openAccounts: true });
    const all = ['--venue', 'paper', '--port', '9', '--speed', '2.5', '--loop', '--fsync', '--no-control', '--no-open-accounts', '--markets', 'BTC-PERP,XRP-PERP', '--tick-ms', '0', '--home', 'h', '--data', 'd', '--data-market', 'ETH-PERP', '--host', '::1', '--seed', '4'];
    expect(readOptions(all)).toEqual({ venue: 'paper', network: 'testnet', weightPerMinute: 1_200, switchVolume: 0, host: '::1', port: 9, data: 'd', dataMarket: 'ETH-PERP', speed: 2.5, loop: true, seed: 4, tickMs: 0, home: 'h', fsync: true, control: false, openAccounts: false, markets: ['BTC-PERP', 'XRP-PERP'] });
  });

  test.each([
    [[], '--venue must be paper'],
    [['--venue', 'binance'], 'not binance'],
    [['--venue', 'paper', '--port', '70000'], '--port must be an integer from 0 to 65535'],
    [['--venue', 'paper', '--speed', '-1'], '--speed'],
    [['--venue', 'paper', '--speed', 'fast'], '--speed must be a number'],
    [['--venue', 'paper', '--markets', 'BTC-PERP,NOPE'], 'no market NOPE'],
    [['--venue', 'paper', '--nonsense'], '--nonsense'],
  ])('%j is refused with what it should be', (args, complaint) => {
    expect(() => readOptions(args)).toThrow(complaint);
  });
});
