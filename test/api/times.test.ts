/** Times that callers send: what no calendar of PostgreSQL has is refused by name, wherever one is taken. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder } from './harness';

let api: ApiHarness;
beforeAll(async () => {
  api = await new ApiHarness().start();
});
afterAll(() => api.close());

/** Both are ISO 8601 with zone; in UTC one lies before the year 1 and the other after the year 9999. */
const BEFORE = '0001-01-01T00:00:00+14:00';
const AFTER = '9999-12-31T23:59:59-14:00';

describe.each([BEFORE, AFTER, '0000-06-01T00:00:00Z'])('the time %s is none that can be kept', (time) => {
  test.each<[string, string, Record<string, unknown>, string]>([
    ['POST', '/api/v1/api-keys', { name: 'k', scopes: ['read'], expiresAt: time }, 'body.expiresAt'],
    ['POST', '/api/v1/orders', limitOrder({ clientOrderId: 'timed', timeInForce: 'GTD', expireTime: time }), 'body.expireTime'],
    ['POST', '/api/v1/orders', limitOrder({ clientOrderId: 'timed', startAt: time }), 'body.startAt'],
    ['POST', '/api/v1/webhooks/any/recover', { since: time }, 'body.since'],
    ['POST', '/api/v1/alert-rules', { kind: 'fill', name: 'f', snoozedUntil: time }, 'body.snoozedUntil'],
    ['POST', '/api/v1/strategies', { accountId: 'main', clientStrategyId: 's', symbol: 'BTC-PERP', type: 'twap', side: 'buy', quantity: '1', parameters: { durationMs: 60_000, slices: 3 }, startAt: time }, 'body.startAt'],
  ])('%s %s', async (method, path, body, field) => {
    const answer = await api.ask(method, path, { body });
    expect([answer.status, answer.body.error?.details.issues?.map((issue: { path: string }) => issue.path)]).toEqual([400, expect.arrayContaining([field])]);
  });
});
