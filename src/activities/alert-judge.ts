/** Looks at a user's rules until there is nothing to judge: events in the store, prices by triggers that name the user's workflow. */
import type { AlertRule } from '../domain/alert';
import { priceTriggerOf } from '../domain/alert-figures';
import type { Clock } from '../domain/clock';
import type { Trigger, TriggerIntent } from '../domain/trigger';
import type { Judged } from '../store/alerts/alert-judging';
import type { PriceRule } from '../store/alerts/alert-rules';
import { alertWatchWorkflowId } from '../temporal/workflow-ids';
import { beating } from './beating';

export interface JudgingRound {
  readonly rules: number;
  readonly raised: number;
  /** Until somebody should look again, ms. */
  readonly waitMs: number;
}

export interface AlertJudgeActivities {
  /** `fired`: triggers whose firing was signalled since the last round. */
  judgeAlerts(input: { readonly userId: string; readonly fired: readonly string[] }): Promise<JudgingRound>;
}

export interface AlertJudgePorts {
  readonly clock: Clock;
  readonly judging: { judge(userId: string): Promise<Judged>; fired(price: PriceRule, trigger: Trigger): Promise<boolean>; armAnew(price: PriceRule): Promise<boolean> };
  prices(userId: string): Promise<readonly PriceRule[]>;
  readonly triggers: {
    arm(intent: TriggerIntent): Promise<Trigger>;
    disarm(id: string): Promise<Trigger | null>;
    acknowledge(id: string): Promise<Trigger | null>;
    byIds(ids: readonly string[]): Promise<readonly Trigger[]>;
  };
}

/** A hint that was lost costs at most this. */
const LOOK_AGAIN_MS = 60_000;
/** Pages of one round: then its workflow sees how it goes. */
const MOST_PAGES = 20;
/** Steps that a price may take in one round; a market that runs through a level again and again goes on in the next. */
const MOST_STEPS = 4;

/** Arming it twice is arming it once; other terms are another trigger. */
export function priceTriggerId({ id, revision }: Pick<AlertRule, 'id' | 'revision'>, step: number): string {
  return `alert/${id}/${revision}/${step}`;
}

export function createAlertJudgeActivities(ports: AlertJudgePorts): AlertJudgeActivities {
  return { judgeAlerts: ({ userId, fired }) => beating(() => judgeRound(ports, userId, fired)) };
}

export async function judgeRound(ports: AlertJudgePorts, userId: string, fired: readonly string[]): Promise<JudgingRound> {
  let raised = 0;
  let judged: Judged = await ports.judging.judge(userId);
  raised += judged.raised;
  for (let page = 1; judged.more && page < MOST_PAGES; page += 1) {
    judged = await ports.judging.judge(userId);
    raised += judged.raised;
  }
  const prices = await judgePrices(ports, userId, fired);
  raised += prices.raised;
  const dueInMs = judged.nextDueAtMs === null ? LOOK_AGAIN_MS : Math.max(0, judged.nextDueAtMs - ports.clock.nowMs());
  return { rules: judged.rules, raised, waitMs: judged.more || prices.more ? 0 : Math.min(LOOK_AGAIN_MS, dueInMs) };
}

async function judgePrices({ judging, triggers, ...ports }: AlertJudgePorts, userId: string, fired: readonly string[]): Promise<{ readonly raised: number; readonly more: boolean }> {
  let raised = 0;
  let more = true;
  const current = new Set<string>();
  for (let round = 0; round < MOST_STEPS; round += 1) {
    const wanted = new Map((await ports.prices(userId)).map((price) => [priceTriggerId(price.rule, price.step), price]));
    for (const id of wanted.keys()) current.add(id);
    const known = new Map((await triggers.byIds([...wanted.keys()])).map((trigger) => [trigger.id, trigger]));
    more = false;
    for (const [id, price] of wanted) {
      const trigger = known.get(id) ?? (await arm(triggers, price, id));
      // Nothing leads back to ARMED: a rule that still waits for it would be silent for ever.
      if (trigger.status === 'DISARMED' && (await judging.armAnew(price))) more = true;
      if (trigger.status !== 'FIRED') continue;
      // First what it means, then the acknowledgement: it is told again until both are done.
      if (await judging.fired(price, trigger)) raised += 1;
      await triggers.acknowledge(id);
      more = true;
    }
    if (!more) break;
  }
  // Of terms that are no more, or of a step that was taken before its acknowledgement was.
  for (const id of fired) if (!current.has(id) || (await isUntold(triggers, id))) await triggers.acknowledge(id);
  return { raised, more };
}

async function isUntold(triggers: AlertJudgePorts['triggers'], id: string): Promise<boolean> {
  const [trigger] = await triggers.byIds([id]);
  return trigger?.status === 'FIRED' && !trigger.acknowledged;
}

function arm(triggers: AlertJudgePorts['triggers'], { rule, step }: PriceRule, id: string): Promise<Trigger> {
  const { venue, symbol } = rule.parameters;
  return triggers.arm({ id, userId: rule.userId, accountId: null, workflowId: alertWatchWorkflowId(rule.userId), venue, symbol, parameters: priceTriggerOf(rule.parameters, step) });
}
