/** What an ending is, and how the executions that lead to it are driven and awaited. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { Script } from './scripted-activities';

export interface Ending {
  /** The workflow type. */
  readonly workflow: string;
  readonly ending: string;
  readonly script: Script;
  /** Starts it as the product does, and does what leads to the ending. The id of the execution whose history is kept. */
  run(client: Client): Promise<string>;
}

/** Waits for the execution's end, however it ends. */
export async function ended(handle: WorkflowHandle): Promise<void> {
  await handle.result().catch(() => undefined);
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(20);
}

/** Until the history holds so many activities of that type that were scheduled. */
export async function scheduled(client: Client, workflowId: string, type: string, times: number): Promise<void> {
  await until(async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === type).length >= times;
  });
}

/** Until it has started so many children of this type. */
export async function begot(client: Client, workflowId: string, type: string, times: number): Promise<void> {
  await until(async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).filter((event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowType?.name === type).length >= times;
  });
}

/** Canceled in Temporal while it waits: once it has set a timer, or, without one, once its first activities are done. */
export async function canceledWaiting(client: Client, workflowId: string): Promise<string> {
  const handle = client.workflow.getHandle(workflowId);
  await until(async () => ((await handle.fetchHistory()).events ?? []).some((event) => event.timerStartedEventAttributes != null || event.markerRecordedEventAttributes != null));
  await handle.cancel();
  await ended(handle);
  return workflowId;
}

/** The first execution of a chain: it continued as new, and its successor is ended. */
export async function continued(client: Client, workflowId: string): Promise<string> {
  const first = (await client.workflow.getHandle(workflowId).describe()).runId;
  await until(async () => (await client.workflow.getHandle(workflowId).describe()).runId !== first);
  await client.workflow.getHandle(workflowId).terminate('recorded');
  return `${workflowId} ${first}`;
}

export async function canceled(client: Client, workflowId: string, activity: string): Promise<string> {
  await scheduled(client, workflowId, activity, 1);
  await client.workflow.getHandle(workflowId).cancel();
  await ended(client.workflow.getHandle(workflowId));
  return workflowId;
}
