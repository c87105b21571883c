import { afterEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { VenueSocket, type ChannelPolicy, type SocketDialect, type SocketEvent, type SocketFrame, type SocketRule } from '../../../src/venues/socket';

type Message = { readonly text: string };
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A promise for each connection, in order; the server does nothing by itself. */
class Venue {
  readonly server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  readonly connections: WebSocket[] = [];
  readonly received: string[] = [];
  private readonly waiting = new Set<() => void>();

  static async open(onConnection: (socket: WebSocket, count: number) => void = () => undefined): Promise<Venue> {
    const venue = new Venue(onConnection);
    await once(venue.server, 'listening');
    return venue;
  }

  private constructor(onConnection: (socket: WebSocket, count: number) => void) {
    this.server.on('connection', (socket: WebSocket) => {
      this.connections.push(socket);
      socket.on('error', () => undefined);
      socket.on('message', (data: Buffer) => {
        this.received.push(data.toString());
        this.changed();
      });
      onConnection(socket, this.connections.length);
      this.changed();
    });
    closers.push(() => this.stop());
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  changed(): void {
    for (const look of [...this.waiting]) look();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  async connection(count: number): Promise<WebSocket> {
    await this.until(() => this.connections.length >= count);
    return this.connections[count - 1] as WebSocket;
  }

  stop(): Promise<void> {
    for (const socket of this.connections) socket.terminate();
    return new Promise((resolve) => void this.server.close(() => resolve()));
  }
}

/** Frames are JSON of what the socket is to understand. */
function dialect(change: Partial<SocketDialect<Message>> & { readonly channels?: readonly string[]; readonly channelPolicy?: ChannelPolicy } = {}): SocketDialect<Message> {
  return {
    authentication: () => null,
    subscriptions: (change.channels ?? ['a']).map((channel) => ({ channel, frame: `subscribe ${channel}` })),
    ping: () => null,
    read: (text) => JSON.parse(text) as SocketFrame<Message>,
    gap: (reason) => ({ text: `gap: ${reason}` }),
    refused: () => ({ text: 'refused' }),
    policy: () => change.channelPolicy ?? 'facts',
    ...change,
  };
}

const QUICK: Partial<SocketRule> = { backOff: { firstMs: 5, maxMs: 20, minMs: 1 }, stableAfterMs: 0 };

class Holder {
  readonly messages: string[] = [];
  readonly events: SocketEvent[] = [];
  private readonly waiting = new Set<() => void>();
  readonly socket: VenueSocket<Message>;

  constructor(url: string, spoken: SocketDialect<Message>, rule: Partial<SocketRule> = QUICK, onMessage: (message: Message) => void = () => undefined) {
    const look = (): void => {
      for (const waiter of [...this.waiting]) waiter();
    };
    this.socket = new VenueSocket<Message>({
      venue: 'test',
      url,
      dialect: spoken,
      rule,
      random: () => 0,
      onMessage: (message) => {
        this.messages.push(message.text);
        look();
        onMessage(message);
      },
      onEvent: (event) => {
        this.events.push(event);
        look();
      },
    });
    closers.push(() => this.socket.close());
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }

  heard(text: string): Promise<void> {
    return this.until(() => this.messages.includes(text));
  }
}

const subscribed = (channel: string, sequence: number | null = null): string => JSON.stringify({ kind: 'subscribed', channel, sequence });
const message = (text: string, sequence: number | null, previousSequence: number | null = sequence === null ? null : sequence - 1, extra: { channel?: string; snapshot?: boolean } = {}): string =>
  JSON.stringify({ kind: 'message', channel: 'a', snapshot: false, sequence, previousSequence, messages: [{ text }], ...extra });

describe('opening a stream', () => {
  test('authenticates, subscribes to everything, and is ready with the last acknowledgement', async () => {
    const venue = await Venue.open();
    const holder = new Holder(venue.url, dialect({ authentication: () => 'let me in', channels: ['a', 'b'] }));
    let ready = false;
    void holder.socket.ready.then(() => (ready = true));
    const socket = await venue.connection(1);
    await venue.until(() => venue.received.length === 1);
    expect(venue.received).toEqual(['let me in']);
    socket.send(JSON.stringify({ kind: 'authenticated' }));
    await venue.until(() => venue.received.length === 3);
    expect(venue.received.slice(1)).toEqual(['subscribe a', 'subscribe b']);
    socket.send(subscribed('a'));
    socket.send(message('x', null));
    await holder.heard('x');
    expect(ready).toBe(false);
    socket.send(JSON.stringify({ kind: 'ignored' }));
    socket.send(subscribed('b'));
    await holder.socket.ready;
    expect(holder.messages).toEqual(['x']);
  });

  test('is ready at once without subscriptions', async () => {
    const venue = await Venue.open();
    await new Holder(venue.url, dialect({ channels: [] })).socket.ready;
  });

  test('is given up for good when the venue refuses', async () => {
    const venue = await Venue.open((socket) => socket.send(JSON.stringify({ kind: 'refused', code: 'NO', reason: 'a wrong key' })));
    const holder = new Holder(venue.url, dialect());
    await expect(holder.socket.ready).rejects.toMatchObject({ name: 'VenueRefused', venueCode: 'NO' });
    expect(holder.messages).toEqual(['refused']);
    const silent = new Holder(venue.url, dialect({ refused: () => null }));
    await expect(silent.socket.ready).rejects.toThrow('a wrong key');
    expect([silent.messages, venue.connections.length]).toEqual([[], 2]);
  });

  test('starts again when the handshake takes too long', async () => {
    const venue = await Venue.open((socket, count) => {
      if (count === 2) socket.send(subscribed('a'));
    });
    const holder = new Holder(venue.url, dialect(), { ...QUICK, handshakeTimeoutMs: 50 });
    await holder.socket.ready;
    expect(holder.events).toContainEqual({ kind: 'closed', venue: 'test', reason: 'the handshake took too long' });
    expect(holder.messages).toEqual([]);
  });

  test('keeps trying while nobody listens, and settles when its holder closes it', async () => {
    const holder = new Holder('ws://127.0.0.1:1', dialect());
    await holder.until(() => holder.events.filter(({ kind }) => kind === 'closed').length >= 4);
    holder.socket.close();
    holder.socket.close();
    await expect(holder.socket.ready).rejects.toMatchObject({ name: 'VenueUnavailable', reason: 'canceled' });
  });
});

describe('losing a connection', () => {
  const acknowledging = (socket: WebSocket): void => socket.send(subscribed('a', 5));

  test('reconnects at once the first time, subscribes again, and tells a gap before anything else', async () => {
    const venue = await Venue.open(acknowledging);
    // A timer of an hour: had the first reconnect waited for it, nothing would follow.
    const holder = new Holder(venue.url, dialect(), { stableAfterMs: 0, backOff: { firstMs: 3_600_000, maxMs: 3_600_000, minMs: 3_600_000 } });
    await holder.socket.ready;
    venue.connections[0]?.close();
    const second = await venue.connection(2);
    second.send(message('after', 6));
    await holder.heard('after');
    expect(holder.messages).toEqual(['gap: reconnected', 'after']);
  });

  test('the gap says from when on something is missing: what the new connection tells before it does not count', async () => {
    const missing: number[] = [];
    const venue = await Venue.open((socket, count) => {
      if (count > 1) socket.send(message('picture', 6));
      acknowledging(socket);
    });
    const holder = new Holder(venue.url, dialect({ gap: (reason, missingForMs) => (missing.push(missingForMs), { text: `gap: ${reason}` }) }));
    await holder.socket.ready;
    venue.connections[0]?.send(message('last', 6));
    await holder.heard('last');
    const heardAt = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 30));
    venue.connections[0]?.terminate();
    await holder.heard('gap: reconnected');
    expect(holder.messages).toEqual(['last', 'picture', 'gap: reconnected']);
    // Since before the picture: the whole time without a connection, and no more than there was.
    expect(missing[0]).toBeGreaterThanOrEqual(25);
    expect(missing[0]).toBeLessThanOrEqual(performance.now() - heardAt + 5);
  });

  test('backs off when connections do not last', async () => {
    const venue = await Venue.open((socket, count) => (count < 5 ? socket.close() : acknowledging(socket)));
    const holder = new Holder(venue.url, dialect(), { ...QUICK, stableAfterMs: 3_600_000 });
    await holder.socket.ready;
    expect(venue.connections).toHaveLength(5);
  });

  test('finds a connection dead that does not even answer pings', async () => {
    const venue = await Venue.open(acknowledging);
    const holder = new Holder(venue.url, dialect({ ping: () => 'ping' }), { ...QUICK, pingEveryMs: 20 });
    await holder.socket.ready;
    await venue.connection(2);
    expect(holder.events).toContainEqual({ kind: 'closed', venue: 'test', reason: 'nothing heard for two pings' });
    expect(venue.received).toContain('ping');
  });

  test('lives on pongs alone', async () => {
    let pings = 0;
    const venue = await Venue.open((socket) => {
      acknowledging(socket);
      socket.on('ping', () => {
        pings += 1;
        venue.changed();
      });
    });
    const holder = new Holder(venue.url, dialect(), { ...QUICK, pingEveryMs: 50 });
    await holder.socket.ready;
    await venue.until(() => pings >= 5);
    expect(venue.connections).toHaveLength(1);
  });

  test('a frame that cannot be read ends the connection, and the gap tells of it', async () => {
    const venue = await Venue.open(acknowledging);
    const holder = new Holder(venue.url, dialect());
    await holder.socket.ready;
    venue.connections[0]?.send('{');
    await holder.heard('gap: reconnected');
    expect(holder.events).toContainEqual({ kind: 'closed', venue: 'test', reason: 'a message could not be handled' });
  });

  test('a holder that fails on a message gets a gap, and nothing of the old connection', async () => {
    const venue = await Venue.open(acknowledging);
    const holder = new Holder(venue.url, dialect(), QUICK, ({ text }) => {
      // A careless holder throws what is no Error.
      if (text === 'bad') throw 'a text'; // eslint-disable-line @typescript-eslint/only-throw-error
    });
    await holder.socket.ready;
    venue.connections[0]?.send(message('bad', 6));
    venue.connections[0]?.send(message('lost', 7));
    await holder.heard('gap: reconnected');
    expect(holder.messages).toEqual(['bad', 'gap: reconnected']);
    expect(holder.events).toContainEqual({ kind: 'failed', venue: 'test', reason: 'a text' });
  });

  test('a closed stream stays closed, also while it waits to reconnect', async () => {
    const venue = await Venue.open((socket) => socket.close());
    const holder = new Holder(venue.url, dialect(), { backOff: { firstMs: 3_600_000, maxMs: 3_600_000, minMs: 3_600_000 } });
    await holder.until(() => holder.events.filter(({ kind }) => kind === 'closed').length === 2);
    holder.socket.close();
    await expect(holder.socket.ready).rejects.toThrow('closed');
    expect(venue.connections).toHaveLength(2);
  });
});

describe('sequences', () => {
  async function stream(channelPolicy: ChannelPolicy, frames: readonly string[], start: number | null = 5): Promise<{ holder: Holder; venue: Venue }> {
    const venue = await Venue.open((socket) => socket.send(subscribed('a', start)));
    const holder = new Holder(venue.url, dialect({ channelPolicy }));
    await holder.socket.ready;
    for (const frame of frames.at(-1)?.includes('"end"') ? frames : [...frames, message('end', null)]) venue.connections[0]?.send(frame);
    await holder.heard('end');
    return { holder, venue };
  }

  test('one after the other tell no gap', async () => {
    const { holder } = await stream('facts', [message('6', 6), message('7', 7)]);
    expect(holder.messages).toEqual(['6', '7', 'end']);
  });

  test('a missing fact is told as a gap before what follows it; a late or repeated fact is passed on', async () => {
    const { holder } = await stream('facts', [message('6', 6), message('8', 8), message('7', 7), message('8', 8), message('9', 9)]);
    expect(holder.messages).toEqual(['6', 'gap: a: after 6 came 8, which follows 7', '8', '7', '8', '9', 'end']);
  });

  test('of the latest only newer ones count; the picture that comes with the subscription is one', async () => {
    const { holder } = await stream('latest', [message('5', 5), message('6', 6), message('4', 4), message('8', 8)]);
    expect(holder.messages).toEqual(['5', '6', 'gap: a: after 6 came 8, which follows 7', '8', 'end']);
  });

  test('differences after a gap are kept back until the snapshot that is asked for', async () => {
    const lost = [message('6', 6), message('8', 8), message('9', 9), message('whole', 9, 9, { snapshot: true }), message('9', 9), message('10', 10), message('end', 11)];
    const { holder, venue } = await stream('differences', lost);
    expect(holder.messages).toEqual(['6', 'gap: a: after 6 came 8, which follows 7', 'whole', '10', 'end']);
    await venue.until(() => venue.received.length === 2);
    expect(venue.received).toEqual(['subscribe a', 'subscribe a']);
  });

  test('a channel without sequences, or without the previous one, has no gaps', async () => {
    const { holder } = await stream('facts', [message('x', null), message('10', 10, null), message('20', 20, null)], null);
    expect(holder.messages).toEqual(['x', '10', '20', 'end']);
    const { holder: other } = await stream('differences', [message('first', 3, 2, { channel: 'unknown' }), message('third', 5, 4, { channel: 'unknown' })], null);
    expect(other.messages).toEqual(['first', 'gap: unknown: after 3 came 5, which follows 4', 'end']);
  });
});
