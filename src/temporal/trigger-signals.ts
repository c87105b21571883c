/** Tells a workflow that its trigger crossed. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { TriggerEvidence } from '../domain/trigger';
import { triggerCrossed } from '../workflows/messages';

/** `gone`: no such workflow runs. */
export async function signalTriggerCrossed(client: Pick<Client, 'workflow'>, workflowId: string, evidence: TriggerEvidence): Promise<'told' | 'gone'> {
  try {
    await client.workflow.getHandle(workflowId).signal(triggerCrossed, evidence);
    return 'told';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'gone';
    throw error;
  }
}
