/**
 * What Temporal remembers of orders: the intents in the start arguments of their workflows, and what each workflow knows of
 * them. PostgreSQL may have lost all of it; this is where it is read back from.
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
import type { ListedGroup, ListedHeld, ListedSupervised, RememberedGroup, RememberedHeld, RememberedMutation, SeenSupervised } from '../domain/remembered-orders';
import { STRATEGIES } from '../domain/strategies/registry';
import { orderChanged, orderListSeen, standingOrder, strategySeen, type ConditionalOrderInput, type ConditionalOutcome, type MutationInput, type OrderInput, type OrderOutcome } from '../workflows/messages';
import { isGone } from './update-with-start';
import { orderListWorkflowId, strategyWorkflowId } from './workflow-ids';

const SECOND_MS = 1_000;
/** Workflow types that look at a row of theirs when an order of it has changed. */
const SUPERVISORS_SQL = ['orderList', ...STRATEGIES.map(({ type }) => type)].map((type) => `'${type}'`).join(', ');
/** A workflow that has to be replayed first is asked in this time. */
const ANSWERS_WITHIN_MS = 10_000;

export class OrderHistory {
  constructor(private readonly client: Client) {}

  /** Workflows that placed orders and started at `sinceMs` or later, in no order. */
  async *groupsSince(sinceMs: number): AsyncIterable<ListedGroup> {
    for await (const { workflowId, runId, status } of this.client.workflow.list({ query: `WorkflowType = 'order' AND StartTime >= '${new Date(sinceMs).toISOString()}'` })) {
      const [kind, accountId, clientOrderId] = workflowId.split('/');
      const order = kind === 'order' && accountId !== undefined && clientOrderId !== undefined ? { accountId, clientOrderId } : null;
      yield { workflowId, order, read: () => this.group(workflowId, runId, status.name === 'COMPLETED') };
    }
  }

  /** Amends and cancels that are under way. */
  async *openMutations(): AsyncIterable<RememberedMutation> {
    for await (const { workflowId, runId } of this.client.workflow.list({ query: "WorkflowType IN ('orderCancellation', 'orderAmendment') AND ExecutionStatus = 'Running'" })) {
      const input = (await this.startInput(workflowId, runId)) as MutationInput | null;
      if (input !== null) yield { workflowId, intent: input.intent };
    }
  }

  /** Orders that wait in workflows, and those that ended at `sinceMs` or later, in no order. */
  async *heldSince(sinceMs: number): AsyncIterable<ListedHeld> {
    for await (const { workflowId, runId, startTime, isOver } of this.runsSince("'conditionalOrder'", sinceMs)) {
      yield { workflowId, startedAtMs: startTime.getTime(), isOver, read: () => this.held(workflowId, runId, isOver) };
    }
  }

  /** Order lists and strategies whose workflow runs, or ended at `sinceMs` or later, in no order. */
  async *supervisedSince(sinceMs: number): AsyncIterable<ListedSupervised> {
    for await (const { workflowId, runId, type, isOver } of this.runsSince(SUPERVISORS_SQL, sinceMs)) {
      const kind = type === 'orderList' ? 'orderList' : 'strategy';
      const id = workflowId.slice((kind === 'orderList' ? orderListWorkflowId('') : strategyWorkflowId('')).length);
      yield { workflowId, of: { kind, id }, isOver, read: () => this.seen(kind, workflowId, runId) };
    }
  }

  /** Of these types those that run, or completed at `sinceMs` or later. Of one that went on as new the newest run tells. */
  private async *runsSince(typesSql: string, sinceMs: number) {
    const query = `WorkflowType IN (${typesSql}) AND (ExecutionStatus = 'Running' OR CloseTime >= '${new Date(sinceMs).toISOString()}')`;
    for await (const { workflowId, runId, type, startTime, status } of this.client.workflow.list({ query })) {
      if (status.name === 'RUNNING' || status.name === 'COMPLETED') yield { workflowId, runId, type, startTime, isOver: status.name === 'COMPLETED' };
    }
  }

  /** Also of one that has ended: a worker goes through its history again to answer. */
  private async seen(kind: SeenSupervised['kind'], workflowId: string, runId: string): Promise<SeenSupervised | null> {
    const handle = this.client.workflow.getHandle(workflowId, runId);
    try {
      return await this.client.connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, async (): Promise<SeenSupervised | null> => {
        if (kind === 'orderList') {
          const seen = await handle.query(orderListSeen);
          return seen === null ? null : { kind, ...seen };
        }
        const seen = await handle.query(strategySeen);
        return seen === null ? null : { kind, ...seen };
      });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  private async held(workflowId: string, runId: string, completed: boolean): Promise<RememberedHeld | null> {
    const input = (await this.startInput(workflowId, runId)) as ConditionalOrderInput | null;
    if (input === null) return null;
    const { intent } = input;
    const handle = this.client.workflow.getHandle(workflowId, runId);
    if (completed) return { workflowId, intent, standing: null, ended: ((await handle.result()) as ConditionalOutcome).state };
    try {
      const standing = await this.client.connection.withDeadline(Date.now() + ANSWERS_WITHIN_MS, () => handle.query(standingOrder));
      return { workflowId, intent, standing, ended: null };
    } catch (error) {
      return { workflowId, intent, standing: null, ended: null, silence: error };
    }
  }

  /** Has everything that owns a list or runs a strategy look at its row: what a restored database lost of it, it gives back. How many were told. */
  async haveSupervisorsLook(): Promise<number> {
    let told = 0;
    for await (const { workflowId } of this.client.workflow.list({ query: `WorkflowType IN (${SUPERVISORS_SQL}) AND ExecutionStatus = 'Running'` })) {
      try {
        await this.client.workflow.getHandle(workflowId).signal(orderChanged, { orderId: '', revision: 0 });
        told += 1;
      } catch (error) {
        // It has ended meanwhile.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    }
    return told;
  }

  /** How far back ended workflows are kept, ms; null where the server does not say. */
  async windowMs(): Promise<number | null> {
    const { config } = await this.client.workflowService.describeNamespace({ namespace: this.client.options.namespace });
    const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return seconds > 0 ? seconds * SECOND_MS : null;
  }

  private async group(workflowId: string, runId: string, completed: boolean): Promise<RememberedGroup | null> {
    const input = (await this.startInput(workflowId, runId)) as OrderInput | null;
    if (input === null) return null;
    const items = completed ? ((await this.client.workflow.getHandle(workflowId, runId).result()) as OrderOutcome).items : [];
    const verdicts = new Map(input.intents.flatMap((intent, index) => (items[index] === undefined ? [] : [[intent.id, items[index].verdict] as const])));
    return { workflowId, intents: input.intents, verdicts };
  }

  private async startInput(workflowId: string, runId: string): Promise<unknown> {
    const { workflowService, options } = this.client;
    try {
      const { history } = await workflowService.getWorkflowExecutionHistory({ namespace: options.namespace, execution: { workflowId, runId }, maximumPageSize: 1 });
      const started = history?.events?.[0]?.workflowExecutionStartedEventAttributes;
      if (started === undefined || started === null) throw new Error(`the history of ${workflowId} does not begin with its start`);
      const [input] = await decodeArrayFromPayloads(options.loadedDataConverter, started.input?.payloads);
      return input;
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }
}
