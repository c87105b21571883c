/**
 * Pages of a table's rows of one user, newest first. Each of the user's accounts gives its newest by an index that begins with
 * the account, and the page is the newest of those: nothing is read that an index does not lead to, however many rows there are.
 */
import { cursorOf, positionOf } from './cursor';
import type { Parameter, Queryable, Row } from './database';

/** A table as it is listed; its rows have id, account_id and symbol. */
export interface ListedTable {
  readonly table: string;
  readonly alias: string;
  readonly select: string;
  /** The column that orders it. */
  readonly at: string;
  /** The field of a row that has it. */
  readonly atField: string;
  /** Its indexes for lists have this condition (LISTED_SQL) or none. */
  readonly apart?: boolean;
}

/**
 * What only a list says: the condition of the indexes that begin with an account, in tables where single rows are looked up by account
 * and another key. It is always true, and keeps the planner from such an index there (docs/decisions/sql-plans.md).
 */
export const LISTED_SQL = (alias: string): string => `${alias}.id <> ''`;

export interface ListFilters {
  readonly userId: string;
  readonly accountId: string | null;
  readonly symbol: string | null;
  readonly venue: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface ListOptions {
  /** SQL over the alias, without parameters. */
  readonly condition?: string;
  /** The few rows of an index of their own: its condition, and the column that comes after the account in it. They are sorted. */
  readonly few?: { readonly condition: string; readonly order: string };
  /** Further equalities, by column; null is none. */
  readonly equal?: Readonly<Record<string, string | null>>;
}

export interface Listed {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

/** Throws VALIDATION on a foreign cursor. */
export async function newestFirst(database: Queryable, listed: ListedTable, filters: ListFilters, options: ListOptions = {}): Promise<Listed> {
  const { sql, parameters } = listStatement(listed, filters, options);
  const rows = await database.rows(sql, ...parameters);
  const page = rows.slice(0, filters.limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > filters.limit && last !== undefined ? cursorOf(listed.table, { at: (last[listed.atField] as Date).toISOString(), id: last['id'] as string }) : null };
}

/** The statement alone, for the test that reads its plan. */
export function listStatement({ table, alias, select, at, apart }: ListedTable, filters: ListFilters, { condition, few, equal = {} }: ListOptions = {}): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [filters.userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const accounts = ['a.user_id = $1', ...(filters.accountId === null ? [] : [`a.id = ${given(filters.accountId)}`]), ...(filters.venue === null ? [] : [`a.venue = ${given(filters.venue)}`])];
  const rows = [`${alias}.account_id = a.id`, ...(apart === true ? [LISTED_SQL(alias)] : []), ...(filters.symbol === null ? [] : [`${alias}.symbol = ${given(filters.symbol)}`])];
  for (const [column, value] of Object.entries(equal)) if (value !== null) rows.push(`${alias}.${column} = ${given(value)}`);
  if (condition !== undefined) rows.push(condition);
  if (few !== undefined) rows.push(few.condition);
  const position = positionOf(table, filters.cursor);
  if (position !== null) rows.push(`(${alias}.${at}, ${alias}.id) < (${given(position.at)}::timestamptz, ${given(position.id)})`);
  const limit = `LIMIT ${given(filters.limit + 1)}::int`;
  const newest = `ORDER BY ${alias}.${at} DESC, ${alias}.id DESC`;
  // OFFSET 0 keeps the few apart: the order they are wanted in must not lead to an index that holds all the others too.
  const inner = few === undefined ? `${newest} ${limit}` : `ORDER BY ${alias}.${few.order} OFFSET 0`;
  return { sql: `SELECT ${select} FROM accounts a CROSS JOIN LATERAL (SELECT * FROM ${table} ${alias} WHERE ${rows.join(' AND ')} ${inner}) ${alias} WHERE ${accounts.join(' AND ')} ${newest} ${limit}`, parameters };
}
