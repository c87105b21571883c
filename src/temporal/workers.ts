/** How workers are run: one process serves a set of task queues until it is told to stop. */
import { NativeConnection, Runtime, Worker, DefaultLogger, type LogEntry, type WorkerOptions } from '@temporalio/worker';
import type { PayloadCodec } from '@temporalio/common';
import { payloadConversion } from './payload-codec';
import { ServerPresence } from './server-presence';
import { TASK_QUEUES } from './task-queues';
import { WorkerShifts, type Shift } from './worker-shifts';

export type TaskQueue = (typeof TASK_QUEUES)[keyof typeof TASK_QUEUES];

export interface WorkerSetup {
  readonly address: string;
  readonly namespace: string;
  /** The name under which tasks are asked for; absent: the SDK's, which is process and host. */
  readonly identity?: string;
  readonly taskQueues: readonly TaskQueue[];
  /** Path of the bundle made by the build. */
  readonly workflowBundlePath: string;
  readonly activities: object;
  /** The same as the clients'; null: payloads are stored as they are. */
  readonly codec: PayloadCodec | null;
  /** Activities hold sockets to venues: they go on while Temporal is away, and only the workflows' cache is dropped. */
  readonly activitiesOutliveAbsence?: boolean;
  /** Whether Temporal went back to an older copy of its store since the last question, in words; asked when a connection was made anew without an absence. */
  readonly wentBack: () => Promise<string | null>;
  readonly onShift: (words: string) => void;
}

export interface RunningWorkers {
  /** Settles when every worker has stopped; rejects when one failed. */
  readonly stopped: Promise<void>;
  /** Nothing that is cached of a workflow is answered by any more: workers begin anew. */
  forget(why: string): void;
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

/** Workers of every queue; those that cache workflows change whenever Temporal was away, and when it went back. */
export async function runWorkers(setup: WorkerSetup): Promise<RunningWorkers> {
  const { workflowBundlePath, activities, onShift, activitiesOutliveAbsence = false } = setup;
  const workflows = { workflowBundle: { codePath: workflowBundlePath }, activities };
  const lasting = activitiesOutliveAbsence ? await beginShift(setup, { activities }) : null;
  const shifts = new WorkerShifts({ begin: () => beginShift(setup, activitiesOutliveAbsence ? { ...workflows, enableNonLocalActivities: false } : workflows), onShift });
  await shifts.start();
  const presence = new ServerPresence(setup.address, {
    onAway: () => shifts.pause('Temporal is away'),
    onReturn: () => shifts.resume(),
    onRenewed: () => void setup.wentBack().then((why) => (why === null ? undefined : shifts.change(why))),
  });
  presence.start();
  let stop: () => void = () => undefined;
  const told = new Promise<void>((resolve) => (stop = resolve));
  return {
    stopped: Promise.race([told, shifts.failed, ...(lasting === null ? [] : [lasting.ended])]),
    forget: (why) => shifts.change(why),
    stop: async () => {
      presence.close();
      lasting?.leave();
      await Promise.all([shifts.stop(), lasting?.ended]);
      stop();
    },
  };
}

/** Workers over a connection of their own: one that waits long to be tried again holds no later one back. */
async function beginShift(setup: WorkerSetup, does: Pick<WorkerOptions, 'workflowBundle' | 'activities' | 'enableNonLocalActivities'>): Promise<Shift> {
  const connection = await NativeConnection.connect({ address: setup.address });
  const options = { connection, namespace: setup.namespace, ...(setup.identity === undefined ? {} : { identity: setup.identity }), ...does, ...payloadConversion(setup.codec), shutdownGraceTime: SHUTDOWN_GRACE, ...FAIL_OVER };
  const workers = await Promise.all(setup.taskQueues.map((taskQueue) => Worker.create({ ...options, taskQueue })));
  const running = Promise.all(workers.map((worker) => worker.run()));
  return {
    leave: () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
    ended: running.finally(() => connection.close()).then(() => undefined),
  };
}
