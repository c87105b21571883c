/**
 * Runs one strategy, whatever its type: reads the facts, has them decided (state/strategy-run.ts), records what is to be placed, then
 * places and cancels by child workflows. What crashes in between is found at the next look: recorded children that were not placed are
 * placed again under the same names. index.ts gives it the name of each type, which is what operators read.
 */
import { allHandlersFinished, ApplicationFailure, condition, continueAsNew, defineQuery, proxyLocalActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { StrategyActivities, StrategyFacts } from '../activities/strategy-activities';
import { childIntent, type ChildOwner } from '../domain/child-intent';
import type { OrderIntent } from '../domain/order';
import type { StrategyChild } from '../domain/strategy';
import { noted } from '../domain/strategy-commands';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { cancelChild, placeChild, sha256Hex } from './child-orders';
import { orderChanged, strategyChanged, strategySeen, type StrategyInput } from './messages';
import { rulesOfRun } from './rules-of-run';
import { StrategyRun, type StrategyStep } from './state/strategy-run';

const { lookAtStrategy } = proxyLocalActivities<StrategyActivities>({ ...LOCAL_ACTIVITY, summary: 'read the strategy, its orders and fresh prices' });
const { readBackStrategy } = proxyLocalActivities<StrategyActivities>({ ...LOCAL_ACTIVITY, summary: 'give a restored database what it lost of the strategy' });
const { advanceStrategy } = proxyLocalActivities<StrategyActivities>({ ...LOCAL_ACTIVITY, summary: 'record its state and what it places' });

/** Markdown: what it does now. */
export const strategyProgress = defineQuery<string>('strategyProgress');

export async function strategy(input: StrategyInput): Promise<void> {
  const holds = rulesOfRun();
  let partsAsBefore = false;
  const run = new StrategyRun(input.memory, undefined, { partsAsBefore: () => partsAsBefore, looksAsBefore: () => !holds('looks-when-due'), refusalsAsBefore: () => !holds('refusals-by-their-reason') });
  let { seen = null }: { seen?: StrategyInput['seen'] | null } = input;
  let heard = false;
  setHandler(strategyProgress, () => run.details());
  setHandler(strategySeen, () => seen);
  setHandler(strategyChanged, () => void (heard = true));
  setHandler(orderChanged, () => void (heard = true));

  while (!workflowInfo().continueAsNewSuggested) {
    heard = false;
    // Executions from before rules were asked at the start ask here, before the look is answered.
    const restores = holds('knows-better-than-a-restored-row');
    const facts = await lookAtStrategy({ strategyId: input.strategyId });
    const isBehind = seen !== null && (facts === null || facts.strategy.revision < seen.strategy.revision);
    const lacksOrders = seen !== null && facts !== null && facts.children.length < seen.children.length;
    const isOlder = restores ? isBehind || lacksOrders : isBehind && holds('restored-databases-get-back');
    if (isOlder && seen !== null && (await readBackStrategy(seen))) continue;
    if (facts === null) break;
    seen = { strategy: facts.strategy, children: facts.children };
    partsAsBefore = !holds('parts-within-their-share');
    const step = run.step(facts, Date.now());
    const children = await record(facts, step);
    // Whatever was decided on older facts is decided anew.
    if (children === null) continue;
    seen = { strategy: facts.strategy, children: [...facts.children, ...children] };
    setCurrentDetails(run.details());
    for (const child of [...step.placeAgain, ...children]) await placeChild(intentOf(facts, child));
    const { userId, accountId, venue, symbol } = facts.strategy;
    for (const orderId of step.cancel) await cancelChild({ userId, accountId, venue, symbol, orderId });
    if (step.ended) {
      seen = { strategy: step.note === null ? facts.strategy : noted(facts.strategy, step.note, new Date().toISOString()), children: seen.children };
      break;
    }
    if (step.waitMs > 0) await condition(() => heard, step.waitMs);
  }
  await condition(allHandlersFinished);
  if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof strategy>({ ...input, memory: run.memory(), ...(seen === null ? {} : { seen }) });
}

/** The children that are to be placed; null: nothing was recorded, because the facts have moved on. */
async function record({ strategy: before, children }: StrategyFacts, { note, place }: StrategyStep): Promise<readonly StrategyChild[] | null> {
  if (note === null && place.length === 0) return [];
  const advanced = await advanceStrategy({ strategyId: before.id, advance: { revision: before.revision, afterN: children.at(-1)?.n ?? 0, note, place } });
  return advanced?.children ?? null;
}

function intentOf({ strategy: parent, rules, signerId }: StrategyFacts, child: StrategyChild): OrderIntent {
  const { userId, accountId, venue, symbol, venueSymbol, id, side, reduceOnly } = parent;
  const owner: ChildOwner = { userId, accountId, signerId, venue, symbol, venueSymbol, origin: 'STRATEGY', supervision: { workflowId: workflowInfo().workflowId, strategyId: id } };
  const terms = { side, type: 'limit', timeInForce: child.timeInForce, quantity: child.quantity, limitPrice: child.limitPrice, postOnly: child.postOnly, reduceOnly } as const;
  const made = childIntent({ parentId: id, leg: child.run, child: child.n }, owner, terms, { rules, referencePrice: null }, child.createdAtMs, sha256Hex);
  // Its definition had it on the grid, and the venue judges what has changed since: it is placed as it was recorded.
  if (made.kind === 'belowMinimum') throw ApplicationFailure.nonRetryable(`child ${child.n} of ${id} is off the market's grid: ${child.quantity}`, 'UNPROCESSABLE');
  return made.intent;
}
