/** Deposits: each fact moves the row, its timeline, the ledger and the user's stream in one transaction (domain/deposit-state.ts). */
import { isoTime } from '../../domain/clock';
import { COUNTED_DEPOSIT_STATES, DEPOSIT_STATES, ENDED_DEPOSIT_STATES, shownDeposit, type Deposit, type DepositState, type DepositStep, type Hex } from '../../domain/deposit';
import { advance, type DepositDecision, type DepositFact } from '../../domain/deposit-state';
import { DomainError } from '../../domain/errors';
import type { EventType } from '../../domain/events';
import type { SweepPage } from '../../domain/sweep-page';
import { adviceOf, ENDED_FUNDED_ORDER_STATES, FUNDED_ORDER_STATES, FUNDED_STATES_UNDER_WAY, type FundedOrderFact } from '../../domain/funded-order';
import { walletFactOf, walletHolder } from '../../domain/wallet-ledger';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import { sqlStateOf, type Parameter, type Queryable, type Transaction } from '../database/database';
import { UNIQUE_VIOLATION } from '../accounts/accounts';
import { andOlder, cursorOf } from '../database/cursor';
import { decideDeposit } from './deposit-decisions';
import { changeUser, type UserChanges } from '../user-changes';

export interface DepositListQuery {
  readonly userId: string;
  readonly state: DepositState | null;
  readonly cursor: string | null;
  readonly limit: number;
}

const AFTER = (at: string, id: string): string => `(${at}::timestamptz IS NULL OR (d.updated_at, d.id) > (${at}::timestamptz, ${id}::text))`;

export class Deposits {
  constructor(private readonly core: StoreCore) {}

  /** Remembers where the user's deposits arrive. Throws where it was another address before: money may be on its way there. */
  async keepAddress(userId: string, address: Hex): Promise<void> {
    const rows = await this.core.database.rows<{ address: string }>(
      `WITH made AS (INSERT INTO deposit_addresses(user_id, address, created_at) VALUES ($1, $2, $3::timestamptz) ON CONFLICT (user_id) DO NOTHING RETURNING address)
       SELECT address FROM made UNION ALL SELECT address FROM deposit_addresses WHERE user_id = $1`,
      userId, address, this.now(),
    );
    if (rows.some((row) => row.address !== address)) throw new Error(`the deposit address of user ${userId} was ${String(rows[0]?.address)} and would be ${address}: the signer has changed`);
  }

  /** Of every user. */
  async addresses(): Promise<readonly { readonly userId: string; readonly address: Hex }[]> {
    return (await this.core.database.rows<{ userId: string; address: Hex }>('SELECT user_id AS "userId", address FROM deposit_addresses ORDER BY user_id')).map((row) => ({ ...row }));
  }

  /** The same id again changes nothing: the deposit that is there is answered. */
  async begin(deposit: Deposit): Promise<Deposit> {
    return changeUser(this.core, deposit.userId, async (tx, changes) => {
      const known = await lockDeposit(tx, deposit.id);
      if (known !== null) return known.deposit;
      insertDeposit(tx, deposit, changes, 'deposit.created', { amount: deposit.amount });
      return deposit;
    });
  }

  /**
   * Applies a fact. A fact that comes too late, or says nothing new, changes nothing: the deposit as it is. Throws CONFLICT for a
   * transaction that another deposit has, NOT_FOUND where there is no such deposit.
   */
  async record(id: string, fact: DepositFact): Promise<Deposit> {
    const { userId } = await this.must(id);
    try {
      return await changeUser(this.core, userId, (tx, changes) => recordUnderLock(tx, changes, id, fact, this.now()));
    } catch (error) {
      if (sqlStateOf(error) !== UNIQUE_VIOLATION || fact.kind !== 'sourceSent') throw error;
      throw new DomainError('CONFLICT', 'this transaction belongs to another deposit', { details: { field: 'hash' }, cause: error });
    }
  }

  /** A person's word, audited. The newest said again is done. Throws CONFLICT where none is waited for. */
  decide(id: string, userId: string, decision: DepositDecision, note: string, actor: string): Promise<Deposit> {
    return decideDeposit(this.core, { id, userId, decision, note, actor });
  }

  async get(id: string, userId: string): Promise<Deposit | null> {
    const deposit = await this.byId(id);
    return deposit?.userId === userId ? deposit : null;
  }

  async byId(id: string): Promise<Deposit | null> {
    const [row] = await this.core.database.rows('SELECT d.data FROM deposits d WHERE d.id = $1', id);
    return row === undefined ? null : (row['data'] as unknown as Deposit);
  }

  /** Whether the transaction is another deposit's: two that ask for the same may be signed as one. */
  async isOfAnother(id: string, chainId: number, hash: Hex): Promise<boolean> {
    return (await this.core.database.rows('SELECT true AS is FROM deposit_hashes h WHERE h.chain_id = $1::bigint AND h.hash = $2 AND h.deposit_id <> $3', chainId, hash, id)).length > 0;
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: DepositListQuery): Promise<{ readonly deposits: readonly Deposit[]; readonly nextCursor: string | null }> {
    const { sql, parameters } = depositsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const deposits = rows.slice(0, query.limit).map((row) => row['data'] as unknown as Deposit);
    const last = deposits.at(-1);
    return { deposits, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf('deposits', { at: last.createdAt, id: last.id }) : null };
  }

  /**
   * Of every user, those that a workflow has to be at: what is under way, and what was counted after `countedSince` and may yet be
   * taken back. What came unannounced has none. Oldest first.
   */
  async attended(countedSince: string, { limit, after }: SweepPage): Promise<readonly Deposit[]> {
    const rows = await this.core.database.rows(
      `SELECT d.data FROM deposits d WHERE d.kind = 'bridge' AND (d.state = ANY($1::text[]) OR d.state = ANY($2::text[]) AND d.updated_at > $3::timestamptz) AND ${AFTER('$4', '$5')} ORDER BY d.updated_at, d.id LIMIT $6::int`,
      DEPOSIT_STATES.filter((state) => !ENDED_DEPOSIT_STATES.has(state)), COUNTED_DEPOSIT_STATES, countedSince, after?.updatedAt ?? null, after?.id ?? null, limit,
    );
    return rows.map((row) => row['data'] as unknown as Deposit);
  }

  /**
   * Of every user, those that were credited after `creditedSince`, that brought what goes on, and whose way on never began: the workflow that
   * would have begun it was lost. Oldest first.
   */
  async unbegun(creditedSince: string, { limit, after }: SweepPage): Promise<readonly Deposit[]> {
    const rows = await this.core.database.rows(
      `SELECT d.data FROM deposits d WHERE d.kind = 'bridge' AND d.state = 'CREDITED' AND (d.data->'destination'->>'fundingId') IS NOT NULL AND d.updated_at > $1::timestamptz
         AND d.data->'received' @> jsonb_build_array(jsonb_build_object('asset', (d.data->'to'->>'symbol') || '@' || (d.data->'to'->>'chainId') || '/' || (d.data->'to'->>'address')))
         AND NOT EXISTS (SELECT 1 FROM withdrawals w WHERE w.id = d.data->'destination'->>'fundingId') AND ${AFTER('$2', '$3')} ORDER BY d.updated_at, d.id LIMIT $4::int`,
      creditedSince, after?.updatedAt ?? null, after?.id ?? null, limit,
    );
    return rows.map((row) => row['data'] as unknown as Deposit);
  }

  /** Of every user, those with an order that somebody has to be at: not before the money is on its way to the venue. */
  async funded({ limit, after }: SweepPage): Promise<readonly Deposit[]> {
    const rows = await this.core.database.rows(
      `SELECT d.data FROM deposits d WHERE (d.data->'destination'->'order') IS NOT NULL AND (d.data->'destination'->'order'->>'state') = ANY($1::text[])
         AND ((d.data->'destination'->'order'->>'state') = ANY($2::text[]) OR d.state = 'CREDITED' AND EXISTS (SELECT 1 FROM withdrawals w WHERE w.id = d.data->'destination'->>'fundingId')) AND ${AFTER('$3', '$4')} ORDER BY d.updated_at, d.id LIMIT $5::int`,
      FUNDED_ORDER_STATES.filter((state) => !ENDED_FUNDED_ORDER_STATES.has(state)), FUNDED_STATES_UNDER_WAY, after?.updatedAt ?? null, after?.id ?? null, limit,
    );
    return rows.map((row) => row['data'] as unknown as Deposit);
  }

  /** In order; null where there is no such deposit of this user. */
  async steps(id: string, userId: string): Promise<readonly DepositStep[] | null> {
    if ((await this.get(id, userId)) === null) return null;
    const rows = await this.core.database.rows('SELECT s.number, s.at, s.fact, s.state, s.data FROM deposit_steps s WHERE s.deposit_id = $1 ORDER BY s.number', id);
    return rows.map((row) => plainRow(row) as unknown as DepositStep);
  }

  /** What the wallet ledger says, by book and asset (`wallet USDC@42161/0x…`); what is zero is left out. */
  async books(userId: string): Promise<Record<string, string>> {
    const rows = await this.core.database.rows<{ name: string; amount: string }>(`SELECT b.book || ' ' || b.asset AS name, trim_scale(b.amount)::text AS amount FROM ledger_balances b WHERE b.account_id = $1 AND b.amount <> 0 ORDER BY 1`, walletHolder(userId));
    return Object.fromEntries(rows.map((row) => [row.name, row.amount]));
  }

  private async must(id: string): Promise<Deposit> {
    const deposit = await this.byId(id);
    if (deposit === null) throw new DomainError('NOT_FOUND', 'no such deposit');
    return deposit;
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

interface KnownDeposit {
  readonly deposit: Deposit;
  readonly steps: number;
}

/** Under its user's lock nobody else changes it. */
export async function lockDeposit(tx: Queryable, id: string): Promise<KnownDeposit | null> {
  const [row] = await tx.rows('SELECT d.data, d.steps FROM deposits d WHERE d.id = $1 FOR UPDATE', id);
  return row === undefined ? null : { deposit: row['data'] as unknown as Deposit, steps: Number(row['steps']) };
}

/** Inside a transaction that holds the user's lock. `reversals`: how often the chain took the fact's transfer back before. */
export async function recordUnderLock(tx: Transaction, changes: UserChanges, id: string, fact: DepositFact, at: string, reversals = 0): Promise<Deposit> {
  const known = await lockDeposit(tx, id);
  if (known === null) throw new DomainError('NOT_FOUND', 'no such deposit');
  const advanced = advance(known.deposit, fact);
  if (advanced === null) return known.deposit;
  const after: Deposit = { ...advanced, revision: known.deposit.revision + 1, updatedAt: at };
  const number = known.steps + 1;
  await tx.rows('UPDATE deposits SET state = $2, data = $3::jsonb, steps = $4::int, updated_at = $5::timestamptz WHERE id = $1', id, after.state, JSON.stringify(after), number, at);
  const { kind, ...data } = fact;
  await insertStep(tx, after, number, kind, data, at);
  const hash = fact.kind === 'sourceSent' || fact.kind === 'sourceReplaced' ? fact.hash : null;
  if (hash !== null && !(known.deposit.source?.hash === hash || known.deposit.source?.earlierHashes.includes(hash))) {
    await tx.rows('INSERT INTO deposit_hashes(chain_id, hash, deposit_id, user_id) VALUES ($1::bigint, $2, $3, $4)', after.from.chainId, hash, id, after.userId);
  }
  if (fact.kind === 'sourceWrong') await tx.rows('DELETE FROM deposit_hashes WHERE deposit_id = $1', id);
  const moved = walletFactOf(known.deposit, after, fact, reversals);
  if (moved !== null) changes.insertLedger(moved, at);
  const told = fact.kind === 'held' || fact.kind === 'late' ? { reason: fact.reason, advice: adviceOf(fact.reason) } : {};
  changes.addEvent({ type: eventOf(fact, after), orderId: null, data: { deposit: shownDeposit(after), ...told } }, at);
  return after;
}

/** The statement alone, for the test that reads its plan. */
export function depositsStatement({ userId, state, cursor, limit }: DepositListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const after = andOlder('deposits', cursor, 'd.created_at, d.id', given);
  const inState = state === null ? '' : `AND d.state = ${given(state)}`;
  return { sql: `SELECT d.data FROM deposits d WHERE d.user_id = $1 ${after} ${inState} ORDER BY d.created_at DESC, d.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

/** Nothing waits for it: the statements leave with those that follow. */
export function insertDeposit(tx: Transaction, deposit: Deposit, changes: UserChanges, type: EventType, data: Readonly<Record<string, unknown>>): void {
  const { id, userId, kind, state, to, toAddress, createdAt } = deposit;
  void tx.rows(
    'INSERT INTO deposits(id, user_id, kind, state, to_chain_id, to_address, data, steps, created_at, updated_at) VALUES ($1, $2, $3, $4, $5::bigint, $6, $7::jsonb, 1, $8::timestamptz, $8::timestamptz)',
    id, userId, kind, state, to.chainId, toAddress, JSON.stringify(deposit), createdAt,
  );
  void insertStep(tx, deposit, 1, 'created', data, createdAt);
  changes.addEvent({ type, orderId: null, data: { deposit: shownDeposit(deposit) } }, createdAt);
}

async function insertStep(tx: Transaction, deposit: Deposit, number: number, fact: string, data: object, at: string): Promise<void> {
  await tx.rows('INSERT INTO deposit_steps(deposit_id, number, user_id, fact, state, data, at) VALUES ($1, $2::int, $3, $4, $5, $6::jsonb, $7::timestamptz)', deposit.id, number, deposit.userId, fact, deposit.state, JSON.stringify(data), at);
}

/** Facts of what is done with the money at its venue: the deposit's own state is CREDITED all the time. */
const FUNDED_EVENTS: Readonly<Record<FundedOrderFact['kind'], EventType>> = {
  notFunded: 'deposit.orderChanged', venueCredited: 'deposit.orderChanged', orderPlaced: 'deposit.orderChanged', orderRefused: 'deposit.orderChanged', orderFilled: 'deposit.orderChanged', orderUnfilled: 'deposit.orderChanged',
  returnSigned: 'deposit.orderChanged', returnLeft: 'deposit.orderChanged', returnArrived: 'deposit.returned', held: 'deposit.held', late: 'deposit.held',
};

function isFundedFact(kind: DepositFact['kind']): kind is FundedOrderFact['kind'] {
  return Object.hasOwn(FUNDED_EVENTS, kind);
}

function eventOf(fact: DepositFact, after: Deposit): EventType {
  if (isFundedFact(fact.kind)) return FUNDED_EVENTS[fact.kind];
  if (fact.kind === 'quoted') return 'swap.quoted';
  if (fact.kind === 'bridgeSaid') return fact.report.status === 'DONE' && fact.report.substatus !== 'REFUNDED' ? 'swap.completed' : 'swap.updated';
  if (fact.kind === 'creditReversed') return 'deposit.reversed';
  // The way back from its venue is asked anew: its own state stays what it was.
  if (fact.kind === 'decided' && fact.decision === 'resume' && ENDED_DEPOSIT_STATES.has(after.state)) return 'deposit.orderChanged';
  if (after.state === 'CREDITED') return 'deposit.credited';
  if (after.state === 'REFUNDED') return 'deposit.refunded';
  if (after.state === 'FAILED') return 'deposit.failed';
  if (after.state === 'MANUAL_REVIEW' || after.state === 'PARTIAL_REVIEW') return 'deposit.reviewNeeded';
  return ENDED_DEPOSIT_STATES.has(after.state) ? 'deposit.ended' : 'deposit.updated';
}
