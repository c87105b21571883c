/**
 * Signs deliveries: Standard Webhooks v1 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md) over the stored
 * bytes, and for receivers written before it a plain HMAC of the body in X-Webhook-* headers.
 */
import { createHmac, randomBytes } from 'node:crypto';

export const SECRET_PREFIX = 'whsec_';
/** The specification asks for 24 to 64. */
const SECRET_BYTES = 32;

/** A new secret: `whsec_` and 32 random bytes in base64. */
export function newWebhookSecret(): string {
  return `${SECRET_PREFIX}${randomBytes(SECRET_BYTES).toString('base64')}`;
}

export interface SignedDelivery {
  /** The webhook-id: the same over all attempts. */
  readonly id: string;
  readonly eventType: string;
  /** The stored body. */
  readonly body: string;
  /** Of this attempt, ms since the epoch. */
  readonly atMs: number;
  /** The newest first; each signs, so that a receiver may hold any of them. */
  readonly secrets: readonly string[];
}

/** Headers of one attempt. Throws when there is no secret to sign with. */
export function signedHeaders({ id, eventType, body, atMs, secrets }: SignedDelivery): Readonly<Record<string, string>> {
  const [newest] = secrets;
  if (newest === undefined) throw new Error('a webhook cannot be signed without a secret');
  const timestamp = String(Math.floor(atMs / 1_000));
  const signatures = secrets.map((secret) => `v1,${hmac(keyOf(secret), `${id}.${timestamp}.${body}`).toString('base64')}`);
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
    'x-webhook-signature': `sha256=${hmac(keyOf(newest), body).toString('hex')}`,
    'x-webhook-event-type': eventType,
    'x-webhook-delivery-id': id,
    'x-webhook-timestamp': timestamp,
  };
}

function keyOf(secret: string): Buffer {
  return Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
