import { ServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { CollateralGateway } from '../../../src/temporal/collateral-gateway';
import { readHistories } from '../../replay/history-files';
import { defaultPayloadConverter } from '@temporalio/common';

const loadedDataConverter = { payloadConverter: defaultPayloadConverter, failureConverter: {}, payloadCodecs: [] };
const asked: string[] = [];
const deadlines: number[] = [];
const withDeadline = <Answer>(deadline: number | Date, ask: () => Promise<Answer>): Promise<Answer> => (deadlines.push(Number(deadline)), ask());
const gatewayOver = (fetchHistory: () => Promise<unknown>): CollateralGateway =>
  new CollateralGateway({ options: { loadedDataConverter }, withDeadline, workflow: { getHandle: (id: string) => (asked.push(id), { fetchHistory }) } } as unknown as Client);

const histories = readHistories().filter(({ workflow }) => workflow === 'collateralMove');

test.each([
  ['applied', true],
  ['applied-after-a-lost-answer', true],
  ['unresolved', true],
  ['recorded-before', true],
  ['refused', true],
  ['never-recorded', false],
])('Temporal remembers of a move that ended %s whether it was recorded: %s', async (ending, recorded) => {
  const found = histories.find((each) => each.ending === ending);
  expect(found).toBeDefined();
  expect(await gatewayOver(async () => found?.history).wasRecorded('m1')).toBe(recorded);
  expect(asked.at(-1)).toBe('collateral-move/m1');
  // Its caller waits: for no longer than for the move itself.
  expect((deadlines.at(-1) ?? Infinity) - Date.now()).toBeLessThanOrEqual(15_000);
});

test('one that is being recorded, or that Temporal does not know, is none; silence is no answer', async () => {
  expect(await gatewayOver(async () => ({ events: histories[0]?.history.events?.slice(0, 2) })).wasRecorded('m1')).toBe(false);
  expect(await gatewayOver(() => Promise.reject(new WorkflowNotFoundError('gone', 'm1', undefined))).wasRecorded('m1')).toBe(false);
  const silence = new ServiceError('no history', { cause: Object.assign(new Error('refused'), { code: 14, details: 'connect ECONNREFUSED', metadata: {} }) });
  await expect(gatewayOver(() => Promise.reject(silence)).wasRecorded('m1')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'none' });
});
