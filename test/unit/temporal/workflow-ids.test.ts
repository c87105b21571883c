import { expect, test } from '@jest/globals';
import * as ids from '../../../src/temporal/workflow-ids';

test('workflow ids say what they are for, and no two intents share one', () => {
  const all = [
    ids.orderWorkflowId('a1', 'c1'),
    ids.orderGroupWorkflowId('paper', 'b1'),
    ids.amendmentWorkflowId('o1', 3),
    ids.amendmentWorkflowId('o1', 3, 'f00d'),
    ids.cancellationWorkflowId('o1'),
    ids.resolutionWorkflowId('o1', 2),
    ids.accountWorkflowId('a1'),
    ids.marketWatchWorkflowId('paper'),
    ids.SWEEPER_WORKFLOW_ID,
  ];
  expect(all).toEqual(['order/a1/c1', 'orders/paper/b1', 'amend/o1/3', 'amend/o1/3/f00d', 'cancel/o1', 'resolve/o1/2', 'account/a1', 'market-watch/paper', 'sweeper']);
  expect(new Set(all).size).toBe(all.length);
});
