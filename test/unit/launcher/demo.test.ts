import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { loadSettings } from '../../../src/config/settings';
import { findAnvil, mendState } from '../../../src/main/launcher/anvil';
import { planDemo } from '../../../src/main/launcher/demo';
import { Home } from '../../../src/main/launcher/home';
import { LeftOvers } from '../../../src/main/launcher/left-overs';
import { temporaryFolder } from '../../support/servers';

function planningOf(environment: NodeJS.ProcessEnv) {
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const home = new Home(temporaryFolder('demo'));
  return { said, planning: { settings: loadSettings(environment), environment, home, left: new LeftOvers([], say), taken: new Set<number>(), say } };
}
const ANVIL = () => ({ file: '/bin/true' });

test('without the setting there is no demo, and nobody looks for anvil', async () => {
  const { planning, said } = planningOf({});
  const plan = await planDemo(planning, () => {
    throw new Error('somebody looked');
  });
  expect([plan, said]).toEqual([undefined, []]);
});

test('where anvil cannot run, that is said, and the rest starts without the demo', async () => {
  const { planning, said } = planningOf({ SUREFILL_DEMO: 'on' });
  expect(await planDemo(planning, () => ({ missing: 'anvil does not run here (exit code 127)' }))).toBeUndefined();
  expect(said).toEqual(['the demo of deposits is off, everything else works: anvil does not run here (exit code 127)']);
});

test('the anvil that is named is the only one that is tried', async () => {
  const { planning, said } = planningOf({ SUREFILL_DEMO: 'on', SUREFILL_ANVIL: '/nowhere/anvil' });
  expect(await planDemo(planning)).toBeUndefined();
  expect(said).toEqual([expect.stringMatching(/^the demo of deposits is off, everything else works: \/nowhere\/anvil does not run here/)]);
});

test('an anvil that cannot run is told from none at all', () => {
  const folder = temporaryFolder('anvil');
  const broken = path.join(folder, 'anvil');
  writeFileSync(broken, '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  expect(findAnvil({}, [path.join(folder, 'none'), broken])).toEqual({ missing: expect.stringMatching(/none does not run here \(.*ENOENT\); .*anvil does not run here \(exit code 3\)/) });
  expect(findAnvil({}, [])).toEqual({ missing: expect.stringContaining('none is on PATH') });
});

test('its settings make loadable ones: ids that no public chain has, both chains, the wallet of a keystore', async () => {
  const { planning } = planningOf({ SUREFILL_DEMO: 'on' });
  const plan = await planDemo(planning, ANVIL);
  if (plan === undefined) throw new Error('there is no plan');
  const settings = loadSettings({ ...plan.environment });
  expect(settings.chains.map(({ name, id, rpcUrls }) => [name, id, rpcUrls])).toEqual(plan.chains.map(({ plan: { name, url } }, index) => [name, 31_337 + index, [url]]));
  expect([settings.depositDestination, settings.signer]).toEqual([31_338, 'keystore']);
  expect(plan.shown.chain).toBe(plan.chains[0]?.plan.url);
});

test.each([
  [{ SUREFILL_DEPOSIT_CHAINS: 'arbitrum:42161', SUREFILL_ARBITRUM_RPC_URLS: 'http://127.0.0.1:1' }, 'unset SUREFILL_DEPOSIT_CHAINS'],
  [{ SUREFILL_DEPOSIT_SEED: 'ab'.repeat(32) }, 'unset SUREFILL_DEPOSIT_SEED'],
  [{ NODE_ENV: 'production' }, 'SUREFILL_DEMO must be off with NODE_ENV=production'],
])('it is refused beside %j', async (environment, words) => {
  const { planning } = planningOf({ SUREFILL_DEMO: 'on', ...environment });
  await expect(planDemo(planning, ANVIL)).rejects.toThrow(words);
});

test('a state that a kill left half written is put aside for the one of the last start', () => {
  const file = path.join(temporaryFolder('anvil-state'), 'demo', 'chain.json');
  mendState(file);
  expect(existsSync(file)).toBe(false);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '{"block":1}');
  mendState(file);
  writeFileSync(file, '{"block":2');
  mendState(file);
  expect([readFileSync(file, 'utf8'), readFileSync(`${file}.broken`, 'utf8')]).toEqual(['{"block":1}', '{"block":2']);
});
