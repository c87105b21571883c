/** Receivers that answer to do harm: over real sockets, byte by byte. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { ANSWER_BYTES, GuardedClient } from '../../../src/delivery/guarded-client';
import { PATTERNS } from '../../../src/delivery/redaction';

const DEADLINE_MS = 1_500;
let server: Server;
let url = '';
let answer: (socket: Socket) => void = (socket) => socket.end();
const sockets = new Set<Socket>();
const client = new GuardedClient({ guard: new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null)), allowHttp: true, timeoutMs: DEADLINE_MS });

beforeAll(async () => {
  server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).on('close', () => sockets.delete(socket)));
    let seen = '';
    socket.on('data', (part: Buffer) => {
      seen += part.toString('latin1');
      if (!seen.endsWith('\r\n\r\n{}')) return;
      seen = '';
      answer(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  await client.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

const post = (): ReturnType<GuardedClient['post']> => client.post({ url, headers: { 'content-type': 'application/json' }, body: '{}', nowMs: () => Date.now(), signal: new AbortController().signal });
/** Words, then the same piece again and again for as long as the other side listens. */
const dripping = (words: string, piece: string) => (socket: Socket): void => {
  socket.write(words);
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on('close', () => clearInterval(timer));
};

describe('an answer that does harm', () => {
  test.each<[string, (socket: Socket) => void, object]>([
    ['headers that never end', dripping('HTTP/1.1 200 OK\r\n', 'x-a: b\r\n'), { code: null }],
    ['a header byte by byte', dripping('HTTP/1.1 200 OK\r\nx-a: ', 'b'), { code: null, errorClass: 'timeout' }],
    ['headers of a megabyte', (socket) => void socket.write(`HTTP/1.1 200 OK\r\nx-a: ${'b'.repeat(1_000_000)}\r\n\r\n`), { code: null, errorClass: 'network' }],
    ['hints of an answer without end', dripping('', 'HTTP/1.1 103 Early Hints\r\n\r\n'), { code: null }],
    ['another protocol', (socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: evil\r\nconnection: upgrade\r\n\r\n'), { code: null }],
    ['no HTTP at all', (socket) => void socket.end('SSH-2.0-OpenSSH_9.9\r\n'), { code: null }],
    ['two lengths', (socket) => void socket.end('HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'), { code: null }],
    ['a hang-up in the middle of its headers', (socket) => { socket.write('HTTP/1.1 200 OK\r\nx-a'); socket.resetAndDestroy(); }, { code: null, errorClass: 'reset' }],
  ])('%s: a failure, within the deadline', async (_name, how, outcome) => {
    answer = how;
    const result = await post();
    expect(result).toMatchObject(outcome);
    expect(result.errorClass).not.toBeNull();
  });

  test.each<[string, (socket: Socket) => void, object]>([
    ['a body without end', dripping('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(4_096)), { code: 200, errorClass: null }],
    ['a body byte by byte', dripping('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n', 'x'), { code: 200, errorClass: null }],
    ['a body that is cut off', (socket) => { socket.write('HTTP/1.1 204 No Content\r\n\r\n'); socket.destroy(); }, { code: 204, errorClass: null }],
    ['a hang-up in the middle of its body', (socket) => { socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nso far'); setTimeout(() => socket.resetAndDestroy(), 50); }, { code: 200, errorClass: null, answer: 'so far' }],
    ['a chunk of a wrong size', (socket) => void socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nokZZ\r\n'), { code: 200, errorClass: null }],
    ['a body that never comes, and 410', (socket) => void socket.write('HTTP/1.1 410 Gone\r\ncontent-length: 10\r\n\r\n'), { code: 410, errorClass: 'answer' }],
    ['a body that never comes, and 503 with Retry-After', (socket) => void socket.write('HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 10\r\n\r\n'), { code: 503, errorClass: 'answer', retryAfterMs: 7_000 }],
  ])('%s: the status that was seen counts, so that what was taken is not sent again', async (_name, how, outcome) => {
    answer = how;
    const result = await post();
    expect(result).toMatchObject(outcome);
    expect((result.answer ?? '').length).toBeLessThanOrEqual(ANSWER_BYTES);
  });

  test('a bomb of zeros packed into few bytes is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    answer = (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
      socket.write(bomb);
    };
    const { code, answer: kept } = await post();
    expect([code, (kept ?? '').length <= ANSWER_BYTES]).toEqual([200, true]);
  });

  test('a second answer on the connection is nobody\'s: the next request has its own', async () => {
    let requests = 0;
    answer = (socket) => {
      requests += 1;
      socket.write('HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    };
    expect([(await post()).code, (await post()).code]).toEqual([500, 500]);
    expect(requests).toBe(2);
  });
});

/**
 * Where a pattern may begin at each character and run to the end, its steps grow with the square of the answer: a third of a second each, for every
 * delivery of the process. The time is not asserted; that every repetition has a bound is.
 */
test.each([...PATTERNS.map(([pattern]) => pattern.source)])('redaction by %s repeats nothing without a bound', (source) => {
  const repetitions = source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'c').match(/[*+]|\{\d+,\}/g) ?? [];
  expect(repetitions).toEqual([]);
});
