/** Orders as Temporal remembers them: the intents in the start arguments of their workflows, and what each workflow knows of them. */
import type { OrderCondition } from './condition';
import type { OrderIntent, OrderState } from './order';
import type { MutationIntent, RecordedItem } from './order-store';

/** One workflow that placed orders. */
export interface RememberedGroup {
  readonly workflowId: string;
  readonly intents: readonly OrderIntent[];
  /** How it recorded each, by the intent's id; empty while it runs, or where it ended without a result. */
  readonly verdicts: ReadonlyMap<string, RecordedItem['verdict']>;
}

/** A workflow as a list shows it: its intents are not read yet. */
export interface ListedGroup {
  readonly workflowId: string;
  /** Of a workflow of one order, its names; null for a group, whose orders only its start arguments tell. */
  readonly order: { readonly accountId: string; readonly clientOrderId: string } | null;
  /** null: Temporal has forgotten it meanwhile. */
  read(): Promise<RememberedGroup | null>;
}

/** An amend or a cancel under way. */
export interface RememberedMutation {
  readonly workflowId: string;
  readonly intent: MutationIntent;
}

/** An order that waits in a workflow, as that knows it: its terms may have been amended since its intent. */
export interface StandingOrder {
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly condition: OrderCondition;
  /** Of its row, when the workflow saw it last. */
  readonly revision: number;
  /** The armed trigger; null: none is, or it has fired. */
  readonly triggerId: string | null;
  /** From when on prices count for these terms, ms. */
  readonly pricesSinceMs: number;
}

/** A workflow that holds, or held, an order that waits. */
export interface RememberedHeld {
  readonly workflowId: string;
  readonly intent: OrderIntent;
  /** Of one that runs; null: it has ended, or does not answer now. */
  readonly standing: StandingOrder | null;
  /** How it ended; null: it runs, or was never accepted. */
  readonly ended: OrderState | null;
}
