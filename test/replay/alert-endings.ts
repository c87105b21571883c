/** The endings of `alertWatch` and `alertDelivery`. */
import type { Client } from '@temporalio/client';
import type { ChannelRound } from '../../src/activities/alert-deliverer';
import type { JudgingRound } from '../../src/activities/alert-judge';
import type { TriggerEvidence } from '../../src/domain/trigger';
import { hintAlertDelivery, hintAlertWatch } from '../../src/temporal/alert-workflows';
import { alertDeliveryWorkflowId, alertWatchWorkflowId } from '../../src/temporal/workflow-ids';
import { triggerCrossed } from '../../src/workflows/messages';
import { canceled, continued, ended, scheduled, type Ending } from './executions';

const WATCH_ID = alertWatchWorkflowId('u1');
const DELIVERY_ID = alertDeliveryWorkflowId('c1');
const JUDGED: JudgingRound = { rules: 2, raised: 1, waitMs: 20 };
const NO_RULES: JudgingRound = { rules: 0, raised: 0, waitMs: 60_000 };
const WAITING: ChannelRound = { state: 'waiting', name: 'my mail', disabledReason: null, waiting: 3, delivered: 1, failed: 1, waitMs: 20 };
const IDLE: ChannelRound = { ...WAITING, state: 'idle', waiting: 0, waitMs: 0 };
const EVIDENCE: TriggerEvidence = { triggerId: 'alert/r1/1/0', revision: 1, price: '50000', priceType: 'last', source: 'paper', backup: false, origin: 'stream', extreme: null, level: '50000', atMs: 1, observedAtMs: 1, sequence: 1, scope: 'market/paper', epoch: 1 };

async function watched(client: Client): Promise<string> {
  await hintAlertWatch(client, 'u1');
  await ended(client.workflow.getHandle(WATCH_ID));
  return WATCH_ID;
}

async function carried(client: Client): Promise<string> {
  await hintAlertDelivery(client, 'c1');
  await ended(client.workflow.getHandle(DELIVERY_ID));
  return DELIVERY_ID;
}

export const ALERT_ENDINGS: readonly Ending[] = [
  { workflow: 'alertWatch', ending: 'no-rule-any-more', script: { judgeAlerts: [{ ...JUDGED, waitMs: 0 }, JUDGED, NO_RULES] }, run: watched },
  {
    workflow: 'alertWatch',
    ending: 'a-price-crossed',
    script: { judgeAlerts: [{ ...JUDGED, waitMs: 3_600_000 }, NO_RULES] },
    run: async (client) => {
      await hintAlertWatch(client, 'u1');
      await scheduled(client, WATCH_ID, 'judgeAlerts', 1);
      await client.workflow.getHandle(WATCH_ID).signal(triggerCrossed, EVIDENCE);
      await ended(client.workflow.getHandle(WATCH_ID));
      return WATCH_ID;
    },
  },
  {
    workflow: 'alertWatch',
    ending: 'continued-as-new',
    script: { judgeAlerts: [JUDGED] },
    run: async (client) => {
      await hintAlertWatch(client, 'u1');
      return continued(client, WATCH_ID);
    },
  },
  {
    workflow: 'alertWatch',
    ending: 'canceled',
    script: { judgeAlerts: [{ ...JUDGED, waitMs: 3_600_000 }] },
    run: async (client) => {
      await hintAlertWatch(client, 'u1');
      return canceled(client, WATCH_ID, 'judgeAlerts');
    },
  },
  { workflow: 'alertDelivery', ending: 'nothing-waits', script: { deliverAlerts: [{ ...WAITING, waitMs: 0 }, WAITING, IDLE] }, run: carried },
  { workflow: 'alertDelivery', ending: 'disabled', script: { deliverAlerts: [{ ...WAITING, state: 'disabled', disabledReason: 'blocked', waitMs: 0 }] }, run: carried },
  { workflow: 'alertDelivery', ending: 'deleted', script: { deliverAlerts: [{ ...IDLE, state: 'deleted', name: '' }] }, run: carried },
  {
    workflow: 'alertDelivery',
    ending: 'hinted-while-a-digest-waits',
    script: { deliverAlerts: [{ ...WAITING, waitMs: 1_800_000 }, IDLE] },
    run: async (client) => {
      await hintAlertDelivery(client, 'c1');
      await scheduled(client, DELIVERY_ID, 'deliverAlerts', 1);
      await hintAlertDelivery(client, 'c1');
      await ended(client.workflow.getHandle(DELIVERY_ID));
      return DELIVERY_ID;
    },
  },
  {
    workflow: 'alertDelivery',
    ending: 'continued-as-new',
    script: { deliverAlerts: [WAITING] },
    run: async (client) => {
      await hintAlertDelivery(client, 'c1');
      return continued(client, DELIVERY_ID);
    },
  },
  {
    workflow: 'alertDelivery',
    ending: 'canceled',
    script: { deliverAlerts: [{ ...WAITING, waitMs: 1_800_000 }] },
    run: async (client) => {
      await hintAlertDelivery(client, 'c1');
      return canceled(client, DELIVERY_ID, 'deliverAlerts');
    },
  },
];
