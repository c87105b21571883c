/** The row of a conditional order as its execution writes it, with what it knows better than the row, and what people read of it. */
import { proxyLocalActivities, setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ConditionalActivities, ConditionalReference } from '../activities/conditional-activities';
import type { HeldTerms } from '../domain/evidence';
import type { OrderIntent, OrderState } from '../domain/order';
import { describeConditional } from '../domain/order-summary';
import type { StandingOrder } from '../domain/remembered-orders';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { ORDER_STATE } from '../temporal/search-attributes';
import type { ConditionalOrder } from './state/conditional-order';
import { StandingTerms } from './state/conditional-standing';

const { noteConditional, amendConditional, raiseOrderAlert } = proxyLocalActivities<ConditionalActivities>({ ...LOCAL_ACTIVITY, summary: 'the order\'s row and its alerts' });

type Noted = Parameters<ConditionalActivities['noteConditional']>[0]['evidence'][number];

export class ConditionalRow {
  readonly terms = new StandingTerms();
  /** The state it ended in; null while it goes on. */
  ended: OrderState | null = null;
  /** Somebody was told of trouble with it, by this execution. */
  alerted = false;

  constructor(private readonly intent: OrderIntent, private readonly stateOf: () => ConditionalOrder) {}

  /** For a row that a restored database has lost, or has with older terms. */
  standing(): StandingOrder | null {
    return this.ended === null ? this.terms.standing(this.stateOf()) : null;
  }

  /** The state of the row afterwards. */
  async note(evidence: Noted): Promise<OrderState> {
    const { state, revision } = await noteConditional({ ...this.reference(), standing: this.standing(), evidence: [evidence] });
    this.terms.saw(revision);
    return state;
  }

  amend(expectedRevision: number, terms: HeldTerms): ReturnType<ConditionalActivities['amendConditional']> {
    return amendConditional({ ...this.reference(), expectedRevision, terms, standing: this.standing() });
  }

  async alert(kind: string, words: string): Promise<void> {
    this.alerted = true;
    const { accountId, id, clientOrderId, symbol } = this.intent;
    await raiseOrderAlert({ accountId, data: { kind, orderId: id, clientOrderId, symbol, words } });
  }

  /** What an operator reads. */
  show(state: OrderState): void {
    const { quantity, limitPrice, condition, fired } = this.stateOf();
    setCurrentDetails(`**${state}** ${describeConditional({ ...this.intent, quantity, limitPrice }, condition)}${fired === null ? '' : `; fired by ${fired.by}${fired.level === null ? '' : ` at ${fired.level}`}`}`);
    upsertSearchAttributes([{ key: ORDER_STATE, value: state }]);
  }

  private reference(): ConditionalReference {
    return { intent: this.intent, ownerWorkflowId: workflowInfo().workflowId };
  }
}
