/** Hands a workflow a wish and gives its answer. One that has ended, or was lost, is started again from what is given. */
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { askTemporal } from './update-with-start';

/** The workflow of something that has a row. */
export interface RowWorkflow<Input> {
  /** Its type, and what a caller calls it. */
  readonly type: string;
  readonly workflowId: string;
  readonly input: Input;
  readonly summary: string;
  /** How long a caller waits; the workflow goes on without it. */
  readonly deadlineMs: number;
}

/** Throws SERVICE_UNAVAILABLE (outcome unknown) when Temporal does not answer in time. */
export async function wish<Input, Reply, Args extends unknown[]>(client: Client, { type, workflowId, input, summary, deadlineMs }: RowWorkflow<Input>, update: UpdateDefinition<Reply, Args>, args: Args): Promise<Reply> {
  const updateId = randomUUID();
  return askTemporal(client, deadlineMs, `Temporal did not answer; read the ${type}`, () => {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: Input) => Promise<void>>(type, {
      workflowId,
      taskQueue: TASK_QUEUES.background,
      args: [input],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: summary,
    });
    return client.workflow.executeUpdateWithStart(update, { updateId, args, startWorkflowOperation });
  });
}
