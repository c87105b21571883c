/** What we sign is what the receivers' own library, and the snippets of docs/webhooks.md, accept. */
import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { newWebhookSecret, signedHeaders } from '../../../src/delivery/signature';
import { secretRotationSchema } from '../../../src/schemas/webhooks';

const BODY = JSON.stringify({ type: 'order.filled', data: { note: 'schön 🚀 "quoted"', quantity: '0.10' } });
const [OLD, NEW] = [newWebhookSecret(), newWebhookSecret()];
const signed = (secrets: readonly string[], atMs = Date.now()): Record<string, string> => ({ ...signedHeaders({ id: 'msg_1', eventType: 'order.filled', body: BODY, atMs, secrets }) });

describe('a signed delivery', () => {
  test('is accepted by the npm package standardwebhooks, byte for byte', () => {
    expect(new Webhook(NEW).verify(BODY, signed([NEW]))).toEqual(JSON.parse(BODY));
    expect(() => new Webhook(NEW).verify(`${BODY} `, signed([NEW]))).toThrow('No matching signature');
    expect(() => new Webhook(OLD).verify(BODY, signed([NEW]))).toThrow('No matching signature');
  });

  test('while a secret is rotated, by receivers that hold either', () => {
    for (const secret of [OLD, NEW]) expect(new Webhook(secret).verify(BODY, signed([NEW, OLD]))).toEqual(JSON.parse(BODY));
  });

  test('for 24 hours, where nothing else is said of the rotation', () => {
    expect(secretRotationSchema.parse({})).toEqual({ overlapSeconds: 24 * 3_600 });
  });

  test('has the time of the attempt: an old one is refused as a replay', () => {
    expect(() => new Webhook(NEW).verify(BODY, signed([NEW], Date.now() - 301_000))).toThrow('too old');
  });

  test('carries the older headers too', () => {
    const headers = signed([NEW, OLD]);
    const key = Buffer.from(NEW.slice('whsec_'.length), 'base64');
    expect(headers).toMatchObject({ 'x-webhook-signature': `sha256=${createHmac('sha256', key).update(BODY).digest('hex')}`, 'x-webhook-event-type': 'order.filled', 'x-webhook-delivery-id': 'msg_1', 'x-webhook-timestamp': headers['webhook-timestamp'] });
  });

  test('is never sent unsigned', () => {
    expect(() => signed([])).toThrow('without a secret');
  });

  test('secrets have 32 random bytes', () => {
    expect(NEW).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(NEW).not.toBe(OLD);
  });
});
