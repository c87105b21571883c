/**
 * Carries alerts to one Telegram chat or e-mail address while any wait. What waits and its attempts are rows in PostgreSQL: here is only when
 * to send next - a retry, a pause that was asked for, a digest, the end of a snooze - durably.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AlertDeliveryActivities } from '../activities/alert-deliverer';
import { DELIVERING_ACTIVITY } from '../temporal/activity-options';
import { alertsWaiting, type AlertDeliveryInput } from './messages';
import { ChannelRounds } from './state/alert-rounds';

const { deliverAlerts } = proxyActivities<AlertDeliveryActivities>({ ...DELIVERING_ACTIVITY, summary: 'send what is due, until nothing is' });

export async function alertDelivery(input: AlertDeliveryInput): Promise<void> {
  const rounds = new ChannelRounds();
  setHandler(alertsWaiting, () => rounds.hint());

  while (!workflowInfo().continueAsNewSuggested) {
    rounds.begin();
    rounds.end(await deliverAlerts({ channelId: input.channelId }));
    setCurrentDetails(rounds.details());
    if (rounds.isOver) return;
    if (rounds.waitMs > 0) await condition(() => rounds.isHinted, rounds.waitMs);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof alertDelivery>(input);
}
