/** Nonces: one monotone counter per signer, over all processes. The store keeps the last one under a row lock. */

/** none: the venue has no nonces; increment: each follows the last by one; timeMs: rises, near the current time in ms. */
export type NonceRule = 'none' | 'increment' | 'timeMs';

/** The nonce after `last`. Throws RangeError for rule none. */
export function nextNonce(rule: NonceRule, last: bigint, nowMs: number): bigint {
  if (rule === 'none') throw new RangeError('this venue uses no nonces');
  if (rule === 'increment') return last + 1n;
  const now = BigInt(Math.trunc(nowMs));
  return now > last ? now : last + 1n;
}
