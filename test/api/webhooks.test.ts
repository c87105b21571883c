import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Ajv2020 from 'ajv/dist/2020';
import { EVENT_TYPES } from '../../src/domain/events';
import { ApiHarness, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const make = (body: Record<string, unknown> = {}, key = api.key): Promise<Answer> => api.ask('POST', '/api/v1/webhooks', { key, body: { url: 'https://example.com/hook', eventTypes: ['order.*'], ...body } });

describe('webhooks over REST', () => {
  test('a secret is ours, shown once, kept by no cache and no log', async () => {
    const made = await make();
    expect([made.status, made.headers.get('cache-control'), made.body.secret]).toEqual([201, 'no-store', expect.stringMatching(/^whsec_/)]);
    expect((await make({ secret: 'whsec_mine' })).status).toBe(400);
    const listed = await api.ask('GET', '/api/v1/webhooks');
    expect(listed.body.webhooks).toHaveLength(1);
    expect(JSON.stringify(listed.body)).not.toContain(made.body.secret);
    const rotated = await api.ask('POST', `/api/v1/webhooks/${made.body.id}/rotate-secret`);
    expect([rotated.status, rotated.headers.get('cache-control'), rotated.body.secret === made.body.secret]).toEqual([200, 'no-store', false]);
    expect(api.logs).not.toContain(made.body.secret);
  });

  test('without more words it is of all accounts, in order of each order, position and deposit', async () => {
    expect((await make()).body).toMatchObject({ description: '', accountIds: null, rateLimit: null, ordering: 'perKey', status: 'enabled', waiting: 0 });
  });

  test.each([
    [{ url: 'ftp://example.com' }, 'body.url'],
    [{ url: 'https://127.0.0.1/' }, 'not a public address'],
    [{ eventTypes: [] }, 'at least one type'],
    [{ eventTypes: ['order'] }, 'order.filled'],
    [{ eventTypes: ['order.*', 'order.filed'] }, 'body.eventTypes.1: must be a type that there is: order.filed matches none, the nearest are order.filled'],
    [{ eventTypes: ['deposits.*'] }, 'deposits.* matches none, the nearest are deposit.*'],
    [{ rateLimit: 'fast' }, 'be off, or a rate'],
    [{ ordering: 'sometimes' }, 'body.ordering'],
    [{ accountIds: [] }, 'at least one account'],
  ])('what makes no sense is refused: %j', async (body, words) => {
    const answer = await make(body);
    expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(words)]);
  });

  test('what is changed stays but for what is said; disabled, it takes no test until it is enabled', async () => {
    const { id } = (await make({ description: 'first' })).body;
    const changed = await api.ask('PATCH', `/api/v1/webhooks/${id}`, { body: { eventTypes: ['*'], enabled: false } });
    expect(changed.body).toMatchObject({ description: 'first', eventTypes: ['*'], status: 'disabled', disabledReason: 'owner' });
    expect((await api.ask('POST', `/api/v1/webhooks/${id}/test`)).status).toBe(409);
    expect((await api.ask('POST', `/api/v1/webhooks/${id}/enable`)).body.status).toBe('enabled');
    const sent = await api.ask('POST', `/api/v1/webhooks/${id}/test`);
    expect([sent.status, sent.body.eventType]).toEqual([202, 'webhook.test']);
    expect((await api.ask('GET', `/api/v1/webhooks/${id}/deliveries?status=pending`)).body.deliveries.map((each: Answer['body']) => each.id)).toEqual([sent.body.id]);
    expect((await api.ask('GET', `/api/v1/webhooks/${id}/deliveries/${sent.body.id}`)).body.log[0].errorClass).toBe('answer');
    expect((await api.ask('POST', `/api/v1/webhooks/${id}/deliveries/${sent.body.id}/resend`)).status).toBe(202);
    expect((await api.ask('POST', `/api/v1/webhooks/${id}/recover`, { body: { since: '2026-01-01T00:00:00Z' } })).body).toEqual({ recovered: 0, more: false });
    expect((await api.ask('DELETE', `/api/v1/webhooks/${id}`)).status).toBe(200);
    expect((await api.ask('GET', `/api/v1/webhooks/${id}`)).status).toBe(404);
  });

  test('a key that may only read changes none; another user finds none', async () => {
    const { id } = (await make()).body;
    expect((await make({}, api.readKey)).status).toBe(403);
    for (const [method, path, body] of [['GET', '', undefined], ['PATCH', '', {}], ['DELETE', '', undefined], ['POST', '/test', undefined], ['GET', '/deliveries', undefined], ['POST', '/recover', { since: '2026-01-01T00:00:00Z' }]] as const) {
      expect([method, path, (await api.ask(method, `/api/v1/webhooks/${id}${path}`, { key: api.otherKey, body })).status]).toEqual([method, path, 404]);
    }
  });

  test('the catalogue has every type, with a JSON schema that takes its example', async () => {
    const { eventTypes } = (await api.ask('GET', '/api/v1/webhooks/event-types')).body as { eventTypes: { type: string; schema: Record<string, unknown>; example: Record<string, unknown> }[] };
    expect(eventTypes.map(({ type }) => type)).toEqual([...EVENT_TYPES, 'trade.executed', 'webhook.test']);
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    for (const { type, schema, example } of eventTypes) {
      const takes = ajv.compile(schema);
      expect([type, takes(example), takes.errors]).toEqual([type, true, null]);
      expect(takes({ ...example, type: 'another' })).toBe(false);
    }
  });
});
