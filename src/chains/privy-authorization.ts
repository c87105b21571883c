/**
 * Privy's authorization signature: ECDSA over P-256 and SHA-256, DER, base64, over the canonical JSON (RFC 8785) of version, method, url, body
 * and the request's privy- headers. Source: docs.privy.io/controls/authorization-keys/using-owners/sign/direct-implementation.
 */
import { createPrivateKey, sign, type KeyObject } from 'node:crypto';

export interface AuthorizedRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Whole, without a trailing slash. */
  readonly url: string;
  readonly body: JsonObject;
  /** Those that begin with privy-, without the signature. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** What is signed, and the exact bytes of the body that are sent. */
export function signedPayload({ method, url, body, headers }: AuthorizedRequest): string {
  return canonicalJson({ version: 1, method, url, body, headers });
}

/** `key`: as the dashboard gives it, PKCS #8 in base64, with or without its prefix `wallet-auth:`. */
export function authorizationKey(key: string): KeyObject {
  const made = createPrivateKey({ key: Buffer.from(key.replace(/^wallet-auth:/, ''), 'base64'), format: 'der', type: 'pkcs8' });
  if (made.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('an authorization key of Privy is a P-256 key');
  return made;
}

export function authorizationSignature(request: AuthorizedRequest, key: KeyObject): string {
  return sign('sha256', Buffer.from(signedPayload(request), 'utf8'), { key, dsaEncoding: 'der' }).toString('base64');
}

/**
 * RFC 8785 for what we send: keys sorted by their UTF-16 units, strings and integers as JSON.stringify writes them. Numbers that are not
 * safe integers are refused: their canonical form is where implementations differ.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value as JsonObject).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new RangeError(`${value} has no safe canonical form`);
  return JSON.stringify(value);
}
