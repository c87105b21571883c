/** What the order workflows call. Types only for workflows; main puts the pieces together. */
import type { OrderIntent } from '../domain/order';
import type { MutationIntent, RecordedGroup } from '../domain/order-store';

export interface RecordOrdersInput {
  readonly intents: readonly OrderIntent[];
  readonly ownerWorkflowId: string;
}

export interface SendAttemptInput {
  readonly attemptId: string;
  readonly orderIds: readonly string[];
}

export interface SendAttemptResult {
  /** Orders of the attempt whose outcome is not yet evidence. */
  readonly openOrderIds: readonly string[];
}

export interface RecordMutationInput {
  readonly intent: MutationIntent;
  readonly ownerWorkflowId: string;
}

export interface RecordMutationResult {
  readonly verdict: 'accepted' | 'nothingToDo' | 'denied';
  readonly attemptId: string | null;
  readonly code: string | null;
  readonly message: string | null;
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
  recordOrders(input: RecordOrdersInput): Promise<RecordedGroup>;
  sendAttempt(input: SendAttemptInput): Promise<SendAttemptResult>;
  recordMutation(input: RecordMutationInput): Promise<RecordMutationResult>;
  sendMutation(input: SendMutationInput): Promise<MutationStep>;
  settleMutation(input: SendMutationInput): Promise<MutationStep>;
}
