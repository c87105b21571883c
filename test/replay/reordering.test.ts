/**
 * Whoever puts two steps of a workflow into another order is told before running executions meet it: every two neighbouring steps of
 * every committed history are exchanged, in each history where they are neighbours, and each of these replays must be refused.
 */
import { bundleWorkflowCode, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import path from 'node:path';
import * as workflows from '../../src/workflows';
import { ROOT } from '../support/source-imports';
import { readHistories, type HistoryFile } from './history-files';
import { exchanging, neighbours, stepsOf, type Pair } from './history-steps';
import { beQuiet, replay, silent } from './replaying';

/** These have one step only, so there is none to exchange it with: a timer in its place must be noticed instead. */
const ONE_STEP: Readonly<Record<string, string>> = {
  marketWatch: 'one activity that holds the streams of a venue until the history is long; then it continues as new',
  chainWatch: 'one activity that reads a chain until the history is long; then it continues as new',
  retention: 'one activity, again until nothing is left to delete; its pause is the schedule',
};

const histories = readHistories();

interface Exchange {
  readonly file: HistoryFile;
  readonly pair: Pair;
}

/** Each pair of neighbours in each history of the workflow; where it has one step only, that step and a timer. */
function exchangesOf(workflow: string): Exchange[] {
  return histories.filter((file) => file.workflow === workflow).flatMap((file) => {
    const [only] = stepsOf(file.history);
    const pairs = workflow in ONE_STEP && only !== undefined ? [[only, 'timer'] as const] : neighbours(file.history);
    return pairs.map((pair) => ({ file, pair }));
  });
}

let bundle: WorkflowBundle;

beforeAll(async () => {
  beQuiet();
  bundle = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'src', 'workflows', 'index.ts'), workflowInterceptorModules: [path.join(__dirname, 'exchanged-steps.ts')], logger: silent });
});
afterAll(() => Runtime.instance().shutdown());

test('where nothing is exchanged, all replay', async () => {
  const failed = (await replay(bundle, histories)).filter(({ error }) => error !== null);
  expect(failed.map(({ file, error }) => `${file.workflow}/${file.ending}: ${error}`)).toEqual([]);
});

test('every workflow has two steps to exchange, or says why not', () => {
  const without = Object.keys(workflows).filter((workflow) => histories.every((file) => file.workflow !== workflow || neighbours(file.history).length === 0));
  expect(without.sort()).toEqual(Object.keys(ONE_STEP).sort());
});

describe('two neighbouring steps in the other order, or another step in place of the only one, are noticed', () => {
  test.each(Object.keys(workflows).map((workflow) => [workflow]))('%s', async (workflow) => {
    const exchanges = exchangesOf(workflow);
    const results = await replay(bundle, exchanges.map(({ file, pair }) => exchanging(file, pair)));
    const unnoticed = results.flatMap(({ error, file }, index) => (error === 'DeterminismViolationError' ? [] : [`${file.ending}: ${exchanges[index]?.pair.join(' | ')}: ${error ?? 'replays'}`]));
    expect(exchanges.length).toBeGreaterThan(0);
    expect(unnoticed).toEqual([]);
  });
});
