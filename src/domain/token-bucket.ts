/** A rate limit as a bucket: so many at once, refilled over its period. Pure. */
import type { CallRate } from './call-rate';
import { HOST_CLOCK_JUMP_MS } from './clock';

export interface Bucket {
  /** What is left as of `atMs`. */
  readonly tokens: number;
  readonly atMs: number;
}

/** Takes up to `wanted`. `nextInMs`: when one more will be there; 0 when it is already. */
export function takeTokens(bucket: Bucket | null, { count, periodMs, burst }: CallRate, nowMs: number, wanted: number): { readonly taken: number; readonly bucket: Bucket; readonly nextInMs: number } {
  const perMs = count / periodMs;
  const tokens = bucket === null ? burst : Math.min(burst, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * perMs);
  // A clock that is behind another host's does not fill it twice. One that was set back fills it from now on: it would stay empty for as long.
  const aheadMs = (bucket?.atMs ?? nowMs) - nowMs;
  const atMs = aheadMs > 0 && aheadMs <= HOST_CLOCK_JUMP_MS ? nowMs + aheadMs : nowMs;
  const taken = Math.min(wanted, Math.floor(tokens));
  const left = tokens - taken;
  return { taken, bucket: { tokens: left, atMs }, nextInMs: left >= 1 ? 0 : Math.ceil((1 - left) / perMs) };
}
