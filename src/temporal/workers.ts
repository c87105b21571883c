/** How workers are run: one process serves a set of task queues until it is told to stop. */
import { NativeConnection, Runtime, Worker, DefaultLogger, type LogEntry, type WorkerOptions } from '@temporalio/worker';
import type { PayloadCodec } from '@temporalio/common';
import { payloadConversion } from './payload-codec';
import { TASK_QUEUES } from './task-queues';

export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];

export interface WorkerSetup {
  readonly address: string;
  readonly namespace: string;
  readonly taskQueues: readonly TaskQueue[];
  /** Path of the bundle made by the build. */
  readonly workflowBundlePath: string;
  readonly activities: object;
  /** The same as the clients'; null: payloads are stored as they are. */
  readonly codec: PayloadCodec | null;
}

export interface RunningWorkers {
  /** Settles when every worker has stopped; rejects when one failed. */
  readonly stopped: Promise<void>;
  /** Takes no new tasks, lets what is in flight end, then closes the connection. */
  stop(): Promise<void>;
}

/**
 * Settings that fail-over time depends on: heartbeats leave every second (the SDK would send one each 2.4 s), and a task
 * waits 1 s for the dead worker it is stuck to.
 */
const FAIL_OVER: Pick<WorkerOptions, 'maxHeartbeatThrottleInterval' | 'defaultHeartbeatThrottleInterval' | 'stickyQueueScheduleToStartTimeout'> = {
  maxHeartbeatThrottleInterval: '1s',
  defaultHeartbeatThrottleInterval: '1s',
  stickyQueueScheduleToStartTimeout: '1s',
};

/** What in-flight activities get to end by themselves; shorter than what a supervisor waits before it kills. */
const SHUTDOWN_GRACE = '5s';

/**
 * Once per process, before any worker: the SDK's signal handlers are off, because main decides when to stop.
 * `metricsAddress`: host:port where the SDK's core serves its own figures (task latencies, slots) as Prometheus reads them.
 */
export function installTemporalRuntime(log: (entry: LogEntry) => void, metricsAddress: string | null): void {
  const telemetryOptions = metricsAddress === null ? {} : { metrics: { prometheus: { bindAddress: metricsAddress, unitSuffix: true, countersTotalSuffix: true, useSecondsForDurations: true } } };
  Runtime.install({ logger: new DefaultLogger('WARN', log), shutdownSignals: [], telemetryOptions });
}

export async function runWorkers(setup: WorkerSetup): Promise<RunningWorkers> {
  const connection = await NativeConnection.connect({ address: setup.address });
  const workers = await Promise.all(
    setup.taskQueues.map((taskQueue) =>
      Worker.create({
        connection,
        namespace: setup.namespace,
        taskQueue,
        workflowBundle: { codePath: setup.workflowBundlePath },
        activities: setup.activities,
        ...payloadConversion(setup.codec),
        shutdownGraceTime: SHUTDOWN_GRACE,
        ...FAIL_OVER,
      }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  const stopped = running.then(() => undefined);
  return {
    stopped,
    stop: async () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await stopped;
      await connection.close();
    },
  };
}
