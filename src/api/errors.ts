/** The one place where anything thrown becomes an error body: DomainError, a venue's error, the HTTP parser's, or a bug. */
import { DomainError, ERROR_CATALOGUE, type ErrorCode } from '../domain/errors';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import type { ErrorBody } from '../schemas/errors';
import { BODY_LIMIT_BYTES } from './limits';

/** Codes under which PostgreSQL, its driver and the system say that the database cannot be reached now. */
const DATABASE_AWAY = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P01', '57P02', '57P03', '08000', '08001', '08003', '08006', '53300']);
/** Causes of causes; a longer chain is a loop. */
const MAX_CAUSES = 8;

/** Translates for the HTTP edge. `wrote` tells whether the request may have changed something. */
export function toDomainError(error: unknown, wrote: boolean): DomainError {
  if (error instanceof DomainError) return error;
  const outcome = wrote ? 'unknown' : 'none';
  if (error instanceof VenueRateLimited) return new DomainError('RATE_LIMITED', error.message, { retryAfterSeconds: Math.max(1, Math.ceil(error.retryAfterMs / 1000)), details: { venue: error.venue }, cause: error });
  if (error instanceof VenueUnavailable) return new DomainError('VENUE_UNAVAILABLE', error.message, { details: { venue: error.venue }, cause: error });
  if (error instanceof VenueOutcomeUnknown) return new DomainError('VENUE_TIMEOUT', error.message, { outcome, details: { venue: error.venue }, cause: error });
  if (error instanceof VenueRefused) return new DomainError('VENUE_REJECTED', error.message, { details: { venue: error.venue, venueCode: error.venueCode }, cause: error });
  const parser = parserError(error);
  if (parser !== null) return parser;
  if (isDatabaseAway(error)) return new DomainError('SERVICE_UNAVAILABLE', 'PostgreSQL is away', { outcome, retryAfterSeconds: 1, cause: error });
  return new DomainError('INTERNAL', 'an error of ours', { outcome, cause: error });
}

export function errorBody(error: DomainError, requestId: string, nowMs: number): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.message,
      details: { ...error.details, advice: error.advice },
      timestamp: new Date(nowMs).toISOString(),
      request_id: requestId,
      retryable: error.retryable,
      outcome: error.outcome,
    },
  };
}

export function isErrorCode(text: string | null): text is ErrorCode {
  return text !== null && Object.hasOwn(ERROR_CATALOGUE, text);
}

export function notFound(what: string): DomainError {
  return new DomainError('NOT_FOUND', `no such ${what}`);
}

/** Errors of express and its body parser: http-errors with a status, and mostly a `type`. */
function parserError(error: unknown): DomainError | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status < 400 || error.status > 499) return null;
  const kind = 'type' in error && typeof error.type === 'string' ? error.type : '';
  if (error.status === 413) return new DomainError('PAYLOAD_TOO_LARGE', `the body is larger than ${BODY_LIMIT_BYTES} bytes`, { details: { limitBytes: BODY_LIMIT_BYTES } });
  // The router's own word for a path; without a `type`, as zlib's errors are.
  if (error instanceof URIError) return malformed('path', 'the path cannot be decoded: a % stands for itself only as %25', error);
  if ('code' in error && String(error.code).startsWith('Z_')) return malformed('body', 'the body is not packed as its Content-Encoding says', error);
  return malformed('body', kind === 'entity.parse.failed' ? 'the body is not a valid JSON object' : kind === '' ? 'the request is malformed' : `the body cannot be read: ${kind}`, error);
}

function malformed(path: 'path' | 'body', message: string, cause: Error): DomainError {
  return new DomainError('VALIDATION', message, { details: { issues: [{ path, message }] }, cause });
}

export function isDatabaseAway(error: unknown): boolean {
  let cause: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if ('code' in cause && typeof cause.code === 'string' && DATABASE_AWAY.has(cause.code)) return true;
    cause = cause.cause;
  }
  return false;
}
