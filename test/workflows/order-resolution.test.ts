import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { ResolutionStep } from '../../src/activities/order-resolver';
import { NO_MEMORY, type ResolutionMemory } from '../../src/domain/resolution';
import { startResolution } from '../../src/temporal/watching';
import { resolutionWorkflowId } from '../../src/temporal/workflow-ids';
import { startHarness, type WorkflowHarness } from './harness';

let harness: WorkflowHarness;
let working: { stop(): Promise<void> } | null = null;
beforeAll(async () => {
  harness = await startHarness();
}, 120_000);
afterEach(async () => {
  await working?.stop();
  working = null;
});
afterAll(() => harness.close());

const pending = (tries: number, finalAbsences = 0): ResolutionStep => ({ kind: 'pending', askAgainInMs: 10, memory: { tries, finalAbsences } });
const settled: ResolutionStep = { kind: 'settled', state: 'WORKING' };

describe('pursuing an order that nobody owns', () => {
  test('asks until it is settled, and hands what it learned from one question to the next', async () => {
    const memories: ResolutionMemory[] = [];
    const answers = [pending(1), pending(2, 1), settled];
    working = await harness.work({
      resolveOrder: async ({ memory }: { memory: ResolutionMemory }) => {
        memories.push(memory);
        return answers.shift();
      },
      resolveMutations: async () => ({ askAgainInMs: null }),
    });
    await startResolution(harness.client, 'o1', 1, 'its owner is not running');
    await harness.client.workflow.getHandle(resolutionWorkflowId('o1', 1)).result();
    expect(memories).toEqual([NO_MEMORY, { tries: 1, finalAbsences: 0 }, { tries: 2, finalAbsences: 1 }]);
  });

  test('then sees to its amends and cancels until they are settled', async () => {
    const asked: string[] = [];
    working = await harness.work({
      resolveOrder: async () => {
        asked.push('order');
        return settled;
      },
      resolveMutations: async () => {
        asked.push('mutations');
        return { askAgainInMs: asked.length < 4 ? 10 : null };
      },
    });
    await startResolution(harness.client, 'o2', 1, 'its cancel is open');
    await harness.client.workflow.getHandle(resolutionWorkflowId('o2', 1)).result();
    expect(asked).toEqual(['order', 'mutations', 'mutations', 'mutations']);
  });

  test('a question that fails is asked again', async () => {
    let failures = 0;
    working = await harness.work({
      resolveOrder: async () => {
        failures += 1;
        if (failures < 3) throw new Error('the database cannot be reached');
        return settled;
      },
      resolveMutations: async () => ({ askAgainInMs: null }),
    });
    await startResolution(harness.client, 'o3', 1, 'its owner is not running');
    await harness.client.workflow.getHandle(resolutionWorkflowId('o3', 1)).result();
    expect(failures).toBe(3);
  });

  test('one number is one execution, however often it is started', async () => {
    let asked = 0;
    working = await harness.work({
      resolveOrder: async () => {
        asked += 1;
        return settled;
      },
      resolveMutations: async () => ({ askAgainInMs: null }),
    });
    await startResolution(harness.client, 'o4', 1, 'its owner is not running');
    await harness.client.workflow.getHandle(resolutionWorkflowId('o4', 1)).result();
    await startResolution(harness.client, 'o4', 1, 'its owner is not running');
    await startResolution(harness.client, 'o4', 2, 'its owner is not running');
    await harness.client.workflow.getHandle(resolutionWorkflowId('o4', 2)).result();
    expect(asked).toBe(2);
  });
});
