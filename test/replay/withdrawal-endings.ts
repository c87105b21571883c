/** The endings of withdrawals. */
import type { Client } from '@temporalio/client';
import { WithdrawalGateway } from '../../src/temporal/withdrawal-gateway';
import { withdrawalWorkflowId } from '../../src/temporal/workflow-ids';
import type { WithdrawalState } from '../../src/domain/withdrawal';
import { withdrawalSample } from '../unit/domain/withdrawal-samples';
import { continued, ended, type Ending } from './executions';
import type { Script } from './scripted-activities';

const WITHDRAWAL = withdrawalSample({ approveBefore: '2099-01-01T00:00:00.000Z' });
const WORKFLOW_ID = withdrawalWorkflowId(WITHDRAWAL.id);
const WAITS = { pollMs: 10, maxPollMs: 50 };
const now = (state: WithdrawalState) => [{ state, refused: null }] as const;

/** It begins APPROVED: the approval is its deposit's request. Nobody waits for it, so it is started as the deposit's workflow does. */
function funding(name: string, script: Script): Ending {
  return {
    workflow: 'withdrawal',
    ending: name,
    script: { beginWithdrawal: now('APPROVED'), ...script },
    run: async (client) => {
      await new WithdrawalGateway(client, WAITS).revive(withdrawalSample({ state: 'APPROVED', requestedBy: 'deposit', funding: { depositId: 'd-1', accountId: 'a-1' }, approveBefore: '2026-01-01T00:00:00.000Z' }));
      await ended(client.workflow.getHandle(WORKFLOW_ID));
      return WORKFLOW_ID;
    },
  };
}

function ending(name: string, script: Script, act: (gateway: WithdrawalGateway, client: Client) => Promise<string | void>, withdrawal = WITHDRAWAL): Ending {
  return {
    workflow: 'withdrawal',
    ending: name,
    script,
    run: async (client) => {
      const gateway = new WithdrawalGateway(client, WAITS);
      await gateway.begin(withdrawal);
      const id = await act(gateway, client);
      if (typeof id === 'string') return id;
      await ended(client.workflow.getHandle(WORKFLOW_ID));
      return WORKFLOW_ID;
    },
  };
}

const waiting = { beginWithdrawal: now('AWAITING_APPROVAL') } as const;
const approved = { ...waiting, noteWithdrawalDecision: now('APPROVED') } as const;
const approve = async (gateway: WithdrawalGateway): Promise<void> => void (await gateway.decide(WITHDRAWAL, 'approve', 'known', 'key:approves'));

export const WITHDRAWAL_ENDINGS: readonly Ending[] = [
  ending('completed', { ...approved, lookAtWithdrawal: ['SIGNED', 'SUBMITTED', 'SUBMITTED', 'COMPLETED'] }, approve),
  ending('failed', { ...approved, lookAtWithdrawal: ['SUBMITTED', 'FAILED'] }, approve),
  ending('refused', { ...waiting, noteWithdrawalDecision: now('REFUSED') }, async (gateway) => void (await gateway.decide(WITHDRAWAL, 'refuse', 'nobody asked for it', 'key:approves'))),
  ending('called-off', { ...waiting, callOffWithdrawal: now('CANCELED') }, async (gateway) => void (await gateway.cancel(WITHDRAWAL, 'key:asks'))),
  ending('never-recorded', { beginWithdrawal: [{ state: 'FAILED', refused: { code: 'INSUFFICIENT_BALANCE', message: 'the wallet has 1 USDC, not 40', details: {} } }] }, async () => undefined),
  ending('expired', { ...waiting, expireWithdrawal: ['EXPIRED'] }, async () => undefined, withdrawalSample({ approveBefore: '2026-01-01T00:00:00.000Z' })),
  funding('funding-completed', { lookAtWithdrawal: ['APPROVED', 'SIGNED', 'SUBMITTED', 'COMPLETED'] }),
  funding('funding-refused', { lookAtWithdrawal: ['FAILED'] }),
  ending('continued-as-new', { ...approved, lookAtWithdrawal: ['SUBMITTED'] }, async (gateway, client) => {
    const next = continued(client, WORKFLOW_ID);
    await approve(gateway);
    return next;
  }),
];
