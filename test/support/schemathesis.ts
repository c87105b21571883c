/** Schemathesis, which fuzzes an API from its OpenAPI document: from PyPI, in an environment of its own outside the checkout. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../../src/main/launcher/folders';

const VERSION = '4.32.5';
/** A slow line may take this long to bring it. */
const INSTALL_LIMIT_MS = 180_000;

/** Its program, installed if need be; or why there is none. */
export function findSchemathesis(): { readonly program: string } | { readonly missing: string } {
  const folder = path.join(cacheFolder(process.env), `schemathesis-${VERSION}`);
  const bin = path.join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
  const program = path.join(bin, 'schemathesis');
  if (existsSync(program)) return { program };
  mkdirSync(path.dirname(folder), { recursive: true });
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['python3', ['-m', 'venv', folder]],
    [path.join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${VERSION}`]],
  ];
  for (const [command, args] of steps) {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (status === 0) continue;
    // Half an installation would look like a whole one next time.
    rmSync(folder, { recursive: true, force: true });
    return { missing: `${path.basename(command)} ${args.slice(0, 3).join(' ')} failed: ${(error?.message ?? stderr).trim().slice(-300)}` };
  }
  return existsSync(program) ? { program } : { missing: 'pip installed no schemathesis program' };
}

export interface FuzzRun {
  readonly code: number | null;
  /** Its report. */
  readonly output: string;
}

/** Asks every operation of the document at `url` with generated requests, the same ones for the same seed. */
export function fuzz(program: string, options: { readonly url: string; readonly key: string; readonly phases: string; readonly examples: number; readonly seed: number; readonly folder: string }): Promise<FuzzRun> {
  const checks = 'not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance';
  const args = [
    'run', `${options.url}/api/v1/openapi.json`, '--header', `Authorization: Bearer ${options.key}`, '--checks', checks, '--phases', options.phases,
    '--max-examples', String(options.examples), '--seed', String(options.seed), '--request-timeout', '60', '--workers', '2', '--no-color',
  ];
  // It keeps its examples where it runs.
  const child = spawn(program, args, { cwd: options.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
