/** What an administrator changes of an account: its name, status, sealed key, leverage; and its end. */
import { KEY_LOST, KEY_REPLACED, needsNewKey, type Account, type AccountStatus, type MarginMode } from '../../domain/account';
import { isoTime } from '../../domain/clock';
import { decimalText } from '../../domain/decimal';
import { DomainError } from '../../domain/errors';
import { FUNDED_STATES_UNDER_WAY } from '../../domain/funded-order';
import type { VenueCredentials } from '../../domain/venue';
import { accountOf, ACCOUNT_SELECT, insertCredential, sealedCredential, shownAccount, UNIQUE_VIOLATION, type SealedCredential } from './accounts';
import { appendAct } from '../audit/audit';
import { change, type StoreCore } from '../core';
import type { Credentials } from './credentials';
import { sqlStateOf, type Queryable } from '../database/database';
import { emptyPosition, positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT } from '../orders/fill-rows';
import { lockAccounts, type LockedAccount } from '../database/locks';
import { OPEN_SQL } from '../orders/orders';

/** What is absent stays. */
export interface AccountChange {
  readonly name?: string;
  /** `reason` belongs to it: null for none. */
  readonly status?: { readonly status: AccountStatus; readonly reason: string | null };
  readonly credential?: VenueCredentials;
  /** Belongs to `credential`: who signs with it at the venue; the same as before where it is absent. */
  readonly signerId?: string;
}

export interface LeverageSetting {
  readonly symbol: string;
  readonly venueSymbol: string;
  readonly leverage: string;
  readonly marginMode: MarginMode;
}

export class AccountChanges {
  constructor(
    private readonly core: StoreCore,
    private readonly sealed: Credentials,
  ) {}

  /**
   * All of it or nothing. What is so already tells nobody. A new key for an account that is halted because its old one was
   * refused, or is lost, leaves it halted, but watched again. Throws NOT_FOUND, and CONFLICT for a name that another account has, and for the
   * release of one whose key is lost and that gets no new one with it.
   */
  async apply(id: string, userId: string, wanted: AccountChange, actor: string): Promise<Account> {
    const sealed = wanted.credential === undefined ? null : await sealedCredential(this.core.keys, wanted.credential);
    try {
      const after = await change(this.core, [id], async (tx, changes) => {
        const locked = await this.own(tx, id, userId);
        const at = isoTime(this.core.clock.nowMs());
        const before = await readAccount(tx, id);
        if (wanted.status !== undefined && wanted.status.status !== 'HALTED' && locked.killSwitchId !== null) {
          throw new DomainError('CONFLICT', `kill switch ${locked.killSwitchId} holds the account HALTED: release it with POST /api/v1/kill-switch/${locked.killSwitchId}/release`, { details: { killSwitchId: locked.killSwitchId } });
        }
        if (wanted.status !== undefined && wanted.status.status !== 'HALTED' && sealed === null) await this.assertHasKey(before);
        if (wanted.credential !== undefined) await this.assertSameAddress(tx, id, wanted.credential);
        if (sealed !== null) await this.replaceCredential(tx, before, sealed, wanted.signerId ?? before.signerId);
        const status = wanted.status ?? (sealed !== null && needsNewKey(before) ? { status: before.status, reason: KEY_REPLACED } : null);
        if (wanted.name !== undefined && wanted.name !== before.name) await tx.rows('UPDATE accounts SET name = $2, updated_at = $3::timestamptz WHERE id = $1 RETURNING id', id, wanted.name, at);
        if (status !== null && (status.status !== before.status || status.reason !== before.statusReason)) {
          await tx.rows('UPDATE accounts SET status = $2, status_reason = $3, updated_at = $4::timestamptz WHERE id = $1 RETURNING id', id, status.status, status.reason, at);
          const data = { ...status, previousStatus: before.status };
          changes.addEvent(locked, { type: 'account.statusChanged', orderId: null, data }, at);
          await appendAct(tx, { userId, actor, act: 'account.statusChanged', subject: `account:${id}`, data: { ...data, previousReason: before.statusReason }, at });
        }
        const now = await readAccount(tx, id);
        if (now.name !== before.name || sealed !== null) {
          changes.addEvent(locked, { type: 'account.changed', orderId: null, data: { account: shownAccount(now), keyReplaced: sealed !== null } }, at);
          await appendAct(tx, { userId, actor, act: 'account.changed', subject: `account:${id}`, data: { name: now.name, previousName: before.name, keyReplaced: sealed !== null }, at });
        }
        return now;
      });
      this.sealed.forget(id);
      return after;
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
      throw new DomainError('CONFLICT', `you have an account named ${wanted.name ?? ''} already`, { details: { field: 'name' }, cause: error });
    }
  }

  /**
   * Ends the account: halted, its sealed key destroyed, in no list any more; its orders, fills and events stay. Throws
   * NOT_FOUND, and CONFLICT while an order, an order list or a strategy is open, a position is held, or collateral or a deposit's money is on
   * its way. Its dead-man switch ends with it.
   */
  async remove(id: string, userId: string, actor: string): Promise<Account> {
    const removed = await change(this.core, [id], async (tx, changes) => {
      const locked = await this.own(tx, id, userId);
      const account = await readAccount(tx, id);
      await assertEmpty(tx, id);
      const at = isoTime(this.core.clock.nowMs());
      await tx.rows('DELETE FROM credentials WHERE account_id = $1 RETURNING id', id);
      await tx.rows('DELETE FROM heartbeats WHERE account_id = $1 RETURNING account_id', id);
      // Its name is free again.
      await tx.rows(
        `UPDATE accounts SET deleted_at = $2::timestamptz, updated_at = $2::timestamptz, status = 'HALTED', status_reason = 'the account was deleted', credential_id = NULL, name = name || ' ' || id WHERE id = $1 RETURNING id`,
        id, at,
      );
      changes.addEvent(locked, { type: 'account.deleted', orderId: null, data: { account: shownAccount(account) } }, at);
      await appendAct(tx, { userId, actor, act: 'account.deleted', subject: `account:${id}`, data: { account: shownAccount(account) }, at });
      return account;
    });
    this.sealed.forget(id);
    return removed;
  }

  /** After the venue has taken it: what margin is reckoned with from now on. Throws NOT_FOUND. */
  async noteLeverage(id: string, userId: string, setting: LeverageSetting, actor: string): Promise<void> {
    await change(this.core, [id], async (tx, changes) => {
      const account = await this.own(tx, id, userId);
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.account_id = $1 AND p.symbol = $2`, id, setting.symbol);
      const before = row === undefined ? emptyPosition(account, setting.symbol, setting.venueSymbol, at) : positionRowOf(row);
      const after = { ...before, leverage: decimalText(setting.leverage), marginMode: setting.marginMode };
      changes.putPosition(after);
      changes.addEvent(account, { type: 'position.updated', orderId: null, data: { position: positionOf(after) } }, at);
      const data = { symbol: setting.symbol, leverage: after.leverage, marginMode: setting.marginMode, previousLeverage: before.leverage, previousMarginMode: before.marginMode };
      await appendAct(tx, { userId, actor, act: 'account.leverageChanged', subject: `account:${id}`, data, at });
    });
  }

  /**
   * Another address is another account at the venue. What is open there, or on its way, is known by it alone: its bytes are signed for it,
   * its outcome is read of it. With nothing under way nothing is compared: a key that cannot be opened any more must be replaceable, also
   * while orders are open that nobody could cancel without a new one.
   */
  private async assertSameAddress(tx: Queryable, id: string, wanted: VenueCredentials): Promise<void> {
    const { orders, positions, moves, agreed, fundings, fundedOrders } = await underWay(tx, id);
    const isMoneyMoving = moves + agreed + fundings + fundedOrders > 0;
    if (!isMoneyMoving && orders + positions === 0) return;
    const before = await this.sealed.openable(id);
    if (before === null && !isMoneyMoving) return;
    const isSame = before !== null && ['address', 'vaultAddress'].every((field) => (before[field] ?? '').toLowerCase() === (wanted[field] ?? '').toLowerCase());
    if (isSame) return;
    if (isMoneyMoving) throw new DomainError('CONFLICT', 'money is on its way to, from or within the account: its address can be another once that has ended', { details: { moves, fundings: agreed + fundings, fundedOrders } });
    throw new DomainError('CONFLICT', `the account has ${orders} open orders and ${positions} positions at its address: cancel and close them first, or add the other address as an account of its own`, { details: { orders, positions } });
  }

  /** Released without one it would trade nothing, and wait in vain to be looked at. */
  private async assertHasKey(account: Account): Promise<void> {
    const isLost = account.statusReason === KEY_LOST ? (await this.sealed.openable(account.id)) === null : (await this.sealed.lostOf([account.id])).has(account.id);
    if (isLost) throw new DomainError('CONFLICT', 'the master key that sealed the account\'s key is lost: give it a new key first, or with the status', { details: { field: 'credentials' } });
  }

  private async own(tx: Queryable, id: string, userId: string): Promise<LockedAccount> {
    const account = (await lockAccounts(tx, [id])).get(id);
    const [alive] = await tx.rows('SELECT id FROM accounts WHERE id = $1 AND deleted_at IS NULL', id);
    if (account === undefined || alive === undefined || account.userId !== userId) throw new DomainError('NOT_FOUND', 'no such account');
    return account;
  }

  /** Whoever signs with the new key has nonces of its own, which all accounts that it signs for share. */
  private async replaceCredential(tx: Queryable, account: Account, sealed: SealedCredential, signerId: string): Promise<void> {
    if (signerId !== account.signerId) {
      const [held] = await tx.rows('SELECT id FROM signers WHERE id = $1 AND open_attempt_id IS NOT NULL', account.signerId);
      if (held !== undefined) throw new DomainError('CONFLICT', 'the outcome of a request that the old key signed is not known yet: replace it once that is');
    }
    await tx.rows('DELETE FROM credentials WHERE account_id = $1 RETURNING id', account.id);
    await insertCredential(tx, account, sealed);
    await tx.rows('UPDATE accounts SET credential_id = $2, signer_id = $3 WHERE id = $1 RETURNING id', account.id, sealed.id, signerId);
  }
}

async function readAccount(tx: Queryable, id: string): Promise<Account> {
  const [row] = await tx.rows(`SELECT ${ACCOUNT_SELECT} FROM accounts a WHERE a.id = $1`, id);
  if (row === undefined) throw new Error(`account ${id} vanished under its lock`);
  return accountOf(row);
}

/** What of the account is under way at its venue or on its way to or from there, and is known by its address alone. */
interface UnderWay {
  readonly orders: number;
  readonly positions: number;
  readonly moves: number;
  /** Transfers to it: agreed to, and of them those whose bytes may have left. */
  readonly agreed: number;
  readonly fundings: number;
  /** Orders of deposits whose money has left the wallet, or is on its way back. */
  readonly fundedOrders: number;
}

async function underWay(tx: Queryable, id: string): Promise<UnderWay> {
  const [row] = await tx.rows<{ readonly [Field in keyof UnderWay]: number }>(
    `SELECT (SELECT count(*) FROM orders o WHERE o.account_id = $1 AND ${OPEN_SQL})::int AS orders,
            (SELECT count(*) FROM positions p WHERE p.account_id = $1 AND (p.quantity <> 0 OR p.venue_quantity <> 0))::int AS positions,
            (SELECT count(*) FROM collateral_moves m WHERE m.account_id = $1 AND m.state IN ('SENDING', 'UNKNOWN'))::int AS moves,
            (SELECT count(*) FROM withdrawals w WHERE (w.data->'funding') IS NOT NULL AND (w.data->'funding'->>'accountId') = $1 AND w.state = 'APPROVED')::int AS agreed,
            (SELECT count(*) FROM withdrawals w WHERE (w.data->'funding') IS NOT NULL AND (w.data->'funding'->>'accountId') = $1 AND w.state IN ('SIGNED', 'SUBMITTED'))::int AS fundings,
            (SELECT count(*) FROM deposits d WHERE (d.data->'destination'->'order') IS NOT NULL AND d.data->'destination'->>'accountId' = $1 AND ((d.data->'destination'->'order'->>'state') = ANY($2::text[])
              OR (d.data->'destination'->'order'->>'state') = 'WAITING' AND EXISTS (SELECT 1 FROM withdrawals w WHERE w.id = d.data->'destination'->>'fundingId' AND w.state = 'COMPLETED')))::int AS "fundedOrders"`,
    id, FUNDED_STATES_UNDER_WAY,
  );
  return row ?? { orders: 0, positions: 0, moves: 0, agreed: 0, fundings: 0, fundedOrders: 0 };
}

/** What would place orders of the account later, though none may be open now: lists with a leg on it, and strategies. */
async function waiting(tx: Queryable, id: string): Promise<{ readonly orderLists: number; readonly strategies: number }> {
  const [row] = await tx.rows<{ orderLists: number; strategies: number }>(
    `SELECT (SELECT count(*) FROM order_lists l WHERE l.ended_at IS NULL AND l.legs @> jsonb_build_array(jsonb_build_object('accountId', $1::text)))::int AS "orderLists",
            (SELECT count(*) FROM strategies s WHERE s.ended_at IS NULL AND s.account_id = $1)::int AS strategies`,
    id,
  );
  return row ?? { orderLists: 0, strategies: 0 };
}

async function assertEmpty(tx: Queryable, id: string): Promise<void> {
  const { orderLists, strategies } = await waiting(tx, id);
  if (orderLists > 0 || strategies > 0) throw new DomainError('CONFLICT', `the account has ${orderLists} open order lists and ${strategies} open strategies; cancel them first`, { details: { orderLists, strategies } });
  const { orders, positions, moves, fundings, fundedOrders } = await underWay(tx, id);
  if (orders > 0 || positions > 0) throw new DomainError('CONFLICT', `the account has ${orders} open orders and ${positions} positions; cancel and close them first`, { details: { orders, positions } });
  if (moves > 0) throw new DomainError('CONFLICT', 'collateral of the account is on its way; ask again once it has arrived', { details: { moves } });
  if (fundings + fundedOrders > 0) throw new DomainError('CONFLICT', 'money of a deposit is on its way to or from the account; ask again once that has ended', { details: { fundings, fundedOrders } });
}
