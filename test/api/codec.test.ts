import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness } from './harness';

const UI = 'http://127.0.0.1:8233';
const PAYLOAD = { metadata: { encoding: 'anNvbi9wbGFpbg==' }, data: 'e30=' };

let api: ApiHarness;
let adminKey: string;
beforeEach(async () => {
  api = await new ApiHarness().start(undefined, {
    codec: {
      origins: [UI],
      encode: async (payloads) => payloads.map(() => ({ data: 'encoded' })),
      decode: async (payloads) => {
        if (payloads.some((payload) => payload.data === 'bad0')) throw new Error('which TEMPORAL_PAYLOAD_KEYS does not have');
        return payloads.map(() => PAYLOAD);
      },
    },
  });
  adminKey = api.backend.addUser('operator', ['admin']);
});
afterEach(() => api.close());

const bearer = (key: string): string => `Bearer ${key}`;
const basic = (key: string): string => `Basic ${Buffer.from(`operator:${key}`).toString('base64')}`;

function ask(path: string, headers: Record<string, string>, body: unknown = { payloads: [PAYLOAD] }, method = 'POST'): Promise<Response> {
  return fetch(`${api.url}/api/v1/codec${path}`, { method, headers: { 'content-type': 'application/json', ...headers }, ...(method === 'POST' ? { body: JSON.stringify(body) } : {}) });
}

describe('the codec endpoint', () => {
  test.each([['Bearer, as the CLI sends', bearer], ['Basic, as a browser does', basic]])('decodes and encodes for an admin key by %s', async (_how, authorization) => {
    const headers = { authorization: authorization(adminKey) };
    expect(await (await ask('/decode', headers)).json()).toEqual({ payloads: [PAYLOAD] });
    expect(await (await ask('/encode', headers)).json()).toEqual({ payloads: [{ data: 'encoded' }] });
  });

  test('asks a browser for the key, and is told when it has it', async () => {
    const stranger = await ask('', {}, undefined, 'GET');
    expect([stranger.status, stranger.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic realm=/)]);
    expect(await stranger.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } });
    const known = await ask('', { authorization: basic(adminKey) }, undefined, 'GET');
    expect([known.status, await known.text()]).toEqual([200, expect.stringContaining('codec endpoint')]);
  });

  test.each([['none', {}], ['an unknown one', { authorization: 'Bearer sf_wrong_key_0123456789' }], ['none that is a key', { authorization: 'Basic eDp5' }]])('gives nothing for a key that is %s', async (_what, headers) => {
    expect((await ask('/decode', headers)).status).toBe(401);
  });

  test('gives nothing for a key that may not admin', async () => {
    expect((await ask('/decode', { authorization: bearer(api.readKey) })).status).toBe(403);
  });

  test('lets the Web UI\'s pages use it, with what the browser knows, and no other page', async () => {
    const preflight = (origin: string): Promise<Response> => ask('/decode', { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-namespace' }, undefined, 'OPTIONS');
    const allowed = (await preflight(UI)).headers;
    expect([allowed.get('access-control-allow-origin'), allowed.get('access-control-allow-credentials')]).toEqual([UI, 'true']);
    expect((await preflight('https://evil.example.com')).headers.get('access-control-allow-origin')).toBeNull();
    expect((await ask('/decode', { origin: UI, authorization: basic(adminKey) })).status).toBe(200);
    expect((await ask('/decode', { origin: 'https://evil.example.com', authorization: basic(adminKey) })).status).toBe(403);
  });

  test('refuses what is no list of payloads, and says why a payload cannot be read', async () => {
    const headers = { authorization: bearer(adminKey) };
    expect((await ask('/decode', headers, { payloads: [{ data: 7 }] })).status).toBe(400);
    expect((await ask('/decode', headers, { payloads: 'x' })).status).toBe(400);
    const unknown = await ask('/decode', headers, { payloads: [{ data: 'bad0' }] });
    expect([unknown.status, await unknown.text()]).toEqual([422, expect.stringContaining('TEMPORAL_PAYLOAD_KEYS')]);
  });

  test('leaves the API\'s own rule for other pages as it is', async () => {
    const answer = await fetch(`${api.url}/api/v1/orders`, { headers: { origin: UI, authorization: bearer(adminKey) } });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

test('is not there when payloads are not encrypted', async () => {
  const without = await new ApiHarness().start();
  const answer = await fetch(`${without.url}/api/v1/codec/decode`, { method: 'POST', headers: { authorization: bearer(without.key) } });
  await without.close();
  expect(answer.status).toBe(404);
});
