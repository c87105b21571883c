/** Starts the workflows of deposits' orders. One that runs already is no error; one that was lost begins where the deposit's row stands. */
import type { Client } from '@temporalio/client';
import type { Deposit } from '../domain/deposit';
import type { FundedOrderInput } from '../workflows/messages';
import { TASK_QUEUES } from './task-queues';
import { ensureGoesOn } from './watching';
import { fundedOrderWorkflowId } from './workflow-ids';

export class FundedOrderGateway {
  constructor(
    private readonly client: Client,
    private readonly waits: FundedOrderInput['waits'],
  ) {}

  async revive({ id, destination }: Pick<Deposit, 'id' | 'destination'>): Promise<void> {
    const order = destination?.order;
    if (order === undefined) return;
    const input: FundedOrderInput = { depositId: id, state: order.state, waits: this.waits };
    await ensureGoesOn(this.client, 'fundedOrder', { workflowId: fundedOrderWorkflowId(id), taskQueue: TASK_QUEUES.background, args: [input], staticSummary: `order list on ${order.list.symbol} once deposit ${id} is at ${order.list.venue}` });
  }
}
