/** Orders as Temporal remembers them: the intents in the start arguments of their workflows, and what each workflow knows of them. */
import type { OrderCondition } from './condition';
import type { OrderIntent, OrderState } from './order';
import type { OrderList, OrderListChild } from './order-list';
import type { MutationIntent, RecordedItem } from './order-store';
import type { Strategy, StrategyChild } from './strategy';

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
  /** Which trigger of the order that is, or would be: those before it are used up. Absent in what was told before it was. */
  readonly triggerNumber?: number;
  /** How often the terms of a trigger were amended, and one; absent in what was told before it was. */
  readonly triggerRevision?: number;
  /** What has set it off already; null or absent: nothing has. */
  readonly triggered?: { readonly by: 'trigger' | 'native' | 'time'; readonly level: string | null; readonly evidence: Readonly<Record<string, unknown>> } | null;
  /** From when on prices count for these terms, ms. */
  readonly pricesSinceMs: number;
}

/** A workflow that holds, or held, an order that waits, as a list shows it. */
export interface ListedHeld {
  readonly workflowId: string;
  /** When it began, ms: its order was accepted then. */
  readonly startedAtMs: number;
  readonly isOver: boolean;
  /** null: Temporal has forgotten it meanwhile. */
  read(): Promise<RememberedHeld | null>;
}

/** An order list or a strategy as its workflow saw it last, or ended it. */
export type SeenSupervised =
  | { readonly kind: 'orderList'; readonly list: OrderList; readonly children: readonly OrderListChild[] }
  | { readonly kind: 'strategy'; readonly strategy: Strategy; readonly children: readonly StrategyChild[] };

/** A workflow that runs, or ran, an order list or a strategy. */
export interface ListedSupervised {
  readonly workflowId: string;
  readonly of: { readonly kind: SeenSupervised['kind']; readonly id: string };
  readonly isOver: boolean;
  /** null: it has seen nothing yet, or Temporal has forgotten it meanwhile. */
  read(): Promise<SeenSupervised | null>;
}

/** A workflow that holds, or held, an order that waits. */
export interface RememberedHeld {
  readonly workflowId: string;
  readonly intent: OrderIntent;
  /** Of one that runs; null: it has ended, or does not answer now. */
  readonly standing: StandingOrder | null;
  /** How it ended; null: it runs, or was never accepted. */
  readonly ended: OrderState | null;
  /** Why one that runs does not answer; null or absent: it has. */
  readonly silence?: unknown;
}
