/**
 * What a transaction changes of a user rather than of an account: events of the user's own stream, and lines of the wallet ledger. Its own
 * transaction is `changeUser`; one that has locks already and tells the user of what it did takes `appendUserEvent`.
 */
import { decimal, decimalText } from '../domain/decimal';
import { DomainError } from '../domain/errors';
import { userStream, type EventDraft } from '../domain/events';
import { isBalanced } from '../domain/ledger';
import { walletHolder, type WalletFact } from '../domain/wallet-ledger';
import type { CommittedEvent } from './change-set';
import { insertRows } from './database/columns';
import { notice } from './commit-announcer';
import type { StoreCore } from './core';
import type { Statement, Transaction } from './database/database';
import { EVENT_COLUMNS, LEDGER_BALANCE_COLUMNS, LEDGER_COLUMNS } from './database/tables';

/** One transaction under the user's row lock, so that the stream has no gap and no two of them count the same money. Throws NOT_FOUND. */
export async function changeUser<T>(core: StoreCore, userId: string, work: (tx: Transaction, changes: UserChanges) => Promise<T>): Promise<T> {
  const { answer, events } = await core.database.changing(async (tx) => {
    const changes = await lockUser(tx, userId);
    const result = await work(tx, changes);
    return { answer: { answer: result, events: changes.events }, last: changes.statements(), after: changes.notice() };
  });
  core.announcer.announce(events);
  return answer;
}

/** Locks the user's row until the transaction ends: call it after other locks are taken. Told to all processes by the commit. */
export async function appendUserEvent(tx: Transaction, userId: string, draft: EventDraft, at: string): Promise<void> {
  const changes = await lockUser(tx, userId);
  changes.addEvent(draft, at);
  for (const { sql, parameters } of [...changes.statements(), changes.notice()].filter((statement) => statement !== null)) await tx.rows(sql, ...parameters);
}

async function lockUser(tx: Transaction, userId: string): Promise<UserChanges> {
  const [user] = await tx.rows<{ sequence: number }>('SELECT event_sequence::float8 AS sequence FROM users WHERE id = $1 FOR UPDATE', userId);
  if (user === undefined) throw new DomainError('NOT_FOUND', `user ${userId} does not exist`);
  return new UserChanges(userId, user.sequence);
}

export class UserChanges {
  readonly events: CommittedEvent[] = [];
  private readonly lines: object[] = [];
  private readonly balances = new Map<string, { accountId: string; userId: string; book: string; asset: string; amount: string }>();

  constructor(
    private readonly userId: string,
    private sequence: number,
  ) {}

  /** `accountId`: the account it is about, for whoever filters by accounts. */
  addEvent(draft: EventDraft, at: string, accountId: string | null = null): void {
    this.sequence += 1;
    this.events.push({ stream: userStream(this.userId), userId: this.userId, accountId, sequence: this.sequence, type: draft.type, at, orderId: draft.orderId, data: draft.data });
  }

  /** The lines of one fact, and their sums. Throws when they do not balance. */
  insertLedger({ fact, kind, postings }: WalletFact, at: string): void {
    if (!isBalanced(postings)) throw new Error(`the postings of ${fact} do not sum to zero`);
    const accountId = walletHolder(this.userId);
    for (const { book, asset, amount } of postings) {
      this.lines.push({ accountId, userId: this.userId, fact, book, asset, amount, kind, symbol: null, at });
      const key = `${book}/${asset}`;
      const known = this.balances.get(key);
      this.balances.set(key, { accountId, userId: this.userId, book, asset, amount: known === undefined ? amount : decimalText(decimal(known.amount).plus(decimal(amount))) });
    }
  }

  /** Wakes whoever reads the stream, in all processes; null where there is nothing new. */
  notice(): Statement | null {
    return notice(this.events);
  }

  statements(): readonly Statement[] {
    const written: Statement[] = [];
    const add = (sql: string, rows: readonly object[]): void => {
      if (rows.length > 0) written.push({ sql, parameters: [JSON.stringify(rows)] });
    };
    add(insertRows('ledger_entries', LEDGER_COLUMNS, 1), this.lines);
    add(`${insertRows('ledger_balances', LEDGER_BALANCE_COLUMNS, 1)} ON CONFLICT (account_id, book, asset) DO UPDATE SET amount = ledger_balances.amount + excluded.amount`, [...this.balances.values()]);
    add(insertRows('events', EVENT_COLUMNS, 1), this.events);
    if (this.events.length > 0) written.push({ sql: 'UPDATE users SET event_sequence = $2::bigint WHERE id = $1', parameters: [this.userId, this.sequence] });
    return written;
  }
}
