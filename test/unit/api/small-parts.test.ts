import { describe, expect, test } from '@jest/globals';
import express from 'express';
import fc from 'fast-check';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Authenticator, mayUse } from '../../../src/api/auth';
import { bodyHash, canonicalJson } from '../../../src/api/canonical-json';
import { isDatabaseAway, toDomainError } from '../../../src/api/errors';
import { ExpiringCache } from '../../../src/api/expiring-cache';
import { createHttpServer } from '../../../src/api/http-server';
import { derivedClientOrderId, requestStamp, stampOf } from '../../../src/api/idempotency';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from '../../../src/api/limits';
import { openApiDocument } from '../../../src/api/openapi';
import { route } from '../../../src/api/route';
import { idSchema } from '../../../src/schemas/fields';
import { z } from 'zod';

const RUNS = 1_000;

describe('canonical JSON', () => {
  test('the order of keys and absent fields make no difference; values do', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: undefined })).toBe('{"b":[1,{"c":"x","d":null}]}');
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: RUNS },
    );
  });

  test('a hash stands for the route too', () => {
    expect(bodyHash('a', { x: 1 })).not.toBe(bodyHash('b', { x: 1 }));
    expect(bodyHash('a', { x: 1 })).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('ids made from a key', () => {
  test('are valid client order ids, the same for the same key, and differ by user, key and item', () => {
    fc.assert(
      fc.property(fc.tuple(fc.string(), fc.string(), fc.nat(99)), fc.tuple(fc.string(), fc.string(), fc.nat(99)), (a, b) => {
        expect(idSchema.safeParse(derivedClientOrderId(...a)).success).toBe(true);
        expect(derivedClientOrderId(...a) === derivedClientOrderId(...b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: RUNS },
    );
  });

  test('the items of a batch have keys that no caller can send', () => {
    const stamp = { key: 'k', route: 'r', bodyHash: 'h' };
    expect([stampOf(stamp, 0), requestStamp(undefined, 'r', {})]).toEqual([stamp, null]);
    expect(idSchema.safeParse(stampOf(stamp, 1).key).success).toBe(false);
  });
});

describe('the cache', () => {
  test('reads once while a value is fresh, at once for all who ask together', async () => {
    let nowMs = 0;
    let reads = 0;
    const cache = new ExpiringCache<number>({ maxAgeMs: 100, maxEntries: 2, clock: { nowMs: () => nowMs }, steadyNowMs: () => 0 });
    const read = async (): Promise<number> => (reads += 1);
    expect(await Promise.all([cache.get('a', read), cache.get('a', read)])).toEqual([1, 1]);
    nowMs = 99;
    expect(await cache.get('a', read)).toBe(1);
    nowMs = 100;
    expect(await cache.get('a', read)).toBe(2);
  });

  test('is no fresher for a clock that was set back, nor once that clock is where it was', async () => {
    let [nowMs, steadyMs] = [3_600_000, 0];
    const cache = new ExpiringCache<string>({ maxAgeMs: 100, maxEntries: 2, clock: { nowMs: () => nowMs }, steadyNowMs: () => steadyMs });
    const isFresh = async (key: string): Promise<boolean> => (await cache.get(key, async () => 'read again')) === 'kept';
    for (const [key, passes, nowIs] of [['a', 100, 0], ['b', 3_600_000, 3_600_000], ['c', 0, 3_600_000 + 100], ['d', 0, 3_600_000 - 1]] as const) {
      nowMs = 3_600_000;
      await cache.get(key, async () => 'kept');
      steadyMs += passes;
      nowMs = nowIs;
      expect([key, await isFresh(key)]).toEqual([key, false]);
    }
    nowMs = 3_600_000;
    await cache.get('e', async () => 'kept');
    steadyMs += 99;
    nowMs += 99;
    expect(await isFresh('e')).toBe(true);
  });

  test('keeps no failure and no null, and no more than it may', async () => {
    const cache = new ExpiringCache<number>({ maxAgeMs: 100, maxEntries: 2, clock: { nowMs: () => 0 }, steadyNowMs: () => 0 });
    await expect(cache.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.get('a', async () => null)).toBeNull();
    expect(await cache.get('a', async () => 1)).toBe(1);
    await cache.get('b', async () => 2);
    await cache.get('c', async () => 3);
    expect(await cache.get('a', async () => 4)).toBe(4);
    expect(await cache.get('c', async () => 5)).toBe(3);
  });
});

describe('errors at the edge', () => {
  test('a database that is away is found behind its causes, and a loop of causes ends', () => {
    const deep = new Error('a', { cause: new Error('b', { cause: Object.assign(new Error('c'), { code: 'ECONNREFUSED' }) }) });
    expect([isDatabaseAway(deep), isDatabaseAway(new Error('x')), isDatabaseAway('text')]).toEqual([true, false, false]);
    const loop = new Error('loop');
    loop.cause = loop;
    expect(isDatabaseAway(loop)).toBe(false);
  });

  test('a bug is INTERNAL, and its outcome unknown only where something may have been written', () => {
    expect([toDomainError(new TypeError('x'), false), toDomainError('text', true)].map((error) => [error.code, error.outcome])).toEqual([['INTERNAL', 'none'], ['INTERNAL', 'unknown']]);
  });
});

describe('keys', () => {
  test('one that is revoked stays revoked where the clock is set back an hour', async () => {
    let [nowMs, isAlive] = [Date.parse('2026-01-01T12:00:00.000Z'), true];
    const keys = new Authenticator({ clock: { nowMs: () => nowMs }, authenticate: async () => (isAlive ? { userId: 'u', keyId: 'k', scopes: ['trade'] } : null) });
    const identify = (): Promise<unknown> => keys.identify('Bearer sf_0123456789abcdef');
    await identify();
    isAlive = false;
    nowMs -= 3_600_000;
    await expect(identify()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    nowMs += 3_600_000;
    await expect(identify()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test.each([
    [['read'], 'read', true], [['read'], 'trade', false], [['trade'], 'read', true], [['trade'], 'trade', true], [['admin'], 'trade', true], [['*'], 'trade', true], [['trade'], 'admin', false], [['admin'], 'admin', true], [['read'], 'admin', false], [[], 'read', false],
  ] as const)('scopes %j may %s: %s', (scopes, needed, may) => {
    expect(mayUse(scopes, needed)).toBe(may);
  });
});

describe('the server', () => {
  test('has every time-out set', () => {
    const server = createHttpServer(express());
    expect([server.requestTimeout, server.headersTimeout, server.keepAliveTimeout, server.timeout > 0]).toEqual([REQUEST_TIMEOUT_MS, HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, true]);
    expect(HEADERS_TIMEOUT_MS).toBeLessThan(REQUEST_TIMEOUT_MS);
  });

  test('makes requests and responses as Express wants them: whose prototype changes later are slow to everything that touches them', async () => {
    const seen: { before: (object | null)[]; after: (object | null)[] } = { before: [], after: [] };
    const prototypes = (...objects: object[]): (object | null)[] => objects.map((object) => Object.getPrototypeOf(object) as object | null);
    const server = createHttpServer(express().use((request, response) => {
      seen.after = prototypes(request, response);
      response.json({ path: request.path });
    }));
    server.prependListener('request', (request, response) => void (seen.before = prototypes(request, response)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      expect(await (await fetch(`http://127.0.0.1:${port}/here?x=1`)).json()).toEqual({ path: '/here' });
    } finally {
      await new Promise((closed) => server.close(closed));
    }
    expect(seen.before).toHaveLength(2);
    expect(seen.after[0]).toBe(seen.before[0]);
    expect(seen.after[1]).toBe(seen.before[1]);
  });
});

describe('the route table', () => {
  test('two schemas of one name are a mistake that is told at once', () => {
    const entry = (path: string, schema: z.ZodType): ReturnType<typeof route> =>
      route({ method: 'get', path, operationId: path, tag: 't', summary: 's', scope: null, responses: { 200: { description: 'd', schema } }, errors: [], handle: async () => ({ status: 200, body: {} }) });
    const thing = (shape: z.ZodRawShape): z.ZodType => z.strictObject(shape).meta({ id: 'Thing' });
    // zod keeps one schema for an id; the document is made from both.
    const first = thing({ a: z.string() });
    const routes = [entry('/a', first)];
    expect(() => openApiDocument(routes, { version: '1' })).not.toThrow();
    expect(() => openApiDocument([...routes, entry('/b', thing({ b: z.string() }))], { version: '1' })).toThrow('two different schemas are called Thing');
  });

  test('a handler sees only what passed the schemas', async () => {
    const seen: unknown[] = [];
    const entry = route({
      method: 'post', path: '/x', operationId: 'x', tag: 't', summary: 's', scope: 'read', responses: {}, errors: [],
      params: z.strictObject({ id: idSchema }), body: z.strictObject({ n: z.number() }),
      handle: async (call) => {
        seen.push(call.params.id, call.body.n);
        return { status: 200, body: null };
      },
    });
    const call = { params: { id: 'a' }, query: {}, body: { n: 1 }, headers: {}, userId: 'u', actor: 'key:k', requestId: 'r', address: '127.0.0.1' };
    await entry.run(call);
    await expect(entry.run({ ...call, params: { id: 'a b' }, body: { n: 'x' } })).rejects.toMatchObject({ code: 'VALIDATION', details: { issues: [{ path: 'path.id' }, { path: 'body.n' }] } });
    expect(seen).toEqual(['a', 1]);
  });
});
