/** How one row of an audit chain is hashed. */
import { createHash } from 'node:crypto';

/** What a chain's first row continues. */
export const CHAIN_START = '0'.repeat(64);
/** Part of what is hashed: another way of hashing gets another word. */
const FORMAT = 'surefill-audit-1';

/** A row as it is hashed; `data` is the JSON text itself. */
export interface HashedEntry {
  readonly userId: string;
  readonly number: number;
  readonly at: string;
  readonly actor: string;
  readonly act: string;
  readonly subject: string;
  readonly data: string;
  readonly previousHash: string;
}

export function hashOfEntry(entry: HashedEntry): string {
  const { userId, number, at, actor, act, subject, data, previousHash } = entry;
  return createHash('sha256').update(JSON.stringify([FORMAT, userId, number, at, actor, act, subject, data, previousHash])).digest('hex');
}
