/**
 * Strategies: made and commanded by their owner, advanced by their workflow. Every change is one transaction under the account's row
 * lock, and every advance names the revision and the last child it was decided on: one that was decided on older facts changes
 * nothing. So what is recorded is bounded by the quantity whoever decides, and how often.
 */
import { createHash } from 'node:crypto';
import { childOrderId } from '../../domain/client-ids';
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { EventType, StreamEvent } from '../../domain/events';
import type { IdempotencyStamp } from '../../domain/order';
import type { ChildPlan, Strategy, StrategyChild } from '../../domain/strategy';
import { amended, commandedTo, fits, noted, typeOf, type StrategyAdvance, type StrategyCommand } from '../../domain/strategy-commands';
import type { ChangeSet } from '../change-set';
import { insertRows, plainRow, selectList } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Queryable, Row } from '../database/database';
import { newestFirst, type ListedTable, type ListFilters, type ListOptions } from '../database/listing';
import { lockAccounts, type LockedAccount } from '../database/locks';
import { STRATEGY_CHILD_COLUMNS, STRATEGY_COLUMNS } from './strategy-columns';
import { assertReadBack } from '../store-states';
import { takeKey } from './taken-keys';

export interface StrategyListQuery extends ListFilters {
  readonly status: 'open' | 'closed' | 'all';
}

export type NewStrategy = Omit<Strategy, 'state' | 'reason' | 'pendingCancel' | 'filledQuantity' | 'avgPrice' | 'revision' | 'run' | 'startedAt' | 'runStartedAt' | 'pausedAt' | 'pausedMs' | 'createdAt' | 'updatedAt' | 'endedAt'>;

const SELECT = selectList(STRATEGY_COLUMNS, 's');
export const LISTED_STRATEGIES: ListedTable = { table: 'strategies', alias: 's', select: SELECT, at: 'created_at', atField: 'createdAt' };
export const STRATEGY_LISTS: Readonly<Record<StrategyListQuery['status'], ListOptions>> = {
  all: {},
  closed: { condition: 's.ended_at IS NOT NULL' },
  open: { few: { condition: 's.ended_at IS NULL', order: 'account_id' } },
};

const CHILDREN_SQL = `SELECT ${selectList(STRATEGY_CHILD_COLUMNS, 'c')}, coalesce(o.state, 'PENDING_RISK') AS state, o.id IS NOT NULL AS "isPlaced", trim_scale(coalesce(o.filled_quantity, 0))::text AS "filledQuantity",
    trim_scale(coalesce(o.quantity, c.quantity))::text AS "orderQuantity", trim_scale(o.avg_price)::text AS "avgPrice", o.reason_code AS "reasonCode", o.reason_message AS "reasonMessage", coalesce(o.pending_cancel, false) AS "pendingCancel", o.closed_at AS "closedAt"
  FROM strategy_children c LEFT JOIN orders o ON o.id = c.order_id WHERE c.strategy_id = $1 ORDER BY c.n`;

/** Written as the partial index events_strategy_idx has it. */
const EVENTS_SQL = `SELECT e.stream, e.user_id AS "userId", e.account_id AS "accountId", e.sequence::float8 AS sequence, e.type, e.at, e.order_id AS "orderId", e.data
  FROM events e WHERE left(e.type, 9) = 'strategy.' AND (e.data -> 'strategy' ->> 'id') = $1 ORDER BY e.sequence`;

export class Strategies {
  constructor(
    private readonly core: StoreCore,
    private readonly generation: () => Promise<string>,
  ) {}

  /** The strategy of that client id, made now or before. Throws RISK_ACCOUNT_HALTED or _REDUCING where no entry is taken. */
  async create(strategy: NewStrategy, stamp: IdempotencyStamp | null): Promise<Strategy> {
    return change(this.core, [strategy.accountId], async (tx, changes) => {
      const account = await ownAccount(tx, strategy.accountId, strategy.userId);
      const [earlier] = await tx.rows(`SELECT ${SELECT} FROM strategies s WHERE s.client_strategy_id = $1 AND s.account_id = $2`, strategy.clientStrategyId, strategy.accountId);
      if (earlier !== undefined) return strategyOf(earlier);
      await assertReadBack(tx);
      assertMayEnter(account, strategy.reduceOnly);
      const at = isoTime(this.core.clock.nowMs());
      const made: Strategy = {
        ...strategy, state: 'SCHEDULED', reason: null, pendingCancel: false, filledQuantity: '0', avgPrice: null, revision: 1, run: 0,
        startedAt: null, runStartedAt: null, pausedAt: null, pausedMs: 0, createdAt: at, updatedAt: at, endedAt: null,
      };
      if (stamp !== null) await takeKey(tx, this.core, stamp, made);
      await tx.rows(`${insertRows('strategies', STRATEGY_COLUMNS, 1)} RETURNING id`, JSON.stringify([made]));
      told(changes, account, 'strategy.created', made, {}, at);
      return made;
    });
  }

  async byId(id: string, userId?: string): Promise<Strategy | null> {
    const [row] = await this.core.database.rows(`SELECT ${SELECT} FROM strategies s WHERE s.id = $1 AND ($2::text IS NULL OR s.user_id = $2)`, id, userId ?? null);
    return row === undefined ? null : strategyOf(row);
  }

  async byClientId(accountId: string, clientStrategyId: string): Promise<Strategy | null> {
    const [row] = await this.core.database.rows(`SELECT ${SELECT} FROM strategies s WHERE s.client_strategy_id = $2 AND s.account_id = $1`, accountId, clientStrategyId);
    return row === undefined ? null : strategyOf(row);
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: StrategyListQuery): Promise<{ readonly strategies: readonly Strategy[]; readonly nextCursor: string | null }> {
    const { rows, nextCursor } = await newestFirst(this.core.database, LISTED_STRATEGIES, query, STRATEGY_LISTS[query.status]);
    return { strategies: rows.map(strategyOf), nextCursor };
  }

  /** In the order of their numbers. */
  async children(id: string): Promise<readonly StrategyChild[]> {
    return (await this.core.database.rows(CHILDREN_SQL, id)).map(childOf);
  }

  /** Every open one, whoever's: for the sweeper. */
  async unended(limit: number, after: Pick<Strategy, 'accountId' | 'id'> | null = null): Promise<readonly Strategy[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM strategies s WHERE s.ended_at IS NULL AND ($2::text IS NULL OR (s.account_id, s.id) > ($2, $3)) ORDER BY s.account_id, s.id LIMIT $1::int`, limit, after?.accountId ?? null, after?.id ?? null)).map(strategyOf);
  }

  async openOf(accountId: string): Promise<readonly Strategy[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM strategies s WHERE s.ended_at IS NULL AND s.account_id = $1 ORDER BY s.created_at, s.id`, accountId)).map(strategyOf);
  }

  async timeline(id: string, userId: string): Promise<{ readonly strategy: Strategy; readonly children: readonly StrategyChild[]; readonly events: readonly StreamEvent[] } | null> {
    const strategy = await this.byId(id, userId);
    if (strategy === null) return null;
    const [children, rows, generation] = await Promise.all([this.children(id), this.core.database.rows(EVENTS_SQL, id), this.generation()]);
    const events = rows.map((row) => {
      const event = plainRow(row) as unknown as Omit<StreamEvent, 'id' | 'generation'>;
      return { ...event, id: `${event.stream}/${event.sequence}`, generation };
    });
    return { strategy, children, events };
  }

  /**
   * What its owner, or the kill switch, wants of it. What is so already tells nobody. Throws NOT_FOUND, and CONFLICT for a revision
   * that is not the present one, an ended strategy, or a quantity below what is filled and open.
   */
  async command(id: string, userId: string, command: StrategyCommand): Promise<Strategy> {
    const known = await this.byId(id, userId);
    if (known === null) throw new DomainError('NOT_FOUND', `strategy ${id} does not exist`);
    return change(this.core, [known.accountId], async (tx, changes) => {
      const account = await ownAccount(tx, known.accountId, userId);
      const before = await locked(tx, id);
      if (command.kind === 'amend') await assertReadBack(tx);
      const at = isoTime(this.core.clock.nowMs());
      const commanded = command.kind === 'amend' ? amended(before, command, (await tx.rows(CHILDREN_SQL, id)).map(childOf), at) : commandedTo(before, command, at);
      if (commanded === null) return before;
      if (command.kind === 'resume') assertMayEnter(account, before.reduceOnly);
      const after: Strategy = { ...before, ...commanded.change, revision: before.revision + 1, updatedAt: at };
      await write(tx, after);
      told(changes, account, commanded.type, after, commanded.data, at);
      return after;
    });
  }

  /** What its workflow decided, unless the facts have moved on: then null, and nothing is changed. */
  async advance(id: string, advance: StrategyAdvance): Promise<{ readonly strategy: Strategy; readonly children: readonly StrategyChild[] } | null> {
    const known = await this.byId(id);
    if (known === null) return null;
    return change(this.core, [known.accountId], async (tx, changes) => {
      const account = await ownAccount(tx, known.accountId, known.userId);
      const before = await locked(tx, id);
      const children = (await tx.rows(CHILDREN_SQL, id)).map(childOf);
      if (before.revision !== advance.revision || (children.at(-1)?.n ?? 0) !== advance.afterN) return null;
      const { note, place } = advance;
      // A late fill may have come between.
      if (place.length > 0 && (before.state !== 'RUNNING' || before.pendingCancel || !fits(before, children, place))) return null;
      const at = isoTime(this.core.clock.nowMs());
      let after = before;
      if (note !== null) {
        after = noted(before, note, at);
        await write(tx, after);
        told(changes, account, typeOf(before.state, after), after, {}, at);
      }
      if (place.length > 0) {
        const recorded = place.map((plan, index) => recordedChild(after, plan, advance.afterN + 1 + index, at));
        await tx.rows(`${insertRows('strategy_children', STRATEGY_CHILD_COLUMNS, 1)} RETURNING n`, JSON.stringify(recorded));
        told(changes, account, 'strategy.placing', after, { children: recorded.map(({ n, leg, orderId, quantity, limitPrice }) => ({ n, leg, orderId, quantity, limitPrice })) }, at);
      }
      const fresh = place.length === 0 ? [] : (await tx.rows(CHILDREN_SQL, id)).map(childOf).filter((child) => child.n > advance.afterN);
      return { strategy: after, children: fresh };
    });
  }
}

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

function recordedChild(strategy: Strategy, plan: ChildPlan, n: number, at: string): Record<string, unknown> & { n: number; leg: string; orderId: string; quantity: string; limitPrice: string } {
  const orderId = childOrderId({ parentId: strategy.id, leg: strategy.run, child: n }, sha256Hex);
  return { strategyId: strategy.id, n, userId: strategy.userId, orderId, run: strategy.run, leg: plan.leg, quantity: plan.quantity, limitPrice: plan.limitPrice, timeInForce: plan.timeInForce, postOnly: plan.postOnly, recordedAt: at };
}

function told(changes: ChangeSet, account: LockedAccount, type: EventType, strategy: Strategy, data: Readonly<Record<string, unknown>>, at: string): void {
  changes.addEvent(account, { type, orderId: null, data: { strategy, ...data } }, at);
}

async function ownAccount(tx: Queryable, accountId: string, userId: string): Promise<LockedAccount> {
  const account = (await lockAccounts(tx, [accountId])).get(accountId);
  if (account === undefined || account.userId !== userId) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
  return account;
}

function assertMayEnter(account: LockedAccount, reduceOnly: boolean): void {
  if (reduceOnly || account.status === 'ACTIVE') return;
  throw new DomainError(account.status === 'HALTED' ? 'RISK_ACCOUNT_HALTED' : 'RISK_ACCOUNT_REDUCING', `the account is ${account.status}: ${account.statusReason ?? 'no reason was given'}`);
}

async function locked(tx: Queryable, id: string): Promise<Strategy> {
  const [row] = await tx.rows(`SELECT ${SELECT} FROM strategies s WHERE s.id = $1 FOR UPDATE`, id);
  if (row === undefined) throw new DomainError('NOT_FOUND', `strategy ${id} does not exist`);
  return strategyOf(row);
}

/** Everything of it that can change. */
async function write(tx: Queryable, after: Strategy): Promise<void> {
  const { id, quantity, parameters, state, reason, pendingCancel, filledQuantity, avgPrice, revision, run, expireAt, startedAt, runStartedAt, pausedAt, pausedMs, updatedAt, endedAt } = after;
  await tx.rows(
    `UPDATE strategies SET quantity = $2::numeric, parameters = $3::jsonb, state = $4, reason = $5, pending_cancel = $6, filled_quantity = $7::numeric, avg_price = $8::numeric, revision = $9::int, run = $10::int, expire_at = $11::timestamptz,
       started_at = $12::timestamptz, run_started_at = $13::timestamptz, paused_at = $14::timestamptz, paused_ms = $15::bigint, updated_at = $16::timestamptz, ended_at = $17::timestamptz WHERE id = $1 RETURNING id`,
    id, quantity, JSON.stringify(parameters), state, reason, pendingCancel, filledQuantity, avgPrice, revision, run, expireAt, startedAt, runStartedAt, pausedAt, pausedMs, updatedAt, endedAt,
  );
}

function strategyOf(row: Row): Strategy {
  const plain = plainRow(row);
  return Object.fromEntries(Object.keys(STRATEGY_COLUMNS).map((field) => [field, plain[field]])) as unknown as Strategy;
}

function childOf(row: Row): StrategyChild {
  const { n, orderId, leg, run, state, isPlaced, timeInForce, postOnly, orderQuantity, filledQuantity, avgPrice, limitPrice, reasonCode, reasonMessage, pendingCancel } = plainRow(row) as unknown as StrategyChild & { readonly orderQuantity: string };
  const timeOf = (field: string): number | null => (row[field] instanceof Date ? row[field].getTime() : null);
  return { n, orderId, leg, run, state, isPlaced, timeInForce, postOnly, quantity: orderQuantity, filledQuantity, avgPrice, limitPrice, reasonCode, reasonMessage, pendingCancel, createdAtMs: timeOf('recordedAt') ?? 0, closedAtMs: timeOf('closedAt') };
}
