/** The endings of `webhookDelivery`. */
import type { Client } from '@temporalio/client';
import type { DeliveryRound } from '../../src/activities/webhook-deliverer';
import { hintWebhook } from '../../src/temporal/webhook-workflows';
import { webhookWorkflowId } from '../../src/temporal/workflow-ids';
import { canceled, continued, ended, scheduled, type Ending } from './executions';

const ID = webhookWorkflowId('e1');
const ROUND: DeliveryRound = { state: 'enabled', url: 'https://example.com/hook', waiting: 0, breakerOpenUntil: null, disabledReason: null, delivered: 3, failed: 1, waitMs: 20 };
const DELETED: DeliveryRound = { ...ROUND, state: 'deleted', url: '', delivered: 0, failed: 0 };

export const WEBHOOK_ENDINGS: readonly Ending[] = [
  {
    workflow: 'webhookDelivery',
    ending: 'deleted',
    script: { deliverWebhooks: [{ ...ROUND, waitMs: 0 }, { ...ROUND, waiting: 7, breakerOpenUntil: '2026-01-01T00:00:30.000Z' }, DELETED] },
    run: async (client: Client) => {
      await hintWebhook(client, 'e1');
      await ended(client.workflow.getHandle(ID));
      return ID;
    },
  },
  {
    workflow: 'webhookDelivery',
    ending: 'disabled-then-hinted-and-deleted',
    script: { deliverWebhooks: [{ ...ROUND, state: 'disabled', disabledReason: 'gone', waitMs: 3_600_000 }, DELETED] },
    run: async (client: Client) => {
      await hintWebhook(client, 'e1');
      await scheduled(client, ID, 'deliverWebhooks', 1);
      await hintWebhook(client, 'e1');
      await ended(client.workflow.getHandle(ID));
      return ID;
    },
  },
  {
    workflow: 'webhookDelivery',
    ending: 'continued-as-new',
    script: { deliverWebhooks: [ROUND] },
    run: async (client: Client) => {
      await hintWebhook(client, 'e1');
      return continued(client, ID);
    },
  },
  {
    workflow: 'webhookDelivery',
    ending: 'canceled',
    script: { deliverWebhooks: [{ ...ROUND, waitMs: 60_000 }] },
    run: async (client: Client) => {
      await hintWebhook(client, 'e1');
      return canceled(client, ID, 'deliverWebhooks');
    },
  },
];
