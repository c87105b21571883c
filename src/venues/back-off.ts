/** Exponential back-off with full jitter: many processes that failed together do not come back together. */

export interface BackOffRule {
  /** Ceiling of the first wait. */
  readonly firstMs: number;
  /** Ceiling of every wait. */
  readonly maxMs: number;
  /** No wait is shorter, so that jitter never makes a hot loop. */
  readonly minMs: number;
}

/** Reads from a venue: three repeats between 1 s and 10 s apart. */
export const READ_BACK_OFF: BackOffRule = { firstMs: 2_000, maxMs: 10_000, minMs: 1_000 };

/** Reconnecting a stream after the first, immediate attempt failed. */
export const RECONNECT_BACK_OFF: BackOffRule = { firstMs: 500, maxMs: 10_000, minMs: 100 };

/** A number in [0, 1); given in, so that tests choose it. */
export type Random = () => number;

/**
 * The wait before repeat number `attempt` (0 is the first repeat), in ms: uniform between `minMs` and
 * `firstMs * 2^attempt`, never above `maxMs`. Throws RangeError on a negative attempt.
 */
export function backOffMs(rule: BackOffRule, attempt: number, random: Random = Math.random): number {
  if (!Number.isInteger(attempt) || attempt < 0) throw new RangeError(`attempt must be 0 or more, got ${attempt}`);
  // 2^31 is past every ceiling; a larger power would only overflow.
  const ceiling = Math.min(rule.maxMs, rule.firstMs * 2 ** Math.min(attempt, 31));
  const floor = Math.min(rule.minMs, ceiling);
  return Math.round(floor + random() * (ceiling - floor));
}

/** Resolves when the promise settles, whichever way, when `ms` are over, or when the signal aborts. */
export async function settledWithin(promise: Promise<unknown>, ms: number, signal: AbortSignal): Promise<void> {
  const settled = new AbortController();
  const settle = (): void => settled.abort();
  promise.then(settle, settle);
  await sleepUnlessAborted(ms, AbortSignal.any([signal, settled.signal]));
}

/** Resolves true after `ms`, or false at once when the signal aborts. */
export function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(false);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve(true);
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
