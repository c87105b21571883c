/** What an account's watcher writes. Each call is one transaction that holds the writer's epoch row FOR SHARE. */
import { isoTime } from '../domain/clock';
import { decimalText } from '../domain/decimal';
import { exposureOf, minus, unbookedQuantity } from '../domain/exposure';
import { fillKey, venueViewKey, type Evidence } from '../domain/evidence';
import type { AppliedOrder, OrderEvidence, WriterEpoch } from '../domain/order-store';
import { DomainError } from '../domain/errors';
import { adopt, knownViews, lockByVenueNames, symbolsOf, unnamedOrders, viewOfFill, type VenueNames } from './orders/adoption';
import type { VenueFill, VenueFundingPayment, VenueOrder } from '../domain/venue';
import { applyUnderLocks, exposed, foldOrder } from './orders/apply-evidence';
import type { ChangeSet } from './change-set';
import { change, holdEpoch, type StoreCore } from './core';
import type { Queryable, Value } from './database/database';
import { FillBook, fillIdentity, knownFills } from './orders/fill-rows';
import { bookFunding, bookTransfer, cashOf } from './money/funding';
import { LISTED_SQL } from './database/listing';
import { lockAccounts, LOCKED_ORDER_SELECT, lockedOrderOf, type LockedAccount, type LockedOrder } from './database/locks';
import { mayBeReadBack } from './store-states';
import { putBalances, putPositions, type ConfirmedBalance, type ConfirmedPosition } from './money/venue-confirmed';

export interface AppliedFills {
  readonly newFills: number;
  readonly adopted: number;
  /** Nameless fills that may belong to an order whose venue name is not known yet: read them again later. */
  readonly deferred: number;
}

export class Watching {
  constructor(private readonly core: StoreCore) {}

  /** Raises the scope's epoch: every older writer of it is refused from here on. */
  async takeEpoch(scope: string, holder: string): Promise<WriterEpoch> {
    return this.core.database.transaction(async (tx) => {
      const [row] = await tx.rows<{ epoch: number }>(
        `INSERT INTO epochs(scope, epoch, holder, taken_at) VALUES ($1, 1, $2, $3::timestamptz)
         ON CONFLICT (scope) DO UPDATE SET epoch = epochs.epoch + 1, holder = excluded.holder, taken_at = excluded.taken_at RETURNING epoch::float8 AS epoch`,
        scope, holder, isoTime(this.core.clock.nowMs()),
      );
      if (row === undefined) throw new Error(`epoch of ${scope} was not returned`);
      return { scope, epoch: row.epoch };
    });
  }

  /** New fills change their order, its position, the day's profit and the stream, once, whatever is repeated. */
  async applyFills(writer: WriterEpoch, accountId: string, fills: readonly VenueFill[]): Promise<AppliedFills> {
    if (fills.length === 0) return { newFills: 0, adopted: 0, deferred: 0 };
    return this.asWriter(writer, accountId, async (tx, changes, account) => {
      const known = await knownFills(tx, fills.map((fill) => ({ accountId, fill })));
      const fresh = fills.filter((fill) => !known.has(`${accountId} ${fillIdentity(fill)}`)).sort((a, b) => a.atMs - b.atMs);
      if (fresh.length === 0) return { newFills: 0, adopted: 0, deferred: 0 };
      const evidence = (fill: VenueFill): Evidence => ({ kind: 'fill', key: fillKey(fill), fill, at: isoTime(this.core.clock.nowMs()) });
      const { ours, foreign, deferred } = await this.sorted(tx, accountId, fresh);
      const fillBook = new FillBook(changes);
      await applyUnderLocks(tx, new Map([[accountId, account]]), ours.map(({ locked, message }): OrderEvidence => ({ orderId: locked.order.id, evidence: evidence(message) })), changes, this.core.markOf, fillBook);
      const adopted = await this.adoptAll(tx, changes, account, foreign.map((fill) => ({ view: viewOfFill(fill), evidence: evidence(fill) })), fillBook);
      return { newFills: fresh.length - deferred, adopted: adopted.length, deferred };
    });
  }

  /** The venue's view of orders: evidence for ours, adoption for what we did not place. Answers what was not known before. */
  async applyVenueOrders(writer: WriterEpoch, accountId: string, all: readonly VenueOrder[], source: 'answer' | 'stream' | 'query'): Promise<readonly AppliedOrder[]> {
    // Mostly our own answers said it before: then there is nothing to write, and no account's row to hold.
    const known = await knownViews(this.core.database, accountId, all.map((order) => ({ venueClientId: order.venueClientId, key: venueViewKey(order) })));
    const orders = all.filter((order) => !known.has(`${order.venueClientId ?? ''} ${venueViewKey(order)}`));
    if (orders.length === 0) return [];
    return this.asWriter(writer, accountId, async (tx, changes, account) => {
      const evidence = (order: VenueOrder): Evidence => ({ kind: 'venueView', key: venueViewKey(order), order, source, at: isoTime(this.core.clock.nowMs()) });
      const { ours, foreign } = await this.sorted(tx, accountId, orders);
      const applied = await applyUnderLocks(tx, new Map([[accountId, account]]), ours.map(({ locked, message }): OrderEvidence => ({ orderId: locked.order.id, evidence: evidence(message) })), changes, this.core.markOf);
      const adopted = await this.adoptAll(tx, changes, account, foreign.map((order) => ({ view: order, evidence: evidence(order) })));
      return [...applied, ...adopted];
    });
  }

  /** Books funding that is not known yet: the ledger, its round trip, the day's profit and the stream. Answers how much was new. */
  async applyFunding(writer: WriterEpoch, accountId: string, payments: readonly VenueFundingPayment[]): Promise<number> {
    if (payments.length === 0) return 0;
    return this.asWriter(writer, accountId, (tx, changes, account) => bookFunding({ core: this.core, tx, changes, account }, payments));
  }

  /** What the ledger says is held, by asset. */
  ledgerCash(accountId: string): Promise<ReadonlyMap<string, string>> {
    return cashOf(this.core.database, accountId);
  }

  /** Books what the balance has beyond the ledger's `cash`; false when the ledger has moved since that was read. */
  async bookTransfer(writer: WriterEpoch, accountId: string, transfer: { readonly asset: string; readonly amount: string; readonly cash: string; readonly atMs: number }): Promise<boolean> {
    return this.asWriter(writer, accountId, (tx, changes, account) => bookTransfer({ core: this.core, tx, changes, account }, transfer));
  }

  /** `complete`: the list is all the venue holds, so markets that it leaves out are flat. Older words than the last change nothing. */
  async putPositions(writer: WriterEpoch, accountId: string, positions: readonly ConfirmedPosition[], atMs: number, options: { readonly complete?: boolean } = {}): Promise<void> {
    await this.asWriter(writer, accountId, (tx, changes, account) => putPositions(this.core, tx, changes, { account, positions, atMs, complete: options.complete ?? false, carryIn: false }));
  }

  /**
   * For a venue whose fills could not be read back far enough: the position becomes what the venue says it was at `atMs`,
   * plus our fills since, and the account's stream tells of it.
   */
  async carryIn(writer: WriterEpoch, accountId: string, positions: readonly ConfirmedPosition[], atMs: number): Promise<void> {
    await this.asWriter(writer, accountId, (tx, changes, account) => putPositions(this.core, tx, changes, { account, positions, atMs, complete: false, carryIn: true }));
  }

  /**
   * Every fill that the venue tells of up to `seenBeforeMs` (its time) is booked: what orders say filled beyond that, by views
   * older than it, comes no more. It leaves the exposure; the position counts it by the venue's word. Answers how many orders.
   */
  async settleUnbooked(writer: WriterEpoch, accountId: string, seenBeforeMs: number): Promise<number> {
    const unbooked = `FROM orders o WHERE o.account_id = $1 AND o.filled_quantity > o.fills_quantity + o.fills_missing AND o.venue_seen_at_ms < $2::bigint`;
    if ((await this.core.database.rows(`SELECT o.id ${unbooked} LIMIT 1`, accountId, seenBeforeMs)).length === 0) return 0;
    return this.asWriter(writer, accountId, async (tx, changes, account) => {
      const orders = (await tx.rows(`SELECT ${LOCKED_ORDER_SELECT} ${unbooked} ORDER BY o.id FOR UPDATE`, accountId, seenBeforeMs)).map(lockedOrderOf);
      for (const { order, books } of orders) {
        const settled = { ...books, fillsMissing: decimalText(unbookedQuantity(exposed(order, { ...books, fillsMissing: '0' }))) };
        changes.updateOrder(order, settled);
        changes.addExposure(account, order.symbol, minus(exposureOf(exposed(order, settled)), exposureOf(exposed(order, books))));
      }
      return orders.length;
    });
  }

  async putBalances(writer: WriterEpoch, accountId: string, balances: readonly ConfirmedBalance[], atMs: number): Promise<void> {
    await this.asWriter(writer, accountId, (tx, changes, account) => putBalances(this.core, tx, changes, account, balances, atMs));
  }

  /** Venue's time (ms) of the newest fill we have, or of the one `back` before it; null when there is none. */
  async lastFillTime(accountId: string, back = 0): Promise<number | null> {
    const [row] = await this.core.database.rows<{ at: Date | null }>(`SELECT f.at FROM fills f WHERE f.account_id = $1 AND ${LISTED_SQL('f')} ORDER BY f.at DESC OFFSET $2::int LIMIT 1`, accountId, back);
    return row?.at?.getTime() ?? null;
  }

  /** Signed quantities by the venue's spelling of the market, as the account's fills make them; flat markets are absent. */
  async heldQuantities(accountId: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.core.database.rows<{ venueSymbol: string; quantity: string }>('SELECT venue_symbol AS "venueSymbol", quantity::text AS quantity FROM positions WHERE account_id = $1 AND quantity <> 0', accountId);
    return new Map(rows.map((row) => [row.venueSymbol, row.quantity]));
  }

  /** What the scope's next holder must know. Throws EpochLost when `writer` is no longer the newest. */
  async checkpoint(scope: string, data: Value, writer?: WriterEpoch): Promise<void> {
    await this.core.database.transaction(async (tx) => {
      await holdEpoch(tx, writer);
      await tx.rows(
        `INSERT INTO epochs(scope, epoch, holder, taken_at, checkpoint) VALUES ($1, 0, '', $3::timestamptz, $2::jsonb) ON CONFLICT (scope) DO UPDATE SET checkpoint = excluded.checkpoint RETURNING scope`,
        scope, JSON.stringify(data), isoTime(this.core.clock.nowMs()),
      );
    });
  }

  async readCheckpoint(scope: string): Promise<Value> {
    const [row] = await this.core.database.rows('SELECT checkpoint FROM epochs WHERE scope = $1', scope);
    return row?.['checkpoint'] ?? null;
  }

  private asWriter<T>(writer: WriterEpoch, accountId: string, work: (tx: Queryable, changes: ChangeSet, account: LockedAccount) => Promise<T>): Promise<T> {
    return change(this.core, [accountId], async (tx, changes) => {
      const [, accounts] = await Promise.all([holdEpoch(tx, writer), lockAccounts(tx, [accountId])]);
      const account = accounts.get(accountId);
      if (account === undefined) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      return work(tx, changes, account);
    });
  }

  /** Which messages are about our orders, which about foreign ones, and how many cannot be told apart yet. */
  private async sorted<T extends VenueNames>(tx: Queryable, accountId: string, messages: readonly T[]): Promise<{ ours: { locked: LockedOrder; message: T }[]; foreign: T[]; deferred: number }> {
    const found = await lockByVenueNames(tx, accountId, messages);
    const unknown = messages.filter((message) => !found.has(message.venueOrderId));
    // After a restore an order without a row may be ours: it is left to a later read until ours are back.
    const mayBeOurs = unknown.length > 0 && (await mayBeReadBack(tx));
    const unnamed = unknown.some((message) => message.venueClientId === null) ? await unnamedOrders(tx, accountId) : new Set<string>();
    const foreign = mayBeOurs ? [] : unknown.filter((message) => message.venueClientId !== null || !unnamed.has(`${message.venueSymbol} ${message.side}`));
    const ours = messages.flatMap((message) => {
      const locked = found.get(message.venueOrderId);
      return locked === undefined ? [] : [{ locked, message }];
    });
    return { ours, foreign, deferred: unknown.length - foreign.length };
  }

  private async adoptAll(tx: Queryable, changes: ChangeSet, account: LockedAccount, items: readonly { readonly view: ReturnType<typeof viewOfFill>; readonly evidence: Evidence }[], fillBook = new FillBook(changes)): Promise<AppliedOrder[]> {
    if (items.length === 0) return [];
    const symbolOf = await symbolsOf(tx, account.venue, items.map(({ view }) => view.venueSymbol));
    const groups = new Map<string, typeof items>();
    for (const item of items) groups.set(item.view.venueOrderId, [...(groups.get(item.view.venueOrderId) ?? []), item]);
    const adopted = [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [{ group, locked: adopt(account, symbolOf(group[0].view.venueSymbol), group[0].view, this.core.clock.nowMs(), changes, this.core.markOf) }]));
    await fillBook.load(tx, adopted.map(({ locked }) => locked.order));
    return adopted.map(({ group, locked }) => foldOrder(account, locked, group.map(({ evidence }) => evidence), changes, fillBook, this.core.markOf));
  }
}
