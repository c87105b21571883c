/**
 * What one transaction writes, gathered first and written by one statement: a multi-row part per table. Whoever adds to it
 * holds the locks of the accounts concerned, so sequence numbers and deltas are final when they are added.
 */
import type { EventDraft, StreamEvent } from '../domain/events';
import { accountStream } from '../domain/events';
import { isNothing, plus, type Exposure } from '../domain/exposure';
import { decimal, decimalText } from '../domain/decimal';
import type { Order } from '../domain/order';
import { isBalanced, type LedgerKind, type Posting } from '../domain/ledger';
import { columnName, insertRows, pick, recordset, updateRows, type Columns } from './database/columns';
import type { Statement } from './database/database';
import type { LockedAccount, OrderBookkeeping } from './database/locks';
import * as tables from './database/tables';
import { TRIGGER_COLUMNS, triggerNotice } from './waiting/trigger-rows';

/** An event before the generation is known; `StreamEvent` minus what is added on the way out. */
export type CommittedEvent = Omit<StreamEvent, 'generation' | 'id'>;

/** What one fact posts. `fact` names it for ever within its account. */
export interface LedgerFact {
  readonly fact: string;
  readonly kind: LedgerKind;
  readonly symbol: string | null;
  readonly at: string;
  readonly postings: readonly Posting[];
}

interface LedgerBalanceRow extends Posting {
  readonly accountId: string;
  readonly userId: string;
}

/** The rows of one table that are written one way. */
interface Part {
  readonly sql: (parameter: number) => string;
  readonly rows: readonly object[];
}

/**
 * The one statement that writes everything of these changes, the last of their transaction; null when there is nothing. What several
 * changes write to a table is written together: no two of them touch the same account.
 */
export function statementOf(changes: readonly ChangeSet[]): Statement | null {
  const parts = new Map<string, { readonly sql: Part['sql']; readonly rows: object[] }>();
  for (const change of changes) {
    for (const [name, { sql, rows }] of change.parts()) {
      const known = parts.get(name);
      if (rows.length === 0) continue;
      if (known === undefined) parts.set(name, { sql, rows: [...rows] });
      else known.rows.push(...rows);
    }
  }
  if (parts.size === 0) return null;
  // In one order, however the changes came to be: there are as many statements to prepare as there are kinds of changes.
  const written = [...parts].sort(([one], [other]) => (one < other ? -1 : 1));
  return { sql: textOf(written), parameters: written.map(([, { rows }]) => JSON.stringify(rows)) };
}

/** By the names of the parts: some kilobytes of text for every transaction are not free. */
const texts = new Map<string, string>();

function textOf(parts: readonly (readonly [string, Pick<Part, 'sql'>])[]): string {
  const key = parts.map(([name]) => name).join();
  const known = texts.get(key);
  if (known !== undefined) return known;
  const made = `WITH ${parts.map(([, part], index) => `p${index} AS (${part.sql(index + 1)})`).join(', ')} SELECT 1 AS done`;
  texts.set(key, made);
  return made;
}

const CONFLICT_POSITION = `ON CONFLICT (account_id, symbol) DO UPDATE SET ${Object.keys(tables.POSITION_COLUMNS)
  .filter((field) => !['id', 'userId', 'accountId', 'symbol', 'venue'].includes(field))
  .map((field) => `${columnName(field)} = excluded.${columnName(field)}`)
  .join(', ')}`;
const CONFLICT_EXPOSURE = `ON CONFLICT (account_id, symbol) DO UPDATE SET ${Object.keys(tables.EXPOSURE_FIGURES)
  .map((field) => `${columnName(field)} = exposures.${columnName(field)} + excluded.${columnName(field)}`)
  .join(', ')}`;
/** A delta that lowers a figure changes a row that is there: an upsert would make a negative one where none is. */
const LOWER_EXPOSURE = (parameter: number): string =>
  `UPDATE exposures SET ${Object.keys(tables.EXPOSURE_FIGURES)
    .map((field) => `${columnName(field)} = exposures.${columnName(field)} + r."${field}"`)
    .join(', ')} FROM ${recordset(tables.EXPOSURE_COLUMNS, parameter)} WHERE exposures.account_id = r."accountId" AND exposures.symbol = r."symbol"`;
const CONFLICT_PROFIT = 'ON CONFLICT (account_id, day) DO UPDATE SET profit = daily_profits.profit + excluded.profit';
const CONFLICT_BALANCE = `ON CONFLICT (account_id, asset) DO UPDATE SET total = excluded.total, available = excluded.available, locked = excluded.locked, at_ms = excluded.at_ms, updated_at = excluded.updated_at`;
/** `day` travels as text and is a date. */
const INSERT_PROFIT = (parameter: number): string =>
  `INSERT INTO daily_profits(account_id, day, user_id, profit) SELECT r."accountId", r."day"::date, r."userId", r."profit" FROM ${recordset(tables.DAILY_PROFIT_COLUMNS, parameter)} ${CONFLICT_PROFIT}`;

const CONFLICT_TRADE = `ON CONFLICT (id) DO UPDATE SET ${(['entryQuantity', 'entryValue', 'exitQuantity', 'exitValue', 'realizedPnl', 'fees', 'funding', 'carriedIn', 'closedAt', 'updatedAt'] as const satisfies readonly (keyof typeof tables.TRADE_COLUMNS)[])
  .map((field) => `${columnName(field)} = excluded.${columnName(field)}`)
  .join(', ')}`;
const CONFLICT_LEDGER_BALANCE = 'ON CONFLICT (account_id, book, asset) DO UPDATE SET amount = ledger_balances.amount + excluded.amount';

export class ChangeSet {
  readonly events: CommittedEvent[] = [];
  /** This process is about to commit more about the same accounts: other processes may be told of both at once. */
  moreFollows = false;
  /** What watchers are told once it has committed, as payloads of EVENT_CHANNEL. */
  readonly notices = new Set<string>();
  private readonly inserts = new Map<string, { readonly columns: Columns; readonly suffix: string; readonly rows: object[] }>();
  private readonly newOrders = new Map<string, object>();
  private readonly orderUpdates = new Map<string, object>();
  private readonly exposures = new Map<string, { readonly userId: string; readonly accountId: string; readonly symbol: string; exposure: Exposure }>();
  private readonly profits = new Map<string, { readonly userId: string; readonly accountId: string; readonly day: string; profit: string }>();
  private readonly positions = new Map<string, object>();
  private readonly trades = new Map<string, object>();
  private readonly ledgerBalances = new Map<string, LedgerBalanceRow>();
  private readonly touched = new Map<string, LockedAccount>();

  /** `kept`: what the store keeps of it besides. */
  insertOrder(order: Order, kept: OrderBookkeeping & { readonly placeBefore: string | null; readonly fence: number; readonly riskFigures: object | null }): void {
    this.newOrders.set(order.id, this.insert('orders', tables.ORDER_INSERT_COLUMNS, order, '', kept));
  }

  /** An order that this transaction inserts is inserted as it ends: one statement cannot update what it inserts. */
  updateOrder(order: Order, books: OrderBookkeeping): void {
    const row = pick(tables.ORDER_UPDATE_COLUMNS, order, books);
    const inserted = this.newOrders.get(order.id);
    if (inserted === undefined) this.orderUpdates.set(order.id, row);
    else Object.assign(inserted, row);
  }

  insertEvidence(row: object): void {
    this.insert('order_evidence', tables.EVIDENCE_COLUMNS, row);
  }

  insertAttempt(row: object): void {
    this.insert('attempts', tables.ATTEMPT_COLUMNS, row);
  }

  insertAttemptOrder(row: object): void {
    this.insert('attempt_orders', tables.ATTEMPT_ORDER_COLUMNS, row);
  }

  /** As trigger-rows.ts makes it. One that is there already stays as it is. */
  armTrigger(venue: string, row: object): void {
    this.insert('triggers', TRIGGER_COLUMNS, row, 'ON CONFLICT (id) DO NOTHING');
    this.triggerChanged(venue, 1);
  }

  triggerChanged(venue: string, revision: number): void {
    this.notices.add(`${triggerNotice(venue)} ${revision}`);
  }

  insertMutation(row: object): void {
    this.insert('mutations', tables.MUTATION_COLUMNS, row);
  }

  insertFill(row: object): void {
    this.insert('fills', tables.FILL_COLUMNS, row);
  }

  /** The whole row: the newest wins. */
  putPosition(row: { readonly accountId: string; readonly symbol: string }): void {
    this.positions.set(`${row.accountId}/${row.symbol}`, row);
  }

  /** The whole row: the newest wins. */
  putTrade(row: { readonly id: string }): void {
    this.trades.set(row.id, row);
  }

  insertFunding(row: object): void {
    this.insert('funding_payments', tables.FUNDING_COLUMNS, row);
  }

  /** The lines of one fact, and their sums. Throws when they do not balance. */
  insertLedger(account: LockedAccount, fact: LedgerFact): void {
    if (!isBalanced(fact.postings)) throw new Error(`the postings of ${fact.fact} do not sum to zero`);
    for (const { book, asset, amount } of fact.postings) {
      this.insert('ledger_entries', tables.LEDGER_COLUMNS, { accountId: account.id, userId: account.userId, book, asset, amount, fact: fact.fact, kind: fact.kind, symbol: fact.symbol, at: fact.at });
      const key = `${account.id}/${book}/${asset}`;
      const known = this.ledgerBalances.get(key);
      this.ledgerBalances.set(key, { accountId: account.id, userId: account.userId, book, asset, amount: known === undefined ? amount : decimalText(decimal(known.amount).plus(decimal(amount))) });
    }
  }

  putBalance(row: object): void {
    this.insert('balances', tables.BALANCE_COLUMNS, row, CONFLICT_BALANCE);
  }

  addExposure(account: LockedAccount, symbol: string, delta: Exposure): void {
    const key = `${account.id}/${symbol}`;
    const known = this.exposures.get(key);
    if (known === undefined) this.exposures.set(key, { userId: account.userId, accountId: account.id, symbol, exposure: delta });
    else known.exposure = plus(known.exposure, delta);
  }

  /** `day` as YYYY-MM-DD, UTC. */
  addProfit(account: LockedAccount, day: string, profit: string): void {
    const key = `${account.id}/${day}`;
    const known = this.profits.get(key);
    if (known === undefined) this.profits.set(key, { userId: account.userId, accountId: account.id, day, profit });
    else known.profit = decimalText(decimal(known.profit).plus(decimal(profit)));
  }

  /** Gives the event its place in the account's stream. */
  addEvent(account: LockedAccount, draft: EventDraft, at: string): void {
    account.eventSequence += 1;
    this.touched.set(account.id, account);
    this.events.push({ stream: accountStream(account.id), userId: account.userId, accountId: account.id, sequence: account.eventSequence, type: draft.type, at, orderId: draft.orderId, data: draft.data });
  }

  private insert(table: string, columns: Columns, source: object, suffix = '', more?: object): object {
    const row = pick(columns, source, more);
    const known = this.inserts.get(table);
    if (known === undefined) this.inserts.set(table, { columns, suffix, rows: [row] });
    else known.rows.push(row);
    return row;
  }

  /** What this changes, by names that say table and way: parts of one name may be written together. */
  parts(): [string, Part][] {
    const deltas = [...this.exposures.values()].filter(({ exposure }) => !isNothing(exposure));
    const exposures = deltas.filter(({ exposure }) => !lowers(exposure)).map(exposureRow);
    const lowered = deltas.filter(({ exposure }) => lowers(exposure)).map(exposureRow);
    return [
      ...[...this.inserts].map(([table, { columns, suffix, rows }]): [string, Part] => [`new ${table}`, { sql: (parameter) => `${insertRows(table, columns, parameter)} ${suffix}`, rows }]),
      ['orders', { sql: (parameter) => updateRows('orders', tables.ORDER_UPDATE_COLUMNS, ['id'], parameter), rows: [...this.orderUpdates.values()] }],
      ['exposures', { sql: (parameter) => `${insertRows('exposures', tables.EXPOSURE_COLUMNS, parameter)} ${CONFLICT_EXPOSURE}`, rows: exposures }],
      ['lowered exposures', { sql: LOWER_EXPOSURE, rows: lowered }],
      ['positions', { sql: (parameter) => `${insertRows('positions', tables.POSITION_COLUMNS, parameter)} ${CONFLICT_POSITION}`, rows: [...this.positions.values()].map((row) => pick(tables.POSITION_COLUMNS, row)) }],
      ['trades', { sql: (parameter) => `${insertRows('trades', tables.TRADE_COLUMNS, parameter)} ${CONFLICT_TRADE}`, rows: [...this.trades.values()].map((row) => pick(tables.TRADE_COLUMNS, row)) }],
      ['ledger balances', { sql: (parameter) => `${insertRows('ledger_balances', tables.LEDGER_BALANCE_COLUMNS, parameter)} ${CONFLICT_LEDGER_BALANCE}`, rows: [...this.ledgerBalances.values()] }],
      ['profits', { sql: INSERT_PROFIT, rows: [...this.profits.values()].filter(({ profit }) => profit !== '0') }],
      ['events', { sql: (parameter) => insertRows('events', tables.EVENT_COLUMNS, parameter), rows: this.events }],
      ['sequences', { sql: (parameter) => updateRows('accounts', { id: 'text', eventSequence: 'bigint' }, ['id'], parameter), rows: [...this.touched.values()].map(({ id, eventSequence }) => ({ id, eventSequence })) }],
    ];
  }
}

function lowers(exposure: Exposure): boolean {
  const { openOrders, ...figures } = exposure;
  return openOrders < 0 || Object.values(figures).some((figure) => figure.isNegative() && !figure.isZero());
}

function exposureRow({ exposure, ...row }: { readonly exposure: Exposure; readonly accountId: string; readonly symbol: string; readonly userId: string }): object {
  return { ...row, ...exposureTexts(exposure) };
}

function exposureTexts(exposure: Exposure): Record<string, string | number> {
  const { openOrders, ...figures } = exposure;
  return { openOrders, ...Object.fromEntries(Object.entries(figures).map(([field, value]) => [field, decimalText(value)])) };
}
