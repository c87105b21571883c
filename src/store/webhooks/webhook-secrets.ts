/** Secrets that sign an endpoint's deliveries: sealed in their rows, the newest and for a while those before it. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { openIfAtHand, seal, sealedOf, sealedText } from '../keys/envelope';
import { lostKeyIds } from '../keys/lost-key-list';

/** As the row's columns take it: bytes in base64. */
export interface SealedSecret {
  readonly id: string;
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string;
}

/** Old secrets that sign besides the newest: a receiver that is behind by more has another problem. */
const MAX_OLD_SECRETS = 2;
/** The newest first, which has no end; then by their ends, which follow one another also where the clock was set back between them. */
const NEWEST_FIRST = 's.expires_at DESC NULLS FIRST, s.created_at DESC, s.id DESC';
/** Opened secrets in memory: of all endpoints that one process serves. */
const MAX_OPENED = 10_000;

export class WebhookSecrets {
  private readonly opened = new Map<string, string>();

  constructor(private readonly core: StoreCore) {}

  /**
   * Those that sign now, the newest first; none of an endpoint that was deleted. `lost`: it has some, and what opened them is lost; where a
   * newer one opens, the lost are left out. Throws SERVICE_UNAVAILABLE where the newest is sealed by a master key that is merely not here.
   */
  async of(endpointId: string): Promise<readonly string[] | 'lost'> {
    const rows = await this.core.database.rows<{ id: string; keyId: string; wrappedKey: string; data: string }>(
      `SELECT s.id, s.key_id AS "keyId", encode(s.wrapped_key, 'base64') AS "wrappedKey", encode(s.data, 'base64') AS data FROM webhook_secrets s
        WHERE s.endpoint_id = $1 AND (s.expires_at IS NULL OR s.expires_at > $2::timestamptz) ORDER BY ${NEWEST_FIRST}`,
      endpointId,
      isoTime(this.core.clock.nowMs()),
    );
    const secrets = await Promise.all(
      rows.map(async ({ id, keyId, wrappedKey, data }) => {
        const known = this.opened.get(id);
        if (known !== undefined) return known;
        const plain = await openIfAtHand(this.core.keys, sealedOf({ keyId, wrappedKey, data }), contextOf(id));
        if (plain === null) return null;
        const secret = plain.toString('utf8');
        if (this.opened.size >= MAX_OPENED) this.opened.clear();
        this.opened.set(id, secret);
        return secret;
      }),
    );
    const known = secrets.flatMap((secret) => secret ?? []);
    if (known.length === rows.length) return known;
    const [newest] = rows;
    if (newest !== undefined && secrets[0] === null && !(await lostKeyIds(this.core.database)).has(newest.keyId)) {
      throw new DomainError('SERVICE_UNAVAILABLE', `the master key that sealed the secret of webhook ${endpointId} is not at hand in this process`);
    }
    return known.length === 0 ? 'lost' : known;
  }
}

export async function sealSecret({ keys }: Pick<StoreCore, 'keys'>, secret: string): Promise<SealedSecret> {
  const id = randomUUID();
  return { id, ...sealedText(await seal(keys, Buffer.from(secret, 'utf8'), contextOf(id))) };
}

export async function insertSecret(tx: Transaction, { id, userId, endpointId, keyId, wrappedKey, data, at }: SealedSecret & { readonly userId: string; readonly endpointId: string; readonly at: string }): Promise<void> {
  await tx.rows(`INSERT INTO webhook_secrets(id, user_id, endpoint_id, key_id, wrapped_key, data, created_at) VALUES ($1, $2, $3, $4, decode($5, 'base64'), decode($6, 'base64'), $7::timestamptz)`, id, userId, endpointId, keyId, wrappedKey, data, at);
}

/** Those that sign now go on for the overlap and no longer than they would have; the oldest of more than two end now. Before a new one is written. */
export async function supersedeSecrets(tx: Transaction, endpointId: string, { atMs, overlapSeconds }: { readonly atMs: number; readonly overlapSeconds: number }): Promise<void> {
  const [at, endsAt] = [isoTime(atMs), isoTime(atMs + overlapSeconds * 1_000)];
  await tx.rows('UPDATE webhook_secrets SET expires_at = least(expires_at, $2::timestamptz) WHERE endpoint_id = $1 AND (expires_at IS NULL OR expires_at > $2::timestamptz) RETURNING id', endpointId, endsAt);
  await tx.rows(`UPDATE webhook_secrets SET expires_at = $2::timestamptz WHERE id IN (SELECT s.id FROM webhook_secrets s WHERE s.endpoint_id = $1 AND s.expires_at > $2::timestamptz ORDER BY ${NEWEST_FIRST} OFFSET ${MAX_OLD_SECRETS}) RETURNING id`, endpointId, at);
  await tx.rows('DELETE FROM webhook_secrets WHERE endpoint_id = $1 AND expires_at <= $2::timestamptz RETURNING id', endpointId, at);
}

export async function destroySecrets(tx: Transaction, endpointId: string): Promise<void> {
  await tx.rows('DELETE FROM webhook_secrets WHERE endpoint_id = $1 RETURNING id', endpointId);
}

function contextOf(row: string): { readonly table: string; readonly row: string; readonly field: string } {
  return { table: 'webhook_secrets', row, field: 'data' };
}
