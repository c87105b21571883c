/** Starts deposits' workflows and hands them wishes. A workflow that has ended, or was lost, is started again from the deposit's row. */
import type { Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import type { Deposit, Hex } from '../domain/deposit';
import type { DepositDecision } from '../domain/deposit-state';
import { awaitQuote, cancelDeposit, decideDeposit, requoteDeposit, submitTransaction, type ChainWatchInput, type DepositInput, type DepositReply, type DepositWaits } from '../workflows/messages';
import { TASK_QUEUES } from './task-queues';
import { chainWatchWorkflowId, depositWorkflowId } from './workflow-ids';
import { ensure, ensureGoesOn } from './watching';
import { wish } from './wishes';

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

  /** Starts its workflow where it was lost, or cannot go on: it begins where the row stands. */
  revive(deposit: Deposit): Promise<void> {
    const input: DepositInput = { deposit, waits: this.waits };
    return ensureGoesOn(this.client, 'deposit', { workflowId: depositWorkflowId(deposit.id), taskQueue: TASK_QUEUES.background, args: [input], staticSummary: summaryOf(deposit) });
  }

  private wish<Args extends unknown[]>(deposit: Deposit, update: UpdateDefinition<DepositReply, Args>, args: Args): Promise<DepositReply> {
    const input: DepositInput = { deposit, waits: this.waits };
    return wish(this.client, { type: 'deposit', workflowId: depositWorkflowId(deposit.id), input, summary: summaryOf(deposit), deadlineMs: ANSWER_DEADLINE_MS }, update, args);
  }
}

function summaryOf({ amount, from }: Deposit): string {
  return `deposit of ${amount} ${from.symbol}`;
}

export async function ensureChainWatched(client: Client, chainId: number): Promise<void> {
  const input: ChainWatchInput = { chainId };
  await ensure(client, 'chainWatch', { workflowId: chainWatchWorkflowId(chainId), taskQueue: TASK_QUEUES.accounts, args: [input], staticSummary: `deposits on chain ${chainId}` });
}
