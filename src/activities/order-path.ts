/** The order path's activities, put together from what main gives. */
import { Context } from '@temporalio/activity';
import type { Clock } from '../domain/clock';
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedCall, RecordedGroup, RecordedMutation } from '../domain/order-store';
import type { AttemptSender } from './attempt-sender';
import { MUTATION_SEND_TTL_MS, type MutationSettler } from './mutation-settler';
import type { OrderActivities, PlaceOrdersInput, PlaceOrdersResult, RequestMutationInput, RequestMutationResult } from './order-activities';

export interface OrderPathPorts {
  readonly clock: Clock;
  readonly onSendFailure: (call: Pick<RecordedCall, 'attemptId' | 'venue' | 'accountId'>, error: unknown) => void;
  readonly placing: { recordOrders(intents: readonly OrderIntent[], context: { ownerWorkflowId: string; sendTtlMs: number; intendedAtMs?: number }): Promise<RecordedGroup> };
  readonly mutations: { record(intent: MutationIntent, context: { ownerWorkflowId: string; sendTtlMs: number }): Promise<RecordedMutation> };
  readonly sender: AttemptSender;
  readonly settler: MutationSettler;
}

/**
 * A group that was recorded within this goes on to the venue in the same activity: a hand-over to another one costs as much as the
 * two transactions together (docs/decisions/one-activity.md). A slower one leaves the venue too little of the activity's time.
 */
export const RECORDING_SHARE_MS = 300;

/** How long after it was recorded a placing request may be written: the venue is asked to enforce the same. */
export const PLACE_SEND_TTL_MS = 2_000;

export function createOrderActivities(ports: OrderPathPorts): OrderActivities {
  const signal = (): AbortSignal => Context.current().cancellationSignal;
  return {
    placeOrders: (input) => place(ports, input, signal()),
    sendAttempt: async ({ attemptId, orderIds }) => ({ openOrderIds: await ports.sender.sendPlacing(attemptId, orderIds, signal()) }),
    requestMutation: (input) => request(ports, input, signal()),
    sendMutation: ({ mutationId, attemptId }) => (attemptId === null ? ports.settler.askAndRepeat(mutationId, signal()) : ports.settler.sendFirst(mutationId, attemptId, signal())),
    settleMutation: ({ mutationId }) => ports.settler.askAndRepeat(mutationId, signal()),
  };
}

/** Records the group, then makes its calls side by side: each commits its own answers, so a slow one holds nobody else's. */
async function place(ports: OrderPathPorts, { intents, ...context }: PlaceOrdersInput, signal: AbortSignal): Promise<PlaceOrdersResult> {
  const startedMs = ports.clock.nowMs();
  const group = await ports.placing.recordOrders(intents, { ...context, sendTtlMs: PLACE_SEND_TTL_MS });
  if (ports.clock.nowMs() - startedMs > RECORDING_SHARE_MS) return { group, openOrderIds: [], unsent: group.calls };
  const unsent: RecordedCall[] = [];
  const open = await Promise.all(
    group.calls.map(async (call) => {
      try {
        return await ports.sender.sendPlacing(call.attemptId, call.orderIds, signal, startedMs);
      } catch (error) {
        // Its own activity repeats it until what came of it is committed; the other calls are not its concern.
        ports.onSendFailure(call, error);
        unsent.push(call);
        return [];
      }
    }),
  );
  return { group, openOrderIds: open.flat(), unsent };
}

/** The same for an amend or a cancel. */
async function request(ports: OrderPathPorts, { intent, ownerWorkflowId }: RequestMutationInput, signal: AbortSignal): Promise<RequestMutationResult> {
  const startedMs = ports.clock.nowMs();
  const recorded = await ports.mutations.record(intent, { ownerWorkflowId, sendTtlMs: MUTATION_SEND_TTL_MS });
  const result = { ...resultOf(recorded), step: null };
  if (recorded.verdict !== 'accepted' || recorded.attemptId === null || ports.clock.nowMs() - startedMs > RECORDING_SHARE_MS) return result;
  const { attemptId } = recorded;
  try {
    return { ...result, step: await ports.settler.sendRecorded({ ...recorded, attemptId }, startedMs, signal) };
  } catch (error) {
    ports.onSendFailure({ attemptId, venue: intent.venue, accountId: intent.accountId }, error);
    return result;
  }
}

function resultOf(recorded: RecordedMutation): Omit<RequestMutationResult, 'step'> {
  switch (recorded.verdict) {
    case 'accepted':
      return { verdict: 'accepted', attemptId: recorded.attemptId, code: null, message: null };
    case 'nothingToDo':
      return { verdict: 'nothingToDo', attemptId: null, code: recorded.mutationId === null ? 'ORDER_CLOSED' : 'IN_PROGRESS', message: `the order is ${recorded.order.state}` };
    case 'denied':
      return { verdict: 'denied', attemptId: null, code: recorded.code, message: recorded.message };
  }
}
