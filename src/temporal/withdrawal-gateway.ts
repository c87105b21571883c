/** Starts withdrawals' workflows and hands them wishes. A workflow that has ended, or was lost, is started again from the withdrawal's row. */
import { isGrpcServiceError, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { DomainError } from '../domain/errors';
import type { Withdrawal, WithdrawalDecision } from '../domain/withdrawal';
import { awaitRecorded, cancelWithdrawal, decideWithdrawal, type WithdrawalInput, type WithdrawalReply } from '../workflows/messages';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { withdrawalWorkflowId } from './workflow-ids';

/** Recording takes milliseconds; a worker that is away is waited for so long, and the workflow goes on without its caller. */
const ANSWER_DEADLINE_MS = 15_000;

export class WithdrawalGateway {
  constructor(
    private readonly client: Client,
    private readonly waits: WithdrawalInput['waits'],
  ) {}

  begin(withdrawal: Withdrawal): Promise<WithdrawalReply> {
    return this.wish(withdrawal, awaitRecorded, []);
  }

  decide(withdrawal: Withdrawal, decision: WithdrawalDecision, note: string, actor: string): Promise<WithdrawalReply> {
    return this.wish(withdrawal, decideWithdrawal, [{ decision, note, actor }]);
  }

  cancel(withdrawal: Withdrawal, actor: string): Promise<WithdrawalReply> {
    return this.wish(withdrawal, cancelWithdrawal, [{ actor }]);
  }

  private async wish<Args extends unknown[]>(withdrawal: Withdrawal, update: UpdateDefinition<WithdrawalReply, Args>, args: Args): Promise<WithdrawalReply> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: WithdrawalInput) => Promise<void>>('withdrawal', {
      workflowId: withdrawalWorkflowId(withdrawal.id),
      taskQueue: TASK_QUEUES.background,
      args: [{ withdrawal, waits: this.waits }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `withdrawal of ${withdrawal.amount} ${withdrawal.token.symbol}`,
    });
    try {
      return await this.client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => this.client.workflow.executeUpdateWithStart(update, { updateId: randomUUID(), args, startWorkflowOperation }));
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error)) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer; read the withdrawal', { outcome: 'unknown', retryAfterSeconds: 1, cause: error });
      throw error;
    }
  }
}
