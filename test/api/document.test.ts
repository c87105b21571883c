import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApiHarness } from './harness';
import { DocumentChecker } from './document-checker';

let api: ApiHarness;
beforeAll(async () => {
  api = await new ApiHarness().start();
});
afterAll(() => api.close());

/** The routes of the issue, written down once more on purpose. */
const ROUTES = [
  'post /api/v1/strategies', 'get /api/v1/strategies', 'post /api/v1/strategies/preview', 'get /api/v1/strategies/types', 'get /api/v1/strategies/{id}', 'patch /api/v1/strategies/{id}', 'delete /api/v1/strategies/{id}',
  'get /api/v1/strategies/{id}/timeline', 'post /api/v1/strategies/{id}/pause', 'post /api/v1/strategies/{id}/resume',
  'get /api/v1/suspense', 'post /api/v1/suspense/{id}/release', 'post /api/v1/suspense/{id}/assign',
  'post /api/v1/order-lists', 'get /api/v1/order-lists', 'get /api/v1/order-lists/{id}', 'get /api/v1/order-lists/{id}/timeline', 'patch /api/v1/order-lists/{id}', 'delete /api/v1/order-lists/{id}',
  'post /api/v1/positions/{id}/margin', 'post /api/v1/accounts/{id}/transfers', 'get /api/v1/collateral-moves', 'get /api/v1/collateral-moves/{id}',
  'post /api/v1/kill-switch', 'get /api/v1/kill-switch', 'get /api/v1/kill-switch/{id}', 'post /api/v1/kill-switch/{id}/release', 'post /api/v1/heartbeat',
  'get /api/v1/risk-limits', 'put /api/v1/risk-limits', 'post /api/v1/orders/preview',
  'get /api/v1/venues', 'get /api/v1/venues/{venue}/health', 'get /api/v1/markets', 'get /api/v1/markets/{symbol}', 'get /api/v1/markets/{symbol}/orderbook', 'get /api/v1/markets/{symbol}/trades', 'get /api/v1/markets/{symbol}/candles', 'get /api/v1/markets/{symbol}/funding', 'get /api/v1/markets/{symbol}/funding/history',
  'get /api/v1/prices', 'get /api/v1/prices/{symbol}',
  'post /api/v1/api-keys', 'get /api/v1/api-keys', 'post /api/v1/api-keys/{id}/rotate', 'delete /api/v1/api-keys/{id}',
  'delete /api/v1/deposits/{id}',
  'get /api/v1/deposit-address',
  'get /api/v1/deposits',
  'get /api/v1/deposits/{id}',
  'get /api/v1/deposits/{id}/swap-status',
  'get /api/v1/deposits/{id}/timeline',
  'post /api/v1/deposits',
  'post /api/v1/deposits/{id}/decision',
  'post /api/v1/deposits/{id}/requote',
  'post /api/v1/deposits/{id}/transaction',
  'post /api/v1/withdrawals', 'get /api/v1/withdrawals', 'get /api/v1/withdrawals/{id}', 'get /api/v1/withdrawals/{id}/timeline', 'post /api/v1/withdrawals/{id}/decision', 'delete /api/v1/withdrawals/{id}',
  'post /api/v1/withdrawal-addresses', 'get /api/v1/withdrawal-addresses', 'delete /api/v1/withdrawal-addresses/{id}',
  'post /api/v1/accounts', 'get /api/v1/accounts', 'get /api/v1/accounts/{id}', 'patch /api/v1/accounts/{id}', 'delete /api/v1/accounts/{id}', 'put /api/v1/accounts/{id}/leverage', 'get /api/v1/accounts/{id}/balances',
  'post /api/v1/orders', 'post /api/v1/orders/batch', 'get /api/v1/orders', 'get /api/v1/orders/by-client-id/{clientOrderId}', 'get /api/v1/orders/{id}',
  'get /api/v1/orders/{id}/timeline', 'patch /api/v1/orders/{id}', 'delete /api/v1/orders/{id}', 'delete /api/v1/orders',
  'get /api/v1/fills', 'get /api/v1/trades', 'get /api/v1/accounts/{id}/ledger', 'get /api/v1/positions', 'get /api/v1/positions/{symbol}', 'post /api/v1/positions/{id}/close', 'get /api/v1/events',
  'post /api/v1/signals/{token}', 'post /api/v1/signal-sources', 'get /api/v1/signal-sources', 'get /api/v1/signal-sources/{id}', 'patch /api/v1/signal-sources/{id}', 'delete /api/v1/signal-sources/{id}',
  'post /api/v1/signal-sources/{id}/rotate-token', 'get /api/v1/signal-sources/{id}/signals', 'get /api/v1/signal-sources/{id}/signals/{signalId}',
  'post /api/v1/webhooks', 'get /api/v1/webhooks', 'get /api/v1/webhooks/event-types', 'get /api/v1/webhooks/{id}', 'patch /api/v1/webhooks/{id}', 'delete /api/v1/webhooks/{id}', 'post /api/v1/webhooks/{id}/rotate-secret', 'post /api/v1/webhooks/{id}/enable',
  'post /api/v1/webhooks/{id}/test', 'get /api/v1/webhooks/{id}/deliveries', 'get /api/v1/webhooks/{id}/deliveries/{deliveryId}', 'post /api/v1/webhooks/{id}/deliveries/{deliveryId}/resend', 'post /api/v1/webhooks/{id}/recover',
  'post /api/v1/alert-rules', 'get /api/v1/alert-rules', 'get /api/v1/alert-rules/{id}', 'patch /api/v1/alert-rules/{id}', 'delete /api/v1/alert-rules/{id}', 'get /api/v1/alerts', 'get /api/v1/alerts/{id}', 'post /api/v1/alerts/{id}/acknowledge',
  'post /api/v1/alert-channels', 'get /api/v1/alert-channels', 'get /api/v1/alert-channels/{id}', 'patch /api/v1/alert-channels/{id}', 'delete /api/v1/alert-channels/{id}', 'post /api/v1/alert-channels/{id}/send-code', 'post /api/v1/alert-channels/{id}/verify', 'post /api/v1/alert-channels/{id}/test',
  'get /healthz', 'get /readyz', 'get /metrics', 'get /api/v1/openapi.json',
];

function everyReference(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(everyReference);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => (key === '$ref' && typeof item === 'string' ? [item] : everyReference(item)));
}

function resolve(document: unknown, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((node, key) => (typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined), document);
}

describe('the OpenAPI document', () => {
  test('describes every route of the API and no other', () => {
    const { paths } = api.documentChecker.document;
    const described = Object.entries(paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method} ${path}`));
    expect(described.sort()).toEqual([...ROUTES].sort());
  });

  test('has an id of its own for every operation, and its errors documented', () => {
    const operations = Object.values(api.documentChecker.document.paths).flatMap((path) => Object.values(path)) as unknown as { operationId: string; security?: unknown[]; responses: Record<string, unknown> }[];
    expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length);
    for (const operation of operations.filter((each) => each.security === undefined)) expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '500', '503']));
    const place = operations.find((operation) => operation.operationId === 'placeOrder');
    expect(Object.keys(place?.responses ?? {}).sort()).toEqual(['201', '202', '400', '401', '403', '404', '409', '413', '422', '429', '500', '503']);
    const amend = operations.find((operation) => operation.operationId === 'amendOrder');
    expect(Object.keys(amend?.responses ?? {})).toEqual(expect.arrayContaining(['200', '202', '409', '412', '428']));
  });

  test('has no reference that leads nowhere, and no schema that nothing uses', () => {
    const { document } = api.documentChecker;
    const references = everyReference(document);
    expect(references.length).toBeGreaterThan(100);
    for (const reference of references) expect([reference, resolve(document, reference)]).not.toEqual([reference, undefined]);
    for (const name of Object.keys(document.components.schemas)) expect(references).toContain(`#/components/schemas/${name}`);
  });

  test('has path parameters for exactly the names in each path', () => {
    for (const [path, operations] of Object.entries(api.documentChecker.document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      for (const operation of Object.values(operations) as unknown as { parameters: { name: string; in: string }[] }[]) {
        expect([path, operation.parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name)]).toEqual([path, names]);
      }
    }
  });

  test('has examples that are valid', () => {
    const checker = api.documentChecker;
    let examples = 0;
    for (const [name, schema] of Object.entries(checker.document.components.schemas)) {
      for (const example of schema.examples ?? []) {
        examples += 1;
        expect([name, checker.explain(checker.schema(`#/components/schemas/${name}`), example)]).toEqual([name, null]);
      }
    }
    expect(examples).toBeGreaterThan(10);
  });

  test('documents what a parameter means, not how it is spelled', () => {
    const list = api.documentChecker.document.paths['/api/v1/orders']?.get as unknown as { parameters: { name: string; required: boolean; schema: unknown }[] };
    expect(list.parameters.find((parameter) => parameter.name === 'limit')).toMatchObject({ required: false, schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } });
    const byClientId = api.documentChecker.document.paths['/api/v1/orders/by-client-id/{clientOrderId}']?.get as unknown as typeof list;
    expect(byClientId.parameters.find((parameter) => parameter.name === 'accountId')).toMatchObject({ required: true });
  });

  test('catches an answer that strays from it', () => {
    const checker = new DocumentChecker(api.documentChecker.document);
    const error = { error: { code: 'NOT_FOUND', message: 'm', details: {}, timestamp: '2026-01-31T12:00:00.000Z', request_id: 'r', retryable: false, outcome: 'none' } };
    expect(checker.complaint('GET', '/api/v1/orders/1', 404, 'application/json', error)).toBeNull();
    expect(checker.complaint('GET', '/api/v1/orders/1', 418, 'application/json', error)).toContain('undocumented status 418');
    expect(checker.complaint('GET', '/api/v1/orders/1', 200, 'application/json', error)).toContain('must have required property');
    expect(checker.complaint('GET', '/api/v1/orders/1', 404, 'application/json', { error: { ...error.error, surprise: 1 } })).toContain('additional properties');
  });
});

describe('the rendered reference', () => {
  test('comes whole from this server: page, script, style, no inline script', async () => {
    const page = await api.ask('GET', '/docs', { key: null });
    expect(page.status).toBe(200);
    const sources = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(sources.length).toBe(4);
    for (const source of sources) {
      expect(source.startsWith('/docs/')).toBe(true);
      const file = await fetch(`${api.url}${source}`);
      expect([source, file.status, (await file.arrayBuffer()).byteLength > 100]).toEqual([source, 200, true]);
    }
    expect(String(page.body)).not.toMatch(/<script>[^<]/);
    const start = await (await fetch(`${api.url}/docs/start.js`)).text();
    expect(start).toContain('\'/api/v1/openapi.json\'');
    expect(start).not.toContain('http');
  });
});
