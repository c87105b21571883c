/**
 * Reads audit chains and names what is wrong. Three witnesses have to agree: each row with its own hash and with the row
 * before it, the chain's end in the database, and the heads that were written down outside it. A chain rewritten whole, with
 * every hash made anew, contradicts only the last of them.
 */
import type { AuditFault, AuditHead, AuditReport } from '../../domain/audit';
import { CHAIN_START, hashOfEntry, type HashedEntry } from './audit-chain';
import type { Queryable } from '../database/database';

/** Rows per statement: a page of long acts stays within a few MB. */
const PAGE_ROWS = 1_000;

interface StoredEntry extends HashedEntry {
  readonly hash: string;
}

const PAGE_SQL = `SELECT user_id AS "userId", number::float8 AS number, at, actor, act, subject, data::text AS data, previous_hash AS "previousHash", hash
  FROM audit_entries WHERE (user_id, number) > ($1, $2::bigint) ORDER BY user_id, number LIMIT ${PAGE_ROWS}`;

/** Checks every chain of the database, one row after the other. */
export async function checkChains(tx: Queryable, heads: readonly AuditHead[], witnessed: readonly AuditHead[]): Promise<AuditReport> {
  const chains = new Map<string, ChainCheck>();
  const chainOf = (userId: string): ChainCheck => {
    const known = chains.get(userId);
    if (known !== undefined) return known;
    const made = new ChainCheck(userId, witnessed.filter((head) => head.userId === userId));
    chains.set(userId, made);
    return made;
  };
  let rows = 0;
  for (let page = await readPage(tx, '', 0); page.length > 0; ) {
    for (const entry of page) chainOf(entry.userId).next(entry);
    rows += page.length;
    const last = page[page.length - 1];
    page = last === undefined || page.length < PAGE_ROWS ? [] : await readPage(tx, last.userId, last.number);
  }
  for (const { userId } of [...heads, ...witnessed]) chainOf(userId);
  for (const chain of chains.values()) chain.end(heads.find((head) => head.userId === chain.userId) ?? null);
  const faults = [...chains.values()].flatMap((chain) => chain.faults);
  return { rows, users: chains.size, faults };
}

async function readPage(tx: Queryable, userId: string, number: number): Promise<StoredEntry[]> {
  const rows = await tx.rows(PAGE_SQL, userId, number);
  return rows.map((row) => ({ ...row, at: (row['at'] as Date).toISOString() }) as unknown as StoredEntry);
}

/** One user's chain, row by row. */
class ChainCheck {
  readonly faults: AuditFault[] = [];
  private number = 0;
  private hash = CHAIN_START;
  private readonly witnessed = new Map<number, string[]>();

  constructor(
    readonly userId: string,
    witnessed: readonly AuditHead[],
  ) {
    for (const { number, hash } of witnessed) this.witnessed.set(number, [...(this.witnessed.get(number) ?? []), hash]);
  }

  next(entry: StoredEntry): void {
    const faultsBefore = this.faults.length;
    const follows = entry.number === this.number + 1;
    this.missing(this.number + 1, entry.number - 1);
    if (hashOfEntry(entry) !== entry.hash) this.fault(entry.number, 'was changed: its content does not give its hash');
    else if (follows && entry.previousHash !== this.hash && !this.isFaulty(this.number)) this.brokenLink(entry.number);
    if (this.faults.length === faultsBefore) this.compare(entry.number, entry.hash);
    this.number = entry.number;
    this.hash = entry.hash;
  }

  /** `head`: the chain's end as the database keeps it; null where it keeps none. */
  end(head: AuditHead | null): void {
    const lastWitnessed = Math.max(0, ...this.witnessed.keys());
    this.missing(this.number + 1, Math.max(head?.number ?? 0, lastWitnessed));
    if (head === null) {
      if (this.number > 0) this.fault(this.number, 'is the last one, and the end of the chain is gone from audit_heads');
      return;
    }
    if (head.number < this.number) this.fault(head.number + 1, `and what follows stand behind the end of the chain in audit_heads (${head.number})`);
    else if (head.number === this.number && head.hash !== this.hash && !this.isFaulty(this.number)) this.fault(this.number, 'is not the end of the chain that audit_heads knows');
  }

  /** A row with a hash of its own that is right, which continues another predecessor than the one that is there. */
  private brokenLink(number: number): void {
    if (number === 1) this.fault(1, 'does not begin a chain');
    else this.fault(number - 1, `was replaced: row ${number} continues another one`);
  }

  private compare(number: number, hash: string): void {
    const hashes = this.witnessed.get(number) ?? [];
    if (hashes.some((each) => each !== hash)) this.fault(number, 'was replaced: another hash of it was written down outside the database');
  }

  private missing(from: number, to: number): void {
    if (from > to) return;
    this.fault(from, from === to ? 'is missing' : `is missing, and so is every row up to ${to}`);
  }

  private isFaulty(number: number): boolean {
    return this.faults.some((fault) => fault.number === number);
  }

  private fault(number: number, problem: string): void {
    this.faults.push({ userId: this.userId, number, problem });
  }
}
