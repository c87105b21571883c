/** The order path's activities, put together from what main gives. */
import { Context } from '@temporalio/activity';
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedGroup, RecordedMutation } from '../domain/order-store';
import type { AttemptSender } from './attempt-sender';
import { MUTATION_SEND_TTL_MS, type MutationSettler } from './mutation-settler';
import type { OrderActivities, RecordMutationResult } from './order-activities';

export interface OrderPathPorts {
  readonly placing: { recordOrders(intents: readonly OrderIntent[], context: { ownerWorkflowId: string; sendTtlMs: number }): Promise<RecordedGroup> };
  readonly mutations: { record(intent: MutationIntent, context: { ownerWorkflowId: string; sendTtlMs: number }): Promise<RecordedMutation> };
  readonly sender: AttemptSender;
  readonly settler: MutationSettler;
}

/** How long after it was recorded a placing request may be written: the venue is asked to enforce the same. */
export const PLACE_SEND_TTL_MS = 2_000;

export function createOrderActivities(ports: OrderPathPorts): OrderActivities {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    recordOrders: ({ intents, ownerWorkflowId }) => ports.placing.recordOrders(intents, { ownerWorkflowId, sendTtlMs: PLACE_SEND_TTL_MS }),
    sendAttempt: async ({ attemptId, orderIds }) => ({ openOrderIds: await ports.sender.sendPlacing(attemptId, orderIds, signal()) }),
    recordMutation: async ({ intent, ownerWorkflowId }) => resultOf(await ports.mutations.record(intent, { ownerWorkflowId, sendTtlMs: MUTATION_SEND_TTL_MS })),
    sendMutation: ({ mutationId, attemptId }) => (attemptId === null ? ports.settler.askAndRepeat(mutationId, signal()) : ports.settler.sendFirst(mutationId, attemptId, signal())),
    settleMutation: ({ mutationId }) => ports.settler.askAndRepeat(mutationId, signal()),
  };
}

function resultOf(recorded: RecordedMutation): RecordMutationResult {
  switch (recorded.verdict) {
    case 'accepted':
      return { verdict: 'accepted', attemptId: recorded.attemptId, code: null, message: null };
    case 'nothingToDo':
      return { verdict: 'nothingToDo', attemptId: null, code: recorded.mutationId === null ? 'ORDER_CLOSED' : 'IN_PROGRESS', message: `the order is ${recorded.order.state}` };
    case 'denied':
      return { verdict: 'denied', attemptId: null, code: recorded.code, message: recorded.message };
  }
}
