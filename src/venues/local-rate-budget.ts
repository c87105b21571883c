/** A request budget in one process's memory: what the hub's owner keeps, and what a process falls back to alone. */
import type { Clock } from '../domain/clock';
import type { BudgetRequest, BudgetVerdict, RateBudget } from '../domain/rate-budget';

/** Without the shared budget up to eight processes may be running, each taking its eighth (DESIGN.md section 1). */
export const LONE_SHARE = 1 / 8;

/** Scopes kept: a venue and its addresses; more than this is a mistake of ours. Of callers: those heard last. */
const MAX_SCOPES = 10_000;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Until when each venue or address told us to stay away. */
export class VenueBans {
  private readonly untilMsByScope = new Map<string, number>();

  note(scope: string, untilMs: number): void {
    this.untilMsByScope.set(scope, Math.max(untilMs, this.untilMsByScope.get(scope) ?? 0));
  }

  /** Ms since the epoch, 0 for never. A venue's ban binds each of its addresses too. */
  untilMs(scope: string): number {
    const venue = scope.split('/', 1)[0] ?? scope;
    return Math.max(this.untilMsByScope.get(scope) ?? 0, this.untilMsByScope.get(venue) ?? 0);
  }
}

export class LocalRateBudget implements RateBudget {
  private readonly buckets = new Map<string, Bucket>();
  private readonly bans = new VenueBans();

  /**
   * `share`: the part of each rule's capacity and refill that is ours. `forgetful`: with too many scopes the one that was
   * quiet longest is forgotten, because callers are not ours to count. Throws RangeError for a share outside (0, 1].
   */
  constructor(
    private readonly clock: Clock,
    private readonly share: number = 1,
    private readonly forgetful = false,
  ) {
    if (!(share > 0 && share <= 1)) throw new RangeError(`share must be above 0 and at most 1, got ${share}`);
  }

  /** Rejects with RangeError on a weight the class could never be granted: waiting would not help. */
  take(request: BudgetRequest): Promise<BudgetVerdict> {
    try {
      return Promise.resolve(this.verdict(request));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  ban(scope: string, untilMs: number): Promise<void> {
    this.bans.note(scope, untilMs);
    return Promise.resolve();
  }

  private verdict(request: BudgetRequest): BudgetVerdict {
    const { rule, weight } = request;
    const nowMs = this.clock.nowMs();
    const bannedUntilMs = this.bans.untilMs(request.scope);
    if (bannedUntilMs > nowMs) return { granted: false, retryAfterMs: bannedUntilMs - nowMs, bannedByVenue: true };
    const capacity = rule.capacity * this.share;
    const refillPerMs = (rule.refillPerSecond * this.share) / 1000;
    // Tokens below the reserve are for exits: the other classes see only what lies above it.
    const floor = request.class === 'exit' ? 0 : capacity * rule.reserve;
    // A request dearer than a small share's whole bucket goes when the bucket is full, and leaves a debt.
    const needed = Math.min(floor + weight, capacity);
    if (request.caller !== true && weight > rule.capacity * (request.class === 'exit' ? 1 : 1 - rule.reserve)) throw new RangeError(`a request of weight ${weight} exceeds the budget of ${request.scope}; make it smaller`);
    const bucket = this.bucket(request.scope, capacity, nowMs);
    bucket.tokens = Math.min(capacity, bucket.tokens + Math.max(0, nowMs - bucket.atMs) * refillPerMs);
    bucket.atMs = nowMs;
    if (bucket.tokens < needed) return { granted: false, retryAfterMs: Math.max(1, Math.ceil((needed - bucket.tokens) / refillPerMs)), bannedByVenue: false };
    bucket.tokens -= weight;
    return { granted: true, remaining: Math.max(0, Math.floor(request.caller === true ? bucket.tokens - floor : bucket.tokens)) };
  }

  private bucket(scope: string, capacity: number, nowMs: number): Bucket {
    const known = this.buckets.get(scope);
    if (known) {
      if (this.forgetful) this.touch(scope, known);
      return known;
    }
    if (this.buckets.size >= MAX_SCOPES) this.makeRoom();
    const bucket = { tokens: capacity, atMs: nowMs };
    this.buckets.set(scope, bucket);
    return bucket;
  }

  /** A Map keeps the order of insertion: the first is the one that was quiet longest. */
  private touch(scope: string, bucket: Bucket): void {
    this.buckets.delete(scope);
    this.buckets.set(scope, bucket);
  }

  private makeRoom(): void {
    const [quietest] = this.buckets.keys();
    if (!this.forgetful || quietest === undefined) throw new RangeError(`more than ${MAX_SCOPES} budget scopes`);
    this.buckets.delete(quietest);
  }
}

/** The shared budget while it answers, else our own eighth. A ban is told to both. */
export class FallbackRateBudget implements RateBudget {
  constructor(
    private readonly shared: RateBudget,
    private readonly alone: RateBudget,
    private readonly onFallback: (error: unknown) => void,
  ) {}

  async take(request: BudgetRequest): Promise<BudgetVerdict> {
    try {
      return await this.shared.take(request);
    } catch (error) {
      this.onFallback(error);
      return this.alone.take(request);
    }
  }

  async ban(scope: string, untilMs: number): Promise<void> {
    await this.alone.ban(scope, untilMs);
    try {
      await this.shared.ban(scope, untilMs);
    } catch (error) {
      this.onFallback(error);
    }
  }
}
