/** What a broken client sends to the order routes: told with its place and what to do, nothing placed, nothing half read. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import express from 'express';
import { createHttpServer } from '../../src/api';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeAll(async () => {
  api = await new ApiHarness().start();
});
afterAll(() => api.close());

const code = (answer: Answer): [number, string, string] => [answer.status, answer.body.error?.code, answer.body.error?.outcome];
const VALIDATION = [400, 'VALIDATION', 'none'];
const text = (changes: Record<string, unknown> = {}): string => JSON.stringify(limitOrder(changes));
const place = (raw: string): Promise<Answer> => api.ask('POST', '/api/v1/orders', { raw });
const path = (answer: Answer): unknown => answer.body.error.details.issues[0].path;

describe('an order', () => {
  test.each([
    0.01, null, true, ['0.01'], { value: '0.01' }, '', '-1', '0', '0.000', '-0', '+1', '1e-3', '1E3', 'NaN', 'Infinity', '0x10', ' 0.01', '0.01\n', '.5', '5.', '1,000', '1_000', '٠.٠١', '９', '9'.repeat(21), '9'.repeat(5_000), `0.${'0'.repeat(40)}1`,
  ])('with the quantity %j names it', async (quantity) => {
    const answer = await place(text({ quantity }));
    expect([...code(answer), path(answer)]).toEqual([...VALIDATION, 'body.quantity']);
  });

  test.each([
    ['accountId', '../../x'], ['accountId', 1], ['clientOrderId', ''], ['clientOrderId', 'a b'], ['clientOrderId', 'a\n'], ['clientOrderId', 'ä'], ['clientOrderId', '..'], ['clientOrderId', 'a'.repeat(65)], ['clientOrderId', null],
    ['symbol', ''], ['symbol', '🚀'], ['symbol', 'B'.repeat(500)], ['symbol', 'BTC\u0000PERP'], ['side', 'BUY'], ['type', 'Limit'], ['timeInForce', 'gtc'], ['postOnly', 'true'], ['reduceOnly', 1], ['limitPrice', '1'.repeat(60)],
    ['expireTime', 'tomorrow'], ['expireTime', '2026-02-30T00:00:00Z'], ['expireTime', '2027-01-01T00:00:00'], ['expireTime', 1_790_000_000], ['expireTime', '+275760-09-13T00:00:00.000Z'],
  ])('with %s %j names it', async (field, value) => {
    const answer = await place(text({ ...(field === 'expireTime' ? { timeInForce: 'GTD' } : {}), [field]: value }));
    expect([...code(answer), path(answer)]).toEqual([...VALIDATION, `body.${field}`]);
  });

  test.each(['userId', 'state', 'origin', 'leverage', 'foo', 'constructor', 'toString'])('with a field that nobody may set, %s, says so', async (field) => {
    const answer = await place(text({ [field]: 'x' }));
    expect(code(answer)).toEqual(VALIDATION);
    expect(answer.body.error.message).toContain(`"${field}"`);
  });

  test('whose text sets a prototype is refused, and nobody has one more field', async () => {
    expect(code(await place(text().replace('{', '{"__proto__":{"admin":true},')))).toEqual(VALIDATION);
    expect('admin' in {}).toBe(false);
  });

  test('by a name that objects have is an order like any other', async () => {
    for (const clientOrderId of ['__proto__', 'constructor', 'hasOwnProperty']) expect((await place(text({ clientOrderId }))).body).toMatchObject({ clientOrderId, state: 'WORKING' });
  });
});

describe('a body', () => {
  test.each(['null', '[]', '"x"', '5', 'true', '', '{"accountId":', '{}x', "{'a':1}", '{"quantity":NaN}', '['.repeat(20_000) + ']'.repeat(20_000), `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`])('that is no order is refused: %.20s', async (raw) => {
    expect(code(await place(raw))).toEqual(VALIDATION);
  });

  test('larger than the limit once unpacked is too large', async () => {
    const answer = await fetch(`${api.url}/api/v1/orders`, { method: 'POST', headers: { authorization: `Bearer ${api.key}`, 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: gzipSync(`{"a":"${'x'.repeat(1_000_000)}"}`) });
    expect(answer.status).toBe(413);
  });

  test('that is not packed as it says is told so', async () => {
    const answer = await api.ask('POST', '/api/v1/orders', { raw: text(), headers: { 'content-encoding': 'gzip' } });
    expect([...code(answer), answer.body.error.message]).toEqual([...VALIDATION, 'the body is not packed as its Content-Encoding says']);
  });
});

test.each(['%ff', '%', '%E0%A4%A'])('a path that cannot be decoded is told so: %s', async (id) => {
  const response = await fetch(`${api.url}/api/v1/orders/${id}`, { headers: { authorization: `Bearer ${api.key}` } });
  const { error } = (await response.json()) as Answer['body'];
  expect([response.status, error.code, error.message, error.details.issues[0].path]).toEqual([400, 'VALIDATION', 'the path cannot be decoded: a % stands for itself only as %25', 'path']);
});

test.each(['', '*', 'abc', '-1', '1.5', '9'.repeat(20), 'W/"1"', '2, 99', '1e0', '0x1', '"'])('If-Match %j is no revision', async (revision) => {
  const { id } = (await place(text({ clientOrderId: 'matched' }))).body;
  const answer = await api.ask('PATCH', `/api/v1/orders/${id}`, { body: { limitPrice: '50001' }, headers: { 'if-match': revision } });
  expect([...code(answer), path(answer)]).toEqual([...VALIDATION, 'header.if-match']);
});

test.each(['limit=0', 'limit=-1', 'limit=1e3', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'limit[]=1', 'limit=99999', 'cursor=', 'cursor=%00', 'foo=1', '__proto__=1', 'status=weird', 'accountId=main&accountId=main'])('a listing by ?%s is refused', async (query) => {
  expect(code(await api.ask('GET', `/api/v1/orders?${query}`))).toEqual(VALIDATION);
});

describe('a client that stalls', () => {
  let server: Server;
  let socket: Socket;
  beforeAll(async () => {
    server = createHttpServer(express().use((request, response) => void request.resume().on('end', () => response.end())), { requestMs: 200, headersMs: 100 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(async () => {
    socket.destroy();
    await new Promise((closed) => server.close(closed));
  });

  // Node looks at its connections every 30 s by default, whatever the limits are: the test's own time would be over.
  test.each([['in its body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{'], ['in its headers', 'POST / HTTP/1.1\r\nHost: x\r\n']])('%s is told 408, not kept', async (_where, sent) => {
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write(sent);
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 408 /);
  }, 20_000);
});
