/** The endings of what may wait: the sweeper and retention. */
import type { Client } from '@temporalio/client';
import { ensureRetention } from '../../src/temporal/schedules';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { ensureSweeper } from '../../src/temporal/watching';
import { RETENTION_SCHEDULE_ID, SWEEPER_WORKFLOW_ID } from '../../src/temporal/workflow-ids';
import { canceled, continued, ended, until, type Ending } from './executions';

const sweeper: Ending[] = [
  {
    workflow: 'sweeper',
    ending: 'continued-as-new',
    script: { sweepOrders: [{ stuck: 0, resolversStarted: 0 }, { stuck: 2, resolversStarted: 1 }, { stuck: 0, resolversStarted: 0 }] },
    run: async (client) => {
      await ensureSweeper(client, { intervalMs: 20 });
      return continued(client, SWEEPER_WORKFLOW_ID);
    },
  },
  {
    workflow: 'sweeper',
    ending: 'canceled',
    script: { sweepOrders: [{ stuck: 0, resolversStarted: 0 }] },
    run: async (client) => {
      await ensureSweeper(client, { intervalMs: 60_000 });
      return canceled(client, SWEEPER_WORKFLOW_ID, 'sweepOrders');
    },
  },
];

const pruned = { idempotencyKeys: 1_000, signedRequests: 3, events: 0, webhookDeliveries: 2, alerts: 0 } as const;

const retention: Ending[] = [
  {
    workflow: 'retention',
    ending: 'pruned',
    script: { pruneOldRows: [{ ...pruned, more: true }, { ...pruned, more: false }] },
    run: async (client) => {
      await ensureRetention(client, 3_600_000);
      const schedule = client.schedule.getHandle(RETENTION_SCHEDULE_ID);
      await schedule.trigger();
      await until(async () => (await schedule.describe()).info.recentActions.length > 0);
      const started = (await schedule.describe()).info.recentActions[0]?.action.workflow.workflowId ?? '';
      await ended(client.workflow.getHandle(started));
      return started;
    },
  },
  {
    workflow: 'retention',
    ending: 'left-for-the-next-run',
    script: { pruneOldRows: [{ ...pruned, more: true }] },
    run: (client) => retentionRun(client),
  },
  {
    workflow: 'retention',
    ending: 'canceled',
    script: { pruneOldRows: ['hang'] },
    run: async (client) => {
      await client.workflow.start('retention', { workflowId: RETENTION_SCHEDULE_ID, taskQueue: TASK_QUEUES.background, args: [] });
      return canceled(client, RETENTION_SCHEDULE_ID, 'pruneOldRows');
    },
  },
];

async function retentionRun(client: Client): Promise<string> {
  await client.workflow.start('retention', { workflowId: RETENTION_SCHEDULE_ID, taskQueue: TASK_QUEUES.background, args: [] });
  await ended(client.workflow.getHandle(RETENTION_SCHEDULE_ID));
  return RETENTION_SCHEDULE_ID;
}

export const BACKGROUND_ENDINGS: readonly Ending[] = [...sweeper, ...retention];
