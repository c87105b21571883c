/**
 * Master keys that are lost for good: what they sealed nobody opens any more. Said once, by an operator; from then on the accounts wait for new
 * keys, halted, and a start does not wait for the old one.
 */
import { KEY_LOST } from '../../domain/account';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { appendAct } from '../audit/audit';
import { change, type StoreCore } from '../core';
import type { Credentials } from '../accounts/credentials';
import { lockAccounts } from '../database/locks';
import { LOST_KEYS_SETTING } from './lost-key-list';

export interface LostAccounts {
  readonly accountIds: readonly string[];
  /** Of webhooks and of alert channels whose secrets it sealed too. */
  readonly webhooks: number;
  readonly channels: number;
}

export class LostKeys {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
  ) {}

  /**
   * Halts every account whose key was sealed by it, each in its user's audit chain. Repeating it is harmless, and a crash in the middle is made
   * good by that. Throws CONFLICT while a master key at hand opens any of it: then nothing is lost.
   */
  async mark(keyId: string, actor: string): Promise<LostAccounts> {
    const accounts = await this.core.database.rows<{ id: string }>('SELECT a.id FROM accounts a JOIN credentials c ON c.account_id = a.id WHERE c.key_id = $1 AND a.deleted_at IS NULL ORDER BY a.id', keyId);
    if (keyId === this.core.keys.currentKeyId) throw atHand(keyId);
    for (const { id } of accounts) if ((await this.credentials.openable(id)) !== null) throw atHand(keyId);
    for (const { id } of accounts) await this.halt(id, keyId, actor);
    await this.core.database.rows(
      `INSERT INTO settings(key, value) VALUES ($1, jsonb_build_object($2::text, $3::text)) ON CONFLICT (key) DO UPDATE SET value = excluded.value || settings.value, updated_at = now() RETURNING key`,
      LOST_KEYS_SETTING, keyId, isoTime(this.core.clock.nowMs()),
    );
    const [sealed] = await this.core.database.rows<{ webhooks: number; channels: number }>(
      `SELECT (SELECT count(*) FROM webhook_secrets s WHERE s.key_id = $1)::int AS webhooks, (SELECT count(*) FROM alert_channels c WHERE c.key_id = $1)::int AS channels`,
      keyId,
    );
    return { accountIds: accounts.map(({ id }) => id), webhooks: sealed?.webhooks ?? 0, channels: sealed?.channels ?? 0 };
  }

  /** One that has been halted for another reason says what it needs all the same: without a new key nothing else helps. */
  private async halt(id: string, keyId: string, actor: string): Promise<void> {
    await change(this.core, [id], async (tx, changes) => {
      const account = (await lockAccounts(tx, [id])).get(id);
      const [before] = await tx.rows<{ status: string; reason: string | null }>(
        'SELECT a.status, a.status_reason AS reason FROM accounts a JOIN credentials c ON c.account_id = a.id AND c.key_id = $2 WHERE a.id = $1 AND a.deleted_at IS NULL', id, keyId,
      );
      // It has a new key by now, or is said already.
      if (account === undefined || before === undefined || before.reason === KEY_LOST) return;
      const at = isoTime(this.core.clock.nowMs());
      const data = { status: 'HALTED', reason: KEY_LOST, previousStatus: before.status };
      await tx.rows('UPDATE accounts SET status = $2, status_reason = $3, updated_at = $4::timestamptz WHERE id = $1 RETURNING id', id, data.status, data.reason, at);
      changes.addEvent(account, { type: 'account.statusChanged', orderId: null, data }, at);
      changes.addEvent(account, { type: 'account.alert', orderId: null, data: { kind: 'keyLost', reason: KEY_LOST } }, at);
      await appendAct(tx, { userId: account.userId, actor, act: 'account.statusChanged', subject: `account:${id}`, data: { ...data, previousReason: before.reason, masterKeyId: keyId }, at });
    });
  }
}

function atHand(keyId: string): DomainError {
  return new DomainError('CONFLICT', `the master key ${keyId} is at hand and opens what it sealed: it is not lost; take SUREFILL_LOST_MASTER_KEY out again`, { details: { keyId } });
}
