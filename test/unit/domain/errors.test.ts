import { describe, expect, test } from '@jest/globals';
import { DomainError, ERROR_CATALOGUE, type ErrorCode } from '../../../src/domain/errors';
import { VenueOutcomeUnknown, VenueRateLimited, VenueRefused, VenueUnavailable, VenueError } from '../../../src/domain/venue-errors';

const codes = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

describe('the catalogue of errors', () => {
  test.each(codes)('%s has a status a client understands and one sentence of advice', (code) => {
    const { status, advice } = ERROR_CATALOGUE[code];
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(600);
    expect(advice).toMatch(/^[A-Z].{10,}\.$/);
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  });

  test('has every code the design names, with its status', () => {
    const status = Object.fromEntries(codes.map((code) => [code, ERROR_CATALOGUE[code].status]));
    expect(status).toMatchObject({
      UNAUTHENTICATED: 401,
      FORBIDDEN: 403,
      NOT_FOUND: 404,
      CONFLICT: 409,
      PRECONDITION_FAILED: 412,
      PRECONDITION_REQUIRED: 428,
      PAYLOAD_TOO_LARGE: 413,
      RATE_LIMITED: 429,
      INSUFFICIENT_BALANCE: 422,
      SLIPPAGE_EXCEEDED: 422,
      VENUE_UNAVAILABLE: 503,
      VENUE_TIMEOUT: 504,
    });
    expect([400, 422]).toContain(status.VALIDATION);
    for (const code of codes.filter((each) => each.startsWith('RISK_'))) expect(status[code]).toBe(422);
  });
});

describe('an error of ours', () => {
  test('says by its code what its status is, whether to retry and what to do', () => {
    const error = new DomainError('RATE_LIMITED', 'slow down');
    expect(error).toBeInstanceOf(Error);
    expect({ name: error.name, status: error.status, retryable: error.retryable, advice: error.advice }).toEqual({ name: 'DomainError', status: 429, retryable: true, advice: ERROR_CATALOGUE.RATE_LIMITED.advice });
  });

  test('claims no effect, no details and no wait unless told', () => {
    expect(new DomainError('INTERNAL', 'x')).toMatchObject({ outcome: 'none', details: {}, retryAfterSeconds: null });
    expect(Object.hasOwn(new DomainError('INTERNAL', 'x'), 'cause')).toBe(false);
  });

  test('carries what it was told', () => {
    const cause = new Error('deeper');
    expect(new DomainError('SERVICE_UNAVAILABLE', 'x', { outcome: 'unknown', details: { part: 'temporal' }, retryAfterSeconds: 2, cause })).toMatchObject({ outcome: 'unknown', details: { part: 'temporal' }, retryAfterSeconds: 2, cause });
  });
});

describe('the four ways a venue call fails', () => {
  test('are told apart, and each keeps the venue, the words and the cause', () => {
    const cause = new Error('socket');
    const errors = [
      new VenueRefused('paper', 'invalidPrice', 'E1', 'bad price', '{"e":1}'),
      new VenueRateLimited('paper', 'too many', 1_000, 'venue'),
      new VenueUnavailable('paper', 'refused', 'connection', { cause }),
      new VenueOutcomeUnknown('paper', 'timed out', 'timeout', null, { cause }),
    ];
    expect(errors.every((error) => error instanceof VenueError && error.venue === 'paper')).toBe(true);
    expect(errors.map((error) => error.name)).toEqual(['VenueRefused', 'VenueRateLimited', 'VenueUnavailable', 'VenueOutcomeUnknown']);
    expect(errors.map((error) => error.cause)).toEqual([undefined, undefined, cause, cause]);
    expect(new VenueRefused('paper', 'other', 'E', 'm').raw).toBeNull();
    expect(new VenueOutcomeUnknown('paper', 'm', 'reset').raw).toBeNull();
  });
});
