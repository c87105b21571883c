/**
 * Holds one order that waits for a price or a time: arms its trigger, checks each crossing again, and pursues it by child orders
 * until it is filled, canceled or over. Waits for months; what it does next is decided by state/conditional-order.ts.
 */
import { allHandlersFinished, condition, continueAsNew, proxyLocalActivities, setHandler, workflowInfo } from '@temporalio/workflow';
import type { ConditionalActivities } from '../activities/conditional-activities';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { ConditionalRun } from './conditional-run';
import { amendConditionalOrder, awaitArmed, cancelConditionalOrder, conditionalProgress, orderChanged, standingOrder, triggerCrossed, type ConditionalOrderInput, type ConditionalOutcome } from './messages';
import { rulesOfRun } from './rules-of-run';

const { recordConditional } = proxyLocalActivities<ConditionalActivities>({ ...LOCAL_ACTIVITY, summary: 'record the order as armed, or refuse it' });

export async function conditionalOrder(input: ConditionalOrderInput): Promise<ConditionalOutcome> {
  const { intent } = input;
  const run = new ConditionalRun(input, rulesOfRun());
  setHandler(awaitArmed, async () => {
    await condition(() => run.verdict !== null);
    return { verdict: run.verdict ?? 'denied' };
  });
  setHandler(amendConditionalOrder, (request) => run.amend(request));
  setHandler(cancelConditionalOrder, () => run.cancel());
  setHandler(conditionalProgress, () => run.state.memory());
  setHandler(standingOrder, () => run.standing());
  setHandler(triggerCrossed, (crossing) => {
    run.crossings.push(crossing);
  });
  setHandler(orderChanged, () => {
    run.rowsChanged = true;
  });

  const { workflowId, startTime } = workflowInfo();
  const recorded = await recordConditional({ intent, ownerWorkflowId: workflowId, intendedAtMs: startTime.getTime() });
  if (recorded.held === null) {
    run.verdict = recorded.verdict;
    await condition(allHandlersFinished);
    return { verdict: recorded.verdict, state: null };
  }
  run.begin(recorded.held, recorded.nativeExpiresAfterMs);
  while (run.ended === null) {
    if (workflowInfo().continueAsNewSuggested && run.isQuiet) {
      await condition(allHandlersFinished);
      // What was told while the handlers finished belongs to this execution still.
      if (run.isQuiet) await continueAsNew<typeof conditionalOrder>({ intent, memory: run.memory() });
    }
    await run.once();
  }
  await condition(allHandlersFinished);
  return { verdict: 'accepted', state: run.ended };
}
