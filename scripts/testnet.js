'use strict';
// npm run test:testnet -- hyperliquid [more words for jest]: the contract suite against a venue's real testnet, for people with a key.
// 0: it passed. 1: a check failed. 2: not started, the words say what is missing. 3: the testnet cannot be reached.

const path = require('node:path');
const { spawn } = require('node:child_process');
const { ensureInstalled } = require('./install');

const ROOT = path.resolve(__dirname, '..');
const REACH_WITHIN_MS = 10_000;
const KEY = 'SUREFILL_TESTNET_HYPERLIQUID_AGENT_KEY';
const ADDRESS = 'SUREFILL_TESTNET_HYPERLIQUID_ADDRESS';
/** A simulator's address, to try the wiring. */
const URL_NAME = 'SUREFILL_TESTNET_HYPERLIQUID_URL';
const TESTNET = 'https://api.hyperliquid-testnet.xyz';

/** Ends with one line and its code. */
class Refusal extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

function checkedArguments([venue, ...rest]) {
  if (venue !== 'hyperliquid') throw new Refusal(`name a venue with a testnet: hyperliquid${venue === undefined ? '' : `, not ${venue}`}`, 2);
  return rest;
}

/** Never says the key itself. */
function checkEnvironment(environment) {
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(environment[KEY] ?? '')) throw new Refusal(`set ${KEY} to the key of an agent wallet (64 hexadecimal digits) approved on the testnet, and ${ADDRESS} to the account that approved it; docs/venues.md says how`, 2);
  if (!/^0x[0-9a-fA-F]{40}$/.test(environment[ADDRESS] ?? '')) throw new Refusal(`set ${ADDRESS} to the address (0x and 40 hexadecimal digits) of the account that approved the agent wallet`, 2);
  const url = environment[URL_NAME] ?? TESTNET;
  // A key of the testnet, and orders without a person at hand: never at the venue that trades real money.
  if (/^https?:\/\/api\.hyperliquid\.xyz/i.test(url)) throw new Refusal(`${URL_NAME} is the mainnet: this suite trades by itself and never there`, 2);
  return url;
}

async function reach(url) {
  try {
    const response = await fetch(new URL('/info', url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"type":"exchangeStatus"}', signal: AbortSignal.timeout(REACH_WITHIN_MS) });
    if (response.ok) return;
    throw new Error(`it answered ${response.status}`);
  } catch (error) {
    throw new Refusal(`${url} cannot be reached: ${error.cause?.code ?? error.message}`, 3);
  }
}

async function main() {
  const rest = checkedArguments(process.argv.slice(2));
  await reach(checkEnvironment(process.env));
  ensureInstalled({ production: false });
  const args = [path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--testMatch', '**/test/testnet/hyperliquid.ts', '--maxWorkers=1', '--verbose', ...rest];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  process.exitCode = code === 0 ? 0 : 1;
}

main().catch((error) => {
  process.stderr.write(`test:testnet: ${error.message}\n`);
  process.exitCode = error instanceof Refusal ? error.code : 1;
});
