/** Starts and hints the workflows of alerts. */
import type { Client } from '@temporalio/client';
import { alertsConcerned, alertsWaiting, type AlertDeliveryInput, type AlertWatchInput } from '../workflows/messages';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { alertDeliveryWorkflowId, alertWatchWorkflowId } from './workflow-ids';

/** Tells the user's workflow that something may concern a rule; starts it where it does not run. */
export async function hintAlertWatch(client: Client, userId: string): Promise<void> {
  const input: AlertWatchInput = { userId };
  await client.workflow.signalWithStart('alertWatch', {
    workflowId: alertWatchWorkflowId(userId), taskQueue: TASK_QUEUES.background, args: [input], signal: alertsConcerned, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS, staticSummary: `alert rules of ${userId}`,
  });
}

/** Tells the channel's workflow that something may wait; starts it where it does not run. */
export async function hintAlertDelivery(client: Client, channelId: string): Promise<void> {
  const input: AlertDeliveryInput = { channelId };
  await client.workflow.signalWithStart('alertDelivery', {
    workflowId: alertDeliveryWorkflowId(channelId), taskQueue: TASK_QUEUES.webhooks, args: [input], signal: alertsWaiting, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS, staticSummary: `alerts for channel ${channelId}`,
  });
}
