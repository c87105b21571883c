/** What an execution is worth: whether it runs, and whether it still can. */
import { WorkflowNotFoundError, type Client, type WorkflowExecutionDescription } from '@temporalio/client';
import { STORE_GUARD_WORKFLOW_ID } from './workflow-ids';

/**
 * spoiled: its history does not fit its code, so no workflow task of it can ever be completed. That is what remains where a worker
 * answered by events which Temporal had lost.
 */
export type ExecutionState = 'running' | 'gone' | 'spoiled';

/** Tasks that failed one after the other, before the history is looked at: the first may be of a worker that was about to leave. */
const FAILED_IN_A_ROW = 3;
/** The newest events: a failed task is the last that such a history tells, before its next task. */
const EVENTS_LOOKED_AT = 10;

/** temporal.api.enums.v1.WorkflowTaskFailedCause. */
const NON_DETERMINISTIC_ERROR = 24;

/** An execution that does not exist is gone. */
export async function examine(client: Client, workflowId: string): Promise<ExecutionState> {
  const found = await described(client, workflowId);
  if (found === null || found.status.name !== 'RUNNING') return 'gone';
  return (found.raw.pendingWorkflowTask?.attempt ?? 0) >= FAILED_IN_A_ROW && (await endsInNondeterminism(client, workflowId, found.runId)) ? 'spoiled' : 'running';
}

/**
 * The same, and ends it where it is spoiled: what it was for stands in PostgreSQL, and is begun anew from there. Only for workflows of
 * which that is true.
 */
export async function isRunning(client: Client, workflowId: string, onSpoiled: (workflowId: string) => void = () => undefined): Promise<boolean> {
  const state = await examine(client, workflowId);
  if (state === 'spoiled') {
    onSpoiled(workflowId);
    await endWorkflow(client, workflowId, SPOILED);
  }
  return state === 'running';
}

/** Why such an execution was ended, for operators. */
const SPOILED = 'its history does not fit its code any more: Temporal lost events that a worker had answered; it is begun anew from PostgreSQL';

/** Ends a workflow that has nothing left to do, or can do nothing. */
export async function endWorkflow(client: Client, workflowId: string, reason: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).terminate(reason);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function described(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

async function endsInNondeterminism({ workflowService, options }: Client, workflowId: string, runId: string): Promise<boolean> {
  const { history } = await workflowService.getWorkflowExecutionHistoryReverse({ namespace: options.namespace, execution: { workflowId, runId }, maximumPageSize: EVENTS_LOOKED_AT });
  for (const event of history?.events ?? []) {
    if (event.workflowTaskCompletedEventAttributes) return false;
    if (event.workflowTaskFailedEventAttributes) return Number(event.workflowTaskFailedEventAttributes.cause) === NON_DETERMINISTIC_ERROR;
  }
  return false;
}

/** Where the guard's history was, which only grows: it is written to on every beat. */
interface Place {
  readonly runId: string;
  readonly startedMs: number;
  readonly events: number;
}

/** Notices that Temporal's store went back: the guard's history is shorter than this process has seen it. */
export class HistoryMark {
  private seen: Place | null = null;

  constructor(private readonly client: Client) {}

  /** Why it did, in words; null: not as far as this can tell. Rejects while Temporal is away. */
  async wentBack(): Promise<string | null> {
    const found = await described(this.client, STORE_GUARD_WORKFLOW_ID);
    const { seen } = this;
    this.seen = found === null ? null : { runId: found.runId, startedMs: found.startTime.getTime(), events: found.historyLength };
    return seen === null ? null : goneBack(seen, this.seen);
  }
}

export function goneBack(seen: Place, now: Place | null): string | null {
  if (now === null) return 'Temporal has forgotten the store guard, which was there';
  if (now.runId === seen.runId) return now.events < seen.events ? `the store guard's history has ${now.events} events, it had ${seen.events}` : null;
  return now.startedMs < seen.startedMs ? 'an earlier execution of the store guard is there again' : null;
}
