import { WorkflowNotFoundError } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { SupervisorSignals } from '../../../src/temporal/supervisor-signals';

type Signalled = { workflowId: string; orderId: string; revision: number };

function signals(fail: (workflowId: string) => Error | null = () => null) {
  const sent: Signalled[] = [];
  const troubles: string[] = [];
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const client = {
    workflow: {
      getHandle: (workflowId: string) => ({
        signal: async (_definition: unknown, said: { orderId: string; revision: number }) => {
          sent.push({ workflowId, ...said });
          await held;
          const error = fail(workflowId);
          if (error !== null) throw error;
        },
      }),
    },
  };
  return { sent, troubles, release, teller: new SupervisorSignals(client as never, (_error, workflowId) => troubles.push(workflowId)) };
}

const changed = (orderId: string, revision: number, supervisorWorkflowId: string | null = 'w1') => ({ orderId, data: { order: { supervisorWorkflowId, revision } } });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('the supervisor of a changed order is told; nobody is of an order that no workflow placed', async () => {
  const { sent, release, teller } = signals();
  teller.onCommitted([changed('o1', 2), changed('o2', 1, null), { orderId: null, data: {} }]);
  release();
  await settled();
  expect(sent).toEqual([{ workflowId: 'w1', orderId: 'o1', revision: 2 }]);
});

test('changes that come while one is being told are told once, by the newest revision', async () => {
  const { sent, release, teller } = signals();
  teller.onCommitted([changed('o1', 2)]);
  teller.onCommitted([changed('o1', 3), changed('o1', 5), changed('o1', 4)]);
  release();
  await settled();
  expect(sent.map(({ revision }) => revision)).toEqual([2, 5]);
});

test('a supervisor that has ended is no trouble; one that cannot be reached is, and the next change is told again', async () => {
  const { sent, troubles, release, teller } = signals((workflowId) => (workflowId === 'gone' ? new WorkflowNotFoundError('gone', 'gone', undefined) : new Error('away')));
  release();
  teller.onCommitted([changed('o1', 2, 'gone'), changed('o2', 2, 'away')]);
  await settled();
  expect(troubles).toEqual(['away']);
  teller.onCommitted([changed('o2', 3, 'away')]);
  await settled();
  expect(sent.filter(({ orderId }) => orderId === 'o2').map(({ revision }) => revision)).toEqual([2, 3]);
});
