import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time';

const DAY_MS = 86_400_000;

/**
 * How long the namespace keeps the history of an ended workflow, in days.
 * @throws the server's error when it does not answer or lacks the namespace.
 */
export async function historyWindow(address: string, namespace: string): Promise<number> {
  return onServer(address, async ({ workflowService }) => {
    const { config } = await workflowService.describeNamespace({ namespace });
    return tsToMs(config?.workflowExecutionRetentionTtl) / DAY_MS;
  });
}

/** Sets it on a server of ours, which would keep them one day. What ended before is kept as long as was said then. */
export async function keepHistories(address: string, namespace: string, days: number): Promise<void> {
  await onServer(address, ({ workflowService }) => workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: msToTs(days * DAY_MS) } }));
}

async function onServer<Answer>(address: string, ask: (connection: Connection) => Promise<Answer>): Promise<Answer> {
  const connection = await Connection.connect({ address });
  try {
    return await ask(connection);
  } finally {
    await connection.close();
  }
}
