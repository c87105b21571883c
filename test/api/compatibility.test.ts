/** The API's document against the committed one: what would break a program that was written for it fails here. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { breaks } from '../support/document-compatibility';
import { ApiHarness } from './harness';

let api: ApiHarness;
beforeAll(async () => {
  api = await new ApiHarness().start();
});
afterAll(() => api.close());

const baseline = JSON.parse(readFileSync(path.join(__dirname, 'openapi-baseline.json'), 'utf8')) as Record<string, unknown>;

test('a program that was written for the committed document goes on working (write-baseline.ts, if a break is meant)', () => {
  expect(Object.keys(baseline['paths'] as object).length).toBeGreaterThan(20);
  expect(breaks(baseline, api.documentChecker.document)).toEqual([]);
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the edits below reach into a JSON document
type Document = any;

describe('what counts as a break', () => {
  const edited = (edit: (document: Document) => void): string[] => {
    const document: Document = structuredClone(api.documentChecker.document);
    edit(document);
    return breaks(api.documentChecker.document, document);
  };
  const orders = (document: Document): Document => document.paths['/api/v1/orders'];
  const schema = (document: Document, name: string): Document => document.components.schemas[name];

  test.each<[string, (document: Document) => void, RegExp]>([
    ['a route that is gone', (d) => delete d.paths['/api/v1/fills'], /GET \/api\/v1\/fills is gone/],
    ['a method that is gone', (d) => delete orders(d).delete, /DELETE \/api\/v1\/orders is gone/],
    ['a status of success that is gone', (d) => delete orders(d).post.responses['202'], /POST \/api\/v1\/orders: no longer answers 202/],
    ['a field of an answer that is gone', (d) => delete schema(d, 'Account').properties.statusReason, /\.statusReason is gone/],
    ['a field of an answer that may be absent', (d) => (schema(d, 'Account').required = schema(d, 'Account').required.filter((field: string) => field !== 'limits')), /\.limits may be absent now/],
    ['a field of an answer that changes its kind', (d) => (schema(d, 'Account').properties.name = { type: 'integer' }), /\.name is no longer string/],
    ['a word that is gone from an answer', (d) => schema(d, 'Account').properties.status.enum.pop(), /lost the value "HALTED"/],
    ['a word that is no longer taken', (d) => orders(d).get.parameters.find((p: Document) => p.name === 'status').schema.enum.pop(), /query parameter status lost the value/],
    ['a field of a request that is required now', (d) => schema(d, 'ApiKeyRequest').required.push('expiresAt'), /body\.expiresAt is required now/],
    ['a field of a request that is no longer taken', (d) => delete schema(d, 'ApiKeyRequest').properties.rates, /body\.rates is gone/],
    ['a narrower bound', (d) => (schema(d, 'ApiKeyRequest').properties.name.maxLength = 10), /body\.name: maxLength was lowered to 10/],
    ['another pattern', (d) => (schema(d, 'Id').pattern = '^[a-z]+$'), /its pattern changed/],
    ['a parameter that is gone', (d) => orders(d).get.parameters.pop(), /query parameter \w+ is gone/],
    ['a parameter that is new and required', (d) => orders(d).get.parameters.push({ name: 'tenant', in: 'query', required: true, schema: { type: 'string' } }), /query parameter tenant is new and required/],
    ['a body that is required now', (d) => (d.paths['/api/v1/positions/{id}/close'].post.requestBody.required = true), /a body is required now/],
    ['a header that is gone', (d) => delete orders(d).get.responses['200'].headers['RateLimit-Limit'], /lost its header RateLimit-Limit/],
  ])('%s', (_what, edit, words) => {
    const found = edited(edit);
    expect(found.join('\n')).toMatch(words);
  });

  test.each<[string, (document: Document) => void]>([
    ['a new route', (d) => (d.paths['/api/v1/new'] = { get: { responses: {} } })],
    ['a new field of an answer', (d) => (schema(d, 'Account').properties.colour = { type: 'string' })],
    ['a new field that a request may have', (d) => (schema(d, 'ApiKeyRequest').properties.colour = { type: 'string' })],
    ['a wider bound', (d) => (schema(d, 'ApiKeyRequest').properties.name.maxLength = 1_000)],
    ['an error that no longer happens', (d) => delete orders(d).post.responses['409']],
    ['a new word that a request may have', (d) => orders(d).get.parameters.find((p: Document) => p.name === 'status').schema.enum.push('recent')],
  ])('%s is none', (_what, edit) => {
    expect(edited(edit)).toEqual([]);
  });
});
