/** How an order becomes an answer, the same for the first request and for every repeat. */
import { DomainError, REASON } from '../domain/errors';
import { UNSETTLED_STATES, type Order } from '../domain/order';
import type { ItemResult } from '../schemas/errors';
import { errorBody, isErrorCode } from './errors';
import type { Timeline } from '../domain/timeline';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function isSettled(order: Order): boolean {
  return !UNSETTLED_STATES.has(order.state);
}

export function orderReply(status: number, order: Order): Reply {
  return { status, body: order, headers: { ETag: `"${order.revision}"`, Location: `/api/v1/orders/${order.id}` } };
}

/** 201 once the venue has answered, 202 before. Throws the refusal of a DENIED order, with its figures, and of one that a rate limit kept back. */
export async function placedReply(order: Order, timelineOf: () => Promise<Timeline | null>, nowMs: number): Promise<Reply> {
  if (order.state === 'DENIED') throw await denial(order, timelineOf);
  if (order.state === 'REJECTED' && order.reasonCode === REASON.rateLimited) throw noRoom(order, await timelineOf(), nowMs);
  return orderReply(isSettled(order) ? 201 : 202, order);
}

/** From the row and its recorded figures alone, so that a repeat reads the same words. */
async function denial(order: Order, timelineOf: () => Promise<Timeline | null>): Promise<DomainError> {
  const risk = (await timelineOf())?.risk ?? null;
  const code = isErrorCode(order.reasonCode) ? order.reasonCode : 'UNPROCESSABLE';
  return new DomainError(code, order.reasonMessage ?? 'the order was denied', { details: { orderId: order.id, clientOrderId: order.clientOrderId, state: order.state, figures: risk?.figures ?? {} } });
}

/** Its id is used up, like that of every refused order: the same request again would find this order. */
function noRoom(order: Order, timeline: Timeline | null, nowMs: number): DomainError {
  const refusal = timeline?.evidence.find(({ kind, data }) => kind === 'notSent' && typeof data['retryAfterMs'] === 'number');
  const untilMs = refusal === undefined ? nowMs : Date.parse(refusal.at) + Number(refusal.data['retryAfterMs']);
  return new DomainError('RATE_LIMITED', `${order.reasonMessage ?? 'the venue\'s rate limit had no room'}; to place it after all, use another clientOrderId or Idempotency-Key`, {
    outcome: 'none',
    retryAfterSeconds: Math.max(1, Math.ceil((untilMs - nowMs) / 1_000)),
    details: { orderId: order.id, clientOrderId: order.clientOrderId, state: order.state },
  });
}

/** One item's result out of its reply or its error. */
export function itemResult(index: number, clientOrderId: string, answer: Reply | DomainError, context: { readonly requestId: string; readonly nowMs: number }): ItemResult {
  if (answer instanceof DomainError) {
    const orderId = answer.details.orderId;
    return { index, status: answer.status, orderId: typeof orderId === 'string' ? orderId : null, clientOrderId, order: null, error: errorBody(answer, context.requestId, context.nowMs).error };
  }
  const order = answer.body as Order;
  return { index, status: answer.status, orderId: order.id, clientOrderId, order, error: null };
}
