/** What amending and cancelling share: record and send, then ask and repeat until the order's outcome is evidence. */
import { allHandlersFinished, condition, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { MutationStep, OrderActivities } from '../activities/order-activities';
import { LOCAL_ACTIVITY, RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { awaitMutation, type MutationInput, type MutationOutcome } from './messages';

const { requestMutation } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'record the request under the order\'s lock; send; commit the answer' });
const { sendMutation } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'send to the venue, commit its answer' });
const { settleMutation } = proxyActivities<OrderActivities>({ ...RESOLVING_ACTIVITY, summary: 'ask the venue, repeat what is safe to repeat' });

export async function runMutation(input: MutationInput): Promise<MutationOutcome> {
  const state = new MutationProgress();
  setHandler(awaitMutation, async () => {
    await condition(() => state.outcome !== null);
    return state.outcome ?? PENDING;
  });

  const recorded = await requestMutation({ intent: input.intent, ownerWorkflowId: workflowInfo().workflowId });
  if (recorded.verdict !== 'accepted') {
    state.outcome = { verdict: recorded.verdict, code: recorded.code, message: recorded.message };
  } else {
    let step = recorded.step ?? await sendMutation({ mutationId: input.intent.id, attemptId: recorded.attemptId });
    state.take(step);
    for (let tries = 0; step.kind === 'open'; tries += 1) {
      const delayMs = Math.max(step.askAgainInMs, Math.min(FIRST_DELAY_MS * 2 ** tries, LONGEST_DELAY_MS));
      setCurrentDetails(`outcome of the ${input.intent.kind} is open; the venue is asked again in ${delayMs} ms`);
      await sleep(delayMs, { summary: 'ask the venue again' });
      step = await settleMutation({ mutationId: input.intent.id, attemptId: null });
      state.take(step);
    }
  }
  await condition(allHandlersFinished);
  return state.outcome ?? PENDING;
}

/** The first question comes soon, because most losses are of one answer. */
const FIRST_DELAY_MS = 100;
/** A venue that is down for long is asked this often. */
const LONGEST_DELAY_MS = 15_000;

const PENDING: MutationOutcome = { verdict: 'pending', code: null, message: null };

class MutationProgress {
  outcome: MutationOutcome | null = null;

  /** The waiting caller is told after the first answer: what is still open then is told as pending. */
  take(step: MutationStep): void {
    this.outcome = step.kind === 'open' ? PENDING : { verdict: step.verdict, code: step.code, message: step.message };
  }
}
