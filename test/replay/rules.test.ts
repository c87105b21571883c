/** Each rule that executions go by has a history of one that went by it: whoever drops the rule, or turns it round, is told. */
import { Runtime, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Rule } from '../../src/workflows/rules-of-run';
import { changedWorkflows } from './changed-workflows';
import { readHistories } from './history-files';
import { withMemo } from './history-steps';
import { beQuiet, replay } from './replaying';

/** Workflow and ending; null: it says how long a wait is or how much an order is of, which a replay does not compare. */
const HISTORIES: Readonly<Record<Rule, readonly [workflow: string, ending: string] | null>> = {
  'native-stop-after-amendment': ['conditionalOrder', 'native-stop-taken-after-an-amendment'],
  'what-has-ended-fires-nothing': ['conditionalOrder', 'ended-before-it-fired'],
  'native-stop-of-its-terms': ['conditionalOrder', 'native-stop-of-older-terms-replaced'],
  'amended-once-and-as-answered': ['conditionalOrder', 'amended-while-it-fired-then-filled'],
  'looks-continue-as-new': ['conditionalOrder', 'continued-as-new-before-a-look'],
  'crossings-of-older-terms-fire-nothing': ['conditionalOrder', 'fired-by-older-terms-then-canceled'],
  'ended-orders-are-folded': ['conditionalOrder', 'went-on-with-its-ended-children-folded'],
  'mutations-continue-as-new': ['orderCancellation', 'continued-as-new-while-open'],
  'pending-cancels-are-awaited': ['conditionalOrder', 'cancel-awaited-for-long-then-filled'],
  'exits-of-a-bracket-share-one-room': ['orderList', 'placed-its-target-beside-what-rests'],
  'orders-for-shares-cut-to-the-lot': ['orderList', 'left-an-order-cut-to-the-lot-alone'],
  'restored-databases-get-back': null,
  'knows-better-than-a-restored-row': ['orderList', 'fired-by-older-terms-then-ended'],
  'parts-within-their-share': null,
  'looks-when-due': null,
  'refusals-by-their-reason': ['scale', 'paused-by-the-reason-of-an-earlier-refusal'],
};

const MEMO = 'withoutRule';
const recorded = readHistories();
let bundle: WorkflowBundle;

beforeAll(async () => {
  beQuiet();
  bundle = await changedWorkflows('rules-of-run.ts', (source) =>
    source
      .replace('import { patched }', 'import { patched, workflowInfo }')
      .replace('return (rule) =>', 'const asItIs: RulesOfRun = (rule) =>')
      .replace(/\}\n$/, `  return (rule) => rule !== workflowInfo().memo?.['${MEMO}'] && asItIs(rule);\n}\n`),
  );
});
afterAll(() => Runtime.instance().shutdown());

describe('a history replays by its rules, and not without', () => {
  const told = Object.entries(HISTORIES).flatMap(([rule, history]) => (history === null ? [] : [[rule, ...history] as const]));

  test.each(told)('%s: %s/%s', async (rule, workflow, ending) => {
    const file = recorded.find((each) => each.workflow === workflow && each.ending === ending);
    if (file === undefined) throw new Error('it has no history');
    const results = await replay(bundle, [file, withMemo(file, MEMO, rule)]);
    expect(results.map(({ error }) => error)).toEqual([null, expect.stringMatching(/^(DeterminismViolation|Replay)Error$/)]);
  });
});
