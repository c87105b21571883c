/** Cancelling and amending: intents like placing, answered by the order's committed events, never by a guess. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { isoTime } from '../domain/clock';
import { decimal, decimalText } from '../domain/decimal';
import { sameTerms } from '../domain/amended-terms';
import { DomainError } from '../domain/errors';
import { isHeld } from '../domain/condition';
import type { HeldTerms } from '../domain/evidence';
import { isTerminal, type Order } from '../domain/order';
import type { MutationIntent, MutationKind } from '../domain/order-store';
import { describeIntent } from '../domain/order-summary';
import { AmendmentFate } from './amendment-fate';
import type { Directory } from './directory';
import { assertEntriesPass } from './entries';
import { isErrorCode, notFound, toDomainError } from './errors';
import { assertOnTick, heldTermsOf } from './order-conditions';
import { onGrid, unprocessable } from './order-intent';
import type { OrderWaiter } from './order-waiter';
import type { OrderWatch, WatchOutcome } from './order-watch';
import type { MutationVerdict } from './order-ports';
import type { ApiPorts } from './ports';
import { orderReply, type Reply } from './replies';

export interface Amendment {
  readonly limitPrice: string | null;
  readonly quantity: string | null;
  /** Of an order that waits in a workflow; the trigger also of one that waits at its venue. */
  readonly condition?: Pick<HeldTerms, 'triggerPrice' | 'trailingOffset' | 'activationPrice'>;
}

type Answered = { readonly verdict: MutationVerdict } | { readonly error: unknown };

export class OrderMutations {
  constructor(
    private readonly ports: Pick<ApiPorts, 'gateway' | 'orders' | 'clock' | 'health'>,
    private readonly waiter: OrderWaiter,
    private readonly directory: Directory,
    private readonly deadlineMs: number,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** 200 with the order once it is canceled, 202 while that is open, 409 when it ended otherwise. A repeat is harmless. */
  async cancel(order: Order, timeoutMs: number): Promise<Reply> {
    if (isTerminal(order.state)) return canceledReply(order);
    if (isHeld(order)) {
      const ended = await this.pursue(order, timeoutMs, (seen) => isTerminal(seen.state), () => this.ports.gateway.cancelHeld(order));
      return isTerminal(ended.state) ? canceledReply(ended) : orderReply(202, ended);
    }
    const intent = this.intent('cancel', order, null, { limitPrice: null, quantity: null });
    const fresh = await this.pursue(order, timeoutMs, (seen) => isTerminal(seen.state), () => this.ports.gateway.cancel(intent, summaryOf('cancel', order), order.symbol));
    return isTerminal(fresh.state) ? canceledReply(fresh) : orderReply(202, fresh);
  }

  /** 200 with the order once the venue has the new terms, 202 while that is open, 412 and 409 when it cannot be asked. */
  async amend(order: Order, revision: number, amendment: Amendment, timeoutMs: number): Promise<Reply> {
    const details = { orderId: order.id, revision: order.revision, order };
    if (isTerminal(order.state)) throw new DomainError('CONFLICT', `the order is ${order.state}: it cannot be amended`, { details });
    if (order.revision !== revision) throw new DomainError('PRECONDITION_FAILED', `the order is at revision ${order.revision}, not ${revision}`, { details });
    if (order.pendingCancel || order.pendingReplace) throw new DomainError('CONFLICT', `${order.pendingCancel ? 'a cancel' : 'another amendment'} of the order is under way`, { details });
    if (isHeld(order)) return this.amendHeld(order, revision, amendment);
    if (!order.reduceOnly) assertEntriesPass(this.ports.health, order.accountId);
    const terms = await this.checked(order, amendment);
    const intent = this.intent('amend', order, revision, terms);
    const fate = new AmendmentFate(order, terms);
    const fresh = await this.pursue(order, timeoutMs, (seen) => fate.isOver(seen), async () => fate.heard(await this.ports.gateway.amend(intent, summaryOf('amend', order), order.symbol)));
    if (fate.isDone(fresh)) return orderReply(200, fresh);
    const freshDetails = { orderId: fresh.id, revision: fresh.revision, order: fresh };
    if (isTerminal(fresh.state)) throw new DomainError('CONFLICT', `the order became ${fresh.state} before it was amended`, { details: freshDetails });
    if (fate.isTaken && fate.isOver(fresh)) throw new DomainError('VENUE_REJECTED', 'the venue did not take the amendment', { details: freshDetails });
    if (!fate.isTaken && fresh.revision !== revision && !(await this.isOpen(fresh, terms))) {
      throw fresh.pendingReplace ? new DomainError('CONFLICT', 'another amendment of the order is under way', { details: freshDetails }) : new DomainError('PRECONDITION_FAILED', `the order is at revision ${fresh.revision}, not ${revision}`, { details: freshDetails });
    }
    return orderReply(202, fresh);
  }

  /** Whether the amendment that is under way is of these terms. One of others took the revision: these will be refused. */
  private async isOpen(order: Order, { limitPrice, quantity, condition }: Amendment): Promise<boolean> {
    if (!order.pendingReplace) return false;
    const asked = (await this.ports.orders.timeline(order.id, order.userId))?.evidence.findLast(({ kind }) => kind === 'amendRequested');
    return asked !== undefined && sameTerms(asked.data, { limitPrice, quantity, triggerPrice: condition?.triggerPrice ?? null });
  }

  /** An armed order's terms are changed in our own database: the answer is final. */
  private async amendHeld(order: Order, revision: number, amendment: Amendment): Promise<Reply> {
    const market = await this.directory.market(order.venue, order.symbol);
    if (market === null) throw notFound('market');
    const terms = heldTermsOf(order, amendment, market);
    const { verdict, code, message } = await this.ports.gateway.amendHeld(order, revision, terms);
    const fresh = (await this.ports.orders.byId(order.id, order.userId)) ?? order;
    if (verdict === 'applied') return orderReply(200, fresh);
    throw new DomainError(isErrorCode(code) ? code : 'CONFLICT', message ?? 'the order cannot be changed now', { details: { orderId: fresh.id, revision: fresh.revision, order: fresh } });
  }

  /** The new terms, canonical and on the market's grid. */
  private async checked(order: Order, amendment: Amendment): Promise<Amendment> {
    if (this.directory.capabilities(order.venue)?.amend === 'none') throw unprocessable('venue', order.venue, `${order.venue} cannot amend orders; cancel it and place another`);
    if (order.type === 'market' && amendment.limitPrice !== null) throw unprocessable('limitPrice', amendment.limitPrice, 'a market order has no limit price');
    const market = await this.directory.market(order.venue, order.symbol);
    if (market === null) throw notFound('market');
    const quantity = amendment.quantity ?? order.quantity;
    if (!decimal(quantity).greaterThan(decimal(order.filledQuantity))) throw unprocessable('quantity', quantity, `quantity ${quantity} is the new total and must be above the ${order.filledQuantity} filled already; to stop the rest, cancel the order`);
    onGrid(market, { quantity, limitPrice: amendment.limitPrice ?? order.limitPrice, reduceOnly: order.reduceOnly }, null);
    const { triggerPrice, trailingOffset, activationPrice } = amendment.condition ?? {};
    for (const [field, value] of Object.entries({ trailingOffset, activationPrice })) if (value !== undefined) throw unprocessable(field, value, `the order has no ${field} to amend`);
    if (triggerPrice !== undefined && order.triggerPrice === null) throw unprocessable('triggerPrice', triggerPrice, 'the order has no triggerPrice to amend');
    assertOnTick(market, 'triggerPrice', triggerPrice ?? null);
    return {
      ...(triggerPrice === undefined ? {} : { condition: { triggerPrice: decimalText(triggerPrice) } }),
      limitPrice: amendment.limitPrice === null ? null : decimalText(amendment.limitPrice),
      quantity: amendment.quantity === null ? null : decimalText(amendment.quantity),
    };
  }

  /** Asks, and waits for the order's own evidence. Throws what the venue or the transaction said against it. */
  private async pursue(order: Order, timeoutMs: number, isOver: (seen: Order) => boolean, ask: () => Promise<MutationVerdict>): Promise<Order> {
    const watch = this.waiter.watch({ accountId: order.accountId, orderId: order.id, clientOrderId: null }, { isSettled: isOver, isRecorded: (seen) => seen.pendingCancel || seen.pendingReplace });
    try {
      watch.see(order);
      const seen = watch.outcome(timeoutMs);
      const answered = ask().then(
        (verdict): Answered => ({ verdict }),
        (error: unknown): Answered => ({ error }),
      );
      const first = await Promise.race([seen, answered]);
      if (!('kind' in first)) return await this.afterAnswer(first, watch, seen, order, isOver);
      if (first.kind !== 'absent') return first.order;
      throw new DomainError('SERVICE_UNAVAILABLE', 'the request is not recorded yet and may still be', { outcome: 'unknown', retryAfterSeconds: 1, details: { orderId: order.id } });
    } finally {
      watch.close();
    }
  }

  private async afterAnswer(answer: Answered, watch: OrderWatch, seen: Promise<WatchOutcome>, order: Order, isOver: (seen: Order) => boolean): Promise<Order> {
    if ('verdict' in answer && answer.verdict.verdict === 'pending') {
      // What was seen before this answer may have been its outcome.
      watch.see(watch.latest ?? order);
      return this.orderAfter(await seen, order);
    }
    const fresh = (await this.ports.orders.byId(order.id, order.userId)) ?? order;
    if ('error' in answer) {
      if (isTerminal(fresh.state)) return fresh;
      this.log.warn({ err: answer.error, orderId: order.id }, 'a cancel or amendment could not be handed over');
      throw toDomainError(answer.error, true);
    }
    const { verdict, code, message } = answer.verdict;
    if (verdict === 'refused' && !isTerminal(fresh.state)) throw new DomainError('VENUE_REJECTED', message ?? 'the venue refused', { details: { orderId: fresh.id, reasonCode: code, order: fresh } });
    if (verdict === 'applied' || isOver(fresh)) return fresh;
    if (verdict === 'denied') throw new DomainError(isErrorCode(code) ? code : 'CONFLICT', message ?? 'the order cannot be changed now', { details: { orderId: fresh.id, revision: fresh.revision, order: fresh } });
    // nothingToDo: the same request is under way already, and this one waits for the same outcome.
    watch.see(fresh);
    return this.orderAfter(await seen, fresh);
  }

  private async orderAfter(outcome: WatchOutcome, before: Order): Promise<Order> {
    return outcome.kind === 'absent' ? ((await this.ports.orders.byId(before.id, before.userId)) ?? before) : outcome.order;
  }

  private intent(kind: MutationKind, order: Order, expectedRevision: number | null, terms: Amendment): MutationIntent {
    return {
      id: randomUUID(),
      kind,
      userId: order.userId,
      accountId: order.accountId,
      venue: order.venue,
      orderId: order.id,
      expectedRevision,
      limitPrice: terms.limitPrice,
      quantity: terms.quantity,
      ...(terms.condition?.triggerPrice === undefined ? {} : { triggerPrice: terms.condition.triggerPrice }),
      sendBefore: isoTime(this.ports.clock.nowMs() + this.deadlineMs),
    };
  }
}

function canceledReply(order: Order): Reply {
  if (order.state === 'CANCELED') return orderReply(200, order);
  throw new DomainError('CONFLICT', `the order is ${order.state}: there is nothing left to cancel`, { details: { orderId: order.id, order } });
}

function summaryOf(kind: MutationKind, order: Order): string {
  return `${kind} ${describeIntent(order)}`;
}
