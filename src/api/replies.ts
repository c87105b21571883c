/** How an order becomes an answer, the same for the first request and for every repeat. */
import { DomainError } from '../domain/errors';
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

/** 201 once the venue has answered, 202 before. Throws the refusal of a DENIED order, with its figures. */
export async function placedReply(order: Order, timelineOf: () => Promise<Timeline | null>): Promise<Reply> {
  if (order.state === 'DENIED') throw await denial(order, timelineOf);
  return orderReply(isSettled(order) ? 201 : 202, order);
}

/** From the row and its recorded figures alone, so that a repeat reads the same words. */
async function denial(order: Order, timelineOf: () => Promise<Timeline | null>): Promise<DomainError> {
  const risk = (await timelineOf())?.risk ?? null;
  const code = isErrorCode(order.reasonCode) ? order.reasonCode : 'UNPROCESSABLE';
  return new DomainError(code, order.reasonMessage ?? 'the order was denied', { details: { orderId: order.id, clientOrderId: order.clientOrderId, state: order.state, figures: risk?.figures ?? {} } });
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
