/** Pursues an order whose outcome is open until evidence settles it. Started by the sweeper, and used by `order` itself. */
import { proxyActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { ResolutionStep } from '../activities/order-resolver';
import { NO_MEMORY, type ResolutionMemory } from '../domain/resolution';
import { RESOLVING_ACTIVITY } from '../temporal/activity-options';
import type { OrderResolutionInput } from './messages';

export interface ResolutionActivities {
  resolveOrder(input: { readonly orderId: string; readonly memory: ResolutionMemory }): Promise<ResolutionStep>;
  /** Amends and cancels of an order whose workflow is gone. */
  resolveMutations(input: { readonly orderId: string }): Promise<{ readonly askAgainInMs: number | null }>;
}

const { resolveOrder, resolveMutations } = proxyActivities<ResolutionActivities>({ ...RESOLVING_ACTIVITY, summary: 'ask the venue what became of the order' });

/** Looks, waits, looks again. The wait is durable: it outlives every process. */
export async function resolveUntilSettled(orderId: string): Promise<void> {
  let step = await resolveOrder({ orderId, memory: NO_MEMORY });
  while (step.kind === 'pending') {
    await sleep(step.askAgainInMs, { summary: `ask again about ${orderId}` });
    step = await resolveOrder({ orderId, memory: step.memory });
  }
}

export async function orderResolution(input: OrderResolutionInput): Promise<void> {
  setCurrentDetails(`pursues order \`${input.orderId}\`: ${input.why}`);
  await resolveUntilSettled(input.orderId);
  for (let again = await resolveMutations({ orderId: input.orderId }); again.askAgainInMs !== null; again = await resolveMutations({ orderId: input.orderId })) {
    await sleep(again.askAgainInMs, { summary: 'ask again about an amend or cancel' });
  }
}
