/**
 * Orders that a workflow places: each a child workflow `order` under the order's own id, abandoned, so that it lives and ends by
 * itself whatever becomes of its parent. A child that was started before, in this or an earlier life of its parent, counts as placed.
 * What became of it is read from PostgreSQL (`readOrders`); `orderChanged` says when looking is worth it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { WorkflowExecutionAlreadyStartedError, type Workflow } from '@temporalio/common';
import { startChild, uuid4, type ChildWorkflowHandle } from '@temporalio/workflow';
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, MutationKind } from '../domain/order-store';
import { describeIntent } from '../domain/order-summary';
import { orderSearchAttributes } from '../temporal/search-attributes';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from '../temporal/task-queues';
import { amendmentWorkflowId, cancellationWorkflowId, orderWorkflowId } from '../temporal/workflow-ids';
import type { MutationInput, MutationOutcome, OrderInput, OrderOutcome } from './messages';

/** While children are open their supervisor looks this often by itself: a lost signal costs seconds. */
export const CHILD_LOOK_MS = 5_000;

/** How long a cancel or an amendment may still be sent for the first time. */
const MUTATION_SEND_WITHIN_MS = 60_000;

/** For domain/client-ids and domain/child-intent: the workflow sandbox has no crypto of its own. */
export function sha256Hex(text: string): string {
  return Array.from(sha256(new TextEncoder().encode(text)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Settles once the child's intent is durable; it is placed from then on, whatever crashes. */
export async function placeChild(intent: OrderIntent): Promise<void> {
  await startOnce(() =>
    startChild<(input: OrderInput) => Promise<OrderOutcome>>('order', {
      workflowId: orderWorkflowId(intent.accountId, intent.clientOrderId),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [{ intents: [intent] }],
      staticSummary: describeIntent(intent),
      typedSearchAttributes: orderSearchAttributes({ accountIds: [intent.accountId], venue: intent.venue, symbols: [intent.symbol], kind: 'place', clientOrderIds: [intent.clientOrderId] }),
      ...ABANDONED,
    }),
  );
}

/** Which order is to be changed. */
export type ChildReference = Pick<OrderIntent, 'userId' | 'accountId' | 'venue' | 'symbol'> & { readonly orderId: string };

/** Settles once the cancel is durable. One that is under way already is as good. */
export async function cancelChild(child: ChildReference): Promise<void> {
  await startOnce(() => mutate('orderCancellation', cancellationWorkflowId(child.orderId), 'ALLOW_DUPLICATE', child, mutationOf('cancel', child, null, { limitPrice: null, quantity: null })));
}

/**
 * Settles with what became of the amendment; may take as long as the venue is silent, so race it. null: an amendment of this
 * revision was made before; the order's row tells what came of it.
 */
export async function amendChild(child: ChildReference, revision: number, terms: { readonly limitPrice: string | null; readonly quantity: string | null }): Promise<MutationOutcome | null> {
  const handle = await startOnce(() => mutate('orderAmendment', amendmentWorkflowId(child.orderId, revision), 'REJECT_DUPLICATE', child, mutationOf('amend', child, revision, terms)));
  return handle === null ? null : handle.result();
}

const ABANDONED = { taskQueue: TASK_QUEUES.orders, workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS, parentClosePolicy: 'ABANDON' } as const;

function mutate(workflowType: 'orderAmendment' | 'orderCancellation', workflowId: string, workflowIdReusePolicy: 'ALLOW_DUPLICATE' | 'REJECT_DUPLICATE', child: ChildReference, intent: MutationIntent) {
  return startChild<(input: MutationInput) => Promise<MutationOutcome>>(workflowType, {
    workflowId,
    workflowIdReusePolicy,
    args: [{ intent }],
    staticSummary: `${intent.kind} order ${child.orderId}`,
    typedSearchAttributes: orderSearchAttributes({ accountIds: [child.accountId], venue: child.venue, symbols: [child.symbol], kind: intent.kind, clientOrderIds: [] }),
    ...ABANDONED,
  });
}

function mutationOf(kind: MutationKind, child: ChildReference, expectedRevision: number | null, terms: { readonly limitPrice: string | null; readonly quantity: string | null }): MutationIntent {
  const { orderId, userId, accountId, venue } = child;
  return { id: uuid4(), kind, userId, accountId, venue, orderId, expectedRevision, ...terms, sendBefore: new Date(Date.now() + MUTATION_SEND_WITHIN_MS).toISOString() };
}

/** null: it was started before. */
async function startOnce<Run extends Workflow>(start: () => Promise<ChildWorkflowHandle<Run>>): Promise<ChildWorkflowHandle<Run> | null> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}
