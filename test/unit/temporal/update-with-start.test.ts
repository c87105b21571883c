import { ServiceError, WorkflowNotFoundError, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { describe, expect, test } from '@jest/globals';
import type { OrderIntent } from '../../../src/domain/order';
import { OrderGateway } from '../../../src/temporal/order-gateway';
import { orUnavailable } from '../../../src/temporal/supervising';
import { awaitQuote } from '../../../src/workflows/messages';
import { wish } from '../../../src/temporal/wishes';
import { AT, sampleOrder } from '../domain/order-samples';

/** As the client hands on what the server says: with its code. */
const said = (code: number, details: string): Error => Object.assign(new Error(details), { code, details, metadata: {} });
const CLOSING = said(5, 'workflow execution already completed');
const REFUSED = new ServiceError('Update-With-Start failed', { cause: said(14, 'connect ECONNREFUSED 127.0.0.1:7233') });

interface Asked {
  readonly updateId: string;
  readonly startWorkflowOperation: object;
}

/** A server that says these things, one a call, and the last for ever. */
function server(...answers: readonly (Error | string)[]): { readonly client: Client; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const client = {
    withDeadline: (_at: number, call: () => Promise<unknown>) => call(),
    workflow: {
      executeUpdateWithStart: async (_update: unknown, options: Asked) => {
        asked.push(options);
        const answer = answers[Math.min(asked.length, answers.length) - 1];
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  };
  return { client: client as unknown as Client, asked };
}

const intent: OrderIntent = { ...sampleOrder({ id: 'a', accountId: 'a1', clientOrderId: 'a' }), signerId: 's', placeBefore: AT, idempotency: null };
const placed = (client: Client): Promise<void> => new OrderGateway(client, () => ({ strictNonces: false, maxBatchSize: 10 }), { nowMs: () => 0 }).place([intent]);
const asking = (client: Client): Promise<unknown> => wish(client, { type: 'deposit', workflowId: 'deposit/1', input: {}, summary: '', deadlineMs: 1_000 }, awaitQuote, []);

describe('an update that meets its workflow as it closes', () => {
  test('is asked once more, under the same id: an order that has its answer by then is answered', async () => {
    const { client, asked } = server(CLOSING, new WorkflowExecutionAlreadyStartedError('it has ended', 'order/a1/a', 'order'));
    await placed(client);
    expect(asked.map(({ updateId }) => updateId)).toEqual(['a', 'a']);
    expect(new Set(asked.map(({ startWorkflowOperation }) => startWorkflowOperation)).size).toBe(2);
  });

  test('is asked of the next execution where there may be one', async () => {
    const { client, asked } = server(CLOSING, new WorkflowNotFoundError('it is gone', 'deposit/1', undefined), 'quoted');
    expect(await asking(client)).toBe('quoted');
    expect(new Set(asked.map(({ updateId }) => updateId)).size).toBe(1);
  });

  test('and meets it each time is told that Temporal did not answer', async () => {
    const { client, asked } = server(CLOSING);
    await expect(placed(client)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE', outcome: 'unknown', retryable: true });
    expect(asked).toHaveLength(3);
  });
});

describe('a caller whom Temporal gives no answer is told to ask again, with the same ids', () => {
  const code = 'SERVICE_UNAVAILABLE';
  test.each([
    ['no connection', REFUSED],
    ['a deadline that passed', new WorkflowUpdateRPCTimeoutOrCancelledError('DEADLINE_EXCEEDED')],
    ['a server that is overloaded', said(8, 'namespace rate limit exceeded')],
  ])('%s', async (_what, error) => {
    await expect(placed(server(error).client)).rejects.toMatchObject({ code, outcome: 'unknown' });
    await expect(asking(server(error).client)).rejects.toMatchObject({ code, outcome: 'unknown' });
    await expect(orUnavailable(() => Promise.reject(error))).rejects.toMatchObject({ code, outcome: 'applied' });
  });

  test('an error of ours is no silence', async () => {
    const bug = new TypeError('x is not a function');
    await expect(placed(server(bug).client)).rejects.toBe(bug);
    await expect(orUnavailable(() => Promise.reject(bug))).rejects.toBe(bug);
  });
});
