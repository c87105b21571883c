/** When a delivery is tried again. Pure: time and chance are given. */
import type { AttemptOutcome } from './webhook';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Waits before each attempt, ms: the list of Standard Webhooks. The tenth failure in a row exhausts a delivery, 75 h 35 min after the first. */
export const RETRY_DELAYS_MS = [0, 5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR] as const;
export const MAX_TRIES = RETRY_DELAYS_MS.length;
/** Of a wait, either way: what failed together is not tried again together. */
export const JITTER = 0.2;
/** A receiver that says 429, or answers too late, is left alone for so long at least. */
export const OVERLOADED_WAIT_MS = MINUTE;
/** How far Retry-After may stretch a wait: never below it, at most twice it. */
export const RETRY_AFTER_STRETCH = 2;

/** Throttle statuses of Standard Webhooks. */
const OVERLOADED_CODES = new Set([429, 502, 503, 504]);

/** Which failure it was, and a number from 0 to below 1. */
export interface RetryInput {
  /** Attempts of this round that failed, the last one too: from 1. */
  readonly failures: number;
  readonly outcome: Pick<AttemptOutcome, 'code' | 'errorClass' | 'retryAfterMs'>;
  readonly chance: number;
}

/** ms until the next attempt; null: it was the last. */
export function retryDelayMs({ failures, outcome, chance }: RetryInput): number | null {
  const base = RETRY_DELAYS_MS[failures];
  if (base === undefined) return null;
  const least = isOverloaded(outcome) ? Math.max(base, OVERLOADED_WAIT_MS) : base;
  if (outcome.retryAfterMs !== null) return Math.min(Math.max(outcome.retryAfterMs, least), least * RETRY_AFTER_STRETCH);
  return Math.round(least * (1 - JITTER + 2 * JITTER * chance));
}

export function isOverloaded({ code, errorClass }: Pick<AttemptOutcome, 'code' | 'errorClass'>): boolean {
  return errorClass === 'timeout' || (code !== null && OVERLOADED_CODES.has(code));
}

export function isDelivered({ code, errorClass }: Pick<AttemptOutcome, 'code' | 'errorClass'>): boolean {
  return errorClass === null && code !== null && code >= 200 && code < 300;
}

/** A Retry-After header in ms: seconds or a date. null for what is neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  const at = Date.parse(text);
  return Number.isNaN(at) || !/[a-z]/i.test(text) ? null : Math.max(0, at - nowMs);
}
