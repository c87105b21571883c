/** The demo: two chains of this machine's own, a bridge between them, and a wallet with money. Worth nothing anywhere else. */
import path from 'node:path';
import { chainVariable } from '../../config/deposit-settings';
import { isGiven, SettingError } from '../../config/settings';
import { lifiAddresses } from '../../simulator/chains/lifi-world';
import { MNEMONIC, USER } from '../../simulator/chains/local-chain';
import { anvilPlan, findAnvil } from './anvil';
import { ROOT } from './folders';
import { ManagedProcess, plainEnvironment } from './managed-process';
import type { ServerPlan } from './managed-server';
import { acceptsConnections, freePort } from './ports';
import type { PlannedServer, Planning } from './servers-of-home';

/** Ids that no public chain has: what is signed here is good nowhere else. */
const CHAINS = [
  { name: 'demo-ethereum', id: 31_337 },
  { name: 'demo-arbitrum', id: 31_338 },
] as const;
const BRIDGE = 'demo-bridge';
/** Whoever sets one of these means real chains. */
const OWN = [['depositChains', 'SUREFILL_DEPOSIT_CHAINS'], ['depositSeed', 'SUREFILL_DEPOSIT_SEED']] as const;
/** Enough to see the deposit wait for them; a block is mined each second while there is something to confirm. */
const CONFIRMATIONS = 3;
/** Somebody watches: looks are as frequent as blocks. */
const POLL_MS = 1_000;
/** Contracts are deployed and the wallet is funded on the first start. */
const BRIDGE_READY_WITHIN_MS = 30_000;
const BRIDGE_STOP_GRACE_MS = 3_000;

export interface PlannedDemo {
  readonly chains: readonly PlannedServer[];
  /** Needs the chains. */
  readonly bridge: PlannedServer;
  /** Settings of the roles. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where deposits come from, and whose they are: the chain signs for this wallet. */
  readonly shown: { readonly chain: string; readonly wallet: string };
}

/** undefined: not asked for, or not possible on this machine, which is said. @throws SettingError where settings speak against it. */
export async function planDemo({ settings, environment, home, taken, say }: Planning, find: typeof findAnvil = findAnvil): Promise<PlannedDemo | undefined> {
  if (settings.demo === 'off') return undefined;
  if (environment['NODE_ENV'] === 'production') throw new SettingError('SUREFILL_DEMO must be off with NODE_ENV=production: its wallets are known to everybody');
  for (const [name, env] of OWN) if (isGiven(environment, name)) throw new SettingError(`SUREFILL_DEMO=on brings chains and wallets of its own: unset ${env}, or SUREFILL_DEMO`);
  const found = settings.demoAnvil === undefined ? find(environment) : find(environment, [settings.demoAnvil]);
  if ('missing' in found) {
    say(`the demo of deposits is off, everything else works: ${found.missing}`);
    return undefined;
  }
  const port = async (): Promise<number> => {
    const free = await freePort();
    taken.add(free);
    return free;
  };
  const chainPlan = async ({ name, id }: (typeof CHAINS)[number]): Promise<ServerPlan> =>
    anvilPlan({ name, file: found.file, chainId: id, port: await port(), mnemonic: MNEMONIC, stateFile: home.path('demo', `${name}.json`), logFile: home.logFile(name) });
  const [source, destination] = [await chainPlan(CHAINS[0]), await chainPlan(CHAINS[1])];
  const bridge = bridgePlan({ port: await port(), source: source.url, destination: destination.url, logFile: home.logFile(BRIDGE) });
  return {
    chains: [{ plan: source }, { plan: destination }],
    bridge: { plan: bridge },
    environment: demoEnvironment({ source: source.url, destination: destination.url, bridge: bridge.url }),
    shown: { chain: source.url, wallet: USER.address.toLowerCase() },
  };
}

function bridgePlan({ port, source, destination, logFile }: { readonly port: number; readonly source: string; readonly destination: string; readonly logFile: string }): ServerPlan {
  const chain = (url: string, { id }: { readonly id: number }) => `${id}=${url}`;
  const args = ['--enable-source-maps', path.join(ROOT, 'dist', 'simulator', 'chains', 'main.js'), '--port', String(port), '--source', chain(source, CHAINS[0]), '--destination', chain(destination, CHAINS[1])];
  return {
    name: BRIDGE,
    url: `http://127.0.0.1:${port}`,
    port,
    logFile,
    fingerprint: args.join(' '),
    stop: { signal: 'SIGTERM', graceMs: BRIDGE_STOP_GRACE_MS },
    readyWithinMs: BRIDGE_READY_WITHIN_MS,
    passing: /EADDRINUSE/,
    spawn: () => ManagedProcess.start({ name: BRIDGE, command: process.execPath, args, environment: plainEnvironment(process.env), logFile }),
    probe: () => acceptsConnections(port),
  };
}

function demoEnvironment({ source, destination, bridge }: { readonly source: string; readonly destination: string; readonly bridge: string }): Record<string, string> {
  const at = lifiAddresses();
  const [from, to] = CHAINS;
  return {
    SUREFILL_DEPOSIT_CHAINS: CHAINS.map(({ name, id }) => `${name}:${id}`).join(','),
    [chainVariable(from.name, 'RPC_URLS')]: source,
    [chainVariable(to.name, 'RPC_URLS')]: destination,
    [chainVariable(from.name, 'CONFIRMATIONS')]: String(CONFIRMATIONS),
    [chainVariable(to.name, 'CONFIRMATIONS')]: String(CONFIRMATIONS),
    SUREFILL_DEPOSIT_DESTINATION: String(to.id),
    SUREFILL_DEPOSIT_TOKEN: at.to,
    SUREFILL_DEPOSIT_TARGETS: at.bridge,
    SUREFILL_LIFI_URL: `${bridge}/v1`,
    SUREFILL_SIGNER: 'keystore',
    SUREFILL_DEPOSIT_POLL_MS: String(POLL_MS),
    SUREFILL_DEPOSIT_MAX_POLL_MS: String(POLL_MS),
  };
}
