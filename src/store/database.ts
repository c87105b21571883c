/**
 * The connection pool and the transaction: Prisma's client over node-postgres, spoken to in SQL. Model calls cost ten times
 * the time on the placing path (docs/benchmarks.md), so every statement of the store is written out, and takes and gives
 * decimals as text.
 */
import { createHash } from 'node:crypto';
import { PrismaPg } from '@prisma/adapter-pg';
import type { AuditHead } from '../domain/audit';
import { DomainError } from '../domain/errors';
import { Prisma, PrismaClient } from './generated/client';

/** A value of a result row: numerics are selected as text, times come as Date, bigints are selected as float8. */
export type Value = string | number | boolean | Date | null | readonly Value[] | { readonly [key: string]: Value };
export type Row = Readonly<Record<string, Value>>;
/** A statement's parameter: rows travel as one JSON text. */
export type Parameter = string | number | boolean | null | readonly string[];

/** Inside or outside a transaction: something that runs SQL. */
export interface Queryable {
  rows<T extends Row = Row>(sql: string, ...parameters: readonly Parameter[]): Promise<readonly T[]>;
}

/** A transaction under way. */
export interface Transaction extends Queryable {
  /** The new end of a user's audit chain: told to `onAuditHead` once the transaction has committed, never before. */
  keepHead(head: AuditHead): void;
}

export interface DatabaseOptions {
  readonly databaseUrl: string;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly onError: (message: string, error: unknown) => void;
  /** Told of each administrative act after its commit: whoever keeps the heads outside the database. */
  readonly onAuditHead: (head: AuditHead) => void;
}

/** deadlock_detected, serialization_failure, lock_not_available: the whole transaction is simply done again. */
const RETRIED_SQL_STATES = new Set(['40P01', '40001', '55P03']);
/** Each try waits at most lock_timeout (500 ms) for a lock: together they stay inside a local activity's 2 s. */
const MAX_TRIES = 4;
/**
 * Every statement of the store finds its rows by an index, a few at a time. A plan is kept as long as its connection, so one
 * made while a table was still empty (scan it all, hash it) must not be chosen: measured, it cost 170 ms instead of 1 ms
 * after ten thousand orders. Plans do not depend on the parameters, so each is made once.
 */
const PLANNER_OPTIONS = ['enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off', 'plan_cache_mode=force_generic_plan', 'jit=off'].map((setting) => `-c ${setting}`).join(' ');
/** How long a caller waits for a connection of the pool. */
const MAX_WAIT_MS = 2_000;
/**
 * A process that is stopped, or whose host is gone, in the middle of a transaction keeps its locks: PostgreSQL ends it after
 * this, so that its successor goes on. Between two statements of ours lies only computing, of milliseconds.
 */
const IDLE_IN_TRANSACTION_MS = 2_000;
/** Prisma's own limit of a transaction; PostgreSQL's statement_timeout ends each statement before it. */
const TRANSACTION_TIMEOUT_MS = 15_000;

/** PostgreSQL's SQLSTATE of an error, wherever Prisma's wrappers put it; null when it is not PostgreSQL's. */
export function sqlStateOf(error: unknown): string | null {
  for (let cause: unknown = error, depth = 0; cause !== null && typeof cause === 'object' && depth < 6; depth += 1) {
    const { originalCode, code, meta, cause: inner } = cause as { originalCode?: unknown; code?: unknown; meta?: { driverAdapterError?: unknown }; cause?: unknown };
    if (typeof originalCode === 'string') return originalCode;
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^P\d{4}$/.test(code)) return code;
    cause = meta?.driverAdapterError ?? inner ?? null;
  }
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2034' ? '40001' : null;
}

/** True where the database itself is away or ended the connection, rather than refusing what was asked. */
function isUnreachable(error: unknown): boolean {
  const state = sqlStateOf(error);
  // 25P03: our process was stopped in the middle of a transaction, and PostgreSQL ended it: nothing was written.
  if (state !== null) return /^(08|57P|53|25P03)/.test(state);
  const text = error instanceof Error ? error.message : '';
  return /Can't reach database|DatabaseNotReachable|ConnectionClosed|SocketTimeout|Connection terminated|ECONNREFUSED|ECONNRESET|Timed out fetching|Unable to start a transaction|terminating connection|timeout exceeded when trying to connect/i.test(text);
}

/** Names a prepared statement by its text, so that PostgreSQL plans each statement once per connection. */
const statementNames = new Map<string, string>();
/** The store's statements are a fixed set (a few hundred at most); beyond it one is planned each time. */
const MAX_STATEMENT_NAMES = 1_000;
function statementName(sql: string): string {
  const known = statementNames.get(sql);
  if (known !== undefined) return known;
  if (statementNames.size >= MAX_STATEMENT_NAMES) return '';
  const name = `s${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
  statementNames.set(sql, name);
  return name;
}

export class Database implements Queryable {
  private readonly client: PrismaClient;

  constructor(private readonly options: DatabaseOptions) {
    const adapter = new PrismaPg(
      {
        connectionString: options.databaseUrl,
        max: options.poolSize,
        connectionTimeoutMillis: MAX_WAIT_MS,
        statement_timeout: options.statementTimeoutMs,
        lock_timeout: options.lockTimeoutMs,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
        application_name: 'surefill',
        keepAlive: true,
        options: PLANNER_OPTIONS,
      },
      {
        statementNameGenerator: (query) => statementName(query.sql),
        onPoolError: (error) => options.onError('an idle database connection broke', error),
        onConnectionError: (error) => options.onError('a database connection broke', error),
      },
    );
    this.client = new PrismaClient({ adapter, log: [] });
  }

  /** One statement in its own transaction. */
  async rows<T extends Row = Row>(sql: string, ...parameters: readonly Parameter[]): Promise<readonly T[]> {
    try {
      return await this.client.$queryRawUnsafe<T[]>(sql, ...parameters);
    } catch (error) {
      throw this.translated(error);
    }
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and again, from its start, when PostgreSQL asks for it: nothing outside the
   * database may happen in it. Throws SERVICE_UNAVAILABLE when the database is away or the locks stay taken.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const heads: AuditHead[] = [];
        const result = await this.client.$transaction(
          (client) => work({ rows: <R extends Row>(sql: string, ...parameters: readonly Parameter[]) => client.$queryRawUnsafe<R[]>(sql, ...parameters), keepHead: (head) => heads.push(head) }),
          { maxWait: MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
        );
        for (const head of heads) this.options.onAuditHead(head);
        return result;
      } catch (error) {
        const state = sqlStateOf(error);
        if (state === null || !RETRIED_SQL_STATES.has(state)) throw this.translated(error);
        if (attempt >= MAX_TRIES) throw new DomainError('SERVICE_UNAVAILABLE', 'the database rows stay locked', { cause: error, retryAfterSeconds: 1 });
      }
    }
  }

  async close(): Promise<void> {
    await this.client.$disconnect();
  }

  private translated(error: unknown): unknown {
    if (error instanceof DomainError || !isUnreachable(error)) return error;
    this.options.onError('the database cannot be reached', error);
    return new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached', { cause: error, retryAfterSeconds: 1 });
  }
}
