/** Pages of a listing: a cursor names the last row that was given, by what the rows are ordered by. */
import { DomainError } from '../../domain/errors';
import { isStorable } from '../../domain/storable-text';

export interface PagePosition {
  readonly at: string;
  readonly id: string;
}

/** Of a newest-first listing: the last row's time and id. */
export function cursorOf(position: PagePosition): string {
  return keyCursorOf([position.at, position.id]);
}

/** Throws VALIDATION on a text that no listing gave. */
export function positionOf(cursor: string | null | undefined): PagePosition | null {
  const key = keyOf(cursor);
  if (key === null) return null;
  const [at, id] = key;
  if (!isTime(at)) throw invalid(undefined);
  return { at, id };
}

/** Of a listing in the order of a key of two columns. */
export function keyCursorOf(key: readonly [string, string]): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/** Throws VALIDATION on a text that no listing gave. */
export function keyOf(cursor: string | null | undefined): readonly [string, string] | null {
  if (cursor === null || cursor === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && isPart(parsed[0]) && isPart(parsed[1])) return [parsed[0], parsed[1]];
  } catch (error) {
    throw invalid(error);
  }
  throw invalid(undefined);
}

function isPart(part: unknown): part is string {
  return typeof part === 'string' && isStorable(part);
}

/** As cursors write it. Date.parse alone takes what PostgreSQL does not, such as "1". */
function isTime(at: string): boolean {
  const ms = Date.parse(at);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === at && /^\d{4}-/.test(at);
}

function invalid(cause: unknown): DomainError {
  return new DomainError('VALIDATION', 'the cursor is not one that a listing gave: leave it out to start anew', { details: { field: 'cursor' }, cause });
}
