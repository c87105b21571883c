/** The life of a POST: idempotency lookup, intents, one hand-over to Temporal, and each item's own answer. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { DomainError } from '../domain/errors';
import type { IdempotencyStamp, Order, OrderGrouping, OrderIntent, OrderOrigin } from '../domain/order';
import { assertEntriesPass } from './entries';
import { toDomainError } from './errors';
import type { FirstCheck } from './first-check';
import { assertSameRequest, assertSameTerms, derivedClientOrderId, missingIds, stampOf } from './idempotency';
import type { IntentMaker } from './order-intent';
import { differingFields, type OrderTerms } from './order-terms';
import type { OrderWaiter } from './order-waiter';
import type { OrderWatch, WatchRules } from './order-watch';
import type { ApiPorts, IdempotencyRecord } from './ports';
import { isSettled, placedReply, type Reply } from './replies';

export interface PlacementRequest {
  readonly userId: string;
  /** The caller's Idempotency-Key and what it stands for; null without one. */
  readonly idempotency: IdempotencyStamp | null;
  readonly timeoutMs: number;
  /** Absent: API. */
  readonly origin?: OrderOrigin;
  /** None of the orders leaves after this, which may come before the usual deadline; absent: that one. */
  readonly placeBefore?: string;
  /** The orders are one group at their venue, which stands or falls as a whole; absent: each stands alone. */
  readonly grouping?: OrderGrouping | undefined;
}

/** An order's row is its record. */
const PLACED: WatchRules = { isSettled, isRecorded: () => true };

/** One order of a request on its way. */
interface Item {
  /** Of the order, should it be a new one. */
  readonly id: string;
  readonly terms: OrderTerms;
  readonly clientOrderId: string;
  readonly stamp: IdempotencyStamp | null;
  readonly record: IdempotencyRecord | null;
}

type Prepared =
  | { readonly kind: 'refused'; readonly error: DomainError }
  | { readonly kind: 'known'; readonly watch: OrderWatch }
  | { readonly kind: 'new'; readonly intent: OrderIntent; readonly watch: OrderWatch };

export interface PlacedItem {
  readonly clientOrderId: string;
  readonly answer: Reply | DomainError;
}

export class OrderPlacement {
  constructor(
    private readonly ports: Pick<ApiPorts, 'gateway' | 'orders' | 'idempotency' | 'clock' | 'health'>,
    private readonly waiter: OrderWaiter,
    private readonly intents: IntentMaker,
    private readonly firstCheck: FirstCheck,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  /** What is recorded under the caller's key, if anything. Throws IDEMPOTENCY_MISMATCH when that was another request. */
  async recordOf(request: PlacementRequest, index: number): Promise<IdempotencyRecord | null> {
    if (request.idempotency === null) return null;
    const stamp = stampOf(request.idempotency, index);
    const record = await this.ports.idempotency.find(request.userId, stamp.key);
    if (record !== null) assertSameRequest(record, stamp);
    return record;
  }

  /** Places the items, each with its own answer. Throws only what concerns the request as a whole. */
  async place(request: PlacementRequest, terms: readonly OrderTerms[]): Promise<PlacedItem[]> {
    const records = await Promise.all(terms.map((_, index) => this.recordOf(request, index)));
    const items = terms.map((item, index) => identified(request, item, index, records[index] ?? null));
    const prepared = await Promise.all(items.map((item) => this.prepare(request, item, items[0]?.id ?? item.id)));
    try {
      const refused = prepared.find((entry) => entry.kind === 'refused');
      if (request.grouping !== undefined && refused !== undefined) throw refused.error;
      this.handOver(prepared.filter((entry) => entry.kind === 'new'));
      return await Promise.all(prepared.map(async (entry, index) => this.answerItem(request, itemAt(items, index), entry)));
    } finally {
      for (const entry of prepared) if (entry.kind !== 'refused') entry.watch.close();
    }
  }

  private async prepare(request: PlacementRequest, item: Item, groupId: string): Promise<Prepared> {
    const { accountId } = item.terms;
    const { grouping } = request;
    const known = (orderId: string): Prepared => {
      const watch = this.waiter.watch({ accountId, orderId, clientOrderId: null }, PLACED);
      watch.readNow();
      return { kind: 'known', watch };
    };
    // A key that met an order made without it says nothing of that order's terms: such a request is asked as if it were new, each time.
    const knownId = item.record?.isOwn === true ? item.record.orderId : null;
    if (knownId !== null) return known(knownId);
    try {
      const intent = await this.intents.make(item.terms, { id: item.id, userId: request.userId, clientOrderId: item.clientOrderId, stamp: item.stamp, ...(request.origin === undefined ? {} : { origin: request.origin }), ...(request.placeBefore === undefined ? {} : { placeBefore: request.placeBefore }), ...(grouping === undefined ? {} : { group: { grouping, groupId } }) });
      if (!intent.reduceOnly) assertEntriesPass(this.ports.health, intent.accountId);
      // A group is judged as one, in the transaction that records it.
      if (grouping === undefined && (await this.firstCheck.denies(intent))) return known(intent.id);
      const watch = this.waiter.watch({ accountId: intent.accountId, orderId: intent.id, clientOrderId: intent.clientOrderId }, PLACED);
      return { kind: 'new', intent, watch };
    } catch (error) {
      return { kind: 'refused', error: this.translated(error, false) };
    }
  }

  /**
   * Starts the workflows and does not wait: the committed events answer. Its own end only says when rows must be there. Part by part: that one
   * was certainly not started says nothing of another, which may be under way.
   */
  private handOver(entries: readonly Extract<Prepared, { kind: 'new' }>[]): void {
    if (entries.length === 0) return;
    const watches = new Map(entries.map(({ intent, watch }) => [intent.id, watch]));
    for (const part of this.ports.gateway.parts(entries.map((entry) => entry.intent))) {
      this.ports.gateway.place(part).then(
        () => part.forEach(({ id }) => watches.get(id)?.recordedNow()),
        (error: unknown) => {
          const failure = this.translated(error, true);
          this.log.warn({ err: error, orders: part.length }, 'orders could not be handed over');
          part.forEach(({ id }) => watches.get(id)?.readAfterFailure(failure));
        },
      );
    }
  }

  private async answerItem(request: PlacementRequest, item: Item, entry: Prepared): Promise<PlacedItem> {
    const { clientOrderId } = item;
    if (entry.kind === 'refused') return { clientOrderId, answer: entry.error };
    try {
      const outcome = await entry.watch.outcome(request.timeoutMs);
      if (outcome.kind === 'absent') return { clientOrderId, answer: await this.explainAbsence(request, item) };
      const { order } = outcome;
      if (entry.kind === 'new' && outcome.kind === 'settled') this.ports.gateway.answered(entry.intent);
      if (entry.kind === 'new' && order.id !== entry.intent.id) await this.assertSameIntent(request, item, entry.intent, order);
      return { clientOrderId, answer: await placedReply(order, () => this.ports.orders.timeline(order.id, request.userId), this.ports.clock.nowMs()) };
    } catch (error) {
      return { clientOrderId, answer: this.translated(error, true) };
    }
  }

  /** The client id belongs to an earlier intent: the same one, or the caller is told which of the two he reused. */
  private async assertSameIntent(request: PlacementRequest, item: Item, intent: OrderIntent, order: Order): Promise<void> {
    const record = item.stamp === null ? null : await this.ports.idempotency.find(request.userId, item.stamp.key);
    if (record !== null && item.stamp !== null) {
      assertSameRequest(record, item.stamp);
      // Compared by hash already; of a close, what is asked for now depends on the position, and would differ.
      if (record.isOwn && record.orderId === order.id) return;
    }
    const differs = await differingFields(intent, order, () => this.ports.orders.timeline(order.id, request.userId));
    assertSameTerms({ what: 'order', idField: 'clientOrderId', clientId: order.clientOrderId, details: { orderId: order.id, order } }, differs, item.terms.clientOrderId === null);
  }

  /** No row: the key went to another request at the same moment, or nobody knows yet. */
  private async explainAbsence(request: PlacementRequest, item: Item): Promise<DomainError> {
    const record = item.stamp === null ? null : await this.ports.idempotency.find(request.userId, item.stamp.key);
    if (record !== null && item.stamp !== null) assertSameRequest(record, item.stamp);
    return new DomainError('SERVICE_UNAVAILABLE', 'the order is not recorded yet and may still be', { outcome: 'unknown', retryAfterSeconds: 1, details: { clientOrderId: item.clientOrderId } });
  }

  private translated(error: unknown, wrote: boolean): DomainError {
    const known = toDomainError(error, wrote);
    if (known.code === 'INTERNAL') this.log.warn({ err: error }, 'an order could not be placed');
    return known;
  }
}

function identified(request: PlacementRequest, terms: OrderTerms, index: number, record: IdempotencyRecord | null): Item {
  const { idempotency, userId } = request;
  const id = randomUUID();
  if (idempotency !== null) return { id, terms, clientOrderId: terms.clientOrderId ?? derivedClientOrderId(userId, idempotency.key, index), record, stamp: stampOf(idempotency, index) };
  if (terms.clientOrderId === null) throw missingIds();
  return { id, terms, clientOrderId: terms.clientOrderId, record, stamp: null };
}

function itemAt(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`no item ${index}`);
  return item;
}
