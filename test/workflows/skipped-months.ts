/** Temporal's test server, which skips months, for workflows of the orders' queue: their activities are what a test says, by its clock. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import path from 'node:path';
import searchAttributes from '../../temporal/search-attributes.json';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { ROOT } from '../support/source-imports';
import { startTestServer } from '../support/temporal-test-server';

/** Of temporal.api.enums.v1.IndexedValueType. */
const [KEYWORD, KEYWORD_LIST] = [2, 7];
export const DAY_MS = 86_400_000;
/** The server suggests to continue as new a little above 4,096 events; Temporal ends a workflow at 51,200. */
export const LONGEST_HISTORY = 4_400;

type Activities = Readonly<Record<string, (input: never) => Promise<unknown>>>;

export interface SkippedLife {
  readonly result: unknown;
  readonly days: number;
  readonly beganMs: number;
  /** How long the history of each execution is, where it continued as new. */
  readonly events: readonly number[];
}

export class SkippedMonths {
  private constructor(
    private readonly environment: TestWorkflowEnvironment,
    private readonly workflowBundle: WorkflowBundle,
  ) {}

  static async open(program: string): Promise<SkippedMonths> {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'src', 'workflows', 'index.ts'), logger });
    const environment = await startTestServer(program);
    // Without them a task that says its state fails, is tried again, and time stands still.
    await environment.connection.operatorService.addSearchAttributes({ namespace: environment.namespace ?? 'default', searchAttributes: Object.fromEntries(searchAttributes.map(({ name, type }) => [name, type === 'KeywordList' ? KEYWORD_LIST : KEYWORD])) });
    return new SkippedMonths(environment, workflowBundle);
  }

  nowMs(): Promise<number> {
    return this.environment.currentTimeMs();
  }

  /** Runs it to its end; the world's activities are made for the time it begins at. */
  async live(type: string, workflowId: string, args: readonly [unknown], activities: Activities): Promise<SkippedLife> {
    const beganMs = await this.nowMs();
    const worker = await Worker.create({ connection: this.environment.nativeConnection, taskQueue: TASK_QUEUES.orders, workflowBundle: this.workflowBundle, activities });
    const handle = await this.environment.client.workflow.start(type, { workflowId, taskQueue: TASK_QUEUES.orders, args: [...args] });
    const result: unknown = await worker.runUntil(() => handle.result());
    return { result, days: ((await this.nowMs()) - beganMs) / DAY_MS, beganMs, events: await this.eventsOf(workflowId, handle.firstExecutionRunId) };
  }

  private async eventsOf(workflowId: string, firstRunId: string): Promise<readonly number[]> {
    const counts: number[] = [];
    for (let runId: string | null | undefined = firstRunId; runId; ) {
      const { events } = await this.environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
      counts.push(events?.length ?? 0);
      runId = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
    return counts;
  }

  async close(): Promise<void> {
    await this.environment.teardown();
    await Runtime.instance().shutdown();
  }
}
