/** The connection that LISTENs, against a server that hangs up without a word: what a proxy does whose PostgreSQL is away. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { listenForEvents } from '../../../src/store/database/event-listener';

const AUTHENTICATED = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]);
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);
const LISTENING = Buffer.concat([Buffer.from([0x43, 0, 0, 0, 11]), Buffer.from('LISTEN\0')]);

/** Speaks as much of PostgreSQL's protocol as a LISTEN needs, or hangs up. */
class Front extends EventEmitter {
  isAway = false;
  hungUp = 0;
  readonly listening = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.accept(socket));

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `postgresql://user@127.0.0.1:${(this.server.address() as AddressInfo).port}/surefill`;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.listening) socket.destroy();
    await once(this.server, 'close');
  }

  private accept(socket: Socket): void {
    socket.on('error', () => undefined); // its client may be gone first
    if (this.isAway) {
      this.hungUp += 1;
      socket.resume().end();
      socket.once('close', () => this.emit('hungUp'));
      return;
    }
    socket.once('data', () => {
      socket.write(Buffer.concat([AUTHENTICATED, READY]));
      socket.once('data', () => {
        socket.write(Buffer.concat([LISTENING, READY]));
        this.listening.add(socket);
        this.emit('listening');
      });
    });
    socket.once('close', () => this.listening.delete(socket));
  }
}

let front: Front;
beforeEach(() => {
  front = new Front();
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance', 'Date'] });
});
afterEach(async () => {
  jest.useRealTimers();
  await front.stop();
});
/** Whatever a closed connection still has to say was said. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

test('one that could not listen at first says so and does not go on trying behind its caller\'s back', async () => {
  const databaseUrl = await front.start();
  front.isAway = true;
  await expect(listenForEvents({ databaseUrl, onNotice: () => undefined, onReconnected: () => undefined, onError: () => undefined })).rejects.toThrow('Connection terminated');
  await settled();
  expect(jest.getTimerCount()).toBe(0);
});

test('while a proxy hangs up it tries again one connection at a time, however long that takes, and listens once afterwards', async () => {
  const databaseUrl = await front.start();
  const notices: string[] = [];
  const listening = await listenForEvents({ databaseUrl, onNotice: (stream) => notices.push(stream), onReconnected: () => undefined, onError: () => undefined });
  front.isAway = true;
  const [first] = front.listening;
  const gone = once(first ?? front, 'close');
  first?.destroy();
  await gone;
  await settled();
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    expect([front.hungUp, jest.getTimerCount()]).toEqual([attempt - 1, 1]);
    const hungUp = once(front, 'hungUp');
    jest.runOnlyPendingTimers();
    await hungUp;
    await settled();
  }
  front.isAway = false;
  const back = once(front, 'listening');
  jest.runOnlyPendingTimers();
  await back;
  await settled();
  expect([notices, front.listening.size, jest.getTimerCount()]).toEqual([['*'], 1, 0]);
  await listening.close();
});
