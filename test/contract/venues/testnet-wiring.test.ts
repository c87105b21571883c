/** `npm run test:testnet` without a testnet: what it says when it cannot begin, and that its harness and its list of checks are whole. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addressOf } from '../../../src/venues/ecdsa';
import { freePort } from '../../../src/main/launcher/ports';
import { liveHarness } from '../../testnet/live-harness';
import { NEEDS_A_SIMULATOR } from '../../testnet/needs-a-simulator';
import { failuresOf, VENUE_CHECKS } from './contract';
import { startPaperSimulator, type PaperSimulator } from './paper-harness';

const ROOT = path.resolve(__dirname, '../../..');
const agentKey = randomBytes(32).toString('hex');
const address = `0x${randomBytes(20).toString('hex')}`;

let simulator: PaperSimulator;
beforeAll(async () => {
  simulator = await startPaperSimulator('hyperliquid', ['--weight-per-minute', '1000000', '--network', 'testnet']);
  await simulator.call('POST', '/__sim/accounts', { key: addressOf(Buffer.from(agentKey, 'hex')), account: address, collateral: '1000000' });
});
afterAll(() => simulator.stop());

/** Runs the command as a person would. */
function command(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<{ code: number | null; said: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [path.join(ROOT, 'scripts/testnet.js'), ...args], { cwd: ROOT, env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
}

const access = (url: string) => ({ SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY: `0x${agentKey}`, SUREFILL_TESTNET_HYPERLIQUID_ADDRESS: address, SUREFILL_TESTNET_HYPERLIQUID_URL: url });

describe('what it says when it cannot begin, in one line', () => {
  test.each<[string, string[], Record<string, string>, string]>([
    ['no venue', [], {}, 'name a venue with a testnet: hyperliquid'],
    ['another venue', ['paper'], {}, 'name a venue with a testnet: hyperliquid, not paper'],
    ['no key', ['hyperliquid'], {}, 'set SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY'],
    ['a key that is none', ['hyperliquid'], { SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY: 'my-secret' }, 'set SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY'],
    ['no address', ['hyperliquid'], { SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY: agentKey }, 'set SUREFILL_TESTNET_HYPERLIQUID_ADDRESS'],
    ['the mainnet', ['hyperliquid'], access('https://api.hyperliquid.xyz'), 'never there'],
  ])('%s', async (_what, args, environment, words) => {
    const { code, said } = await command(args, environment);
    expect([code, said.trim().split('\n').length]).toEqual([2, 1]);
    expect(said).toContain(words);
    expect(said).not.toContain('my-secret');
    expect(said).not.toContain(agentKey);
  });

  test('no network', async () => {
    const { code, said } = await command(['hyperliquid'], access(`http://127.0.0.1:${await freePort()}`));
    expect([code, said.trim().split('\n').length]).toEqual([3, 1]);
    expect(said).toContain('cannot be reached: ECONNREFUSED');
  });
});

test('one check passes from the command to the venue, signed as testnet', async () => {
  const { code, said } = await command(['hyperliquid', '-t', 'a limit order rests exactly'], access(simulator.url));
  expect([code, said]).toEqual([0, expect.stringContaining('1 passed')]);
  expect(said).not.toContain(agentKey);
}, 120_000);

test('a key that the account did not approve is refused before anything is placed', async () => {
  await expect(liveHarness({ agentKey: randomBytes(32).toString('hex'), address, httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws') })).rejects.toThrow('not approved');
});

test('exactly the checks that need a hand on the venue are left out, and every other passes with nothing but the venue\'s protocol', async () => {
  const harness = await liveHarness({ agentKey, address, httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws') });
  try {
    const failures = await failuresOf(harness, VENUE_CHECKS.map(({ name }) => name));
    expect([...failures].filter(([name]) => !NEEDS_A_SIMULATOR.has(name)).map(([name, error]) => [name, String(error).slice(0, 500)])).toEqual([]);
    expect([...NEEDS_A_SIMULATOR].filter((name) => !failures.has(name))).toEqual([]);
  } finally {
    await harness.close();
  }
}, 300_000);
