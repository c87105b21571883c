/**
 * Nonces: one monotone counter per signer, over all processes. The store keeps the last one under a row lock.
 * Where each must follow the last by one, a request whose fate is open holds its signer: nobody knows which nonce is next.
 */

/** none: the venue has no nonces; increment: each follows the last by one; timeMs: rises, near the current time in ms. */
export type NonceRule = 'none' | 'increment' | 'timeMs';

/** The nonce after `last`. Throws RangeError for rule none. */
export function nextNonce(rule: NonceRule, last: bigint, nowMs: number): bigint {
  if (rule === 'none') throw new RangeError('this venue uses no nonces');
  if (rule === 'increment') return last + 1n;
  const now = BigInt(Math.trunc(nowMs));
  return now > last ? now : last + 1n;
}

/** A nonce that a stored request was given, while it is not known whether the venue used it. */
export interface OpenNonce {
  readonly nonce: bigint;
  /** The request was answered or never left: the venue will not take these bytes later. */
  readonly isOver: boolean;
  /** Until when, by its own clock, the venue would take the bytes; null: for ever. */
  readonly venueDeadlineMs: number | null;
}

export type NonceFate = 'used' | 'free' | 'open';

/**
 * What became of a nonce, by the venue's own count. `venueNext`: the nonce it expects next; `venueTimeMs`: its clock when it
 * was asked. Used, once the venue expects a later one, whoever used it. Free only when the bytes cannot be taken any more:
 * a count that has not moved says nothing about a request that is still on its way.
 */
export function nonceFate(open: OpenNonce, venueNext: bigint, venueTimeMs: number, absenceFinalAfterMs: number | null): NonceFate {
  if (venueNext > open.nonce) return 'used';
  if (open.isOver) return 'free';
  if (open.venueDeadlineMs === null || absenceFinalAfterMs === null) return 'open';
  return venueTimeMs >= open.venueDeadlineMs + absenceFinalAfterMs ? 'free' : 'open';
}
