/** Starts the workflows of collateral moves. One that has ended, or was lost, is started again from the move's row. */
import type { Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import { DomainError } from '../domain/errors';
import { moveSummary, type CollateralMove, type MoveReply } from '../domain/collateral-move';
import { awaitMove, type CollateralMoveInput } from '../workflows/messages';
import { TASK_QUEUES } from './task-queues';
import { isGone, isSilence } from './update-with-start';
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

  /**
   * Whether a move of this id was recorded, as far as Temporal remembers. Where it has no row a restored database has lost it: its nonce and its bytes
   * with it, and what became of it only its venue knows. Throws SERVICE_UNAVAILABLE where Temporal does not answer.
   */
  async wasRecorded(moveId: string): Promise<boolean> {
    try {
      const { events } = await this.client.withDeadline(Date.now() + ANSWER_DEADLINE_MS, () => this.client.workflow.getHandle(collateralMoveWorkflowId(moveId)).fetchHistory());
      // Recording is the first thing that each of its runs does.
      const first = (events ?? []).find((event) => event.activityTaskCompletedEventAttributes != null)?.activityTaskCompletedEventAttributes?.result?.payloads;
      if (first == null) return false;
      const [reply] = (await decodeArrayFromPayloads(this.client.options.loadedDataConverter, first)) as [MoveReply];
      return reply.refused === null;
    } catch (error) {
      if (isGone(error)) return false;
      if (isSilence(error)) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer; nothing was sent', { retryAfterSeconds: 1, cause: error });
      throw error;
    }
  }

  /** Of one that is recorded: one that runs goes on, one that cannot is replaced. */
  ensure(move: CollateralMove): Promise<void> {
    return ensureGoesOn(this.client, 'collateralMove', { workflowId: collateralMoveWorkflowId(move.id), taskQueue: TASK_QUEUES.background, args: [inputOf(move)], staticSummary: moveSummary(move) });
  }
}

function inputOf(move: CollateralMove): CollateralMoveInput {
  return { move, recordBeforeMs: Date.parse(move.createdAt) + RECORD_WITHIN_MS };
}
