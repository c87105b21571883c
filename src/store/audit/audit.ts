/** The audit log: `appendAct` writes an administrative act in the transaction of the act itself. */
import type { AuditAct, AuditHead, AuditReport } from '../../domain/audit';
import { CHAIN_START, hashOfEntry, type HashedEntry } from './audit-chain';
import { checkChains } from './audit-check';
import type { Database, Transaction } from '../database/database';

/** Locks the chain's end, made on first use. */
const LOCK_HEAD_SQL = `INSERT INTO audit_heads(user_id, number, hash) VALUES ($1, 0, '${CHAIN_START}')
  ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id RETURNING number::float8 AS number, hash`;
const APPEND_SQL = `WITH entry AS (
    INSERT INTO audit_entries(user_id, number, at, actor, act, subject, data, previous_hash, hash)
    VALUES ($1, $2::bigint, $3::timestamptz, $4, $5, $6, $7::json, $8, $9) RETURNING user_id)
  UPDATE audit_heads SET number = $2::bigint, hash = $9 WHERE user_id = (SELECT user_id FROM entry) RETURNING user_id`;

/**
 * Appends the act to its user's chain, inside the transaction that does it; after the commit the head is written to the log
 * and to `$SUREFILL_HOME/audit-head`. Call it last, after every other lock is taken: the chain's end stays locked until the
 * transaction ends.
 */
export function appendAct(tx: Transaction, act: AuditAct): Promise<AuditHead> {
  const appended = (lastAppends.get(tx) ?? Promise.resolve()).then(() => append(tx, act));
  lastAppends.set(tx, appended.then(ignored, ignored));
  return appended;
}

/**
 * Changes of several accounts may share a transaction (shared-commits.ts), and a lock does not keep a transaction from itself: acts
 * of one transaction are appended one after the other.
 */
const lastAppends = new WeakMap<Transaction, Promise<void>>();

/** Who appended hears of it; who waits for his turn does not care. */
function ignored(): void {}

async function append(tx: Transaction, act: AuditAct): Promise<AuditHead> {
  const [head] = await tx.rows<{ number: number; hash: string }>(LOCK_HEAD_SQL, act.userId);
  if (head === undefined) throw new Error(`the audit chain of user ${act.userId} has no end`);
  const entry: HashedEntry = { ...act, number: head.number + 1, data: JSON.stringify(act.data), previousHash: head.hash };
  const hash = hashOfEntry(entry);
  await tx.rows(APPEND_SQL, entry.userId, entry.number, entry.at, entry.actor, entry.act, entry.subject, entry.data, entry.previousHash, hash);
  const after: AuditHead = { userId: act.userId, number: entry.number, hash };
  tx.keepHead(after);
  return after;
}

export class Audit {
  constructor(private readonly database: Database) {}

  /** The end of every chain, by user. */
  heads(): Promise<readonly AuditHead[]> {
    return readHeads(this.database);
  }

  /** Reads every chain. `witnessed` are heads that were written down outside the database. */
  check(witnessed: readonly AuditHead[]): Promise<AuditReport> {
    return checkAudit(this.database, witnessed);
  }
}

/** Compares rows, chain ends and witnessed heads, as of one moment. Read `witnessed` before: its rows have committed then. */
export function checkAudit(database: Database, witnessed: readonly AuditHead[]): Promise<AuditReport> {
  return database.transaction(async (tx) => {
    await tx.rows('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    return checkChains(tx, await readHeads(tx), witnessed);
  });
}

async function readHeads(tx: Pick<Database, 'rows'>): Promise<readonly AuditHead[]> {
  return (await tx.rows<{ userId: string; number: number; hash: string }>('SELECT user_id AS "userId", number::float8 AS number, hash FROM audit_heads ORDER BY user_id')).map((row) => ({ ...row }));
}
