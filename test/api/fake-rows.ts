/** Rows as the placing transaction writes them, and pages of rows. */
import type { ErrorCode } from '../../src/domain/errors';
import { isHeld } from '../../src/domain/condition';
import { UNCONDITIONAL, UNGROUPED, UNSUPERVISED, type Order, type OrderIntent } from '../../src/domain/order';
import type { Timeline, TimelineAttempt } from '../../src/domain/timeline';

export interface Denial {
  readonly code: ErrorCode;
  readonly message: string;
  readonly figures: Record<string, string>;
}

export function page<Row, Name extends string>(rows: readonly Row[], query: { cursor: string | null; limit: number }, name: Name): { [Key in Name]: Row[] } & { nextCursor: string | null } {
  const from = Number(query.cursor ?? '0');
  const nextCursor = from + query.limit < rows.length ? String(from + query.limit) : null;
  return { [name]: rows.slice(from, from + query.limit), nextCursor } as { [Key in Name]: Row[] } & { nextCursor: string | null };
}

export function intentShown(intent: OrderIntent): NonNullable<Timeline['intent']> {
  const { symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, placeBefore } = intent;
  return { symbol, side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, placeBefore };
}

export function recordedOrder(intent: OrderIntent, at: string, denial: Denial | null): Order {
  const { idempotency: _stamp, placeBefore: _deadline, signerId: _signer, supervision: _supervision, condition = UNCONDITIONAL, group = UNGROUPED, ...terms } = intent;
  return {
    ...terms,
    venueOrderId: null,
    filledQuantity: '0',
    leavesQuantity: denial === null ? intent.quantity : '0',
    avgPrice: null,
    fee: '0',
    feeAsset: null,
    state: denial !== null ? 'DENIED' : isHeld(condition) ? 'ARMED' : 'SUBMITTING',
    reasonCode: denial?.code ?? null,
    reasonMessage: denial?.message ?? null,
    pendingCancel: false,
    pendingReplace: false,
    revision: 1,
    ownerWorkflowId: `order/${intent.accountId}/${intent.clientOrderId}`,
    ...UNSUPERVISED,
    ...group,
    ...condition,
    triggeredAt: null,
    venueSeenAtMs: null,
    createdAt: at,
    submittedAt: null,
    acknowledgedAt: null,
    filledAt: null,
    canceledAt: null,
    closedAt: denial === null ? null : at,
    updatedAt: at,
  };
}

export function recordKey(userId: string, key: string): string {
  return `${userId} ${key}`;
}

/** An attempt of an order's timeline: sent once and answered. */
export function answeredAttempt(at: string, venueTimeMs: number): TimelineAttempt {
  return { id: 'attempt-1', kind: 'place', preparedAt: at, sentAt: at, reportedAt: null, fence: 1, outcome: 'answered', latencyMs: 1.5, venueTimeMs, request: null, answer: '{"ok":true}' };
}
