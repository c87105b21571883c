import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, filesOnPath } from './folders';
import { buildTemporal, downloadTemporal, officialArchive, TEMPORAL_CLI_VERSION, TEMPORAL_FILE, type Say } from './temporal-download';

/** A Temporal server that can be started. */
export interface TemporalProgram {
  readonly file: string;
  /** For example 1.29.1. */
  readonly serverVersion: string;
}

/** The first server with everything we use (update-with-start as we send it, eager activities). */
export const OLDEST_SERVER = '1.29.1';

export interface ProgramSearch {
  readonly environment: NodeJS.ProcessEnv;
  /** The server version that wrote the data; an older one must not open it. */
  readonly versionOfData: string | undefined;
  readonly say: Say;
}

/**
 * The first of: `temporal` on PATH if new enough, the cache, the official download, a build with Go.
 * @throws Error that lists what was tried and what to do.
 */
export async function findTemporal(search: ProgramSearch): Promise<TemporalProgram> {
  const needed = search.versionOfData && isOlder(OLDEST_SERVER, search.versionOfData) ? search.versionOfData : OLDEST_SERVER;
  const tried: string[] = [];
  const usable = (file: string): TemporalProgram | undefined => {
    const serverVersion = serverVersionOf(file);
    if (serverVersion === undefined) tried.push(`${file} does not tell its server version`);
    else if (isOlder(serverVersion, needed)) tried.push(`${file} has server ${serverVersion}, ${needed} or newer is needed`);
    else return { file, serverVersion };
    return undefined;
  };
  const cached = path.join(cacheFolder(search.environment), 'temporal', `v${TEMPORAL_CLI_VERSION}`);
  for (const file of [...filesOnPath(TEMPORAL_FILE, search.environment), path.join(cached, TEMPORAL_FILE)]) {
    const found = existsSync(file) ? usable(file) : undefined;
    if (found) return found;
  }
  const archive = officialArchive();
  const ways = [
    ...(archive ? [() => downloadTemporal(archive, cached, search.say)] : []),
    () => buildTemporal(cached, search.say),
  ];
  for (const obtain of ways) {
    try {
      await obtain();
      const found = usable(path.join(cached, TEMPORAL_FILE));
      if (found) return found;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      search.say(`that did not work: ${reason}`);
      tried.push(reason);
    }
  }
  const remedy = 'set TEMPORAL_ADDRESS to a server of yours, or put the temporal program on PATH (https://docs.temporal.io/cli)';
  throw new Error(`no Temporal server: ${remedy}. Tried:\n- ${tried.join('\n- ')}`);
}

/** `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)` */
function serverVersionOf(file: string): string | undefined {
  try {
    const words = execFileSync(file, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true });
    return /Server (\d+\.\d+\.\d+)/.exec(words)?.[1];
  } catch {
    return undefined; // not a program of this platform: the caller says so
  }
}

/** Compares `major.minor.patch`. */
export function isOlder(version: string, than: string): boolean {
  const parts = (text: string): number[] => text.split('.').map(Number);
  const [left, right] = [parts(version), parts(than)];
  for (let place = 0; place < right.length; place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
