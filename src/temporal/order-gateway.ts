/** Starts the order workflows: the API's only way to place, amend and cancel. */
import { WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { randomUUID } from 'node:crypto';
import type { Clock } from '../domain/clock';
import { isHeld } from '../domain/condition';
import type { HeldTerms } from '../domain/evidence';
import { UNCONDITIONAL, type Order, type OrderIntent } from '../domain/order';
import type { MutationIntent } from '../domain/order-store';
import { describeIntent } from '../domain/order-summary';
import { awaitMutation, awaitOutcome, type MutationInput, type MutationOutcome, type OrderInput, type OrderOutcome } from '../workflows/messages';
import { amendmentIdOf } from './amendments';
import { ConditionalGateway } from './conditional-gateway';
import { MAX_GROUP_ORDERS, OrderLane } from './order-lanes';
import { orderSearchAttributes } from './search-attributes';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { askTemporal } from './update-with-start';
import { cancellationWorkflowId, orderGroupWorkflowId, orderWorkflowId } from './workflow-ids';

/** How long one update-with-start may take. The workflow goes on without its caller; callers are answered by events. */
const START_DEADLINE_MS = 30_000;

export interface VenueLane {
  /** Strict nonces: one lane for each signer, one group at a time. */
  readonly strictNonces: boolean;
  /** Orders in one request: where nonces are strict a group is no larger, because its second request would wait. */
  readonly maxBatchSize: number;
}

export class OrderGateway {
  private readonly lanes = new Map<string, OrderLane<OrderIntent>>();
  private readonly conditional: ConditionalGateway;

  constructor(
    private readonly client: Client,
    private readonly laneOf: (venue: string) => VenueLane,
    /** By which intents were given their `placeBefore`. */
    private readonly clock: Clock,
  ) {
    this.conditional = new ConditionalGateway(client);
  }

  /**
   * What is handed over together, and so stands or falls together: of one venue (and signer), at most a group of it. One that waits has a
   * workflow of its own, which lives as long as it does.
   */
  parts(intents: readonly OrderIntent[]): readonly (readonly OrderIntent[])[] {
    const byLane = new Map<string, OrderIntent[]>();
    const held: OrderIntent[] = [];
    for (const intent of intents) {
      if (waits(intent)) {
        held.push(intent);
        continue;
      }
      const key = this.laneKey(intent);
      const lane = byLane.get(key);
      if (lane === undefined) byLane.set(key, [intent]);
      else lane.push(intent);
    }
    return [...[...byLane.values()].flatMap((group) => this.chunks(group)), ...held.map((intent) => [intent])];
  }

  /**
   * Hands intents to Temporal. Settles when their groups had their first answers. Rejects with SERVICE_UNAVAILABLE, the same ids may be sent
   * again: outcome unknown when Temporal did not answer, none when they were never handed over, because too many wait or their time was up.
   * What it rejects with is true of one part: who has several hands each over by itself.
   */
  async place(intents: readonly OrderIntent[]): Promise<void> {
    await Promise.all(this.parts(intents).map((part) => this.handOver(part)));
  }

  /** This intent has its answer, by the event that was committed of it: it holds back no others of its lane. */
  answered(intent: OrderIntent): void {
    this.lanes.get(this.laneKey(intent))?.answered(intent);
  }

  /** Of an order that waits in a workflow. */
  amendHeld(order: Order, expectedRevision: number, terms: HeldTerms): Promise<MutationOutcome> {
    return this.underDeadline(() => this.conditional.amend(order, expectedRevision, terms), { verdict: 'nothingToDo', code: 'CONFLICT', message: 'the order has ended' });
  }

  cancelHeld(order: Order): Promise<MutationOutcome> {
    return this.underDeadline(() => this.conditional.cancel(order), { verdict: 'nothingToDo', code: 'CONFLICT', message: 'the order has ended' });
  }

  async cancel(intent: MutationIntent, summary: string, symbol: string): Promise<MutationOutcome> {
    return this.mutate('orderCancellation', cancellationWorkflowId(intent.orderId), intent, summary, symbol);
  }

  async amend(intent: MutationIntent, summary: string, symbol: string): Promise<MutationOutcome> {
    return this.mutate('orderAmendment', amendmentIdOf(intent), intent, summary, symbol);
  }

  private async handOver(part: readonly OrderIntent[]): Promise<void> {
    const [first] = part;
    if (first === undefined) return;
    if (waits(first)) await this.underDeadline(() => this.conditional.place(first), undefined);
    else await this.lane(first).add(part);
  }

  private laneKey(intent: OrderIntent): string {
    return this.laneOf(intent.venue).strictNonces ? `${intent.venue}/${intent.signerId}` : intent.venue;
  }

  private chunks(group: readonly OrderIntent[]): readonly (readonly OrderIntent[])[] {
    const size = this.groupSize(group[0]?.venue ?? '');
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) => group.slice(index * size, (index + 1) * size));
  }

  private groupSize(venue: string): number {
    const { strictNonces, maxBatchSize } = this.laneOf(venue);
    return strictNonces ? Math.min(maxBatchSize, MAX_GROUP_ORDERS) : MAX_GROUP_ORDERS;
  }

  private lane(intent: OrderIntent): OrderLane<OrderIntent> {
    const key = this.laneKey(intent);
    const known = this.lanes.get(key);
    if (known !== undefined) return known;
    const lane = new OrderLane<OrderIntent>((intents) => this.start(key, intents), {
      oneGroupAtATime: this.laneOf(intent.venue).strictNonces,
      maxOrders: this.groupSize(intent.venue),
      clock: this.clock,
      startBeforeMs: ({ placeBefore }) => Date.parse(placeBefore),
      isExit: ({ reduceOnly }) => reduceOnly,
    });
    this.lanes.set(key, lane);
    return lane;
  }

  private async start(lane: string, intents: readonly OrderIntent[]): Promise<void> {
    const [first] = intents;
    if (first === undefined) return;
    const alone = intents.length === 1;
    const batchId = randomUUID();
    const workflowId = alone ? orderWorkflowId(first.accountId, first.clientOrderId) : orderGroupWorkflowId(lane, batchId);
    const operation = () => new WithStartWorkflowOperation<(input: OrderInput) => Promise<OrderOutcome>>('order', {
      workflowId,
      taskQueue: TASK_QUEUES.orders,
      args: [{ intents }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: alone ? describeIntent(first) : `${intents.length} orders on ${first.venue}`,
      typedSearchAttributes: orderSearchAttributes({
        accountIds: intents.map((intent) => intent.accountId),
        venue: first.venue,
        symbols: intents.map((intent) => intent.symbol),
        kind: 'place',
        clientOrderIds: intents.map((intent) => intent.clientOrderId),
      }),
    });
    await this.underDeadline(() => this.client.workflow.executeUpdateWithStart(awaitOutcome, { updateId: alone ? first.id : batchId, args: [], startWorkflowOperation: operation() }), undefined);
  }

  private async mutate(
    workflowType: 'orderAmendment' | 'orderCancellation',
    workflowId: string,
    intent: MutationIntent,
    summary: string,
    symbol: string,
  ): Promise<MutationOutcome> {
    const operation = () => new WithStartWorkflowOperation<(input: MutationInput) => Promise<MutationOutcome>>(workflowType, {
      workflowId,
      taskQueue: TASK_QUEUES.orders,
      args: [{ intent }],
      workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
      // One that was denied changed nothing, and another may be asked of the same revision. That a revision is changed once, its row sees to.
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: summary,
      typedSearchAttributes: orderSearchAttributes({ accountIds: [intent.accountId], venue: intent.venue, symbols: [symbol], kind: intent.kind, clientOrderIds: [] }),
    });
    const already: MutationOutcome = { verdict: 'nothingToDo', code: 'CONFLICT', message: `the ${intent.kind} was made before` };
    return this.underDeadline(() => this.client.workflow.executeUpdateWithStart(awaitMutation, { updateId: intent.id, args: [], startWorkflowOperation: operation() }), already);
  }

  /** Runs one update-with-start under the deadline; an earlier, closed execution of the same id is an answer too. */
  private async underDeadline<Answer>(call: () => Promise<Answer>, alreadyClosed: Answer): Promise<Answer> {
    try {
      return await askTemporal(this.client, START_DEADLINE_MS, 'Temporal did not answer', call);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return alreadyClosed;
      throw error;
    }
  }
}

function waits(intent: OrderIntent): boolean {
  return isHeld(intent.condition ?? UNCONDITIONAL);
}
