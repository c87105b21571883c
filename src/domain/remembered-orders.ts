/** Orders as Temporal remembers them: the intents in the start arguments of their workflows, and what each workflow knows of them. */
import type { OrderIntent } from './order';
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
