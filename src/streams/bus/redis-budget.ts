/** The shared budget inside Redis. Rejects when Redis does not answer: bus-budget.ts then goes on alone. */
import type { Redis, Result } from 'ioredis';
import type { Clock } from '../../domain/clock';
import type { BudgetRequest, BudgetVerdict, RateBudget } from '../../domain/rate-budget';
import { BAN_SCRIPT, TAKE_SCRIPT } from './redis-scripts';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    surefillTake(bucket: string, ban: string, venueBan: string, capacity: number, refillPerMs: number, floor: number, weight: number): Result<[number, number, number, number], Context>;
    surefillBan(ban: string, forMs: number): Result<number, Context>;
  }
}

export class RedisRateBudget implements RateBudget {
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
    private readonly clock: Clock,
  ) {
    redis.defineCommand('surefillTake', { numberOfKeys: 3, lua: TAKE_SCRIPT });
    redis.defineCommand('surefillBan', { numberOfKeys: 1, lua: BAN_SCRIPT });
  }

  async take({ scope, rule, weight, class: budgetClass, caller }: BudgetRequest): Promise<BudgetVerdict> {
    const floor = budgetClass === 'exit' ? 0 : rule.capacity * rule.reserve;
    if (caller !== true && weight > rule.capacity - floor) throw new RangeError(`a request of weight ${weight} exceeds the budget of ${scope}; make it smaller`);
    const venue = scope.split('/', 1)[0] ?? scope;
    const [granted, retryAfterMs, bannedByVenue, left] = await this.redis.surefillTake(this.key('budget', scope), this.key('ban', scope), this.key('ban', venue), rule.capacity, rule.refillPerSecond / 1000, floor, weight);
    if (granted === 1) return { granted: true, remaining: Math.max(0, Math.floor(caller === true ? left - floor : left)) };
    return { granted: false, retryAfterMs, bannedByVenue: bannedByVenue === 1 };
  }

  async ban(scope: string, untilMs: number): Promise<void> {
    const forMs = untilMs - this.clock.nowMs();
    if (forMs > 0) await this.redis.surefillBan(this.key('ban', scope), Math.ceil(forMs));
  }

  private key(kind: 'budget' | 'ban', scope: string): string {
    return `${this.prefix}:${kind}:${scope}`;
  }
}
