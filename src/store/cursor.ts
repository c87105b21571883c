/** Pages of a listing: a cursor names the last row that was given, by what the rows are ordered by. */
import { DomainError } from '../domain/errors';

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
  if (Number.isNaN(Date.parse(at))) throw invalid(undefined);
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
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string') return [parsed[0], parsed[1]];
  } catch (error) {
    throw invalid(error);
  }
  throw invalid(undefined);
}

function invalid(cause: unknown): DomainError {
  return new DomainError('VALIDATION', 'the cursor is not one that a listing gave: leave it out to start anew', { details: { field: 'cursor' }, cause });
}
