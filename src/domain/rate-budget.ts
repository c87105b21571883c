/** A venue's request budget, shared by all processes (through Redis, or the supervisor's hub). */
import type { RateBudgetRule } from './venue';

/** entry and read share what is not reserved; exit (cancels, reduce-only exits, outcome queries) may use all of it. */
export type BudgetClass = 'entry' | 'read' | 'exit';

export interface BudgetRequest {
  /** Whose budget: `<venue>` or `<venue>/<address>`. */
  readonly scope: string;
  readonly rule: RateBudgetRule;
  readonly weight: number;
  readonly class: BudgetClass;
  /**
   * A limit on one of our own callers, not a venue's budget. A request dearer than the whole is granted when the bucket is
   * full and leaves a debt; a grant tells what remains.
   */
  readonly caller?: boolean;
}

export type BudgetVerdict =
  /** `remaining`: what is left: of a caller's limit what the class could still take at once, of a venue's budget all of it. */
  | { readonly granted: true; readonly remaining?: number }
  /** `bannedByVenue`: the venue said Retry-After, which binds exits too. */
  | { readonly granted: false; readonly retryAfterMs: number; readonly bannedByVenue: boolean };

export interface RateBudget {
  /** One answer, no waiting. Callers decide whether to wait `retryAfterMs`. */
  take(request: BudgetRequest): Promise<BudgetVerdict>;
  /** The venue said to stay away until then (ms since the epoch); known to all processes. */
  ban(scope: string, untilMs: number): Promise<void>;
}
