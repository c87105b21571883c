/** Deletes what is kept for a time only. Started by the schedule of the same name, never twice at once. */
import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { BackgroundActivities, PruneResult } from '../activities/background-activities';
import { SWEEPING_ACTIVITY } from '../temporal/activity-options';

const { pruneOldRows } = proxyActivities<BackgroundActivities>({ ...SWEEPING_ACTIVITY, summary: 'delete rows whose retention is over' });

/** Most activities of one run: what is left then is for the next hour. */
const MAX_ROUNDS = 50;

export async function retention(): Promise<Omit<PruneResult, 'more'>> {
  const total = { idempotencyKeys: 0, signedRequests: 0, events: 0, webhookDeliveries: 0, alerts: 0 };
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    // An answer of a version before has no deliveries, or no alerts.
    const { more, webhookDeliveries = 0, alerts = 0, ...pruned } = await pruneOldRows();
    total.idempotencyKeys += pruned.idempotencyKeys;
    total.signedRequests += pruned.signedRequests;
    total.events += pruned.events;
    total.webhookDeliveries += webhookDeliveries;
    total.alerts += alerts;
    setCurrentDetails(`${total.idempotencyKeys} idempotency records, ${total.signedRequests} signed requests, ${total.events} events, ${total.webhookDeliveries} webhook deliveries, ${total.alerts} rows of alerts`);
    if (!more) break;
  }
  return total;
}
