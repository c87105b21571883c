import { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { EncryptingCodec, payloadConversion } from '../../src/temporal/payload-codec';
import { startResolution } from '../../src/temporal/watching';
import { resolutionWorkflowId } from '../../src/temporal/workflow-ids';
import { startHarness, type WorkflowHarness } from './harness';

const CANARY = 'canary-order-7';

let harness: WorkflowHarness;
beforeAll(async () => {
  harness = await startHarness();
}, 120_000);
afterAll(() => harness.close());

/** Every byte string in it. The workflow's id and search attributes are text, and stay readable: they must never be secret. */
function bytesIn(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(bytesIn) : [];
}

test('with a key, nothing of a workflow is readable at Temporal: not its input, its activities\' answers or its summary', async () => {
  const codec = new EncryptingCodec([randomBytes(32)], 'default');
  const client = new Client({ connection: harness.client.connection, ...payloadConversion(codec) });
  const given: unknown[] = [];
  const working = await harness.work(
    {
      resolveOrder: async (input: unknown) => {
        given.push(input);
        return { kind: 'settled', state: CANARY };
      },
      resolveMutations: async () => ({ askAgainInMs: null }),
    },
    codec,
  );
  await startResolution(client, CANARY, 1, `because of ${CANARY}`);
  await client.workflow.getHandle(resolutionWorkflowId(CANARY, 1)).result();
  await working.stop();
  expect(given).toEqual([{ orderId: CANARY, memory: expect.anything() }]);
  const { events } = await harness.client.workflow.getHandle(resolutionWorkflowId(CANARY, 1)).fetchHistory();
  const payloads = bytesIn(events);
  expect(payloads.length).toBeGreaterThan(2);
  expect(payloads.filter((bytes) => Buffer.from(bytes).includes(CANARY))).toEqual([]);
}, 60_000);
