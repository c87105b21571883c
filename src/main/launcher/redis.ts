import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { filesOnPath } from './folders';
import { ManagedProcess, plainEnvironment } from './managed-process';
import type { ServerPlan } from './managed-server';

const READY_WITHIN_MS = 10_000;
const STOP_GRACE_MS = 3_000;
const PROBE_TIMEOUT_MS = 1_000;
const PASSWORD_BYTES = 24;

export interface RedisOptions {
  readonly file: string;
  readonly port: number;
  readonly password: string;
  /** Working folder; nothing is written there, because nothing is persisted. */
  readonly folder: string;
  readonly logFile: string;
}

/** The redis-server on PATH, if there is one. */
export function findRedis(environment: NodeJS.ProcessEnv): string | undefined {
  return filesOnPath(process.platform === 'win32' ? 'redis-server.exe' : 'redis-server', environment)[0];
}

/** A password for a Redis that lives as long as its process. */
export function newRedisPassword(): string {
  return randomBytes(PASSWORD_BYTES).toString('hex');
}

/** The plan of one Redis server without persistence: losing it costs speed, never safety. */
export function redisPlan(options: RedisOptions): ServerPlan {
  const { port, password } = options;
  const url = `redis://:${password}@127.0.0.1:${port}`;
  // Given on standard input, so that the password is not on the command line for every user of the machine to read.
  const configuration = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    `dir ${JSON.stringify(options.folder)}`,
    'daemonize no',
    'maxmemory 256mb', // streams are trimmed by their writers; a leak must not take the machine
    'maxmemory-policy noeviction', // an evicted rate budget would fail open
  ];
  return {
    name: 'redis',
    url,
    port,
    logFile: options.logFile,
    fingerprint: `${options.file} ${port}`,
    stop: { signal: 'SIGTERM', graceMs: STOP_GRACE_MS },
    readyWithinMs: READY_WITHIN_MS,
    passing: /Address already in use/,
    spawn: () =>
      ManagedProcess.start({
        name: 'redis',
        command: options.file,
        args: ['-'],
        environment: plainEnvironment(process.env),
        logFile: options.logFile,
        input: `${configuration.join('\n')}\n`,
      }),
    probe: () => answersRedis(port, password),
  };
}

/** One PING, by hand: two lines of the protocol are less than a client with reconnection and its timers. */
async function answersRedis(port: number, password: string): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(PROBE_TIMEOUT_MS);
  return new Promise((resolve) => {
    let answer = '';
    const settle = (ready: boolean): void => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      if (answer.includes('PONG')) settle(true);
      else if (answer.includes('-')) settle(false); // an error reply: not ours, or still loading
    });
    for (const end of ['error', 'timeout', 'close']) socket.once(end, () => settle(false));
  });
}
