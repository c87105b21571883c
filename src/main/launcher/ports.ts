import { connect, createServer } from 'node:net';

/** The last port that can be asked for. */
export const LAST_PORT = 65_535;
/** How far a default port may move before that is called an error: more servers than this are a mistake. */
const DEFAULT_PORT_TRIES = 100;

/** A loopback connection that takes longer is to a process that is stopped. */
const PROBE_TIMEOUT_MS = 1_000;

/** A port that was asked for is taken. The message says what to do. */
export class PortInUse extends Error {
  override readonly name = 'PortInUse';
}

/** Whether a server could listen there now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Whether something listens on the loopback port. */
export async function acceptsConnections(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.setTimeout(PROBE_TIMEOUT_MS);
  return new Promise((resolve) => {
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

/** A port nobody listens on at this moment, chosen by the system. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: 0, host }, () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export interface PortWish {
  /** What listens there, for the message. */
  readonly what: string;
  /** The variable that sets it. */
  readonly env: string;
  readonly port: number;
  /** Set by the user: then it is this port or none. */
  readonly given: boolean;
  readonly host?: string;
  /** Ports already promised to others of this start. */
  readonly taken: ReadonlySet<number>;
  readonly say: (text: string) => void;
}

/**
 * The port to listen on: the wished one, or, if that is only the default, the next free one, said aloud.
 * @throws PortInUse when a given port is taken.
 */
export async function choosePort(wish: PortWish): Promise<number> {
  const usable = async (port: number): Promise<boolean> => !wish.taken.has(port) && (await isPortFree(port, wish.host));
  if (await usable(wish.port)) return wish.port;
  if (wish.given) {
    throw new PortInUse(`${wish.env}=${wish.port} is in use: stop what listens there, or set ${wish.env} to another port for ${wish.what}`);
  }
  const last = Math.min(LAST_PORT, wish.port + DEFAULT_PORT_TRIES);
  for (let port = wish.port + 1; port <= last; port += 1) {
    if (!(await usable(port))) continue;
    wish.say(`port ${wish.port} is in use, ${wish.what} takes ${port} (set ${wish.env} to choose)`);
    return port;
  }
  throw new PortInUse(`no free port from ${wish.port} to ${last} for ${wish.what}: set ${wish.env}`);
}
