/** What a conditional order's workflow does: its row, its trigger, its alerts. Types only for workflows. */
import type { HeldEvidence, HeldTerms } from '../domain/evidence';
import type { ErrorCode } from '../domain/errors';
import type { OrderCondition } from '../domain/condition';
import type { FoldedOrders } from '../domain/folded-orders';
import type { OrderIntent, OrderState } from '../domain/order';
import type { Evidence } from '../domain/evidence';
import type { StandingOrder } from '../domain/remembered-orders';
import type { SupervisedOrder } from '../domain/supervised-order';

/** The row of a conditional order, and of what it placed: where a workflow begins, or begins anew. */
export interface HeldOrderView {
  readonly state: OrderState;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly condition: OrderCondition;
  readonly pendingCancel: boolean;
  readonly triggeredAtMs: number | null;
  /** When it was accepted; absent in histories from before it was told. */
  readonly acceptedAtMs?: number;
  readonly revision: number;
  /** Of its first trigger, as it stands armed: who accepted the order armed it, and each amendment is one more. null or absent: that one is not armed (any more). */
  readonly armedRevision?: number | null;
  /** All that are open, the newest that have ended, and the first of its pursuit. */
  readonly children: readonly SupervisedOrder[];
  /** The others; absent in histories from before they were folded. */
  readonly folded?: FoldedOrders;
}

export interface ConditionalReference {
  readonly intent: OrderIntent;
  readonly ownerWorkflowId: string;
}

export interface RecordConditionalResult {
  readonly verdict: 'accepted' | 'denied' | 'duplicate';
  /** null unless accepted. */
  readonly held: HeldOrderView | null;
  /** The venue ends native stops after this, ms; null: it keeps them. */
  readonly nativeExpiresAfterMs: number | null;
}

export interface NoteConditionalInput extends ConditionalReference {
  /** What its row has to say where a restored database has lost it; null or absent: what the intent says. */
  readonly standing?: StandingOrder | null;
  readonly evidence: readonly (HeldEvidence | Extract<Evidence, { kind: 'cancelRequested' }>)[];
}

export interface AmendConditionalInput extends ConditionalReference {
  readonly expectedRevision: number;
  readonly terms: HeldTerms;
  /** What the workflow knows: a restored row is brought up to that before it is amended, so that nobody amends what is not so any more. */
  readonly standing: StandingOrder | null;
}

export interface AmendConditionalResult {
  readonly verdict: 'applied' | 'denied';
  readonly code: ErrorCode | null;
  readonly message: string | null;
}

export interface ConditionalActivities {
  recordConditional(input: ConditionalReference & { readonly intendedAtMs: number }): Promise<RecordConditionalResult>;
  noteConditional(input: NoteConditionalInput): Promise<{ readonly state: OrderState; readonly revision: number }>;
  amendConditional(input: AmendConditionalInput): Promise<AmendConditionalResult>;
  raiseOrderAlert(input: { readonly accountId: string; readonly data: Readonly<Record<string, unknown>> }): Promise<void>;
}
