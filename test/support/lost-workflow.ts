/** What remains of a workflow when Temporal's store goes back behind its beginning: nothing runs under its id. */
import { Client, Connection } from '@temporalio/client';
import type { Stack } from './stack';

export async function loseWorkflow(stack: Stack, workflowId: string): Promise<void> {
  const connection = await Connection.connect({ address: stack.temporal.url });
  try {
    await new Client({ connection }).workflow.getHandle(workflowId).terminate('lost, as the test says');
  } finally {
    await connection.close();
  }
}
