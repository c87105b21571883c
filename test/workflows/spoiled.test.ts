/** An execution whose history does not fit its code, as one that a worker answered by events which Temporal had lost, is found out and replaced. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { examine, goneBack, HistoryMark, isRunning } from '../../src/temporal/executions';
import { doubtStores, ensureSweeper } from '../../src/temporal/watching';
import { STORE_GUARD_WORKFLOW_ID, SWEEPER_WORKFLOW_ID } from '../../src/temporal/workflow-ids';
import { startHarness, type WorkflowHarness } from './harness';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await startHarness();
}, 120_000);
afterAll(() => harness.close());

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`waited 30 s for ${what}`);
    await setTimeout(100);
  }
}

const swept = { sweepOrders: async () => ({ stuck: 0, resolversStarted: 0 }) };
const run = async (): Promise<string> => (await harness.client.workflow.getHandle(SWEEPER_WORKFLOW_ID).describe()).runId;

test('one that cannot go on is told from one that waits, is ended, and begins anew', async () => {
  await ensureSweeper(harness.client, { intervalMs: 100 });
  const well = await harness.work(swept);
  const handle = harness.client.workflow.getHandle(SWEEPER_WORKFLOW_ID);
  await until('two sweeps', async () => (await handle.describe()).historyLength > 12);
  await well.stop();
  const before = await run();
  // Nobody works: it waits, and that is all.
  expect(await examine(harness.client, SWEEPER_WORKFLOW_ID)).toBe('running');
  await ensureSweeper(harness.client, { intervalMs: 100 });
  expect(await run()).toBe(before);

  const other = await harness.work(swept, undefined, 'test/workflows/other-sweeper.ts');
  await until('its tasks to fail', async () => (await examine(harness.client, SWEEPER_WORKFLOW_ID)) === 'spoiled');
  await other.stop();
  const told: string[] = [];
  expect(await isRunning(harness.client, SWEEPER_WORKFLOW_ID, (id) => told.push(id))).toBe(false);
  expect(told).toEqual([SWEEPER_WORKFLOW_ID]);
  expect(await examine(harness.client, SWEEPER_WORKFLOW_ID)).toBe('gone');

  await ensureSweeper(harness.client, { intervalMs: 100 });
  const again = await harness.work(swept);
  await until('it to sweep again', async () => (await handle.describe()).historyLength > 6);
  await again.stop();
  expect(await run()).not.toBe(before);
  await handle.terminate();
}, 120_000);

test('a history that got shorter, or an execution that is there again, is noticed', async () => {
  const mark = new HistoryMark(harness.client);
  expect(await mark.wentBack()).toBeNull();
  await doubtStores(harness.client, 1_000, 'a test');
  expect(await mark.wentBack()).toBeNull();
  await doubtStores(harness.client, 1_000, 'a test');
  expect(await mark.wentBack()).toBeNull();
  await harness.client.workflow.getHandle(STORE_GUARD_WORKFLOW_ID).terminate();
  expect(await mark.wentBack()).toBeNull();

  const seen = { runId: 'r2', startedMs: 2_000, events: 40 };
  expect(goneBack(seen, { ...seen, events: 41 })).toBeNull();
  expect(goneBack(seen, seen)).toBeNull();
  expect(goneBack(seen, { runId: 'r3', startedMs: 3_000, events: 4 })).toBeNull();
  expect(goneBack(seen, { ...seen, events: 39 })).toContain('it had 40');
  expect(goneBack(seen, { runId: 'r1', startedMs: 1_000, events: 90 })).toContain('is there again');
  expect(goneBack(seen, null)).toContain('forgotten');
});
