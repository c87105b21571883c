/**
 * Tells supervising workflows of committed changes of their orders. A hint, never the truth: what cannot be told is found by the
 * supervisor's own look. One signal at a time for each order, and the newest revision only, so that a burst costs few.
 */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { StreamEvent } from '../domain/events';
import type { Order } from '../domain/order';
import { orderChanged } from '../workflows/messages';

interface Waiting {
  readonly workflowId: string;
  readonly orderId: string;
  revision: number;
  told: number;
}

export class SupervisorSignals {
  private readonly underWay = new Map<string, Waiting>();

  constructor(
    private readonly client: Pick<Client, 'workflow'>,
    private readonly onTrouble: (error: unknown, workflowId: string) => void,
  ) {}

  /** Given to Events.onCommitted. */
  readonly onCommitted = (events: readonly Pick<StreamEvent, 'orderId' | 'data'>[]): void => {
    for (const { orderId, data } of events) {
      const order = data['order'] as Partial<Order> | undefined;
      if (orderId === null || order === undefined) continue;
      const { supervisorWorkflowId, revision } = order;
      if (typeof supervisorWorkflowId === 'string' && typeof revision === 'number') this.tell(supervisorWorkflowId, orderId, revision);
    }
  };

  private tell(workflowId: string, orderId: string, revision: number): void {
    const known = this.underWay.get(orderId);
    if (known !== undefined) {
      known.revision = Math.max(known.revision, revision);
      return;
    }
    const waiting: Waiting = { workflowId, orderId, revision, told: -1 };
    this.underWay.set(orderId, waiting);
    void this.send(waiting);
  }

  private async send(waiting: Waiting): Promise<void> {
    const { workflowId, orderId } = waiting;
    try {
      while (waiting.told < waiting.revision) {
        const { revision } = waiting;
        await this.client.workflow.getHandle(workflowId).signal(orderChanged, { orderId, revision });
        waiting.told = revision;
      }
    } catch (error) {
      // A supervisor that has ended wants to know nothing more.
      if (!(error instanceof WorkflowNotFoundError)) this.onTrouble(error, workflowId);
    } finally {
      this.underWay.delete(orderId);
    }
  }
}
