/** The endings of what is done with a deposit's money at its venue. */
import type { Client } from '@temporalio/client';
import type { FundedOrderState } from '../../src/domain/funded-order';
import { FundedOrderGateway } from '../../src/temporal/funded-order-gateway';
import { fundedOrderWorkflowId } from '../../src/temporal/workflow-ids';
import { fundedDeposit } from '../unit/domain/funded-order-samples';
import { continued, ended, type Ending } from './executions';

const DEPOSIT = fundedDeposit();
const WORKFLOW_ID = fundedOrderWorkflowId(DEPOSIT.id);

function ending(name: string, states: readonly FundedOrderState[], until: (client: Client) => Promise<string> = async (client) => (await ended(client.workflow.getHandle(WORKFLOW_ID)), WORKFLOW_ID)): Ending {
  return {
    workflow: 'fundedOrder',
    ending: name,
    script: { lookAtFundedOrder: states },
    run: async (client) => {
      await new FundedOrderGateway(client, { pollMs: 10, maxPollMs: 50 }).revive(DEPOSIT);
      return until(client);
    },
  };
}

export const FUNDED_ORDER_ENDINGS: readonly Ending[] = [
  ending('filled', ['WAITING', 'FUNDED', 'PLACED', 'PLACED', 'FILLED']),
  ending('unfilled', ['FUNDED', 'PLACED', 'UNFILLED']),
  ending('kept', ['FUNDED', 'PLACED', 'KEPT']),
  ending('returned', ['FUNDED', 'RETURNING', 'RETURNING', 'LEFT', 'RETURNED']),
  ending('held', ['FUNDED', 'PLACED', 'RETURNING', 'HELD']),
  ending('not-funded', ['NOT_FUNDED']),
  ending('continued-as-new', ['PLACED'], (client) => continued(client, WORKFLOW_ID)),
];
