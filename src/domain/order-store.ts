/** What the order path asks of the database: every function is one transaction unless it says otherwise. */
import type { ErrorCode } from './errors';
import type { Order } from './order';
import type { Evidence } from './evidence';
import type { NonceFate } from './nonce';
import type { SignedRequest, SendAnswer } from './venue';

/** How an intent fared when its group was recorded. */
export interface RecordedItem {
  /** The order's id: an earlier one's where the intent was a duplicate. */
  readonly orderId: string;
  readonly verdict: 'accepted' | 'denied' | 'duplicate';
}

/** One venue call to make: the orders of one venue and account, signed and stored. */
export interface RecordedCall {
  readonly attemptId: string;
  readonly venue: string;
  readonly accountId: string;
  readonly orderIds: readonly string[];
  /** True when every order of it only reduces: it goes from the reserve, in a regular activity if need be. */
  readonly exit: boolean;
}

export interface RecordedGroup {
  readonly items: readonly RecordedItem[];
  /** An accepted order that is in none of them waits for its signer: an earlier request there has an open nonce. */
  readonly calls: readonly RecordedCall[];
}

/** The right to an attempt: at most one holder has the newest fence. */
export type SendRight = FirstRight | LaterRight;

interface RightToAttempt {
  readonly attemptId: string;
  readonly fence: number;
  readonly venue: string;
  readonly accountId: string;
  readonly orders: readonly Order[];
  /** Our clock, ms. Nothing is written after it. */
  readonly sendBeforeMs: number;
}

/** Nobody else had it: its bytes may be sent. */
export interface FirstRight extends RightToAttempt {
  readonly maybeSent: false;
  readonly request: SignedRequest;
  /** Every earlier request of these orders is proven to have had no effect: what the venue says of this one is said of the orders. */
  readonly earlierGone?: boolean;
}

/** An earlier holder may have sent its bytes: they come out of their seal for nobody, the venue is asked. */
export interface LaterRight extends RightToAttempt {
  readonly maybeSent: true;
  readonly request?: undefined;
}

export type AttemptOutcome = 'answered' | 'refused' | 'notSent' | 'rateLimited' | 'unknown';

/** Outcomes after which nothing of the attempt can reach the venue any more. An attempt nobody reported has none: it may have left. */
export const NEVER_LEFT: readonly AttemptOutcome[] = ['notSent', 'rateLimited'];

/** How a send ended, with the evidence it yields per order; committed in one transaction with its events. */
export interface AttemptReport {
  readonly attemptId: string;
  readonly fence: number;
  readonly outcome: AttemptOutcome;
  readonly answer: Pick<SendAnswer, 'raw' | 'latencyMs' | 'venueTimeMs'> | null;
  readonly evidence: readonly OrderEvidence[];
  /** What the answer proves of the request's nonce; absent: nothing. */
  readonly nonce?: Exclude<NonceFate, 'open'>;
}

export interface OrderEvidence {
  readonly orderId: string;
  readonly evidence: Evidence;
}

export interface AppliedOrder {
  readonly order: Order;
  /** False when the evidence was known already or told nothing new. */
  readonly changed: boolean;
}

export type MutationKind = 'amend' | 'cancel';
export type MutationState = 'pending' | 'applied' | 'refused' | 'superseded' | 'unknown';

/** An amend or a cancel: an intent with an owner, allocated under the order's row lock. */
export interface Mutation {
  readonly id: string;
  readonly orderId: string;
  readonly accountId: string;
  readonly kind: MutationKind;
  /** The order's revision it was asked against. */
  readonly revision: number;
  readonly state: MutationState;
  readonly limitPrice: string | null;
  readonly quantity: string | null;
  /** Of a trigger order; null or absent: as it is. */
  readonly triggerPrice?: string | null;
  readonly reasonCode: string | null;
  readonly createdAt: string;
}

/** One that is not settled, and the workflow that pursues it. */
export interface OwnedMutation extends Mutation {
  readonly ownerWorkflowId: string;
}

export interface MutationIntent {
  readonly id: string;
  readonly kind: MutationKind;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly orderId: string;
  /** amend: the If-Match revision, compared under the lock; cancel: null, always taken. */
  readonly expectedRevision: number | null;
  readonly limitPrice: string | null;
  readonly quantity: string | null;
  /** Of a trigger order that its venue holds; null or absent: as it is. */
  readonly triggerPrice?: string | null;
  /** Nothing of an amend is recorded, signed or sent after it. A cancel goes on: only its first request has this deadline. */
  readonly sendBefore: string;
}

export type RecordedMutation =
  /** Without an attempt: its signer is held by a request whose nonce is open, its account's key is not at hand where it was recorded, or it is an amend that is read back after its deadline. */
  | { readonly verdict: 'accepted'; readonly attemptId: string | null; readonly order: Order; readonly mutation: Mutation }
  /** Nothing to send: already terminal, or the same mutation is under way (mutationId names it). */
  | { readonly verdict: 'nothingToDo'; readonly order: Order; readonly mutationId: string | null }
  /** CONFLICT, PRECONDITION_FAILED, NOT_FOUND, UNPROCESSABLE, SERVICE_UNAVAILABLE (an amend after its deadline), or a risk code where an amendment asks for more than is allowed. */
  | { readonly verdict: 'denied'; readonly code: ErrorCode; readonly message: string; readonly order: Order | null };

/** Which single writer of a scope this is; its transactions hold the epoch row FOR SHARE and compare. */
export interface WriterEpoch {
  readonly scope: string;
  readonly epoch: number;
}

/** Thrown when a watcher's epoch is no longer the newest: its successor works, it must stop. */
export class EpochLost extends Error {
  override readonly name = 'EpochLost';
  constructor(readonly writer: WriterEpoch) {
    super(`epoch ${writer.epoch} of ${writer.scope} was taken over`);
  }
}

/** An order whose outcome has been open for too long, for the sweeper. */
export interface StuckOrder {
  readonly orderId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly ownerWorkflowId: string | null;
  /** How many resolvers it has had. */
  readonly resolutions: number;
}
