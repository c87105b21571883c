/** Pursues an order whose outcome is open until evidence settles it. Started by the sweeper, and used by `order` itself. */
import { continueAsNew, proxyActivities, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { ResolutionStep } from '../activities/order-resolver';
import { NO_MEMORY, waitBeforeAsking, type ResolutionMemory } from '../domain/resolution';
import { RESOLVING_ACTIVITY } from '../temporal/activity-options';
import type { OrderResolutionInput } from './messages';

export interface ResolutionActivities {
  resolveOrder(input: { readonly orderId: string; readonly memory: ResolutionMemory }): Promise<ResolutionStep>;
  /** Amends and cancels of an order whose workflow is gone. */
  resolveMutations(input: { readonly orderId: string }): Promise<{ readonly askAgainInMs: number | null }>;
}

const { resolveOrder, resolveMutations } = proxyActivities<ResolutionActivities>({ ...RESOLVING_ACTIVITY, summary: 'ask the venue what became of the order' });

/**
 * Looks, waits, looks again. The wait is durable: it outlives every process. false: the history has grown long and the order
 * is still open; a workflow that ends then leaves it to the sweeper, which starts an `orderResolution`.
 */
export async function resolveUntilSettled(orderId: string, memory: ResolutionMemory = NO_MEMORY, onStep: (memory: ResolutionMemory) => void = () => undefined): Promise<boolean> {
  let step = await resolveOrder({ orderId, memory });
  while (step.kind === 'pending') {
    onStep(step.memory);
    if (workflowInfo().continueAsNewSuggested) return false;
    await sleep(step.askAgainInMs, { summary: `ask again about ${orderId}` });
    step = await resolveOrder({ orderId, memory: step.memory });
  }
  return true;
}

export async function orderResolution(input: OrderResolutionInput): Promise<void> {
  let memory = input.memory ?? NO_MEMORY;
  const tell = (words: string): void => setCurrentDetails(`pursues order \`${input.orderId}\`: ${input.why}; ${words}`);
  tell('asks the venue');
  const settled = await resolveUntilSettled(input.orderId, memory, (now) => {
    memory = now;
    tell(`asked ${now.tries} times, finally absent ${now.finalAbsences} times`);
  });
  if (!settled) await continueAsNew<typeof orderResolution>({ ...input, memory });
  let { askAgainInMs } = await resolveMutations({ orderId: input.orderId });
  for (let tries = 0; askAgainInMs !== null; tries += 1) {
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof orderResolution>(input);
    tell('its placing is settled, an amend or cancel is not');
    await sleep(Math.max(askAgainInMs, waitBeforeAsking(tries)), { summary: 'ask again about an amend or cancel' });
    ({ askAgainInMs } = await resolveMutations({ orderId: input.orderId }));
  }
  tell('settled');
}
