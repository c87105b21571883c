/** What amending and cancelling share: record and send, then ask and repeat until the order's outcome is evidence. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, proxyLocalActivities, setCurrentDetails, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { MutationStep, OrderActivities } from '../activities/order-activities';
import { LOCAL_ACTIVITY, RESOLVING_ACTIVITY } from '../temporal/activity-options';
import { awaitMutation, type MutationInput, type MutationMemory, type MutationOutcome } from './messages';
import { rulesOfRun } from './rules-of-run';

const { requestMutation } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'record the request under the order\'s lock; send; commit the answer' });
const { sendMutation } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'send to the venue, commit its answer' });
const { settleMutation } = proxyActivities<OrderActivities>({ ...RESOLVING_ACTIVITY, summary: 'ask the venue, repeat what is safe to repeat' });

export async function runMutation(input: MutationInput): Promise<MutationOutcome> {
  const holds = rulesOfRun();
  const state = new MutationProgress(input.memory ?? null);
  setHandler(awaitMutation, async () => {
    await condition(() => state.outcome !== null);
    return state.outcome ?? PENDING;
  });

  let open = input.memory ?? (await requested(input.intent, state));
  while (open !== null) {
    if (workflowInfo().continueAsNewSuggested && holds('mutations-continue-as-new')) {
      await condition(allHandlersFinished);
      await continueAsNew<(again: MutationInput) => Promise<MutationOutcome>>({ ...input, memory: open });
    }
    const delayMs = Math.max(open.askAgainInMs, Math.min(FIRST_DELAY_MS * 2 ** open.tries, LONGEST_DELAY_MS));
    setCurrentDetails(`outcome of the ${input.intent.kind} is open; the venue is asked again in ${delayMs} ms`);
    await sleep(delayMs, { summary: 'ask the venue again' });
    open = state.take(await settleMutation({ mutationId: input.intent.id, attemptId: null }), open.tries + 1);
  }
  await condition(allHandlersFinished);
  return state.outcome ?? PENDING;
}

/** Recorded and sent. null: nothing of it is open. */
async function requested(intent: MutationInput['intent'], state: MutationProgress): Promise<MutationMemory | null> {
  const recorded = await requestMutation({ intent, ownerWorkflowId: workflowInfo().workflowId });
  if (recorded.verdict === 'accepted') return state.take(recorded.step ?? (await sendMutation({ mutationId: intent.id, attemptId: recorded.attemptId })), 0);
  state.outcome = { verdict: recorded.verdict, code: recorded.code, message: recorded.message };
  return null;
}

/** The first question comes soon, because most losses are of one answer. */
const FIRST_DELAY_MS = 100;
/** A venue that is down for long is asked this often. */
const LONGEST_DELAY_MS = 15_000;

const PENDING: MutationOutcome = { verdict: 'pending', code: null, message: null };

class MutationProgress {
  outcome: MutationOutcome | null;

  /** `memory`: of an earlier execution, whose caller was told that it is pending. */
  constructor(memory: MutationMemory | null) {
    this.outcome = memory === null ? null : PENDING;
  }

  /** The waiting caller is told after the first answer: what is still open then is told as pending. null: nothing is. */
  take(step: MutationStep, tries: number): MutationMemory | null {
    this.outcome = step.kind === 'open' ? PENDING : { verdict: step.verdict, code: step.code, message: step.message };
    return step.kind === 'open' ? { tries, askAgainInMs: step.askAgainInMs } : null;
  }
}
