/** What Temporal starts by itself, again and again. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleSpec } from '@temporalio/client';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { RETENTION_SCHEDULE_ID } from './workflow-ids';

/** Makes the schedule of retention, or gives the one that is there this interval. A paused one stays paused. */
export async function ensureRetention(client: Client, everyMs: number): Promise<void> {
  const spec: ScheduleSpec = { intervals: [{ every: everyMs }] };
  try {
    await client.schedule.create({
      scheduleId: RETENTION_SCHEDULE_ID,
      spec,
      // What one run leaves, the next one finds: none is missed by being skipped or late.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everyMs },
      action: {
        type: 'startWorkflow',
        workflowType: 'retention',
        workflowId: RETENTION_SCHEDULE_ID,
        taskQueue: TASK_QUEUES.background,
        workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
        args: [],
        staticSummary: 'deletes rows whose retention is over',
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(RETENTION_SCHEDULE_ID).update((known) => ({ ...known, spec }));
  }
}
