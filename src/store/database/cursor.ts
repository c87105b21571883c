/** Pages of a listing: a cursor names the last row that was given, by what the rows are ordered by. */
import { isKeptTime, isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { isStorable } from '../../domain/storable-text';

export interface PagePosition {
  readonly at: string;
  readonly id: string;
}

/** Of a newest-first listing: the last row's time and id. `list`: whose, by the name of its table. */
export function cursorOf(list: string, position: PagePosition): string {
  return keyCursorOf(list, [position.at, position.id]);
}

/** Throws VALIDATION on a text that this listing did not give. */
export function positionOf(list: string, cursor: string | null | undefined): PagePosition | null {
  const key = keyOf(list, cursor);
  if (key === null) return null;
  const [at, id] = key;
  if (!isTime(at)) throw invalid(undefined);
  return { at, id };
}

/** What a later page of a newest-first listing adds to its condition; `columns`: the time and the id that order it. Throws VALIDATION. */
export function andOlder(list: string, cursor: string | null, columns: string, given: (value: string) => string): string {
  const position = positionOf(list, cursor);
  return position === null ? '' : `AND (${columns}) < (${given(position.at)}::timestamptz, ${given(position.id)})`;
}

/** Of a listing in the order of a key of two columns. */
export function keyCursorOf(list: string, key: readonly [string, string]): string {
  return Buffer.from(JSON.stringify([...key, list]), 'utf8').toString('base64url');
}

/** Throws VALIDATION on a text that this listing did not give. A cursor of an earlier version names no list, and is taken. */
export function keyOf(list: string, cursor: string | null | undefined): readonly [string, string] | null {
  if (cursor === null || cursor === undefined) return null;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch (error) {
    throw invalid(error);
  }
  if (!Array.isArray(parsed)) throw invalid(undefined);
  const [first, second, from = list] = parsed as unknown[];
  if (!isPart(first) || !isPart(second)) throw invalid(undefined);
  if (from !== list) throw invalid(undefined, 'the cursor is of another list: each list takes its own nextCursor; leave it out to start anew');
  return [first, second];
}

function isPart(part: unknown): part is string {
  return typeof part === 'string' && isStorable(part);
}

/** As cursors write it. Date.parse alone takes what PostgreSQL does not, such as "1" or the year 0. */
function isTime(at: string): boolean {
  const ms = Date.parse(at);
  return isKeptTime(ms) && isoTime(ms) === at;
}

function invalid(cause: unknown, message = 'the cursor is not one that a listing gave: leave it out to start anew'): DomainError {
  return new DomainError('VALIDATION', message, { details: { field: 'cursor' }, cause });
}
