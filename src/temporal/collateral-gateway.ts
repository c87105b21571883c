/** Starts the workflows of collateral moves. One that has ended, or was lost, is started again from the move's row. */
import type { Client } from '@temporalio/client';
import { moveSummary, type CollateralMove, type MoveReply } from '../domain/collateral-move';
import { awaitMove, type CollateralMoveInput } from '../workflows/messages';
import { TASK_QUEUES } from './task-queues';
import { ensureGoesOn } from './watching';
import { wish } from './wishes';
import { collateralMoveWorkflowId } from './workflow-ids';

/** The venue answers in a second; a worker that is away is waited for so long, and the workflow goes on without its caller. */
const ANSWER_DEADLINE_MS = 15_000;
/** What could not be recorded by then never is: its caller was told so, or gave up before. */
const RECORD_WITHIN_MS = 12_000;

export class CollateralGateway {
  constructor(private readonly client: Client) {}

  begin(move: CollateralMove): Promise<MoveReply> {
    return wish(this.client, { type: 'collateralMove', workflowId: collateralMoveWorkflowId(move.id), input: inputOf(move), summary: moveSummary(move), deadlineMs: ANSWER_DEADLINE_MS }, awaitMove, []);
  }

  /** Of one that is recorded: one that runs goes on, one that cannot is replaced. */
  ensure(move: CollateralMove): Promise<void> {
    return ensureGoesOn(this.client, 'collateralMove', { workflowId: collateralMoveWorkflowId(move.id), taskQueue: TASK_QUEUES.background, args: [inputOf(move)], staticSummary: moveSummary(move) });
  }
}

function inputOf(move: CollateralMove): CollateralMoveInput {
  return { move, recordBeforeMs: Date.parse(move.createdAt) + RECORD_WITHIN_MS };
}
