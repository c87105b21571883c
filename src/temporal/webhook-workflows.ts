/** Starts and hints the workflows that deliver webhooks. */
import type { Client } from '@temporalio/client';
import { deliveriesWaiting, type WebhookDeliveryInput } from '../workflows/messages';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { webhookWorkflowId } from './workflow-ids';

/** Tells the endpoint's workflow that something may wait; starts it where it does not run. */
export async function hintWebhook(client: Client, endpointId: string): Promise<void> {
  const input: WebhookDeliveryInput = { endpointId };
  await client.workflow.signalWithStart('webhookDelivery', {
    workflowId: webhookWorkflowId(endpointId),
    taskQueue: TASK_QUEUES.webhooks,
    args: [input],
    signal: deliveriesWaiting,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    staticSummary: `webhook ${endpointId}`,
  });
}
