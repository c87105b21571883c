import type { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { OrderIntent } from '../../../src/domain/order';
import { OrderGateway } from '../../../src/temporal/order-gateway';
import { MAX_GROUP_ORDERS, OVERLAP_MOST_MS } from '../../../src/temporal/order-lanes';
import { AT, sampleOrder } from '../domain/order-samples';

/** Temporal as the gateway sees it: each start stays in flight until the test answers it. */
class Starts {
  readonly groups: string[][] = [];
  readonly ids: string[] = [];
  private readonly ends: (() => void)[] = [];

  readonly client = {
    withDeadline: (_at: number, call: () => Promise<unknown>) => call(),
    workflow: {
      executeUpdateWithStart: (_update: unknown, { startWorkflowOperation }: { startWorkflowOperation: { options: { workflowId: string; args: [{ intents: OrderIntent[] }] } } }) => {
        const { workflowId, args } = startWorkflowOperation.options;
        this.ids.push(workflowId);
        this.groups.push(args[0].intents.map((intent) => intent.id));
        return new Promise<void>((resolve) => this.ends.push(resolve));
      },
    },
  } as unknown as Client;

  async answer(index: number): Promise<void> {
    this.ends[index]?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const intent = (id: string, accountId: string, signerId: string): OrderIntent => ({ ...sampleOrder({ id, accountId, clientOrderId: id, venue: 'strict' }), signerId, placeBefore: AT, idempotency: null });

/** A second before the orders' time is up. */
const clock = { nowMs: () => Date.parse(AT) - 1_000 };

// Starts take no time here: how long the next group gathers is the lanes' own test.
beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => void jest.useRealTimers());

describe('where nonces are strict', () => {
  const world = (maxBatchSize = 2) => {
    const starts = new Starts();
    return { starts, gateway: new OrderGateway(starts.client, () => ({ strictNonces: true, maxBatchSize }), clock) };
  };

  test('two accounts of one signer share a lane: the second waits for the first; another signer does not', async () => {
    const { starts, gateway } = world();
    const placed = [gateway.place([intent('a', 'a1', 's1')]), gateway.place([intent('b', 'a2', 's1')]), gateway.place([intent('c', 'a3', 's2')])];
    expect(starts.groups).toEqual([['a'], ['c']]);
    await starts.answer(0);
    expect(starts.groups).toEqual([['a'], ['c'], ['b']]);
    await starts.answer(1);
    await starts.answer(2);
    await Promise.all(placed);
  });

  test('a list longer than one request of the venue goes in groups of that size, one after the other', async () => {
    const { starts, gateway } = world();
    const placed = gateway.place(['a', 'b', 'c', 'd', 'e'].map((id) => intent(id, 'a1', 's1')));
    for (const index of [0, 1, 2]) await starts.answer(index);
    await placed;
    expect(starts.groups).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(starts.ids[0]).toMatch(/^orders\/strict\/s1\//);
  });
});

test('elsewhere a venue has one lane, whoever signs, and a group is as large as it may be', async () => {
  const starts = new Starts();
  const gateway = new OrderGateway(starts.client, () => ({ strictNonces: false, maxBatchSize: 2 }), clock);
  void gateway.place([intent('first', 'a1', 's1')]);
  const placed = gateway.place([intent('a', 'a1', 's1'), intent('b', 'a2', 's2'), intent('c', 'a3', 's3')]);
  await starts.answer(0);
  await starts.answer(1);
  await placed;
  expect(starts.groups).toEqual([['first'], ['a', 'b', 'c']]);
});

describe('orders that wait while Temporal is slow', () => {
  const many = (count: number): OrderIntent[] => Array.from({ length: count }, (_, index) => intent(`e${index}`, 'a1', 's1'));

  test('exits go before the entries that were asked for earlier', async () => {
    const starts = new Starts();
    const gateway = new OrderGateway(starts.client, () => ({ strictNonces: false, maxBatchSize: 2 }), clock);
    void gateway.place([intent('first', 'a1', 's1')]);
    void gateway.place([intent('second', 'a1', 's1')]);
    jest.advanceTimersByTime(OVERLAP_MOST_MS);
    for (const each of many(MAX_GROUP_ORDERS)) void gateway.place([each]);
    void gateway.place([{ ...intent('exit', 'a2', 's2'), reduceOnly: true }]);
    await starts.answer(0);
    expect(starts.groups[2]?.slice(0, 2)).toEqual(['exit', 'e0']);
  });

  test('are not started once the time they had is up by the clock that gave it, and their callers are told so', async () => {
    const starts = new Starts();
    let nowMs = clock.nowMs();
    const gateway = new OrderGateway(starts.client, () => ({ strictNonces: true, maxBatchSize: 2 }), { nowMs: () => nowMs });
    void gateway.place([intent('first', 'a1', 's1')]);
    const late = gateway.place([intent('late', 'a1', 's1')]);
    nowMs = Date.parse(AT);
    const told = expect(late).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'none', message: expect.stringContaining('nothing was sent') });
    await starts.answer(0);
    await told;
    expect(starts.groups).toEqual([['first']]);
  });

  test('are told part by part: of a list over two lanes, and of one longer than a group, each part has its own answer', () => {
    const gateway = new OrderGateway(new Starts().client, (venue) => ({ strictNonces: venue === 'strict', maxBatchSize: 2 }), clock);
    const [a, b, c] = ['a', 'b', 'c'].map((id) => intent(id, 'a1', 's1'));
    const other = { ...intent('other', 'a2', 's2'), venue: 'other' };
    expect(gateway.parts([a, other, b, c] as OrderIntent[])).toEqual([[a, b], [c], [other]]);
  });
});
