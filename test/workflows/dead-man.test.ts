import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { HeartbeatStep } from '../../src/activities/kill-switch-activities';
import { ensureDeadMan } from '../../src/temporal/supervising';
import { deadManWorkflowId } from '../../src/temporal/workflow-ids';
import { startHarness, type WorkflowHarness } from './harness';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await startHarness();
}, 120_000);
afterAll(() => harness.close());

test('a dead-man switch hands each look what the one before saw of it: that is what is left where its database loses it', async () => {
  const seen = { timeoutMs: 1_000, beatAt: '2026-01-01T00:00:00.000Z' };
  const asked: unknown[] = [];
  const steps: HeartbeatStep[] = [{ expiresAtMs: 1, cancel: [], seen }, { expiresAtMs: 1, cancel: [] }, { expiresAtMs: null, cancel: [] }];
  const working = await harness.work({
    checkHeartbeat: async (input: unknown) => {
      asked.push(input);
      return steps.shift();
    },
  });
  await ensureDeadMan(harness.client, 'a1');
  await harness.client.workflow.getHandle(deadManWorkflowId('a1')).result();
  await working.stop();
  expect(asked).toEqual([{ accountId: 'a1' }, { accountId: 'a1', seen }, { accountId: 'a1' }]);
});
