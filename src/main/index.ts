/** One program, three roles: `node dist/main/index.js --role api | worker | watcher`. The supervisor (start.ts) runs one of each. */
import { loadSettings, SettingError } from '../config/settings';
import { runApi } from './api-role';
import { createLogger, type Logger } from './logger';
import { openPlatform, type Platform } from './platform';
import { runWatcher, runWorker } from './worker-roles';

/** A role that is running. */
export interface RunningRole {
  /** Settles when it ended by itself; rejects when it failed. */
  readonly ended: Promise<void>;
  /** Takes no new work, lets what is in flight end. */
  stop(): Promise<void>;
}

const ROLES: Readonly<Record<string, (platform: Platform) => Promise<RunningRole>>> = { api: runApi, worker: runWorker, watcher: runWatcher };

/** What stopping may take before the process ends itself; the supervisor waits a little longer before it kills. */
const STOP_LIMIT_MS = 9_000;

async function main(): Promise<void> {
  const role = roleOf(process.argv.slice(2));
  const run = ROLES[role];
  if (run === undefined) throw new SettingError(`--role must be one of ${Object.keys(ROLES).join(', ')}, got ${JSON.stringify(role)}`);
  const settings = loadSettings(process.env);
  const logger = createLogger(settings.logLevel, role);
  const platform = await openPlatform(settings, logger, process.env['NODE_ENV'] === 'production', role === 'api');
  const running = await run(platform);
  const stopped = whenToldToStop();
  // Without a supervisor there is no channel, and the log says it.
  process.send?.({ type: 'ready', role });
  logger.info('ready');
  await Promise.race([stopped, running.ended]);
  logger.info('stopping');
  const limit = setTimeout(() => end(logger, 1, 'did not stop in time'), STOP_LIMIT_MS);
  await running.stop();
  await platform.close();
  clearTimeout(limit);
  end(logger, 0, 'stopped');
}

function roleOf(args: readonly string[]): string {
  const at = args.indexOf('--role');
  return at < 0 ? '' : (args[at + 1] ?? '');
}

/** SIGTERM, SIGINT or the supervisor's stop message. Not its death: orders are guarded on, and the next start takes over. */
function whenToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    process.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'stop') resolve();
    });
  });
}

function end(logger: Logger, code: number, words: string): void {
  logger.info({ code }, words);
  logger.flush();
  process.exit(code);
}

main().catch((error: unknown) => {
  // One clear line for a wrong setting; the whole story for anything else.
  const text = error instanceof SettingError ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
});
