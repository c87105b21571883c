/**
 * Delivers the events of one webhook endpoint for as long as it exists. What waits, its bytes and its attempts are rows in
 * PostgreSQL: here is only when to look at them next, durably. An endpoint with ten thousand waiting is as small as an idle one.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { WebhookActivities } from '../activities/webhook-deliverer';
import { DELIVERING_ACTIVITY } from '../temporal/activity-options';
import { deliveriesWaiting, type WebhookDeliveryInput } from './messages';
import { WebhookRounds } from './state/webhook-rounds';

const { deliverWebhooks } = proxyActivities<WebhookActivities>({ ...DELIVERING_ACTIVITY, summary: 'deliver what is due, until nothing is' });

export async function webhookDelivery(input: WebhookDeliveryInput): Promise<void> {
  const rounds = new WebhookRounds();
  setHandler(deliveriesWaiting, () => rounds.hint());

  while (!workflowInfo().continueAsNewSuggested) {
    rounds.begin();
    rounds.end(await deliverWebhooks({ endpointId: input.endpointId }));
    setCurrentDetails(rounds.details());
    if (rounds.isDeleted) return;
    if (rounds.waitMs > 0) await condition(() => rounds.isHinted, rounds.waitMs);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof webhookDelivery>(input);
}
