/** Starts, amends and cancels the workflows of orders that wait (workflows/conditional-order.ts). */
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { conditionOf } from '../domain/condition';
import type { HeldTerms } from '../domain/evidence';
import { UNCONDITIONAL, type Order, type OrderIntent } from '../domain/order';
import { describeConditional } from '../domain/order-summary';
import { amendConditionalOrder, awaitArmed, cancelConditionalOrder, type ConditionalOrderInput, type ConditionalOutcome, type MutationOutcome } from '../workflows/messages';
import { heldAmendmentId } from './amendments';
import { isRunning } from './executions';
import { ORDER_STATE, orderSearchAttributes } from './search-attributes';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { conditionalWorkflowId } from './workflow-ids';

const CLOSED: MutationOutcome = { verdict: 'nothingToDo', code: 'ORDER_CLOSED', message: 'the order has ended' };

export class ConditionalGateway {
  constructor(private readonly client: Client) {}

  /** Settles once the order is armed or refused, and at once when its workflow has ended before. */
  async place(intent: OrderIntent): Promise<void> {
    const startWorkflowOperation = new WithStartWorkflowOperation<(input: ConditionalOrderInput) => Promise<ConditionalOutcome>>('conditionalOrder', { ...optionsOf(intent), workflowIdReusePolicy: 'REJECT_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' });
    try {
      await this.client.workflow.executeUpdateWithStart(awaitArmed, { updateId: intent.id, args: [], startWorkflowOperation });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** A repeat of the same terms meets the first one's answer; that a revision is amended once, its row sees to. */
  amend(order: Order, expectedRevision: number, terms: HeldTerms): Promise<MutationOutcome> {
    const handle = this.client.workflow.getHandle(workflowOf(order));
    return orClosed(handle.executeUpdate(amendConditionalOrder, { updateId: heldAmendmentId(expectedRevision, terms), args: [{ expectedRevision, terms }] }));
  }

  cancel(order: Order): Promise<MutationOutcome> {
    return orClosed(this.client.workflow.getHandle(workflowOf(order)).executeUpdate(cancelConditionalOrder, { args: [] }));
  }

  /** For an order whose workflow is gone: another takes over from its row. One that runs after all is left alone. */
  async takeOver(order: Order, signerId: string): Promise<void> {
    const workflowId = workflowOf(order);
    const condition = conditionOf(order);
    if (condition === null || (await isRunning(this.client, workflowId))) return;
    const { id, userId, accountId, clientOrderId, venueClientId, venue, symbol, venueSymbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, origin, createdAt } = order;
    // What its row says is so: the deadline and the idempotency of its placing are settled.
    const intent: OrderIntent = { id, userId, accountId, signerId, clientOrderId, venueClientId, venue, symbol, venueSymbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, origin, placeBefore: createdAt, idempotency: null, condition };
    try {
      await this.client.workflow.start('conditionalOrder', { ...optionsOf(intent), workflowId, workflowIdReusePolicy: 'ALLOW_DUPLICATE', workflowIdConflictPolicy: 'USE_EXISTING' });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Workflows of conditional orders that are listed as running; the list may lag behind by seconds. */
  async running(): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    for await (const { workflowId } of this.client.workflow.list({ query: "WorkflowType = 'conditionalOrder' AND ExecutionStatus = 'Running'" })) ids.add(workflowId);
    return ids;
  }
}

function optionsOf(intent: OrderIntent) {
  const { accountId, clientOrderId, venue, symbol } = intent;
  return {
    workflowId: conditionalWorkflowId(accountId, clientOrderId),
    taskQueue: TASK_QUEUES.orders,
    args: [{ intent }] as [ConditionalOrderInput],
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    staticSummary: describeConditional(intent, intent.condition ?? { ...UNCONDITIONAL, execution: 'durable' }),
    typedSearchAttributes: [...orderSearchAttributes({ accountIds: [accountId], venue, symbols: [symbol], kind: 'conditional', clientOrderIds: [clientOrderId] }), { key: ORDER_STATE, value: 'ARMED' }],
  };
}

function workflowOf(order: Order): string {
  return order.ownerWorkflowId ?? conditionalWorkflowId(order.accountId, order.clientOrderId);
}

async function orClosed(answer: Promise<MutationOutcome>): Promise<MutationOutcome> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return CLOSED;
    throw error;
  }
}
