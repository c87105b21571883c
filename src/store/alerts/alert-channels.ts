/**
 * Telegram chats and e-mail addresses of a user. Nothing but a code is sent to one until the code comes back, and codes are few: nobody is
 * written to who did not ask for it. Bot token and code are sealed together.
 */
import { randomUUID } from 'node:crypto';
import type { AlertChannel, AlertChannelChange, MessageKind, NewAlertChannel, ShownAlertChannel } from '../../domain/alert';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { areStill, newCode, readSecrets, sameText, sealSecrets, targetHash, type ChannelSecrets, type SealedSecrets } from './alert-secrets';
import { appendAct } from '../audit/audit';
import { fieldsOf } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction } from '../database/database';
import { changeUser } from '../user-changes';

/** More are a mistake, and each costs a workflow. */
const MAX_CHANNELS = 20;
/** Where the code stands in the text of its message: it is put there as it is sent, and is stored nowhere in plain. */
export const CODE_PLACE = '{code}';
/** A person who asked for a code is at the screen. */
export const CODE_MS = 30 * 60_000;
/** One in 200,000 guesses right by chance within these. */
const MAX_CODE_TRIES = 5;
const DAY_MS = 86_400_000;
/** Codes of a day: to one address, whoever asks; and by one user, to whomever. */
const CODES_TO_ADDRESS = 5;
const CODES_OF_USER = 20;

/** Another code, or another bot token: whose is sealed now was sent last. */
const CHANGED = 'another code was sent in the meantime: it is the one that counts';

const FIELDS = ['id', 'userId', 'kind', 'name', 'target', 'status', 'disabledReason', 'disabledAt', 'verifiedAt', 'heldUntil', 'lastError', 'lastDeliveredAt', 'createdAt', 'updatedAt'];
export const CHANNEL_SELECT =
  'c.id, c.user_id AS "userId", c.kind, c.name, c.target, c.status, c.disabled_reason AS "disabledReason", c.disabled_at AS "disabledAt", c.verified_at AS "verifiedAt", c.held_until AS "heldUntil", c.last_error AS "lastError", c.last_delivered_at AS "lastDeliveredAt", c.created_at AS "createdAt", c.updated_at AS "updatedAt"';
/** Alerts that no message has yet, and those of messages under way: never the whole history. */
const WAITING_SQL = `(SELECT count(*)::int FROM alert_notices n WHERE n.channel_id = c.id AND n.message_id IS NULL) + (SELECT count(*)::int FROM alert_messages m JOIN alert_notices n ON n.message_id = m.id WHERE m.channel_id = c.id AND m.status = 'pending') AS waiting`;
export const ALERT_CHANNELS_SQL = `SELECT ${CHANNEL_SELECT}, ${WAITING_SQL} FROM alert_channels c WHERE c.user_id = $1 AND c.deleted_at IS NULL ORDER BY c.created_at DESC, c.id DESC`;

export class AlertChannels {
  constructor(private readonly core: StoreCore) {}

  /** Sends a code there. Throws CONFLICT beyond 20, RATE_LIMITED where too many codes were sent. */
  async create({ userId, kind, name, target, botToken }: NewAlertChannel, actor: string): Promise<ShownAlertChannel> {
    const id = randomUUID();
    const sealed = await sealSecrets(this.core, id, { botToken, code: newCode() });
    return changeUser(this.core, userId, async (tx) => {
      const [row] = await tx.rows<{ count: number }>('SELECT count(*)::int AS count FROM alert_channels c WHERE c.user_id = $1 AND c.deleted_at IS NULL', userId);
      if ((row?.count ?? 0) >= MAX_CHANNELS) throw new DomainError('CONFLICT', `you have ${MAX_CHANNELS} alert channels; delete some first`, { details: { limit: MAX_CHANNELS } });
      const at = this.now();
      await tx.rows(
        `INSERT INTO alert_channels(id, user_id, kind, name, target, target_hash, status, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 'unverified', $7::timestamptz, $7::timestamptz)`,
        id, userId, kind, name, target, targetHash(kind, target), at,
      );
      await this.putCode(tx, { id, userId, kind, target }, sealed);
      await appendAct(tx, { userId, actor, act: 'alertChannel.created', subject: `alertChannel:${id}`, data: { kind, name }, at });
      return readChannel(tx, id, userId);
    });
  }

  /** Newest first. */
  async list(userId: string): Promise<readonly ShownAlertChannel[]> {
    return (await this.core.database.rows(ALERT_CHANNELS_SQL, userId)).map(shown);
  }

  /** Throws NOT_FOUND. */
  get(id: string, userId: string): Promise<ShownAlertChannel> {
    return readChannel(this.core.database, id, userId);
  }

  /** Enabled again it goes on with what waits. Throws NOT_FOUND, CONFLICT for one that was never verified, VALIDATION for a token of an address. */
  async change(id: string, userId: string, change: AlertChannelChange, actor: string): Promise<ShownAlertChannel> {
    const known = await this.get(id, userId);
    const { botToken = null } = change;
    if (botToken !== null && known.kind !== 'telegram') throw new DomainError('VALIDATION', 'only a Telegram chat has a botToken', { details: { field: 'botToken' } });
    const sealed = botToken === null ? null : await sealSecrets(this.core, id, { botToken, code: newCode() });
    return changeUser(this.core, userId, async (tx) => {
      const before = await readChannel(tx, id, userId);
      const at = this.now();
      if (change.enabled === true && before.status === 'unverified') throw new DomainError('CONFLICT', 'the channel is not verified: POST …/verify with the code that was sent there');
      await tx.rows('UPDATE alert_channels SET name = $2, updated_at = $3::timestamptz WHERE id = $1', id, change.name ?? before.name, at);
      if (change.enabled === true) await tx.rows(`UPDATE alert_channels SET status = 'enabled', disabled_reason = NULL, disabled_at = NULL, failures_in_a_row = 0, held_until = NULL, last_error = NULL WHERE id = $1`, id);
      if (change.enabled === false && before.status === 'enabled') await tx.rows(`UPDATE alert_channels SET status = 'disabled', disabled_reason = 'owner', disabled_at = $2::timestamptz WHERE id = $1`, id, at);
      if (sealed !== null) {
        await tx.rows(`UPDATE alert_channels SET status = 'unverified', disabled_reason = NULL, disabled_at = NULL, verified_at = NULL WHERE id = $1`, id);
        await this.putCode(tx, before, sealed);
      }
      await appendAct(tx, { userId, actor, act: 'alertChannel.changed', subject: `alertChannel:${id}`, data: { ...(change.name === undefined ? {} : { name: change.name }), ...(change.enabled === undefined ? {} : { enabled: change.enabled }), ...(sealed === null ? {} : { botToken: 'replaced' }) }, at });
      return readChannel(tx, id, userId);
    });
  }

  /** Another code; the one before is void. Throws NOT_FOUND, CONFLICT where it is verified already or its bot token is lost, RATE_LIMITED. */
  async sendCode(id: string, userId: string): Promise<ShownAlertChannel> {
    const [{ kind }, known] = [await this.get(id, userId), await readSecrets(this.core, id)];
    if (known.secrets === 'lost' && kind === 'telegram') throw new DomainError('CONFLICT', 'the master key that sealed the channel\'s bot token is lost: PATCH the channel with its botToken, which sends a code too', { details: { field: 'botToken' } });
    // An address has nothing else that is secret.
    const botToken = known.secrets === 'lost' ? null : known.secrets.botToken;
    const sealed = await sealSecrets(this.core, id, { botToken, code: newCode() });
    return changeUser(this.core, userId, async (tx) => {
      const channel = await readChannel(tx, id, userId);
      if (channel.status !== 'unverified') throw new DomainError('CONFLICT', 'the channel is verified already');
      // The token in what was sealed is the one from before a PATCH that came in between.
      if (!(await areStill(tx, id, known))) throw new DomainError('CONFLICT', CHANGED);
      await this.putCode(tx, channel, sealed);
      return readChannel(tx, id, userId);
    });
  }

  /** The code came back: alerts may be sent there. Throws NOT_FOUND, CONFLICT for a code that is not the one, is old, or was guessed at too often. */
  async verify(id: string, userId: string, code: string, actor: string): Promise<ShownAlertChannel> {
    const known = await this.get(id, userId);
    if (known.status !== 'unverified') throw new DomainError('CONFLICT', 'the channel is verified already');
    const sealed = await readSecrets(this.core, id);
    // A code that nobody can read any more is none.
    const secrets: ChannelSecrets = sealed.secrets === 'lost' ? { botToken: null, code: null } : sealed.secrets;
    const cleared = await sealSecrets(this.core, id, { ...secrets, code: null });
    const verdict = await changeUser(this.core, userId, async (tx) => {
      await readChannel(tx, id, userId);
      const at = this.now();
      // Each try counts, the right one too: the row says how many there were before any comparing.
      const [row] = await tx.rows<{ tries: number; isOld: boolean }>(
        `UPDATE alert_channels SET code_tries = code_tries + 1 WHERE id = $1 AND status = 'unverified' RETURNING code_tries AS tries, coalesce(code_expires_at <= $2::timestamptz, true) AS "isOld"`, id, at,
      );
      if (row !== undefined && !(await areStill(tx, id, sealed))) return 'changed';
      if (row === undefined || row.isOld || secrets.code === null) return 'old';
      if (row.tries > MAX_CODE_TRIES) return 'guessed';
      if (!sameText(secrets.code, code)) return 'wrong';
      await tx.rows(
        `UPDATE alert_channels SET status = 'enabled', verified_at = $2::timestamptz, updated_at = $2::timestamptz, code_expires_at = NULL, failures_in_a_row = 0, held_until = NULL, last_error = NULL, key_id = $3, wrapped_key = decode($4, 'base64'), data = decode($5, 'base64') WHERE id = $1`,
        id, at, cleared.keyId, cleared.wrappedKey, cleared.data,
      );
      await appendAct(tx, { userId, actor, act: 'alertChannel.verified', subject: `alertChannel:${id}`, data: {}, at });
      return 'verified';
    });
    if (verdict === 'changed') throw new DomainError('CONFLICT', CHANGED);
    if (verdict === 'wrong') throw new DomainError('CONFLICT', 'the code is not the one that was sent last');
    if (verdict !== 'verified') throw new DomainError('CONFLICT', verdict === 'old' ? 'there is no code that is still good: POST …/send-code' : 'the code was guessed at too often: POST …/send-code');
    return this.get(id, userId);
  }

  /** A message that says it is a test. Throws NOT_FOUND, CONFLICT while the channel is not enabled. */
  async test(id: string, userId: string): Promise<ShownAlertChannel> {
    return changeUser(this.core, userId, async (tx) => {
      const channel = await readChannel(tx, id, userId);
      if (channel.status !== 'enabled') throw new DomainError('CONFLICT', `the channel is ${channel.status}`);
      await this.putMessage(tx, channel, 'test', 'A test from Surefill', 'You asked for a test: alerts will arrive here.');
      return readChannel(tx, id, userId);
    });
  }

  /** Its secrets and its address are destroyed, and what waits is discarded. Throws NOT_FOUND. */
  async remove(id: string, userId: string, actor: string): Promise<ShownAlertChannel> {
    return changeUser(this.core, userId, async (tx) => {
      const before = await readChannel(tx, id, userId);
      const at = this.now();
      await tx.rows(`UPDATE alert_channels SET deleted_at = $2::timestamptz, target = '', key_id = NULL, wrapped_key = NULL, data = NULL WHERE id = $1`, id, at);
      await tx.rows(`UPDATE alert_messages SET status = 'discarded', next_attempt_at = NULL, settled_at = $2::timestamptz WHERE channel_id = $1 AND status = 'pending' RETURNING 1 AS done`, id, at);
      await tx.rows('DELETE FROM alert_notices WHERE channel_id = $1 AND message_id IS NULL RETURNING 1 AS done', id);
      await tx.rows('UPDATE alert_rules SET channel_ids = array_remove(channel_ids, $2) WHERE user_id = $1 AND $2 = ANY(channel_ids) RETURNING 1 AS done', userId, id);
      await appendAct(tx, { userId, actor, act: 'alertChannel.deleted', subject: `alertChannel:${id}`, data: { kind: before.kind, name: before.name }, at });
      return before;
    });
  }

  /** Throws NOT_FOUND; `lost`: what opened them is. */
  async secretsOf(id: string): Promise<ChannelSecrets | 'lost'> {
    return (await readSecrets(this.core, id)).secrets;
  }

  private async putCode(tx: Transaction, channel: Pick<AlertChannel, 'id' | 'userId' | 'kind' | 'target'>, sealed: SealedSecrets): Promise<void> {
    const nowMs = this.core.clock.nowMs();
    const dayAgo = isoTime(nowMs - DAY_MS);
    const [sent] = await tx.rows<{ there: number; ofUser: number }>(
      `SELECT (SELECT count(*)::int FROM alert_messages m WHERE m.kind = 'verification' AND m.target_hash = $1 AND m.created_at > $3::timestamptz) AS there, (SELECT count(*)::int FROM alert_messages m WHERE m.kind = 'verification' AND m.user_id = $2 AND m.created_at > $3::timestamptz) AS "ofUser"`,
      targetHash(channel.kind, channel.target), channel.userId, dayAgo,
    );
    if ((sent?.there ?? 0) >= CODES_TO_ADDRESS || (sent?.ofUser ?? 0) >= CODES_OF_USER) throw new DomainError('RATE_LIMITED', 'too many codes were sent in the last day', { retryAfterSeconds: 3_600 });
    await tx.rows(`UPDATE alert_messages SET status = 'discarded', next_attempt_at = NULL, settled_at = $2::timestamptz WHERE channel_id = $1 AND status = 'pending' AND kind = 'verification' RETURNING 1 AS done`, channel.id, isoTime(nowMs));
    await tx.rows(
      `UPDATE alert_channels SET key_id = $2, wrapped_key = decode($3, 'base64'), data = decode($4, 'base64'), code_expires_at = $5::timestamptz, code_tries = 0, failures_in_a_row = 0, held_until = NULL, last_error = NULL WHERE id = $1`,
      channel.id, sealed.keyId, sealed.wrappedKey, sealed.data, isoTime(nowMs + CODE_MS),
    );
    await this.putMessage(tx, channel, 'verification', 'Your code for Surefill alerts', `Somebody, probably you, wants alerts of Surefill to be sent here. The code is ${CODE_PLACE}: it is good for 30 minutes.\nIf it was not you, do nothing: nothing more is sent.`);
  }

  private async putMessage(tx: Transaction, { id, userId, kind, target }: Pick<AlertChannel, 'id' | 'userId' | 'kind' | 'target'>, message: MessageKind, subject: string, body: string): Promise<void> {
    await tx.rows(
      `INSERT INTO alert_messages(id, user_id, channel_id, target_hash, kind, subject, body, status, next_attempt_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8::timestamptz, $8::timestamptz)`,
      `alm_${randomUUID()}`, userId, id, targetHash(kind, target), message, subject, body, this.now(),
    );
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

async function readChannel(database: Queryable, id: string, userId: string): Promise<ShownAlertChannel> {
  const [row] = await database.rows(`SELECT ${CHANNEL_SELECT}, ${WAITING_SQL} FROM alert_channels c WHERE c.id = $1 AND c.user_id = $2 AND c.deleted_at IS NULL`, id, userId);
  if (row === undefined) throw new DomainError('NOT_FOUND', 'no such alert channel');
  return shown(row);
}

function shown(row: Row): ShownAlertChannel {
  return fieldsOf(row, [...FIELDS, 'waiting']) as unknown as ShownAlertChannel;
}
