/** Starts withdrawals' workflows and hands them wishes. A workflow that has ended, or was lost, is started again from the withdrawal's row. */
import type { Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { Withdrawal, WithdrawalDecision } from '../domain/withdrawal';
import { awaitRecorded, cancelWithdrawal, decideWithdrawal, type WithdrawalInput, type WithdrawalReply } from '../workflows/messages';
import { TASK_QUEUES } from './task-queues';
import { ensureGoesOn } from './watching';
import { wish } from './wishes';
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

  /** Starts its workflow where it was lost, or cannot go on: it begins where the row stands. */
  revive(withdrawal: Withdrawal): Promise<void> {
    const input: WithdrawalInput = { withdrawal, waits: this.waits };
    return ensureGoesOn(this.client, 'withdrawal', { workflowId: withdrawalWorkflowId(withdrawal.id), taskQueue: TASK_QUEUES.background, args: [input], staticSummary: summaryOf(withdrawal) });
  }

  private wish<Args extends unknown[]>(withdrawal: Withdrawal, update: UpdateDefinition<WithdrawalReply, Args>, args: Args): Promise<WithdrawalReply> {
    const input: WithdrawalInput = { withdrawal, waits: this.waits };
    return wish(this.client, { type: 'withdrawal', workflowId: withdrawalWorkflowId(withdrawal.id), input, summary: summaryOf(withdrawal), deadlineMs: ANSWER_DEADLINE_MS }, update, args);
  }
}

function summaryOf({ amount, token }: Withdrawal): string {
  return `withdrawal of ${amount} ${token.symbol}`;
}
