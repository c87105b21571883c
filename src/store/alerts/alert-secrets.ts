/** What is secret of an alert channel: sealed together in its row. And by what an address is counted once it is forgotten. */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import type { ChannelKind } from '../../domain/alert';
import { DomainError } from '../../domain/errors';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { openIfAtHand, seal, sealedOf, sealedText } from '../keys/envelope';
import { lostKeyIds } from '../keys/lost-key-list';

export interface ChannelSecrets {
  /** Of a Telegram chat. */
  readonly botToken: string | null;
  /** Sent there and not come back yet. */
  readonly code: string | null;
}

/** As the row's columns take it: bytes in base64. */
export interface SealedSecrets {
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string;
}

const CODE_DIGITS = 6;

export async function sealSecrets({ keys }: Pick<StoreCore, 'keys'>, channelId: string, secrets: ChannelSecrets): Promise<SealedSecrets> {
  return sealedText(await seal(keys, Buffer.from(JSON.stringify(secrets), 'utf8'), placeOf(channelId)));
}

/** What was read, and the sealed bytes that it was read from: whoever writes it back looks whether they are still there. */
export interface KnownSecrets {
  readonly secrets: ChannelSecrets | 'lost';
  readonly data: string;
}

/** `lost`: the master key that sealed them is. Throws NOT_FOUND (a deleted channel has none), SERVICE_UNAVAILABLE where that key is merely not here. */
export async function readSecrets({ database, keys }: Pick<StoreCore, 'database' | 'keys'>, channelId: string): Promise<KnownSecrets> {
  const [row] = await database.rows<{ keyId: string; wrappedKey: string; data: string }>(`SELECT c.key_id AS "keyId", encode(c.wrapped_key, 'base64') AS "wrappedKey", encode(c.data, 'base64') AS data FROM alert_channels c WHERE c.id = $1 AND c.deleted_at IS NULL AND c.data IS NOT NULL`, channelId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such alert channel');
  const plain = await openIfAtHand(keys, sealedOf(row), placeOf(channelId));
  if (plain !== null) return { secrets: JSON.parse(plain.toString('utf8')) as ChannelSecrets, data: row.data };
  if ((await lostKeyIds(database)).has(row.keyId)) return { secrets: 'lost', data: row.data };
  throw new DomainError('SERVICE_UNAVAILABLE', `the master key that sealed the secrets of alert channel ${channelId} is not at hand in this process`);
}

/** Inside a transaction that holds the channel's user. */
export async function areStill(tx: Transaction, channelId: string, { data }: KnownSecrets): Promise<boolean> {
  const [row] = await tx.rows(`SELECT 1 AS same FROM alert_channels c WHERE c.id = $1 AND c.data = decode($2, 'base64')`, channelId, data);
  return row !== undefined;
}

function placeOf(row: string): { readonly table: string; readonly row: string; readonly field: string } {
  return { table: 'alert_channels', row, field: 'data' };
}

/** An address counts as the same however it is written. */
export function targetHash(kind: ChannelKind, target: string): string {
  return createHash('sha256').update(`${kind}:${target.toLowerCase()}`).digest('hex');
}

export function newCode(): string {
  return String(randomInt(10 ** CODE_DIGITS)).padStart(CODE_DIGITS, '0');
}

/** In the same time whatever differs. */
export function sameText(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
