/** Row locks, in the one order every transaction takes them: accounts by id, then signers by id, then orders by id. */
import type { AccountStatus, RiskLimits, UserRiskLimits } from '../../domain/account';
import type { Order } from '../../domain/order';
import { withinUser } from '../../risk/limits';
import { fieldsOf, selectList } from './columns';
import type { Queryable, Row, Value } from './database';
import { ORDER_COLUMNS, ORDER_STATE_COLUMNS } from './tables';

/** An account's row under its lock. `eventSequence` is raised as events are added. */
export interface LockedAccount {
  readonly id: string;
  readonly userId: string;
  readonly venue: string;
  readonly status: AccountStatus;
  readonly statusReason: string | null;
  /** Holds it HALTED; null: none does. */
  readonly killSwitchId: string | null;
  readonly signerId: string;
  /** The account's own, within its user's. */
  readonly limits: RiskLimits;
  readonly userLimits: UserRiskLimits | null;
  readonly leverage: string;
  readonly isDeleted: boolean;
  eventSequence: number;
}

/** What the store keeps of an order beside what the API shows. */
export interface OrderBookkeeping {
  fillsQuantity: string;
  fillsValue: string;
  fillsMissing: string;
  valuationPrice: string;
  amendQuantity: string | null;
  amendValuation: string | null;
}

export interface LockedOrder {
  readonly order: Order;
  readonly books: OrderBookkeeping;
}

/** A latched kill switch holds the account HALTED, whatever its own status: it is read in the row that is locked. */
export const STATUS_SELECT = `CASE WHEN a.kill_switch_id IS NULL THEN a.status ELSE 'HALTED' END AS status, CASE WHEN a.kill_switch_id IS NULL THEN a.status_reason ELSE 'kill switch ' || a.kill_switch_id || ' holds it until it is released' END AS "statusReason"`;
const OWN_SELECT = `a.id, a.user_id AS "userId", a.venue, ${STATUS_SELECT}, a.kill_switch_id AS "killSwitchId", a.signer_id AS "signerId", a.limits, trim_scale(a.leverage)::text AS leverage, a.deleted_at IS NOT NULL AS "isDeleted", a.event_sequence::float8 AS "eventSequence"`;
const ACCOUNT_SELECT = `${OWN_SELECT}, (SELECT u.limits FROM users u WHERE u.id = a.user_id) AS "userLimits"`;
const USER_LIMITS_SQL = 'SELECT u.id, u.limits FROM users u WHERE u.limits IS NOT NULL AND u.id IN (SELECT a.user_id FROM accounts a WHERE a.id = ANY($1::text[]))';
const ORDER_FIELDS = Object.keys(ORDER_COLUMNS);
const BOOKKEEPING_FIELDS = Object.keys(ORDER_STATE_COLUMNS);
export const ORDER_SELECT = selectList(ORDER_COLUMNS, 'o');
export const LOCKED_ORDER_SELECT = `${ORDER_SELECT}, ${selectList(ORDER_STATE_COLUMNS, 'o')}`;

/**
 * The limits of users are a statement of their own, sent with the first and done after it: one that waited for a lock sees the locked rows as they are
 * then, and every other table as it was before it waited. Whoever lowers a user's limits holds that user's accounts.
 */
export async function lockAccounts(tx: Queryable, ids: readonly string[]): Promise<Map<string, LockedAccount>> {
  const [locked, users] = await Promise.all([
    tx.rows(`SELECT ${OWN_SELECT} FROM accounts a WHERE a.id = ANY($1::text[]) ORDER BY a.id FOR UPDATE`, ids),
    tx.rows<{ id: string; limits: Value }>(USER_LIMITS_SQL, ids),
  ]);
  const limits = new Map(users.map((user) => [user.id, user.limits]));
  return accountMap(locked.map((row) => ({ ...row, userLimits: limits.get(row['userId'] as string) ?? null })));
}

/** The same without the lock, for showing. */
export async function readAccounts(tx: Queryable, ids: readonly string[]): Promise<Map<string, LockedAccount>> {
  return accountMap(await tx.rows(`SELECT ${ACCOUNT_SELECT} FROM accounts a WHERE a.id = ANY($1::text[]) ORDER BY a.id`, ids));
}

/** The accounts of these orders: an order never changes its account, so this needs no lock. */
export async function accountsOfOrders(database: Queryable, orderIds: readonly string[]): Promise<readonly string[]> {
  const rows = await database.rows<{ id: string }>('SELECT DISTINCT o.account_id AS id FROM orders o WHERE o.id = ANY($1::text[]) ORDER BY 1', orderIds);
  return rows.map((row) => row.id);
}

/** For what becomes of a request that is recorded. It judges nothing: the user's limits may be those from before a lock was waited for. */
export async function lockAccountOfAttempt(tx: Queryable, attemptId: string): Promise<LockedAccount | null> {
  const rows = await tx.rows(`SELECT ${ACCOUNT_SELECT} FROM accounts a WHERE a.id = (SELECT t.account_id FROM attempts t WHERE t.id = $1) FOR UPDATE`, attemptId);
  return [...accountMap(rows).values()][0] ?? null;
}

function accountMap(rows: readonly Row[]): Map<string, LockedAccount> {
  return new Map(rows.map((row) => {
    const { limits, ...account } = row;
    return [row['id'] as string, { ...account, limits: withinUser(limits as unknown as RiskLimits, account['userLimits'] as unknown as UserRiskLimits | null) } as unknown as LockedAccount];
  }));
}

export interface LockedSigner {
  last: bigint;
  /** The attempt whose nonce is not known used or free; only where nonces are strict. */
  openAttemptId: string | null;
}

/** Locks a signer's row, made on first use. */
export async function lockSigner(tx: Queryable, signer: { readonly id: string; readonly userId: string; readonly venue: string }): Promise<LockedSigner> {
  await tx.rows('INSERT INTO signers(id, user_id, venue) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING', signer.id, signer.userId, signer.venue);
  const rows = await tx.rows<{ last: string; openAttemptId: string | null }>('SELECT last_nonce::text AS last, open_attempt_id AS "openAttemptId" FROM signers WHERE id = $1 FOR UPDATE', signer.id);
  const [row] = rows;
  if (row === undefined) throw new Error(`signer ${signer.id} vanished under its lock`);
  return { last: BigInt(row.last), openAttemptId: row.openAttemptId };
}

export async function lockOrders(tx: Queryable, ids: readonly string[]): Promise<Map<string, LockedOrder>> {
  const rows = await tx.rows(`SELECT ${LOCKED_ORDER_SELECT} FROM orders o WHERE o.id = ANY($1::text[]) ORDER BY o.id FOR UPDATE`, ids);
  return new Map(rows.map((row) => [row['id'] as string, lockedOrderOf(row)]));
}

export function lockedOrderOf(row: Row): LockedOrder {
  return { order: orderOf(row), books: fieldsOf(row, BOOKKEEPING_FIELDS) as unknown as OrderBookkeeping };
}

/** An order's row as the API shows it. */
export function orderOf(row: Row): Order {
  return fieldsOf(row, ORDER_FIELDS) as unknown as Order;
}
