/** What the API asks about plain orders: of Temporal, which places and changes them, and of the rows that tell of them. */
import type { HeldTerms } from '../domain/evidence';
import type { Order, OrderIntent } from '../domain/order';
import type { MutationIntent } from '../domain/order-store';
import type { Timeline } from '../domain/timeline';
import type { OrderListQuery } from './order-list-ports';

/** How an amend or cancel fared by its first answer. `pending`: its outcome is still open and is being pursued. */
export interface MutationVerdict {
  readonly verdict: 'applied' | 'refused' | 'nothingToDo' | 'denied' | 'pending';
  readonly code: string | null;
  readonly message: string | null;
}

/** Temporal. Every function rejects with DomainError SERVICE_UNAVAILABLE (outcome unknown) when Temporal is away. */
export interface OrderGatewayPort {
  /** What of these is handed over together, and so fails together: what `place` rejects with is true of all of such a part. */
  parts(intents: readonly OrderIntent[]): readonly (readonly OrderIntent[])[];
  /** Settles once the group had its first answers: every intent that was taken has its row then. */
  place(intents: readonly OrderIntent[]): Promise<void>;
  /** One of `place`'s intents has its answer: others need not wait for it any more. */
  answered(intent: OrderIntent): void;
  cancel(intent: MutationIntent, summary: string, symbol: string): Promise<MutationVerdict>;
  amend(intent: MutationIntent, summary: string, symbol: string): Promise<MutationVerdict>;
  /** Of an order that waits in a workflow; once per revision. */
  amendHeld(order: Order, expectedRevision: number, terms: HeldTerms): Promise<MutationVerdict>;
  cancelHeld(order: Order): Promise<MutationVerdict>;
}

export interface OrdersPort {
  byId(id: string, userId: string): Promise<Order | null>;
  /** One read for all; unknown ids are absent from the answer. */
  byIds(ids: readonly string[]): Promise<readonly Order[]>;
  byClientId(accountId: string, clientOrderId: string): Promise<Order | null>;
  list(query: OrderListQuery): Promise<{ readonly orders: readonly Order[]; readonly nextCursor: string | null }>;
  timeline(id: string, userId: string): Promise<Timeline | null>;
}
