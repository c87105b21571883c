/**
 * The connection pool and the transaction, over node-postgres: every statement of the store is written out, and takes and gives
 * decimals as text. Statements are pipelined: what does not need the answer of the one before leaves with it, in one packet
 * (docs/decisions/raw-sql.md has the figures).
 */
import { createHash } from 'node:crypto';
import { Pool, type PoolClient } from 'pg';
import type { AuditHead } from '../../domain/audit';
import { DomainError } from '../../domain/errors';
import { PacketSocket } from './packet-socket';

/** A value of a result row: numerics are selected as text, times come as Date, bigints are selected as float8. */
export type Value = string | number | boolean | Date | null | readonly Value[] | { readonly [key: string]: Value };
export type Row = Readonly<Record<string, Value>>;
/** A statement's parameter: rows travel as one JSON text. */
export type Parameter = string | number | boolean | null | readonly string[];

/** One statement and its parameters. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** A transaction under way. */
export interface Transaction extends Queryable {
  /** The new end of a user's audit chain: told to `onAuditHead` once the transaction has committed, never before. */
  keepHead(head: AuditHead): void;
}

/** What a transaction does. `last`: written after it, in this order; `after`: sent once it is committed, whatever becomes of it. */
export type Work<T> = (tx: Transaction) => Promise<{ readonly answer: T; readonly last: readonly Statement[]; readonly after: Statement | null }>;

/** Inside or outside a transaction: something that runs SQL. In a transaction, calls that are not awaited leave together, in their order. */
export interface Queryable {
  rows<T extends Row = Row>(sql: string, ...parameters: readonly Parameter[]): Promise<readonly T[]>;
}

export interface DatabaseOptions {
  readonly databaseUrl: string;
  readonly poolSize: number;
  /** How long a caller waits for a connection of the pool; MAX_WAIT_MS. */
  readonly poolWaitMs?: number;
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
export const PLANNER_OPTIONS = ['enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off', 'plan_cache_mode=force_generic_plan', 'jit=off'].map((setting) => `-c ${setting}`).join(' ');
/** How long a caller waits for a connection of the pool. */
const MAX_WAIT_MS = 2_000;
/**
 * A process that is stopped, or whose host is gone, in the middle of a transaction keeps its locks: PostgreSQL ends it after
 * this, so that its successor goes on. Between two statements of ours lies only computing, of milliseconds.
 */
const IDLE_IN_TRANSACTION_MS = 2_000;
/** A server that does not answer at all (frozen, unplugged): longer than its own statement_timeout, then the connection is given up. */
const SILENT_SERVER_MARGIN_MS = 2_000;

/** PostgreSQL's SQLSTATE of an error, or of what caused it; null when it is not PostgreSQL's. */
export function sqlStateOf(error: unknown): string | null {
  for (let cause: unknown = error, depth = 0; cause !== null && typeof cause === 'object' && depth < 6; depth += 1) {
    const { code, cause: inner } = cause as { code?: unknown; cause?: unknown };
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !SYSTEM_CODES.has(code)) return code;
    cause = inner ?? null;
  }
  return null;
}

/** Node's own codes that look like an SQLSTATE. */
const SYSTEM_CODES = new Set(['EPIPE']);

/** True where the database itself is away or ended the connection, rather than refusing what was asked. */
function isUnreachable(error: unknown): boolean {
  const state = sqlStateOf(error);
  // 25P03: our process was stopped in the middle of a transaction, and PostgreSQL ended it: nothing was written.
  if (state !== null) return /^(08|57P|53|25P03)/.test(state);
  const { code, message } = error as { code?: unknown; message?: unknown };
  return /ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|Connection terminated|not queryable|terminating connection|timeout exceeded when trying to connect|Query read timeout|pool after calling end/i.test(`${String(code)} ${String(message)}`);
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

/** Prepared like the others: so it leaves in one packet with the first of them. */
const BEGIN = { name: 'begin', text: 'BEGIN' };

export class Database implements Queryable {
  private readonly pool: Pool;

  constructor(private readonly options: DatabaseOptions) {
    this.pool = new Pool({
      connectionString: options.databaseUrl,
      max: options.poolSize,
      connectionTimeoutMillis: options.poolWaitMs ?? MAX_WAIT_MS,
      statement_timeout: options.statementTimeoutMs,
      query_timeout: options.statementTimeoutMs + SILENT_SERVER_MARGIN_MS,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      application_name: 'surefill',
      keepAlive: true,
      pipeline: true,
      stream: () => new PacketSocket(),
      options: PLANNER_OPTIONS,
    });
    this.pool.on('error', (error) => options.onError('an idle database connection broke', error));
    // A connection may break while it is in somebody's hands: its statements fail and say so, this says it once more.
    this.pool.on('connect', (client) => client.on('error', (error: Error) => options.onError('a database connection broke', error)));
  }

  /** One statement in its own transaction. */
  async rows<T extends Row = Row>(sql: string, ...parameters: readonly Parameter[]): Promise<readonly T[]> {
    try {
      return (await this.pool.query<T>(statement({ sql, parameters }))).rows;
    } catch (error) {
      throw this.translated(error);
    }
  }

  /** Runs `work` in one READ COMMITTED transaction: `changing` without last statements. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.changing(async (tx) => ({ answer: await work(tx), last: [], after: null }));
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and again, from its start, when PostgreSQL asks for it: nothing outside the
   * database may happen in it. What it leaves to be written goes in one packet with the COMMIT. Throws SERVICE_UNAVAILABLE when
   * the database is away or the locks stay taken, after `tries` tries.
   */
  async changing<T>(work: Work<T>, tries: number = MAX_TRIES): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(work);
      } catch (error) {
        const state = sqlStateOf(error);
        if (state === null || !RETRIED_SQL_STATES.has(state)) throw this.translated(error);
        if (attempt >= tries) throw new DomainError('SERVICE_UNAVAILABLE', 'the database rows stay locked', { cause: error, retryAfterSeconds: 1 });
      }
    }
  }

  async close(): Promise<void> {
    await this.pool.end();
  }

  private async once<T>(work: Work<T>): Promise<T> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    let over = false;
    try {
      const heads: AuditHead[] = [];
      const tx: Transaction = {
        keepHead: (head) => void heads.push(head),
        rows: async <R extends Row>(sql: string, ...parameters: readonly Parameter[]) => {
          // Work that failed in one place may go on in another: nothing of it may reach the connection's next user.
          if (over) throw new Error('the transaction is over');
          return (await client.query<R>(statement({ sql, parameters }))).rows;
        },
      };
      // Not awaited: it leaves with the first statement. When it fails the connection is broken, and that statement says so.
      const begun = client.query(BEGIN).catch((error: unknown) => error);
      const { answer, last, after } = await work(tx);
      await settle(begun);
      over = true;
      const committed = commit(client, last);
      if (after !== null) client.query(statement(after)).catch((error: unknown) => this.options.onError('a statement after a commit failed', error));
      await committed;
      for (const head of heads) this.options.onAuditHead(head);
      return answer;
    } catch (error) {
      over = true;
      // Statements that left together with the one that failed are answered before this.
      broken = await client.query('ROLLBACK').then(() => undefined, asError);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private translated(error: unknown): unknown {
    if (error instanceof DomainError || !isUnreachable(error)) return error;
    this.options.onError('the database cannot be reached', error);
    return new DomainError('SERVICE_UNAVAILABLE', 'the database cannot be reached', { cause: error, retryAfterSeconds: 1 });
  }
}

/** COMMIT of a transaction that failed answers ROLLBACK, without an error: the last statements' own error is the one to tell. */
async function commit(client: PoolClient, last: readonly Statement[]): Promise<void> {
  const written = last.map((each) => client.query(statement(each)).then(() => null, asError));
  const ended = await client.query('COMMIT');
  const failure = (await Promise.all(written)).find((error) => error !== null);
  if (failure !== undefined) throw failure;
  if (ended.command !== 'COMMIT') throw new Error('the transaction was rolled back by the database');
}

function statement({ sql, parameters }: Statement): { name: string; text: string; values: Parameter[] } {
  return { name: statementName(sql), text: sql, values: [...parameters] };
}

async function settle(begun: Promise<unknown>): Promise<void> {
  const outcome = await begun;
  if (outcome instanceof Error) throw outcome;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
