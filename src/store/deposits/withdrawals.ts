/** Withdrawals: each fact moves the row, its timeline, the ledger and the user's stream in one transaction (domain/withdrawal-state.ts). */
import { isoTime } from '../../domain/clock';
import { decimal, sum } from '../../domain/decimal';
import { assetOf } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import type { EventType } from '../../domain/events';
import { walletHolder } from '../../domain/wallet-ledger';
import type { SweepPage } from '../../domain/sweep-page';
import { ENDED_WITHDRAWAL_STATES, WITHDRAWAL_STATES, withdrawalSendId, type Withdrawal, type WithdrawalDecision, type WithdrawalState, type WithdrawalStep } from '../../domain/withdrawal';
import { advanceWithdrawal, withdrawalFactOf, type WithdrawalFact } from '../../domain/withdrawal-state';
import { appendAct } from '../audit/audit';
import { releaseSend } from './chain-sends';
import { plainRow } from '../database/columns';
import type { StoreCore } from '../core';
import { andOlder, cursorOf } from '../database/cursor';
import type { Parameter, Queryable, Statement, Transaction } from '../database/database';
import { changeUser, type UserChanges } from '../user-changes';
import { usableAddress } from './withdrawal-addresses';

export interface WithdrawalListQuery {
  readonly userId: string;
  readonly state: WithdrawalState | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** In the token's unit. */
export interface WithdrawalLimits {
  readonly minimum: string;
  readonly maximum: string;
  /** What a user may ask for within a day; what came to nothing does not count. */
  readonly perDay: string;
}

const DAY_MS = 86_400_000;

export class Withdrawals {
  constructor(private readonly core: StoreCore) {}

  /**
   * Records it and sets its amount aside. The same id again changes nothing: the withdrawal that is there is answered. Throws UNPROCESSABLE
   * beyond a limit or for an address that is not on the list or still waits, INSUFFICIENT_BALANCE where the wallet does not have it.
   */
  async begin(withdrawal: Withdrawal, limits: WithdrawalLimits): Promise<Withdrawal> {
    const { id, userId, token, amount, toAddress, requestedBy, createdAt } = withdrawal;
    return changeUser(this.core, userId, async (tx, changes) => {
      const known = await lockWithdrawal(tx, id);
      if (known !== null) return known.withdrawal;
      await usableAddress(tx, userId, toAddress, this.core.clock.nowMs());
      await this.checkLimits(tx, withdrawal, limits);
      const available = await walletOf(tx, userId, assetOf(token));
      if (decimal(amount).greaterThan(decimal(available))) throw new DomainError('INSUFFICIENT_BALANCE', `the wallet has ${available} ${token.symbol}, not ${amount}`, { details: { field: 'amount', available } });
      await insertWithdrawal(tx, changes, withdrawal, { amount, toAddress });
      await appendAct(tx, { userId, actor: requestedBy, act: 'withdrawal.requested', subject: `withdrawal:${id}`, data: { amount, symbol: token.symbol, toAddress }, at: createdAt });
      return withdrawal;
    });
  }

  /**
   * Records what goes on to a venue's account and sets its amount aside. The same id again changes nothing. What cannot go (`fault`), or is
   * not in the wallet any more, is recorded as FAILED: the money stays where it is.
   */
  async beginFunding(asked: Withdrawal, fault: string | null): Promise<Withdrawal> {
    const { id, userId, token, amount, toAddress, funding } = asked;
    return changeUser(this.core, userId, async (tx, changes) => {
      const known = await lockWithdrawal(tx, id);
      if (known !== null) return known.withdrawal;
      const isThere = decimal(amount).lessThanOrEqualTo(decimal(await walletOf(tx, userId, assetOf(token))));
      const reason = fault ?? (isThere ? null : 'WALLET_SPENT');
      const begun: Withdrawal = reason === null ? asked : { ...asked, state: 'FAILED', reason };
      await insertWithdrawal(tx, changes, begun, { amount, toAddress, ...funding });
      await appendAct(tx, { userId, actor: asked.requestedBy, act: 'withdrawal.requested', subject: `withdrawal:${id}`, data: { amount, symbol: token.symbol, toAddress, ...funding }, at: asked.createdAt });
      return begun;
    });
  }

  /** Applies a fact. One that comes too late, or says nothing new, changes nothing: the withdrawal as it is. */
  async record(id: string, fact: WithdrawalFact): Promise<Withdrawal> {
    const { userId } = await this.must(id);
    return changeUser(this.core, userId, (tx, changes) => recordUnderLock(tx, changes, id, fact, this.now()));
  }

  /** A second person's word, audited. Throws FORBIDDEN for whoever asked for it, CONFLICT where it waits for no word, NOT_FOUND. */
  async decide(id: string, userId: string, decision: WithdrawalDecision, note: string, actor: string): Promise<Withdrawal> {
    const approves = decision === 'approve';
    return changeUser(this.core, userId, async (tx, changes) => {
      const before = await own(tx, id, userId);
      if (before.state === (approves ? 'APPROVED' : 'REFUSED') && before.decidedBy === actor) return before;
      if (before.state !== 'AWAITING_APPROVAL') throw new DomainError('CONFLICT', `a withdrawal in ${before.state} waits for no approval`, { details: { state: before.state } });
      // Its workflow may be late.
      if (approves && this.core.clock.nowMs() >= Date.parse(before.approveBefore)) throw new DomainError('CONFLICT', `it was to be approved by ${before.approveBefore}: ask for another`);
      if (before.requestedBy === actor) throw new DomainError('FORBIDDEN', 'whoever asked for a withdrawal cannot approve it: use another admin key');
      // It may have been taken off the list meanwhile.
      if (approves) await usableAddress(tx, userId, before.toAddress, this.core.clock.nowMs());
      const after = await recordUnderLock(tx, changes, id, approves ? { kind: 'approved', by: actor, note } : { kind: 'refused', by: actor, note }, this.now());
      await appendAct(tx, { userId, actor, act: approves ? 'withdrawal.approved' : 'withdrawal.refused', subject: `withdrawal:${id}`, data: { note, requestedBy: before.requestedBy }, at: this.now() });
      return after;
    });
  }

  /** Called off before anything was signed, audited. Throws CONFLICT where it is too late, NOT_FOUND. */
  async cancel(id: string, userId: string, actor: string): Promise<Withdrawal> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const before = await own(tx, id, userId);
      if (before.state === 'CANCELED') return before;
      const after = await recordUnderLock(tx, changes, id, { kind: 'canceled', by: actor }, this.now());
      if (after.state !== 'CANCELED') throw new DomainError('CONFLICT', `a withdrawal in ${before.state} cannot be called off`, { details: { state: before.state } });
      await appendAct(tx, { userId, actor, act: 'withdrawal.canceled', subject: `withdrawal:${id}`, data: {}, at: this.now() });
      return after;
    });
  }

  async byId(id: string): Promise<Withdrawal | null> {
    const [row] = await this.core.database.rows('SELECT w.data FROM withdrawals w WHERE w.id = $1', id);
    return row === undefined ? null : (row['data'] as unknown as Withdrawal);
  }

  async get(id: string, userId: string): Promise<Withdrawal | null> {
    const withdrawal = await this.byId(id);
    return withdrawal?.userId === userId ? withdrawal : null;
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: WithdrawalListQuery): Promise<{ readonly withdrawals: readonly Withdrawal[]; readonly nextCursor: string | null }> {
    const { limit } = query;
    const { sql, parameters } = withdrawalsStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const withdrawals = rows.slice(0, limit).map((row) => row['data'] as unknown as Withdrawal);
    const last = withdrawals.at(-1);
    return { withdrawals, nextCursor: rows.length > limit && last !== undefined ? cursorOf('withdrawals', { at: last.createdAt, id: last.id }) : null };
  }

  /** Of every user, those that have not ended. Oldest first. */
  async unended({ limit, after }: SweepPage): Promise<readonly Withdrawal[]> {
    const states = WITHDRAWAL_STATES.filter((state) => !ENDED_WITHDRAWAL_STATES.has(state));
    const rows = await this.core.database.rows('SELECT w.data FROM withdrawals w WHERE w.state = ANY($1::text[]) AND ($2::timestamptz IS NULL OR (w.updated_at, w.id) > ($2::timestamptz, $3::text)) ORDER BY w.updated_at, w.id LIMIT $4::int', states, after?.updatedAt ?? null, after?.id ?? null, limit);
    return rows.map((row) => row['data'] as unknown as Withdrawal);
  }

  /** In order; null where there is no such withdrawal of this user. */
  async steps(id: string, userId: string): Promise<readonly WithdrawalStep[] | null> {
    if ((await this.get(id, userId)) === null) return null;
    const rows = await this.core.database.rows('SELECT s.number, s.at, s.fact, s.state, s.data FROM withdrawal_steps s WHERE s.withdrawal_id = $1 ORDER BY s.number', id);
    return rows.map((row) => plainRow(row) as unknown as WithdrawalStep);
  }

  private async checkLimits(tx: Queryable, { userId, token, amount, createdAt }: Withdrawal, { minimum, maximum, perDay }: WithdrawalLimits): Promise<void> {
    const refuse = (message: string, details: Readonly<Record<string, string>>): never => {
      throw new DomainError('UNPROCESSABLE', message, { details: { field: 'amount', ...details } });
    };
    if (decimal(amount).lessThan(decimal(minimum)) || decimal(amount).greaterThan(decimal(maximum))) refuse(`a withdrawal is of ${minimum} to ${maximum} ${token.symbol}`, { minimum, maximum });
    const since = isoTime(Date.parse(createdAt) - DAY_MS);
    const rows = await tx.rows<{ amount: string }>("SELECT trim_scale(w.amount)::text AS amount FROM withdrawals w WHERE w.user_id = $1 AND w.asset = $2 AND w.created_at > $3::timestamptz AND w.state NOT IN ('FAILED', 'REFUSED', 'CANCELED', 'EXPIRED') AND w.data->'funding' IS NULL", userId, assetOf(token), since);
    const used = sum(rows.map((row) => row.amount));
    const left = decimal(perDay).minus(used);
    if (decimal(amount).greaterThan(left)) refuse(`${perDay} ${token.symbol} may be withdrawn within a day, ${used.toString()} were asked for already`, { perDay, left: left.isNegative() ? '0' : left.toString() });
  }

  private async must(id: string): Promise<Withdrawal> {
    const withdrawal = await this.byId(id);
    if (withdrawal === null) throw new DomainError('NOT_FOUND', 'no such withdrawal');
    return withdrawal;
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

/** One more than the page: whether there is a next. */
export function withdrawalsStatement({ userId, state, cursor, limit }: WithdrawalListQuery): Statement {
  const parameters: Parameter[] = [userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const after = andOlder('withdrawals', cursor, 'w.created_at, w.id', given);
  const inState = state === null ? '' : `AND w.state = ${given(state)}`;
  return { sql: `SELECT w.data FROM withdrawals w WHERE w.user_id = $1 ${after} ${inState} ORDER BY w.created_at DESC, w.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

/** What the user's wallet has in the books, beyond what is reserved. Under the user's lock nothing moves it. */
export async function walletOf(tx: Queryable, userId: string, asset: string): Promise<string> {
  const [row] = await tx.rows<{ amount: string }>("SELECT trim_scale(b.amount)::text AS amount FROM ledger_balances b WHERE b.account_id = $1 AND b.book = 'wallet' AND b.asset = $2", walletHolder(userId), asset);
  return row?.amount ?? '0';
}

interface KnownWithdrawal {
  readonly withdrawal: Withdrawal;
  readonly steps: number;
}

async function lockWithdrawal(tx: Queryable, id: string): Promise<KnownWithdrawal | null> {
  const [row] = await tx.rows('SELECT w.data, w.steps FROM withdrawals w WHERE w.id = $1 FOR UPDATE', id);
  return row === undefined ? null : { withdrawal: row['data'] as unknown as Withdrawal, steps: Number(row['steps']) };
}

async function insertWithdrawal(tx: Queryable, changes: UserChanges, withdrawal: Withdrawal, data: object): Promise<void> {
  const { id, userId, state, token, amount, createdAt } = withdrawal;
  await tx.rows('INSERT INTO withdrawals(id, user_id, state, asset, amount, data, steps, created_at, updated_at) VALUES ($1, $2, $3, $4, $5::numeric, $6::jsonb, 1, $7::timestamptz, $7::timestamptz)', id, userId, state, assetOf(token), amount, JSON.stringify(withdrawal), createdAt);
  await insertStep(tx, withdrawal, 1, 'requested', data, createdAt);
  book(changes, null, withdrawal, createdAt);
  changes.addEvent({ type: state === 'FAILED' ? 'withdrawal.failed' : 'withdrawal.created', orderId: null, data: { withdrawal } }, createdAt);
}

async function own(tx: Queryable, id: string, userId: string): Promise<Withdrawal> {
  const known = await lockWithdrawal(tx, id);
  if (known === null || known.withdrawal.userId !== userId) throw new DomainError('NOT_FOUND', 'no such withdrawal');
  return known.withdrawal;
}

async function recordUnderLock(tx: Transaction, changes: UserChanges, id: string, fact: WithdrawalFact, at: string): Promise<Withdrawal> {
  const known = await lockWithdrawal(tx, id);
  if (known === null) throw new DomainError('NOT_FOUND', 'no such withdrawal');
  const { withdrawal: before } = known;
  const advanced = advanceWithdrawal(before, fact);
  if (advanced === null) return before;
  // Bytes that are kept may leave at any time: what has some is not given up, whoever asks for it.
  const givesUp = fact.kind === 'canceled' || fact.kind === 'impossible' || fact.kind === 'expired';
  if (givesUp && !(await releaseSend(tx, withdrawalSendId(id), at))) return before;
  const after: Withdrawal = { ...advanced, revision: before.revision + 1, updatedAt: at };
  const number = known.steps + 1;
  await tx.rows('UPDATE withdrawals SET state = $2, data = $3::jsonb, steps = $4::int, updated_at = $5::timestamptz WHERE id = $1', id, after.state, JSON.stringify(after), number, at);
  const { kind, ...data } = fact;
  await insertStep(tx, after, number, kind, data, at);
  book(changes, before, after, at);
  changes.addEvent({ type: eventOf(after), orderId: null, data: { withdrawal: after } }, at);
  return after;
}

function book(changes: UserChanges, before: Withdrawal | null, after: Withdrawal, at: string): void {
  const moved = withdrawalFactOf(before, after);
  if (moved !== null) changes.insertLedger(moved, at);
}

async function insertStep(tx: Queryable, { id, userId, state }: Withdrawal, number: number, fact: string, data: object, at: string): Promise<void> {
  await tx.rows('INSERT INTO withdrawal_steps(withdrawal_id, number, user_id, fact, state, data, at) VALUES ($1, $2::int, $3, $4, $5, $6::jsonb, $7::timestamptz)', id, number, userId, fact, state, JSON.stringify(data), at);
}

function eventOf({ state }: Withdrawal): EventType {
  if (state === 'COMPLETED') return 'withdrawal.completed';
  if (state === 'FAILED') return 'withdrawal.failed';
  return ENDED_WITHDRAWAL_STATES.has(state) ? 'withdrawal.ended' : 'withdrawal.updated';
}
