/** What the order workflows call. Types only for workflows; main puts the pieces together. */
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedCall, RecordedGroup } from '../domain/order-store';

export interface PlaceOrdersInput {
  readonly intents: readonly OrderIntent[];
  readonly ownerWorkflowId: string;
  /** When the intents came to be, ms: before a restored database was noticed, they may have been sent already. Absent: now. */
  readonly intendedAtMs?: number;
}

export interface PlaceOrdersResult {
  readonly group: RecordedGroup;
  /** Of the group's orders that were sent: those whose outcome is not yet evidence. */
  readonly openOrderIds: readonly string[];
  /** Calls that were not sent, or whose end could not be committed: each goes to `sendAttempt`. */
  readonly unsent: readonly RecordedCall[];
}

export interface SendAttemptInput {
  readonly attemptId: string;
  readonly orderIds: readonly string[];
}

export interface SendAttemptResult {
  /** Orders of the attempt whose outcome is not yet evidence. */
  readonly openOrderIds: readonly string[];
}

export interface RequestMutationInput {
  readonly intent: MutationIntent;
  readonly ownerWorkflowId: string;
}

export interface RequestMutationResult {
  readonly verdict: 'accepted' | 'nothingToDo' | 'denied';
  readonly attemptId: string | null;
  readonly code: string | null;
  readonly message: string | null;
  /** What came of sending it; null when it was not sent, or that could not be committed: `sendMutation` does it. */
  readonly step: MutationStep | null;
}

export interface SendMutationInput {
  readonly mutationId: string;
  /** null: make a fresh attempt if one is allowed now. */
  readonly attemptId: string | null;
}

export type MutationStep =
  | { readonly kind: 'settled'; readonly verdict: 'applied' | 'refused'; readonly code: string | null; readonly message: string | null }
  | { readonly kind: 'open'; readonly askAgainInMs: number };

export interface OrderActivities {
  placeOrders(input: PlaceOrdersInput): Promise<PlaceOrdersResult>;
  sendAttempt(input: SendAttemptInput): Promise<SendAttemptResult>;
  requestMutation(input: RequestMutationInput): Promise<RequestMutationResult>;
  sendMutation(input: SendMutationInput): Promise<MutationStep>;
  settleMutation(input: SendMutationInput): Promise<MutationStep>;
}
