/**
 * Whoever asks a workflow something while a local activity of it runs breaks nothing: the task ends at the activity's answer then, and what
 * was decided by it a task later must replay. Of every history, at every such place.
 */
import { bundleWorkflowCode, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import path from 'node:path';
import { ROOT } from '../support/source-imports';
import { answersAmidATask, cutBehind } from './cut-histories';
import { readHistories, readHistoriesBeforeRules, type HistoryFile } from './history-files';
import { beQuiet, replay, silent } from './replaying';

let bundle: WorkflowBundle;

beforeAll(async () => {
  beQuiet();
  bundle = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'src', 'workflows', 'index.ts'), logger: silent });
});
afterAll(() => Runtime.instance().shutdown());

/** Those that do not replay, and how many were tried. */
async function broken(histories: readonly HistoryFile[]): Promise<{ readonly tried: number; readonly failed: readonly string[] }> {
  const cuts = histories.flatMap((file) => answersAmidATask(file.history).map((index) => ({ index, file: cutBehind(file, index) })));
  const results = await replay(bundle, cuts.map(({ file }) => file));
  return { tried: cuts.length, failed: results.flatMap(({ error, file }, n) => (error === null ? [] : [`${file.ending}, behind event ${(cuts[n]?.index ?? 0) + 1}: ${error}`])) };
}

describe('a task that ends at the answer of a local activity', () => {
  const histories = readHistories().filter(({ history }) => answersAmidATask(history).length > 0);

  // One by one: a workflow gains histories with every rule, and a test has a minute.
  test.each(histories.map((file) => [file.workflow, file.ending, file] as const))('%s: %s', async (_workflow, _ending, file) => {
    const { tried, failed } = await broken([file]);
    expect(failed).toEqual([]);
    expect(tried).toBeGreaterThan(0);
  });

  // Why rules are asked at the start: the same cuts spoil executions that asked for them in their places.
  test('would be noticed where a rule is asked behind it', async () => {
    const { failed } = await broken(readHistoriesBeforeRules().filter(({ workflow }) => workflow === 'twap'));
    expect(failed).not.toEqual([]);
  });
});
