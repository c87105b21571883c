/** Addresses that a user's withdrawals may go to. A new one waits before it can be used; each change is audited. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import type { Hex } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import type { WithdrawalAddress } from '../../domain/withdrawal';
import { UNIQUE_VIOLATION } from '../accounts/accounts';
import { appendAct } from '../audit/audit';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import { sqlStateOf, type Queryable, type Row } from '../database/database';
import { changeUser } from '../user-changes';

export interface NewAddress {
  readonly userId: string;
  readonly address: Hex;
  readonly label: string;
  readonly actor: string;
  /** How long it waits. */
  readonly waitMs: number;
}

const SELECT = 'a.id, a.user_id AS "userId", a.address, a.label, a.created_at AS "createdAt", a.usable_at AS "usableAt", a.removed_at AS "removedAt"';
/** A list is shown whole; nobody withdraws to more. */
export const MAX_WITHDRAWAL_ADDRESSES = 100;

export class WithdrawalAddresses {
  constructor(private readonly core: StoreCore) {}

  /** Throws CONFLICT where the address is on the list, UNPROCESSABLE where the list is full. */
  async add({ userId, address, label, actor, waitMs }: NewAddress): Promise<WithdrawalAddress> {
    const nowMs = this.core.clock.nowMs();
    const added: WithdrawalAddress = { id: randomUUID(), userId, address, label, createdAt: isoTime(nowMs), usableAt: isoTime(nowMs + waitMs), removedAt: null };
    try {
      return await changeUser(this.core, userId, async (tx) => {
        if ((await listed(tx, userId)).length >= MAX_WITHDRAWAL_ADDRESSES) throw new DomainError('UNPROCESSABLE', `a list holds ${MAX_WITHDRAWAL_ADDRESSES} addresses: remove one first`);
        await tx.rows('INSERT INTO withdrawal_addresses(id, user_id, address, label, created_at, usable_at) VALUES ($1, $2, $3, $4, $5::timestamptz, $6::timestamptz)', added.id, userId, address, label, added.createdAt, added.usableAt);
        await appendAct(tx, { userId, actor, act: 'withdrawalAddress.created', subject: `withdrawalAddress:${added.id}`, data: { address, label, usableAt: added.usableAt }, at: added.createdAt });
        return added;
      });
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
      throw new DomainError('CONFLICT', 'this address is on the list already', { details: { field: 'address' }, cause: error });
    }
  }

  /** Newest first; removed ones are not shown. */
  list(userId: string): Promise<readonly WithdrawalAddress[]> {
    return listed(this.core.database, userId);
  }

  /** What was asked for and is not approved yet cannot be approved any more. Throws NOT_FOUND. */
  async remove(id: string, userId: string, actor: string): Promise<WithdrawalAddress> {
    return changeUser(this.core, userId, async (tx) => {
      const at = isoTime(this.core.clock.nowMs());
      const [row] = await tx.rows(`UPDATE withdrawal_addresses a SET removed_at = $3::timestamptz WHERE a.id = $1 AND a.user_id = $2 AND a.removed_at IS NULL RETURNING ${SELECT}`, id, userId, at);
      if (row === undefined) throw new DomainError('NOT_FOUND', 'no such address on the list');
      const removed = addressOf(row);
      await appendAct(tx, { userId, actor, act: 'withdrawalAddress.removed', subject: `withdrawalAddress:${id}`, data: { address: removed.address, label: removed.label }, at });
      return removed;
    });
  }
}

/** Throws UNPROCESSABLE for an address that is not on the user's list, or waits. */
export async function usableAddress(tx: Queryable, userId: string, address: Hex, nowMs: number): Promise<void> {
  const known = (await listed(tx, userId)).find((each) => each.address === address);
  if (known === undefined) throw new DomainError('UNPROCESSABLE', 'withdrawals go to addresses of your list only: add it by POST /api/v1/withdrawal-addresses', { details: { field: 'toAddress' } });
  if (Date.parse(known.usableAt) > nowMs) throw new DomainError('UNPROCESSABLE', `this address is new: it can be used from ${known.usableAt}`, { details: { field: 'toAddress', usableAt: known.usableAt } });
}

export const WITHDRAWAL_ADDRESSES_SQL = `SELECT ${SELECT} FROM withdrawal_addresses a WHERE a.user_id = $1 AND a.removed_at IS NULL ORDER BY a.created_at DESC, a.id DESC`;

async function listed(from: Queryable, userId: string): Promise<readonly WithdrawalAddress[]> {
  return (await from.rows(WITHDRAWAL_ADDRESSES_SQL, userId)).map(addressOf);
}

function addressOf(row: Row): WithdrawalAddress {
  return plainRow(row) as unknown as WithdrawalAddress;
}
