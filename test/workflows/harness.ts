/** Runs our workflows on a real Temporal with activities a test scripts. Each file has a bundle and task queues of its own. */
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import path from 'node:path';
import type { PayloadCodec } from '@temporalio/common';
import { payloadConversion } from '../../src/temporal/payload-codec';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { startTemporal } from '../support/servers';
import { ROOT } from '../support/source-imports';

type Activities = Record<string, (...given: never[]) => Promise<unknown>>;

export interface WorkflowHarness {
  readonly client: Client;
  /** Runs workers of all task queues with these activities until `stop`; of other workflows than ours where a file is named. */
  work(activities: Activities, codec?: PayloadCodec, workflowsFile?: string): Promise<{ stop(): Promise<void> }>;
  close(): Promise<void>;
}

export async function startHarness(): Promise<WorkflowHarness> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
  // The product's own task queues and ids are used: the server is this file's alone, whatever the run shares.
  const server = await startTemporal({ durable: false });
  const connection = await Connection.connect({ address: server.url });
  const native = await NativeConnection.connect({ address: server.url });
  const bundleOf = (file: string): ReturnType<typeof bundleWorkflowCode> => bundleWorkflowCode({ workflowsPath: path.join(ROOT, file), preloadModules: [path.join(ROOT, file)], logger });
  const ours = await bundleOf('src/workflows/index.ts');
  return {
    client: new Client({ connection }),
    work: async (activities, codec, workflowsFile) => {
      const workflowBundle = workflowsFile === undefined ? ours : await bundleOf(workflowsFile);
      const workers = await Promise.all(Object.values(TASK_QUEUES).map((taskQueue) => Worker.create({ connection: native, taskQueue, workflowBundle, activities, maxHeartbeatThrottleInterval: '200ms', ...payloadConversion(codec ?? null) })));
      const running = Promise.all(workers.map((worker) => worker.run()));
      return {
        stop: async () => {
          for (const worker of workers) worker.shutdown();
          await running;
        },
      };
    },
    close: async () => {
      await connection.close();
      await native.close();
      await server.stop();
      await Runtime.instance().shutdown();
    },
  };
}
