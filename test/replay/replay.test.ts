/** Workflows that run while we deploy go on under the new code: every committed history must replay. */
import { bundleWorkflowCode, Runtime, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import path from 'node:path';
import * as workflows from '../../src/workflows';
import { ROOT } from '../support/source-imports';
import { changedWorkflows } from './changed-workflows';
import { ENDINGS } from './endings';
import { readHistories, readHistoriesBeforeRules, type HistoryFile } from './history-files';
import { beQuiet, replay, silent } from './replaying';

const recorded = readHistories();
const beforeRules = readHistoriesBeforeRules();
const histories = [...recorded, ...beforeRules];
let bundle: WorkflowBundle;

beforeAll(async () => {
  beQuiet();
  const workflowsPath = path.join(ROOT, 'src', 'workflows', 'index.ts');
  // As the build does it.
  bundle = await bundleWorkflowCode({ workflowsPath, preloadModules: [workflowsPath], logger: silent });
});
afterAll(() => Runtime.instance().shutdown());

/** The names of those that do not replay, with why. */
async function failures(workflowBundle: WorkflowBundle, files: readonly HistoryFile[]): Promise<string[]> {
  return (await replay(workflowBundle, files)).flatMap(({ file, error }) => (error === null ? [] : [`${file.workflow}/${file.ending}: ${error}`]));
}

/** Each calls what the other did: two activities in the other order. */
function swapped(source: string, one: string, other: string): string {
  return source.replace(new RegExp(`\\b(${one}|${other})(?=\\()`, 'g'), (name) => (name === one ? other : one));
}

describe('every workflow has its histories', () => {
  test.each(Object.keys(workflows).map((workflow) => [workflow]))('%s', (workflow) => {
    expect(histories.filter((history) => history.workflow === workflow).length).toBeGreaterThan(0);
  });

  test('one for each ending that is written down, and none of another', () => {
    const names = (list: readonly { readonly workflow: string; readonly ending: string }[]): string[] => list.map(({ workflow, ending }) => `${workflow}/${ending}`).sort();
    expect(names(recorded)).toEqual(names(ENDINGS));
  });

  test('each is of the workflow it is filed under, and complete', () => {
    const wrong = histories.filter(({ workflow, history }) => {
      const events = history.events ?? [];
      const last = events.at(-1);
      const closes = last?.workflowExecutionCompletedEventAttributes ?? last?.workflowExecutionCanceledEventAttributes ?? last?.workflowExecutionContinuedAsNewEventAttributes;
      return events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name !== workflow || closes == null;
    });
    expect(wrong.map(({ workflow, ending }) => `${workflow}/${ending}`)).toEqual([]);
  });

  test('none of them names a machine', () => {
    const identities = new Set(histories.flatMap(({ history }) => [...JSON.stringify(history).matchAll(/"(?:identity|workerIdentity)":"([^"]*)"/g)].map(([, identity]) => identity)));
    expect([...identities]).toEqual(['recorder']);
  });
});

describe('replay', () => {
  test.each(Object.keys(workflows).map((workflow) => [workflow]))('every committed history of %s replays under the code as it is', async (workflow) => {
    expect(await failures(bundle, histories.filter((history) => history.workflow === workflow))).toEqual([]);
  });

  // Of every workflow and every two steps: reordering.test.ts. This is the same by a change of the code.
  test('two activities in the other order are noticed', async () => {
    const reordered = await changedWorkflows('order.ts', (source) => swapped(source, 'placeOrders', 'sendAttempt'));
    expect((await failures(reordered, histories.filter(({ workflow }) => workflow === 'order'))).length).toBeGreaterThan(0);
  });

  // Whoever takes the earlier way out, or the later one in for all, breaks executions that run: each branch has a history that says so.
  test.each([
    ['strategy.ts', "partsAsBefore = !holds('parts-within-their-share');", 'partsAsBefore = false;'],
    ['strategy.ts', "looksAsBefore: () => !holds('looks-when-due')", 'looksAsBefore: () => false'],
    ['strategy.ts', "isBehind && holds('restored-databases-get-back')", 'isBehind'],
    ['order-list.ts', "isBehind && holds('restored-databases-get-back')", 'isBehind'],
    ['order-list.ts', "holds('exits-of-a-bracket-share-one-room')", 'true'],
    ['conditional-run.ts', "this.holds('native-stop-after-amendment')", 'true'],
    ['conditional-run.ts', "isTerminal(row) && this.holds('what-has-ended-fires-nothing')", 'isTerminal(row)'],
  ])('%s without %s is noticed', async (file, branch, instead) => {
    const other = await changedWorkflows(file, (source) => source.replace(branch, instead));
    const driven = { 'strategy.ts': ['twap', 'chase', 'scale', 'iceberg'], 'order-list.ts': ['orderList'], 'conditional-run.ts': ['conditionalOrder'] }[file] ?? [];
    expect(await failures(other, histories.filter(({ workflow }) => driven.includes(workflow)))).not.toEqual([]);
  });

  test.each([
    ['account', 'account.ts', 'await condition(() => state.mayGoOn, HALTED_LOOK);', ''],
    ['sweeper', 'sweeper.ts', "await sleep(input.intervalMs, { summary: 'until the next sweep' });", 'await sweepOrders();'],
    ['marketWatch', 'market-watch.ts', 'await continueAsNew<typeof marketWatch>(input);', ''],
  ])('a step of %s that is left out or replaced is noticed', async (workflow, file, step, instead) => {
    const other = await changedWorkflows(file, (source) => source.replace(step, instead));
    expect((await failures(other, histories.filter((history) => history.workflow === workflow))).length).toBeGreaterThan(0);
  });
});
