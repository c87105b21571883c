/**
 * Idempotency. An Idempotency-Key stands for one route and one body; a clientOrderId for one intent, for ever. Both are
 * recorded in the transaction that records the order, so what fails before leaves nothing, and every repeat - at the same
 * time, later, through another process - meets the same order and is answered from its row.
 */
import { DomainError } from '../domain/errors';
import type { IdempotencyStamp } from '../domain/order';
import { bodyHash, sha256Hex } from './canonical-json';
import type { IdempotencyRecord } from './ports';

/** The client order id of an order that came with a key only: the same for every repeat. 128 bits, prefixed to be told apart. */
export function derivedClientOrderId(userId: string, key: string, index: number): string {
  return `key-${sha256Hex(JSON.stringify(['surefill-idempotency', userId, key, index])).slice(0, 32)}`;
}

/** What a request's key stands for: its route and its body. null without a key. */
export function requestStamp(key: string | undefined, route: string, body: unknown): IdempotencyStamp | null {
  return key === undefined ? null : { key, route, bodyHash: bodyHash(route, body) };
}

/** The stamp of one item. A caller's key cannot hold a slash, so the items of a batch never meet another key. */
export function stampOf(request: IdempotencyStamp, index: number): IdempotencyStamp {
  return index === 0 ? request : { ...request, key: `${request.key}/${index}` };
}

/** Throws IDEMPOTENCY_MISMATCH when the key was used for something else. */
export function assertSameRequest(record: IdempotencyRecord, stamp: IdempotencyStamp): void {
  if (record.route === stamp.route && record.bodyHash === stamp.bodyHash) return;
  const what = record.route === stamp.route ? 'with another body' : `for ${record.route}`;
  throw new DomainError('IDEMPOTENCY_MISMATCH', `this Idempotency-Key was used before ${what}`, { details: { orderId: record.orderId } });
}

/** What an earlier request made, and the client id that it has for ever. */
export interface Made {
  readonly what: 'order' | 'list' | 'strategy';
  readonly idField: 'clientOrderId' | 'clientListId' | 'clientStrategyId';
  readonly clientId: string;
  /** Which one it is. */
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Throws where the terms asked for now differ from those of what has the client id, and says which of the two was reused: IDEMPOTENCY_MISMATCH for
 * a key alone that made it longer ago than keys are remembered (the client id is derived from it), else CONFLICT.
 */
export function assertSameTerms({ what, idField, clientId, details }: Made, differs: readonly string[], byKey: boolean): void {
  if (differs.length === 0) return;
  const fields = differs.join(', ');
  if (!byKey) throw new DomainError('CONFLICT', `${idField} ${clientId} of this account belongs to another ${what}: ${fields} differ`, { details: { ...details, differs } });
  const message = `this Idempotency-Key was used before, and of the ${what} that it made ${fields} differ: place another ${what} with a new Idempotency-Key, or with a ${idField} instead of a key`;
  throw new DomainError('IDEMPOTENCY_MISMATCH', message, { details: { ...details, differs } });
}

export function missingIds(): DomainError {
  const message = 'needs a clientOrderId, or the request an Idempotency-Key: without either a repeat could not be told from a second order';
  return new DomainError('VALIDATION', message, { details: { issues: [{ path: 'clientOrderId', message }] } });
}
