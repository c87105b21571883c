/** The rate budgets of a bus. Venues': shared while its store answers, an eighth alone otherwise, and a venue's ban kept in every process. Callers': their limits whole, alone or shared. */
import type { Clock } from '../../domain/clock';
import type { BudgetRequest, BudgetVerdict, RateBudget } from '../../domain/rate-budget';
import { FallbackRateBudget, LocalRateBudget, LONE_SHARE, VenueBans } from '../../venues/local-rate-budget';
import { BUDGET_ANSWER_MS, reasonOf, type Bus, type OnBusReport } from './bus';
import { TOPIC_PREFIXES, TOPICS } from './topics';

export interface BanMessage {
  readonly scope: string;
  /** Ms since the epoch. */
  readonly untilMs: number;
}

/** Rejects when the answer takes longer than the bound: the caller then goes on without it. */
export async function withinMs<T>(promise: Promise<T>, boundMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => reject(new Error(`${what} did not answer within ${boundMs} ms`));
    // A process that was busy itself finds its timers due before it has read its sockets: an answer that is there counts.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), boundMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The limits on our own callers. While the shared store is away each process holds them alone, whole: a caller then may have
 * as many times as much as there are API processes, and no order is refused because Redis is away.
 */
export function callerLimits(shared: RateBudget, clock: Clock, onReport: OnBusReport, answerMs: number = BUDGET_ANSWER_MS): Pick<RateBudget, 'take'> {
  const alone = new LocalRateBudget(clock, 1, true);
  let away = false;
  return {
    take: async (request) => {
      try {
        const verdict = await withinMs(shared.take(request), answerMs, 'the shared budget');
        away = false;
        return verdict;
      } catch (error) {
        // Once for each loss: every request comes by here.
        if (!away) onReport({ kind: 'budgetAlone', reason: reasonOf(error) });
        away = true;
        return alone.take(request);
      }
    },
  };
}

/**
 * `shared` may be as slow or as broken as it likes. A ban is told to it, to every process over the bus, and kept here:
 * a store that was emptied or restarted forgets bans, the processes that heard of them do not.
 */
export class BusRateBudget implements RateBudget {
  private readonly bans = new VenueBans();
  private readonly budget: FallbackRateBudget;
  private readonly stopListening: () => void;

  constructor(
    private readonly bus: Pick<Bus, 'publish' | 'subscribe'>,
    shared: RateBudget,
    private readonly clock: Clock,
    onReport: OnBusReport,
    answerMs: number = BUDGET_ANSWER_MS,
  ) {
    const bounded: RateBudget = {
      take: (request) => withinMs(shared.take(request), answerMs, 'the shared budget'),
      ban: (scope, untilMs) => withinMs(shared.ban(scope, untilMs), answerMs, 'the shared budget'),
    };
    this.budget = new FallbackRateBudget(bounded, new LocalRateBudget(clock, LONE_SHARE), (error) => onReport({ kind: 'budgetAlone', reason: reasonOf(error) }));
    this.stopListening = bus.subscribe(TOPIC_PREFIXES.ban, ({ scope, untilMs }) => {
      if (typeof scope === 'string' && typeof untilMs === 'number') this.bans.note(scope, untilMs);
    });
  }

  async take(request: BudgetRequest): Promise<BudgetVerdict> {
    const remainingMs = this.bans.untilMs(request.scope) - this.clock.nowMs();
    if (remainingMs > 0) return { granted: false, retryAfterMs: remainingMs, bannedByVenue: true };
    return this.budget.take(request);
  }

  async ban(scope: string, untilMs: number): Promise<void> {
    this.bans.note(scope, untilMs);
    const message: BanMessage = { scope, untilMs };
    this.bus.publish(TOPICS.ban(scope), { ...message });
    await this.budget.ban(scope, untilMs);
  }

  close(): void {
    this.stopListening();
  }
}
