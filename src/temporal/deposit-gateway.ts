/** Starts deposits' workflows and hands them wishes. A workflow that has ended, or was lost, is started again from the deposit's row. */
import { isGrpcServiceError, WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import type { Deposit, Hex } from '../domain/deposit';
import type { DepositDecision } from '../domain/deposit-state';
import { DomainError } from '../domain/errors';
import { awaitQuote, cancelDeposit, decideDeposit, requoteDeposit, submitTransaction, type ChainWatchInput, type DepositInput, type DepositReply, type DepositWaits } from '../workflows/messages';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { chainWatchWorkflowId, depositWorkflowId } from './workflow-ids';
import { ensure } from './watching';

/** A quote takes a bridge seconds; the workflow goes on without its caller. */
const ANSWER_DEADLINE_MS = 30_000;

export class DepositGateway {
  constructor(
    private readonly client: Client,
    private readonly waits: DepositWaits,
  ) {}

  begin(deposit: Deposit): Promise<DepositReply> {
    return this.wish(deposit, awaitQuote, []);
  }

  submit(deposit: Deposit, hash: Hex): Promise<DepositReply> {
    return this.wish(deposit, submitTransaction, [{ hash }]);
  }

  requote(deposit: Deposit): Promise<DepositReply> {
    return this.wish(deposit, requoteDeposit, []);
  }

  cancel(deposit: Deposit): Promise<DepositReply> {
    return this.wish(deposit, cancelDeposit, []);
  }

  decide(deposit: Deposit, decision: DepositDecision, note: string, actor: string): Promise<DepositReply> {
    return this.wish(deposit, decideDeposit, [{ decision, note, actor }]);
  }

  private async wish<Args extends unknown[]>(deposit: Deposit, update: UpdateDefinition<DepositReply, Args>, args: Args): Promise<DepositReply> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: DepositInput) => Promise<void>>('deposit', {
      workflowId: depositWorkflowId(deposit.id),
      taskQueue: TASK_QUEUES.background,
      args: [{ deposit, waits: this.waits }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `deposit of ${deposit.amount} ${deposit.from.symbol}`,
    });
    try {
      return await this.client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => this.client.workflow.executeUpdateWithStart(update, { updateId: randomUUID(), args, startWorkflowOperation }));
    } catch (error) {
      if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || isGrpcServiceError(error)) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer; read the deposit', { outcome: 'unknown', retryAfterSeconds: 1, cause: error });
      throw error;
    }
  }
}

export async function ensureChainWatched(client: Client, chainId: number): Promise<void> {
  const input: ChainWatchInput = { chainId };
  await ensure(client, 'chainWatch', { workflowId: chainWatchWorkflowId(chainId), taskQueue: TASK_QUEUES.accounts, args: [input], staticSummary: `deposits on chain ${chainId}` });
}
