/** The paper venue under contract: its simulator as a separate process whose books stand still. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../../src/domain/clock';
import type { Venue } from '../../../src/domain/venue';
import { PaperVenue } from '../../../src/venues/paper/venue';
import type { SendKind, VenueControl, VenueHarness } from './harness';

const PROGRAM = path.resolve(__dirname, '../../../dist/simulator/main.js');
const ROUTES: Readonly<Record<SendKind, string>> = { place: '/orders', amend: '/orders/amend', cancel: '/orders/cancel' };

export interface PaperSimulator {
  readonly url: string;
  readonly control: VenueControl;
  readonly call: <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>;
  stop(): Promise<void>;
}

/** Starts the simulator on a free port. Throws an Error with its words when it does not come up. */
export async function startPaperSimulator(venue = 'paper', more: readonly string[] = []): Promise<PaperSimulator> {
  if (!existsSync(PROGRAM)) throw new Error('dist/ is not built: run `node scripts/build.js` first');
  const child = spawn(process.execPath, [PROGRAM, '--venue', venue, '--port', '0', '--tick-ms', '0', '--seed', '7', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', endWithUs);
  const url = await addressOf(child);
  const first = controlCall(url);
  // The venue's own address may be made deaf; the control API has a second one.
  const { controlUrl } = await first<{ controlUrl: string }>('GET', '/__sim/state');
  const call = controlCall(controlUrl);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', endWithUs);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await exited;
  };
  return { url, call, control: paperControl(call), stop };
}

/** A message on loopback takes milliseconds; a busy machine is forgiven a thousand times that. */
const HEAR_WITHIN_MS = 5_000;

export interface PaperHarnessOptions {
  /** Puts something around the adapter: the planted defects do. */
  readonly wrap?: (venue: Venue) => Venue;
  readonly hearWithinMs?: number;
}

/** A harness on a simulator. */
export function paperHarness(simulator: PaperSimulator, { wrap = (venue) => venue, hearWithinMs = HEAR_WITHIN_MS }: PaperHarnessOptions = {}): VenueHarness {
  const { url, call, control } = simulator;
  const opened: Venue[] = [];
  const keys: string[] = [];
  const freshVenue = (): Venue => {
    const venue = wrap(new PaperVenue({ name: 'paper', httpUrl: url, wsUrl: url.replace('http', 'ws'), options: { pageSize: 3 }, clock: systemClock }));
    opened.push(venue);
    return venue;
  };
  const venue = freshVenue();
  return {
    venue,
    control,
    symbol: 'BTC-PERP',
    price: '97000',
    quantity: '0.0123',
    hearWithinMs,
    freshVenue,
    account: async (of = venue) => {
      const key = `key-${randomUUID()}`;
      const name = `account-${randomUUID().slice(0, 8)}`;
      await call('POST', '/__sim/accounts', { key, account: name });
      keys.push(key);
      return { name, key, session: of.session({ key }) };
    },
    reset: async () => {
      await control.clear();
      for (const key of keys.splice(0)) {
        const answer = await fetch(`${url}/orders/cancel-all`, { method: 'POST', body: '{}', headers: { 'x-paper-key': key, 'content-type': 'application/json' } });
        if (!answer.ok) throw new Error(`cancel-all answered ${answer.status}: ${await answer.text()}`);
      }
      await control.movePrice('BTC-PERP', '97000');
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
    },
  };
}

type Call = <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>;

function paperControl(call: Call): VenueControl {
  const fault = async (body: Readonly<Record<string, unknown>>): Promise<string> => (await call<{ id: string }>('POST', '/__sim/faults', body)).id;
  const on = (kind: SendKind): { match: { method: string; path: string } } => ({ match: { method: 'POST', path: ROUTES[kind] } });
  return {
    movePrice: async (symbol, price) => void (await call('POST', '/__sim/prices', { symbol, price })),
    loseAnswer: async (kind) => void (await fault({ kind: 'dropResponse', ...on(kind) })),
    failAfterAccept: async (kind) => void (await fault({ kind: 'errorAfterAccept', status: 500, ...on(kind) })),
    holdAnswer: async (kind) => {
      const id = await fault({ kind: 'hold', ...on(kind) });
      return {
        taken: async () => void (await call('GET', `/__sim/faults/${id}/hits?count=1&timeoutMs=10000`)),
        release: async () => void (await call('POST', `/__sim/faults/${id}/release`, {})),
      };
    },
    rateLimit: async (what, retryAfterSeconds) => void (await fault({ kind: 'rateLimit', retryAfterSeconds, ...(what === 'read' ? { match: { method: 'GET' } } : on(what)) })),
    whileUnreachable: async (run) => {
      await call('POST', '/__sim/listen', { up: false });
      try {
        await run();
      } finally {
        await call('POST', '/__sim/listen', { up: true });
      }
    },
    received: async (kind) => (await call<{ count: number }>('GET', `/__sim/requests?method=POST&path=${ROUTES[kind]}`)).count,
    accepted: async (account) => {
      const { orders } = await call<{ orders: { account: string; clientId: string; symbol: string; quantity: string; price: string | null }[] }>('GET', '/__sim/orders');
      return orders.filter((order) => order.account === account);
    },
    dropStreamMessages: async (account, count) => void (await fault({ kind: 'dropMessages', count, match: { account } })),
    duplicateStreamMessages: async (account, count) => void (await fault({ kind: 'duplicateMessages', count, match: { account } })),
    closeStreams: async (account) => void (await fault({ kind: 'closeStream', match: { account } })),
    dropBookMessage: async () => void (await fault({ kind: 'dropMessages', count: 1, match: { channel: 'book' } })),
    revokeKey: async (key) => void (await fault({ kind: 'revokeKey', key })),
    advanceClock: async (advanceMs) => void (await call('POST', '/__sim/clock', { advanceMs })),
    truncateHistory: async (account, before) => void (await fault({ kind: 'truncateHistory', before, match: { account } })),
    clear: async () => void (await call('DELETE', '/__sim/faults')),
  };
}

function controlCall(url: string): Call {
  return async <Answer>(method: string, route: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${url}${route}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  };
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error('the simulator needs its pipes');
    let said = '';
    stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    createInterface({ input: stdout }).on('line', (line) => {
      const url = /url=(\S+)/.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) => reject(new Error(`the simulator ended with ${code}: ${said}`)));
  });
}
