/** Baseline: bare SDK update-with-start of a workflow with an empty local activity. `worker <address>` or `client <address> <count> <concurrency>`. */
import { Client, Connection, WithStartWorkflowOperation } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { awaitAcknowledgement, bareOrder } from './bare-workflow';
import { measure } from './measure';

const [mode, address = '', count = '100', concurrency = '1'] = process.argv.slice(2);
const taskQueue = 'bare';

async function serve(): Promise<void> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: path.join(__dirname, 'bare-workflow.ts'),
    activities: { acknowledge: async () => 'acknowledged' },
  });
  process.send?.({ type: 'ready' });
  await worker.run();
}

async function load(): Promise<void> {
  const client = new Client({ connection: await Connection.connect({ address }) });
  const one = async (): Promise<void> => {
    const startWorkflowOperation = new WithStartWorkflowOperation(bareOrder, { workflowId: `bare/${randomUUID()}`, taskQueue, args: [], workflowIdConflictPolicy: 'USE_EXISTING' });
    await client.workflow.executeUpdateWithStart(awaitAcknowledgement, { args: [], startWorkflowOperation });
  };
  process.stdout.write(`${JSON.stringify(await measure(one, Number(count), Number(concurrency)))}\n`);
}

void (mode === 'worker' ? serve() : load()).then(() => process.exit(0));
