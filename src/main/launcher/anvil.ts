import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { filesOnPath } from './folders';
import { ManagedProcess, plainEnvironment } from './managed-process';
import type { ServerPlan } from './managed-server';
import { acceptsConnections } from './ports';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const FILE = process.platform === 'win32' ? 'anvil.exe' : 'anvil';
/** It tells its version at once where it runs at all; a cold disk is slower. */
const VERSION_WITHIN_MS = 10_000;
const READY_WITHIN_MS = 20_000;
/** Its state is written on the way out. */
const STOP_GRACE_MS = 5_000;
/** How much of a chain its own SIGKILL may cost. What is above sees that as a reorganisation. */
const STATE_INTERVAL_SECONDS = 1;
/** Two are used; anvil makes ten otherwise. */
const ACCOUNTS = 3;

/** Anvil of this platform's package; undefined where npm installed none. */
export function anvilProgram(): string | undefined {
  try {
    const folder = path.dirname(require.resolve(`@foundry-rs/anvil-${process.platform}-${ARCHITECTURES[process.arch] ?? process.arch}/package.json`));
    const file = path.join(folder, 'bin', FILE);
    return existsSync(file) ? file : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** The first anvil that runs here, of npm's package or on PATH; else why there is none. */
export function findAnvil(environment: NodeJS.ProcessEnv, files = anvilsOf(environment)): { readonly file: string } | { readonly missing: string } {
  const tried: string[] = [];
  for (const file of files) {
    const { status, error, signal } = spawnSync(file, ['--version'], { stdio: 'ignore', timeout: VERSION_WITHIN_MS, env: plainEnvironment(environment) });
    if (status === 0) return { file };
    tried.push(`${file} does not run here (${error?.message ?? signal ?? `exit code ${status}`})`);
  }
  return { missing: tried.length > 0 ? tried.join('; ') : `npm has no anvil for ${process.platform} ${process.arch}, and none is on PATH` };
}

function anvilsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  const own = anvilProgram();
  return [...(own === undefined ? [] : [own]), ...filesOnPath(FILE, environment)];
}

export interface AnvilOptions {
  readonly name: string;
  readonly file: string;
  readonly chainId: number;
  readonly port: number;
  readonly mnemonic: string;
  /** The chain, kept over restarts. */
  readonly stateFile: string;
  readonly logFile: string;
}

/** The plan of one chain of this machine's own. */
export function anvilPlan({ name, file, chainId, port, mnemonic, stateFile, logFile }: AnvilOptions): ServerPlan {
  const args = ['--port', String(port), '--chain-id', String(chainId), '--mnemonic', mnemonic, '--accounts', String(ACCOUNTS), '--state', stateFile, '--state-interval', String(STATE_INTERVAL_SECONDS), '--silent'];
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    port,
    logFile,
    fingerprint: [file, ...args].join(' '),
    stop: { signal: 'SIGTERM', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    passing: /already in use/i,
    spawn: () => {
      mendState(stateFile);
      return ManagedProcess.start({ name, command: file, args, environment: plainEnvironment(process.env), logFile });
    },
    probe: () => acceptsConnections(port),
  };
}

/**
 * Anvil writes its state over the one before: a kill in between leaves half of it, and it would never start again. So the state of each
 * start is kept, and taken where the newer one cannot be read, which is put aside.
 */
export function mendState(file: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  if (!existsSync(file)) return;
  const kept = `${file}.kept`;
  if (isWhole(file)) return copyFileSync(file, kept);
  renameSync(file, `${file}.broken`);
  if (existsSync(kept)) copyFileSync(kept, file);
}

function isWhole(file: string): boolean {
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}
