import { createHash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The release that is fetched or built: server 1.29.1. Newer tags cannot be built with `go install`. */
export const TEMPORAL_CLI_VERSION = '1.5.1';

const RELEASES = 'https://github.com/temporalio/cli/releases/download';
/** SHA-256 of the official archives; a platform without one here is built from source instead. */
const ARCHIVE_SHA256: Readonly<Record<string, string>> = {
  linux_amd64: 'ddc95e08b0b076efd4ea9733a3f488eb7d2be875f8834e616cd2a37358b4852d',
  linux_arm64: 'bd1b0db9f18b051026de8bf6cc1505f2510f14bbb7a8b9a4a91fff46c77454f5',
  darwin_amd64: 'bbb73e2a31135abe50a1f1cdb35030c42961df618e8ce9c60ae89f201540c5d9',
  darwin_arm64: 'cca01b7ea35ad56e2a328d9ae596bf716bd22313ef63c7a761c88354457c2415',
};
/** An unreachable network must not hold up the build from source for long. */
const CONNECT_TIMEOUT_MS = 10_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
const PROGRESS_INTERVAL_MS = 10_000;
const MODULE = 'github.com/temporalio/cli/cmd/temporal';
const WORDS_KEPT = 2_000;

export type Say = (text: string) => void;

/** File name of the program on this platform. */
export const TEMPORAL_FILE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

/** Where an archive is fetched from and what it must hash to; replaced in tests. */
export interface ArchiveSource {
  readonly url: string;
  readonly sha256: string;
}

/** The official archive for this platform, if its checksum is known. */
export function officialArchive(): ArchiveSource | undefined {
  const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const sha256 = ARCHIVE_SHA256[platform];
  if (sha256 === undefined) return undefined;
  return { url: `${RELEASES}/v${TEMPORAL_CLI_VERSION}/temporal_cli_${TEMPORAL_CLI_VERSION}_${platform}.tar.gz`, sha256 };
}

/** Fetches, checks and unpacks the archive into `folder`. @throws Error that says why not; nothing is left then. */
export async function downloadTemporal(source: ArchiveSource, folder: string, say: Say): Promise<void> {
  say(`downloading Temporal ${TEMPORAL_CLI_VERSION} (about 50 MB, once)`);
  const content = await fetchWhole(source.url);
  const sha256 = createHash('sha256').update(content).digest('hex');
  if (sha256 !== source.sha256) throw new Error(`${source.url} has SHA-256 ${sha256}, not ${source.sha256}: it was not used`);
  intoFolder(folder, (draft) => {
    const archive = path.join(draft, 'archive.tar.gz');
    writeFileSync(archive, content);
    execFileSync('tar', ['-xzf', archive, '-C', draft], { stdio: ['ignore', 'ignore', 'pipe'] });
    rmSync(archive);
  });
}

async function fetchWhole(url: string): Promise<Buffer> {
  const control = new AbortController();
  const connectTimer = setTimeout(() => control.abort(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)), CONNECT_TIMEOUT_MS);
  const wholeTimer = setTimeout(() => control.abort(new Error(`not finished within ${DOWNLOAD_TIMEOUT_MS} ms`)), DOWNLOAD_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: control.signal });
    clearTimeout(connectTimer);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    // fetch says only "fetch failed"; why is in its cause.
    const { message, cause } = error as { message: string; cause?: { message?: string } };
    throw new Error(`${url}: ${cause?.message ?? message}`, { cause: error });
  } finally {
    clearTimeout(connectTimer);
    clearTimeout(wholeTimer);
  }
}

/** Builds the program with Go into `folder`. @throws Error with Go's own words. */
export async function buildTemporal(folder: string, say: Say): Promise<void> {
  say(`building Temporal ${TEMPORAL_CLI_VERSION} with Go (two to three minutes, once)`);
  const parent = path.dirname(folder);
  mkdirSync(parent, { recursive: true });
  const draft = mkdtempSync(path.join(parent, 'draft-'));
  const startedAt = performance.now();
  const progress = setInterval(() => say(`building Temporal: ${Math.round((performance.now() - startedAt) / 1000)} s`), PROGRESS_INTERVAL_MS);
  try {
    await goInstall(draft);
    replaceFolder(draft, folder);
  } finally {
    clearInterval(progress);
    rmSync(draft, { recursive: true, force: true });
  }
}

async function goInstall(binFolder: string): Promise<void> {
  const child = spawn('go', ['install', `${MODULE}@v${TEMPORAL_CLI_VERSION}`], {
    env: { ...process.env, GOBIN: binFolder, GOFLAGS: '-mod=mod' },
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (words = (words + chunk).slice(-WORDS_KEPT)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`go cannot be run (${error.message}): install Go from https://go.dev/dl`, { cause: error })));
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`go install ended with exit code ${code}: ${words.trim()}`);
}

function intoFolder(folder: string, fill: (draft: string) => void): void {
  mkdirSync(path.dirname(folder), { recursive: true });
  const draft = mkdtempSync(path.join(path.dirname(folder), 'draft-'));
  try {
    fill(draft);
    replaceFolder(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Another start may have filled the folder meanwhile: its content is as good. */
function replaceFolder(draft: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
}
