/** Pages of a newest-first listing: a cursor names the last row that was given, by its time and id. */
import { DomainError } from '../domain/errors';

export interface PagePosition {
  readonly at: string;
  readonly id: string;
}

export function cursorOf(position: PagePosition): string {
  return Buffer.from(JSON.stringify([position.at, position.id]), 'utf8').toString('base64url');
}

/** Throws VALIDATION on a text that no listing gave. */
export function positionOf(cursor: string | null | undefined): PagePosition | null {
  if (cursor === null || cursor === undefined) return null;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parsed) && typeof parsed[0] === 'string' && typeof parsed[1] === 'string' && !Number.isNaN(Date.parse(parsed[0]))) return { at: parsed[0], id: parsed[1] };
  } catch (error) {
    throw invalid(error);
  }
  throw invalid(undefined);
}

function invalid(cause: unknown): DomainError {
  return new DomainError('VALIDATION', 'the cursor is not one that a listing gave: leave it out to start from the newest', { details: { field: 'cursor' }, cause });
}
