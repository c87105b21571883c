/** Workers that cache workflows change when Temporal was away: nobody who was there before takes a task of what comes back. */
import { expect, test } from '@jest/globals';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { ServerPresence } from '../../../src/temporal/server-presence';
import { WorkerShifts, type Shift } from '../../../src/temporal/worker-shifts';

class Office {
  readonly shifts: { left: boolean; readonly end: () => void; readonly failWith: (error: Error) => void }[] = [];
  readonly said: string[] = [];
  refusals = 0;
  gate: Promise<void> = Promise.resolve();
  readonly began: (() => void)[] = [];

  open(): WorkerShifts {
    return new WorkerShifts({
      begin: async (): Promise<Shift> => {
        await this.gate;
        if (this.refusals > 0) {
          this.refusals -= 1;
          throw new Error('nobody answers');
        }
        let end: () => void = () => undefined;
        let failWith: (error: Error) => void = () => undefined;
        const ended = new Promise<void>((resolve, reject) => ((end = resolve), (failWith = reject)));
        const shift = { left: false, end, failWith };
        this.shifts.push(shift);
        this.began.splice(0).forEach((told) => told());
        return { ended, leave: () => ((shift.left = true), end()) };
      },
      onShift: (words) => this.said.push(words),
    });
  }
  next(): Promise<void> {
    return new Promise((resolve) => this.began.push(resolve));
  }
}

test('one shift leaves when Temporal goes away, and another begins when it is there again', async () => {
  const office = new Office();
  const shifts = office.open();
  await shifts.start();
  shifts.pause('Temporal is away');
  expect(office.shifts.map(({ left }) => left)).toEqual([true]);
  office.refusals = 2;
  const next = office.next();
  shifts.resume();
  await next;
  expect(office.shifts.map(({ left }) => left)).toEqual([true, false]);
  expect(office.said.filter((words) => words.includes('nobody answers'))).toHaveLength(2);
  await shifts.stop();
  expect(office.shifts.map(({ left }) => left)).toEqual([true, true]);
});

test('one that was still being made when Temporal went away leaves before its first task', async () => {
  const office = new Office();
  const shifts = office.open();
  await shifts.start();
  shifts.pause('away');
  let open: () => void = () => undefined;
  office.gate = new Promise((resolve) => (open = resolve));
  shifts.resume();
  shifts.pause('away again');
  const made = office.next();
  open();
  await made;
  await shifts.stop();
  expect(office.shifts.map(({ left }) => left)).toEqual([true, true]);
});

test('a worker that fails, present or leaving, is told', async () => {
  const office = new Office();
  const shifts = office.open();
  await shifts.start();
  office.shifts[0]?.failWith(new Error('broken'));
  await expect(shifts.failed).rejects.toThrow('broken');
});

async function serveAt(port: number): Promise<{ server: Http2Server; sessions: Set<ServerHttp2Session>; port: number; end(): Promise<void> }> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    sessions,
    port: (server.address() as AddressInfo).port,
    end: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

test('an absence is noticed at once, its end too, and a connection that is only renewed is no absence', async () => {
  const heard: string[] = [];
  const waiting: (() => void)[] = [];
  const say = (word: string): void => {
    heard.push(word);
    waiting.splice(0).forEach((told) => told());
  };
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const first = await serveAt(0);
  const connected = once(first.server, 'session');
  const presence = new ServerPresence(`127.0.0.1:${first.port}`, { onAway: () => say('away'), onReturn: () => say('back'), onRenewed: () => say('renewed') });
  presence.start();
  await connected;
  // As a server does with connections that are old.
  const [session] = first.sessions;
  await new Promise<void>((resolve) => session?.ping(() => resolve()));
  session?.goaway();
  session?.close();
  await until(1);
  await first.end();
  await until(2);
  const second = await serveAt(first.port);
  await until(3);
  expect(heard).toEqual(['renewed', 'away', 'back']);
  presence.close();
  await second.end();
  expect(heard).toEqual(['renewed', 'away', 'back']);
});
