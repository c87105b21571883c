/**
 * Places one order, or a group that arrived together. The intents are in the start arguments, so they are durable before
 * anything is sent. Ends when every order is acknowledged, refused or its outcome proven (one that stays open for days
 * is left to the sweeper's resolver); later states belong to the account's watcher.
 */
import { allHandlersFinished, condition, proxyLocalActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { OrderActivities } from '../activities/order-activities';
import type { RecordedCall } from '../domain/order-store';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { awaitOutcome, orderProgress, type OrderInput, type OrderOutcome } from './messages';
import { OrderPlacement } from './state/order-placement';
import { resolveUntilSettled } from './order-resolution';

const { placeOrders } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'record intents, risk and signed requests; send; commit the answers' });
const { sendAttempt } = proxyLocalActivities<OrderActivities>({ ...LOCAL_ACTIVITY, summary: 'send to the venue, commit its answers' });

export async function order(input: OrderInput): Promise<OrderOutcome> {
  const placement = new OrderPlacement(input.intents);
  setHandler(awaitOutcome, async () => {
    await condition(() => placement.hasFirstAnswers);
    return placement.outcome();
  });
  setHandler(orderProgress, () => placement.progress());

  const { workflowId, startTime } = workflowInfo();
  const { group, openOrderIds, unsent } = await placeOrders({ intents: input.intents, ownerWorkflowId: workflowId, intendedAtMs: startTime.getTime() });
  placement.recorded(group);
  const left = new Set(unsent.map((call) => call.attemptId));
  for (const call of group.calls) if (!left.has(call.attemptId)) placement.answered(call.orderIds, openOrderIds);
  await Promise.all(unsent.map((call) => send(call, placement)));
  placement.firstAnswers();
  // Said only where there is more to see than the static summary and the result already tell.
  if (placement.openOrderIds.length > 0) {
    setCurrentDetails(placement.details());
    await Promise.all(
      placement.openOrderIds.map(async (orderId) => {
        if (await resolveUntilSettled(orderId)) placement.settled(orderId);
        setCurrentDetails(placement.details());
      }),
    );
  }
  await condition(allHandlersFinished);
  return placement.outcome();
}

async function send(call: RecordedCall, placement: OrderPlacement): Promise<void> {
  const { openOrderIds } = await sendAttempt({ attemptId: call.attemptId, orderIds: call.orderIds });
  placement.answered(call.orderIds, openOrderIds);
}
