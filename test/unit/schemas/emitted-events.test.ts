/** The catalogue promises no event that nothing writes. */
import { expect, test } from '@jest/globals';
import { EVENT_TYPES } from '../../../src/domain/events';
import { webhookTypesOf, WEBHOOK_TEST } from '../../../src/domain/webhook';
import { WEBHOOK_EVENT_TYPES } from '../../../src/schemas/webhook-events';
import { filesBelow, readSource } from '../../support/source-imports';

/** They read events, or describe them. */
const READERS = /^src\/(schemas|main|streams|config)\/|^src\/domain\/(events|webhook|alert-facts|audit)\.ts$/;
const written = filesBelow('src', ['.ts']).filter((file) => !READERS.test(file)).map(readSource).join('\n');

test('each type of event is written by code of the domain, the store or the API', () => {
  expect(EVENT_TYPES.filter((type) => !written.includes(`'${type}'`))).toEqual([]);
});

test('what webhooks add to them is an order that is filled, under a second name, and the test that its owner asks for', () => {
  const added = WEBHOOK_EVENT_TYPES.filter((type) => !(EVENT_TYPES as readonly string[]).includes(type));
  expect(added).toEqual([...webhookTypesOf({ type: 'order.filled' }).slice(1), WEBHOOK_TEST]);
});
