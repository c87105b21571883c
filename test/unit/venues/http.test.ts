import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock } from '../../../src/domain/clock';
import type { SendOptions } from '../../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRateLimited, VenueUnavailable, type VenueError } from '../../../src/domain/venue-errors';
import { MAX_RAW_CHARACTERS, rawText, retryAfterMs, VenueHttpClient, type VenueHttpOptions } from '../../../src/venues/http';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An HTTP server that counts requests and answers as told. */
async function venueServer(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const url = await listen(
    createServer((request, response) => {
      requests.push(request);
      request.resume().on('end', () => answer(request, response, requests.length));
    }),
  );
  return { url, requests };
}

function client(baseUrl: string, options: Partial<VenueHttpOptions> = {}): VenueHttpClient {
  const made = new VenueHttpClient({ venue: 'test', baseUrl, clock: systemClock, ...options });
  closers.push(() => made.close());
  return made;
}

function sending(change: Partial<SendOptions> = {}): SendOptions {
  return { maySend: () => Promise.resolve(true), sendBeforeMs: Date.now() + 30_000, signal: new AbortController().signal, priority: 'entry', ...change };
}

const ORDER = { method: 'POST', path: '/orders', body: '{"order":1}' } as const;
const never = new AbortController().signal;

async function errorOf(call: Promise<unknown>): Promise<VenueError> {
  return call.then(
    () => {
      throw new Error('expected an error');
    },
    (error: unknown) => error as VenueError,
  );
}

describe('sending a request', () => {
  test('writes exactly the body and headers it was given, below the path of the base URL', async () => {
    let body = '';
    const { url, requests } = await venueServer((_request, response) => response.end('{"ok":true}'));
    requests.push = (...added) => {
      for (const request of added) request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      return Array.prototype.push.apply(requests, added);
    };
    const answer = await client(`${url}/api/`).send({ ...ORDER, headers: { 'x-key': 'k' } }, sending());
    expect([answer.status, answer.body]).toEqual([200, '{"ok":true}']);
    expect(answer.receivedAtMs).toBeGreaterThanOrEqual(answer.sentAtMs);
    expect([requests[0]?.method, requests[0]?.url, body]).toEqual(['POST', '/api/orders', ORDER.body]);
    expect(requests[0]?.headers).toMatchObject({ 'x-key': 'k', 'content-type': 'application/json', 'content-length': '11' });
  });

  test('can have no body', async () => {
    const { url, requests } = await venueServer((_request, response) => response.end('{}'));
    const answer = await client(url).send({ method: 'DELETE', path: '/orders' }, sending());
    expect([answer.status, requests[0]?.method]).toEqual([200, 'DELETE']);
  });

  test('asks the fence only once the connection stands, and writes nothing when it says no', async () => {
    let connected = 0;
    let bytes = 0;
    const url = await listen(
      createTcpServer((socket) => {
        connected += 1;
        socket.on('data', (chunk) => (bytes += chunk.length));
      }),
    );
    let connectedWhenAsked = 0;
    const maySend = (): Promise<boolean> => {
      connectedWhenAsked = connected;
      return new Promise((resolve) => setImmediate(() => resolve(false)));
    };
    const error = await errorOf(client(url).send(ORDER, sending({ maySend })));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(error).toMatchObject({ reason: 'fence' });
    expect([connectedWhenAsked, bytes]).toEqual([1, 0]);
  });

  test.each([
    ['refused', 'http://127.0.0.1:1'],
    ['a name that does not resolve', 'http://no-such-host.invalid'],
  ])('to an address that is %s is certainly not sent', async (_what, url) => {
    let asked = 0;
    const error = await errorOf(client(url).send(ORDER, sending({ maySend: () => Promise.resolve(++asked > 0) })));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(error).toMatchObject({ reason: 'connection' });
    expect(asked).toBe(0);
  });

  test('to a server that does not speak TLS is certainly not sent', async () => {
    const url = await listen(createTcpServer((socket) => socket.end('this is no TLS\r\n')));
    const error = await errorOf(client(url.replace('http:', 'https:')).send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(error).toMatchObject({ reason: 'connection' });
  });

  test('over a kept connection that the venue cuts comes out as unknown, and is never written again', async () => {
    let requests = 0;
    const url = await listen(
      createTcpServer((socket) => {
        socket.on('data', () => {
          requests += 1;
          if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
          else socket.resetAndDestroy();
        });
      }),
    );
    const http = client(url);
    await http.send(ORDER, sending());
    const error = await errorOf(http.send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueOutcomeUnknown);
    expect(error).toMatchObject({ reason: 'reset' });
    expect(requests).toBe(2);
  });

  test('is destroyed at its deadline, and the venue sees the connection end', async () => {
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (ended = resolve));
    const { url } = await venueServer((request) => request.socket.on('close', () => ended()));
    const error = await errorOf(client(url).send(ORDER, sending({ sendBeforeMs: Date.now() + 200 })));
    expect(error).toBeInstanceOf(VenueOutcomeUnknown);
    expect(error).toMatchObject({ reason: 'timeout' });
    await end;
  });

  test('whose deadline passes while the connection is made is certainly not sent', async () => {
    // Accepts the connection and never answers the TLS handshake.
    const url = await listen(createTcpServer(() => undefined));
    const error = await errorOf(client(url.replace('http:', 'https:')).send(ORDER, sending({ sendBeforeMs: Date.now() + 100 })));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(error).toMatchObject({ reason: 'deadline' });
  });

  test('answered before it was written is certainly not sent: the answer belongs to nobody', async () => {
    let bytes = 0;
    const url = await listen(
      createTcpServer((socket) => {
        socket.on('data', (chunk) => (bytes += chunk.length));
        socket.write('HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      }),
    );
    const asked = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 100));
    const error = await errorOf(client(url).send(ORDER, sending({ maySend: () => asked })));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(bytes).toBe(0);
  });

  test.each([
    [301, 'unreadable'],
    [307, 'unreadable'],
    [408, 'timeout'],
    [500, 'serverError'],
    [503, 'serverError'],
  ])('answered %i is unknown (%s), and nothing is followed or repeated', async (status, reason) => {
    const { url, requests } = await venueServer((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end('words'));
    const error = await errorOf(client(url).send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueOutcomeUnknown);
    expect(error).toMatchObject({ reason, raw: 'words' });
    expect(requests).toHaveLength(1);
  });

  test.each([400, 401, 404, 422])('answered %i is for the adapter to read', async (status) => {
    const { url } = await venueServer((_request, response) => response.writeHead(status).end('no'));
    expect(await client(url).send(ORDER, sending())).toMatchObject({ status, body: 'no' });
  });

  test.each([429, 418])('answered %i says when to ask again', async (status) => {
    const { url } = await venueServer((_request, response) => response.writeHead(status, { 'retry-after': '12' }).end());
    const error = await errorOf(client(url).send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueRateLimited);
    expect(error).toMatchObject({ retryAfterMs: 12_000, by: 'venue' });
  });

  test('answered by more than the limit is unknown', async () => {
    const { url } = await venueServer((_request, response) => response.end('x'.repeat(2_000)));
    const error = await errorOf(client(url, { maxResponseBytes: 1_000 }).send(ORDER, sending()));
    expect(error).toMatchObject({ reason: 'unreadable' });
  });

  test('cut in the middle of its answer is unknown', async () => {
    const { url } = await venueServer((request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"half":', () => request.socket.destroy());
    });
    expect(await errorOf(client(url).send(ORDER, sending()))).toMatchObject({ reason: 'reset' });
  });

  test('on a closed client is certainly not sent', async () => {
    const { url, requests } = await venueServer((_request, response) => response.end());
    const http = client(url);
    await http.close();
    const error = await errorOf(http.send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueUnavailable);
    expect(requests).toHaveLength(0);
  });

  test('shows no secret, in no error and no raw answer', async () => {
    const { url } = await venueServer((_request, response) => response.writeHead(500).end('your key sesame is wrong'));
    const error = await errorOf(client(url).send({ ...ORDER, path: '/orders?signature=sesame', headers: { key: 'sesame' }, secrets: ['sesame', ''] }, sending()));
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack, cause: String(error.cause) })).not.toContain('sesame');
    expect(error).toMatchObject({ raw: 'your key [redacted] is wrong' });
  });
});

describe('connections for sending', () => {
  test('an entry that finds none in time is refused before anything is sent; an exit has its own', async () => {
    const waiting: ServerResponse[] = [];
    let arrived: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (arrived = resolve));
    const { url, requests } = await venueServer((_request, response, count) => {
      if (count > 1) response.end('{}');
      else waiting.push(response);
      arrived();
    });
    const http = client(url, { sendConnections: 2, exitConnections: 1, entryWaitMs: 20 });
    const held = http.send(ORDER, sending());
    await first;
    const error = await errorOf(http.send(ORDER, sending()));
    expect(error).toBeInstanceOf(VenueRateLimited);
    expect(error).toMatchObject({ by: 'budget', retryAfterMs: 20 });
    expect(await http.send(ORDER, sending({ priority: 'exit' }))).toMatchObject({ status: 200 });
    expect(requests).toHaveLength(2);
    const late = http.send(ORDER, sending({ sendBeforeMs: Date.now() + 25_000 }));
    waiting[0]?.end('{}');
    await held;
    expect((await late).status).toBe(200);
  });

  test('a send that finds none before its deadline is certainly not sent', async () => {
    let arrived: () => void = () => undefined;
    const first = new Promise<void>((resolve) => (arrived = resolve));
    const { url, requests } = await venueServer(() => arrived());
    const http = client(url, { sendConnections: 1, exitConnections: 0 });
    const stop = new AbortController();
    const held = errorOf(http.send(ORDER, sending({ signal: stop.signal })));
    await first;
    for (const options of [sending({ priority: 'exit', sendBeforeMs: Date.now() + 50 }), sending({ sendBeforeMs: Date.now() - 1 })]) {
      const error = await errorOf(http.send(ORDER, options));
      expect(error).toBeInstanceOf(VenueUnavailable);
      expect(error).toMatchObject({ reason: 'deadline' });
    }
    expect(requests).toHaveLength(1);
    stop.abort();
    expect(await held).toBeInstanceOf(VenueOutcomeUnknown);
  });
});

describe('reading', () => {
  const read = { method: 'GET', path: '/orders?a=1' } as const;

  test('is one attempt; a 5xx is an error', async () => {
    const { url, requests } = await venueServer((_request, response, count) => response.writeHead(count === 1 ? 502 : 200).end('{}'));
    const http = client(url);
    expect(await errorOf(http.read(read, never))).toMatchObject({ reason: 'serverError' });
    expect(requests).toHaveLength(1);
    expect(await http.read(read, never)).toMatchObject({ status: 200 });
    expect(requests[1]?.url).toBe('/orders?a=1');
  });

  test('ends at its time limit', async () => {
    const { url } = await venueServer(() => undefined);
    const error = await errorOf(client(url, { readTimeoutMs: 100 }).read(read, never));
    expect(error).toBeInstanceOf(VenueOutcomeUnknown);
    expect(error).toMatchObject({ reason: 'timeout' });
  });

  test('ends with its caller', async () => {
    const stop = new AbortController();
    const { url } = await venueServer(() => stop.abort());
    expect(await errorOf(client(url).read(read, stop.signal))).toMatchObject({ name: 'VenueUnavailable', reason: 'canceled' });
  });

  test('of a venue that is not there is an error of the connection', async () => {
    expect(await errorOf(client('http://127.0.0.1:1').read(read, never))).toMatchObject({ name: 'VenueUnavailable', reason: 'connection' });
  });
});

describe('Retry-After', () => {
  const NOW = Date.parse('2026-01-01T00:00:00Z');
  test.each([
    ['3', 3_000],
    ['0.25', 250],
    ['0', 1],
    ['Thu, 01 Jan 2026 00:00:09 GMT', 9_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 1],
    ['soon', 1_000],
    [undefined, 1_000],
  ])('%s is %i ms', (value, expected) => {
    expect(retryAfterMs(value === undefined ? {} : { 'retry-after': value }, NOW)).toBe(expected);
  });
});

test('the words of a venue are kept to a length', () => {
  expect(rawText('x'.repeat(MAX_RAW_CHARACTERS + 5))).toHaveLength(MAX_RAW_CHARACTERS + 1);
});
