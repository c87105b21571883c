/** Temporal's test server, which skips hours, with workers of ours that come and go as at a deploy. */
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundle } from '@temporalio/worker';
import path from 'node:path';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { ROOT } from '../support/source-imports';
import { startTestServer } from '../support/temporal-test-server';

export const HOUR_MS = 3_600_000;

export class SkippedHours {
  /** Which build ran each activity. */
  readonly ranOn: string[] = [];
  private leave: (() => Promise<void>) | null = null;

  private constructor(
    readonly environment: TestWorkflowEnvironment,
    private readonly workflowBundle: WorkflowBundle,
    private readonly clock: { ms: number },
  ) {}

  /** `clock` is set to Temporal's before each activity: the hours that it skips have passed for them too. */
  static async open(program: string, clock: { ms: number }): Promise<SkippedHours> {
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
    const environment = await startTestServer(program);
    return new SkippedHours(environment, await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'src', 'workflows', 'index.ts'), logger }), clock);
  }

  async now(): Promise<number> {
    this.clock.ms = await this.environment.currentTimeMs();
    return this.clock.ms;
  }

  /** In half hours: one call that skips many is taken for a dead connection. */
  async pass(hours: number): Promise<void> {
    for (let passed = 0; passed < hours; passed += 0.5) await this.environment.sleep(HOUR_MS / 2);
    await this.now();
  }

  /** A worker of another build takes the place of the one before: what was begun there goes on here. */
  async deploy(buildId: string, activities: object): Promise<void> {
    await this.leave?.();
    const worker = await Worker.create({
      connection: this.environment.nativeConnection,
      taskQueue: TASK_QUEUES.background,
      workflowBundle: this.workflowBundle,
      identity: buildId,
      // The test server keeps a worker's own queue for it when it has left: nobody would ever take the tasks in there.
      maxCachedWorkflows: 0,
      activities: Object.fromEntries(
        Object.entries(activities as Record<string, (input: never) => Promise<unknown>>).map(([name, activity]) => [
          name,
          async (input: never): Promise<unknown> => {
            this.ranOn.push(buildId);
            await this.now();
            return activity(input);
          },
        ]),
      ),
    });
    const running = worker.run();
    this.leave = async () => {
      this.leave = null;
      worker.shutdown();
      await running;
    };
  }

  async close(): Promise<void> {
    await this.leave?.();
    await this.environment.teardown();
    await Runtime.instance().shutdown();
  }
}
