/** Risk limits of a user and of each account. Setting them is an administrative act, told on the stream of every account it binds. */
import { NO_USER_LIMITS, type RiskLimits, type RiskLimitsView, type UserRiskLimits } from '../../domain/account';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { assertWithinUser, withinUser } from '../../risk/limits';
import { appendAct } from '../audit/audit';
import { change, type StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { lockAccounts } from '../database/locks';

interface LimitsRow {
  readonly user: UserRiskLimits | null;
  readonly account: RiskLimits | null;
  readonly found: boolean;
}

export class RiskLimitsOf {
  constructor(private readonly core: StoreCore) {}

  /** Of the user, and of one account of theirs; null when that account is not theirs. */
  async get(userId: string, accountId: string | null): Promise<RiskLimitsView | null> {
    const { user, account, found } = await read(this.core.database, userId, accountId);
    return found ? viewOf(accountId, user, account) : null;
  }

  /** Binds every account of the user from the next order on. */
  async setOfUser(userId: string, limits: UserRiskLimits, actor: string): Promise<RiskLimitsView> {
    const rows = await this.core.database.rows<{ id: string }>('SELECT id FROM accounts WHERE user_id = $1 AND deleted_at IS NULL ORDER BY id', userId);
    const accountIds = rows.map((row) => row.id);
    return change(this.core, accountIds, async (tx, changes) => {
      const accounts = await lockAccounts(tx, accountIds);
      const before = await read(tx, userId, null);
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows('UPDATE users SET limits = $2::jsonb WHERE id = $1', userId, JSON.stringify(limits));
      for (const account of accounts.values()) {
        const { account: own } = await read(tx, userId, account.id);
        if (own !== null) changes.addEvent(account, { type: 'account.riskLimitsChanged', orderId: null, data: { ...viewOf(account.id, limits, own) } }, at);
      }
      await appendAct(tx, { userId, actor, act: 'riskLimits.changed', subject: `user:${userId}`, data: { previous: before.user, limits }, at });
      return viewOf(null, limits, null);
    });
  }

  /** Throws NOT_FOUND, and RISK_LIMITS_TOO_WIDE with the fields that exceed the user's. */
  async setOfAccount(userId: string, accountId: string, limits: RiskLimits, actor: string): Promise<RiskLimitsView> {
    return change(this.core, [accountId], async (tx, changes) => {
      const locked = (await lockAccounts(tx, [accountId])).get(accountId);
      const { user, account: previous } = await read(tx, userId, accountId);
      if (locked === undefined || previous === null) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      assertWithinUser(limits, user);
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows('UPDATE accounts SET limits = $2::jsonb, updated_at = $3::timestamptz WHERE id = $1', accountId, JSON.stringify(limits), at);
      const view = viewOf(accountId, user, limits);
      changes.addEvent(locked, { type: 'account.riskLimitsChanged', orderId: null, data: { ...view } }, at);
      await appendAct(tx, { userId, actor, act: 'riskLimits.changed', subject: `account:${accountId}`, data: { previous, limits }, at });
      return view;
    });
  }
}

async function read(tx: Queryable, userId: string, accountId: string | null): Promise<LimitsRow> {
  const [row] = await tx.rows(
    `SELECT u.limits AS "user", a.limits AS account, ($2::text IS NULL OR a.id IS NOT NULL) AS found FROM users u LEFT JOIN accounts a ON a.id = $2 AND a.user_id = u.id AND a.deleted_at IS NULL WHERE u.id = $1`,
    userId,
    accountId,
  );
  return row === undefined ? { user: null, account: null, found: false } : (row as unknown as LimitsRow);
}

function viewOf(accountId: string | null, user: UserRiskLimits | null, account: RiskLimits | null): RiskLimitsView {
  return { accountId, user: user ?? NO_USER_LIMITS, account, effective: account === null ? null : withinUser(account, user) };
}
