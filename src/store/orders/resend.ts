/** Making an order's placing ready once more, as far as the venue's resendSafety allows it. */
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { UNSETTLED_STATES, type Order } from '../../domain/order';
import { NEVER_LEFT, type AttemptOutcome, type FirstRight } from '../../domain/order-store';
import type { SignedRequest, Venue } from '../../domain/venue';
import { addAttempt, NonceBook, openRequest, placeRequestOf, storeAttempt } from './attempt-builder';
import type { ChangeSet } from '../change-set';
import { plainRow } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Credentials } from '../accounts/credentials';
import type { Queryable } from '../database/database';
import { lockAccounts, lockOrders, orderOf, ORDER_SELECT, type LockedAccount } from '../database/locks';
import type { SendRights } from './send-rights';

interface EarlierAttempt {
  readonly id: string;
  readonly outcome: AttemptOutcome | null;
  readonly venueDeadlineMs: number | null;
  /** Empty: it is of a life of the database that is lost, and nobody has its bytes. */
  readonly keyId: string;
}

export class Resend {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
    private readonly rights: SendRights,
  ) {}

  /**
   * The new attempt's id; the right to send any earlier one ends. null: the order is settled, its placeBefore has passed,
   * the venue makes no second send safe, or its signer is held by a nonce whose fate is open. Throws CONFLICT
   * while an earlier request could still take effect, and none of its bytes may be repeated. The caller has found the order absent at
   * the venue; `goneUntilMs` is what it concluded of earlier requests (domain/resolution.ts).
   */
  async prepareAgain(orderId: string, sendTtlMs: number, goneUntilMs: number | null = null): Promise<string | null> {
    const { accountId, venue: venueName } = await this.placeOf(orderId);
    await this.core.offsets.resync(venueName);
    const credentials = await this.credentials.of(accountId);
    const right = await change(this.core, [accountId], async (tx, changes) => {
      const accounts = await lockAccounts(tx, [accountId]);
      const nonces = new NonceBook(this.core, tx);
      await nonces.lock(accounts.values());
      const members = await this.requestOf(tx, orderId);
      const locked = await lockOrders(tx, members);
      const orders = members.flatMap((id) => locked.get(id)?.order ?? []);
      const order = locked.get(orderId)?.order;
      const account = accounts.get(accountId);
      if (order === undefined || account === undefined) throw new Error(`order ${orderId} is gone`);
      const venue = this.core.venues.get(order.venue);
      if (venue === undefined) throw new DomainError('VENUE_UNAVAILABLE', `venue ${order.venue} is not configured`);
      const nowMs = this.core.clock.nowMs();
      const sendBeforeMs = Math.min(nowMs + sendTtlMs, await this.placeBeforeMs(tx, members));
      const { resendSafety } = venue.capabilities;
      if (!UNSETTLED_STATES.has(order.state) || sendBeforeMs <= nowMs) return null;
      const earlier = await this.earlierAttempts(tx, orderId);
      // An order that waited for its signer has no attempt: this is its first.
      if (resendSafety === 'none' && earlier.length > 0) return null;
      // Nobody knows any more what went with it.
      if (order.grouping !== null && (resendSafety !== 'sameBytes' || earlier.length === 0 || earlier.some(({ keyId }) => keyId === ''))) return null;
      const holder = nonces.holderOf(account);
      const repeated = resendSafety === 'sameBytes' ? this.toRepeat(earlier, venue.name, holder, goneUntilMs) : null;
      // The very bytes that hold the signer may go again: that is how their nonce gets used. Nothing else may.
      if (holder !== null && holder !== repeated?.id) return null;
      if (resendSafety === 'venueDeadline') this.mustBeOver(earlier, venue.name);
      // What belongs together is signed together, or not at all: an exit without its entry, an entry that nothing guards.
      if (repeated === null && orders.some(({ state }) => !UNSETTLED_STATES.has(state))) return null;
      await tx.rows('UPDATE attempts SET fence = fence + 1, superseded_at = $2::timestamptz WHERE id = ANY($1::text[]) AND reported_at IS NULL AND superseded_at IS NULL', earlier.map(({ id }) => id), isoTime(nowMs));
      await tx.rows('UPDATE orders SET fence = fence + 1 WHERE id = ANY($1::text[])', members);
      if (repeated !== null) {
        const again = await this.copy(tx, changes, { account, venue, last: repeated, sendBeforeMs, nowMs });
        if (holder !== null) nonces.hold(account, again.attemptId);
        await nonces.save();
        return again;
      }
      const made = await addAttempt(this.core, changes, nonces, {
        account, venue, session: venue.session(credentials), orders, isExit: orders.every(({ reduceOnly }) => reduceOnly), mutationId: null, resendOf: earlier.at(-1)?.id ?? null, sendBeforeMs,
        sign: (session, context) => session.preparePlace(orders.map(placeRequestOf), order.grouping === null ? context : { ...context, grouping: order.grouping }),
      });
      await nonces.save();
      return { ...made, earlierGone: resendSafety === 'sameBytes' };
    }, { signing: true });
    if (right === null) return null;
    this.rights.keep(right);
    return right.attemptId;
  }

  /**
   * What may have left of the order, where all of it is one request, and lives until this deadline (venue's clock, ms): its bytes, or copies of
   * them. null: another may have left that is not proven gone, or nobody has its bytes any more. Earlier ones that were proven gone are older.
   */
  async doubted(orderId: string, deadlineMs: number): Promise<SignedRequest | null> {
    const rows = await this.core.database.rows<{ id: string; keyId: string; nonce: string | null; outcome: string | null; deadlineMs: number | null; wrappedKey: string; data: string | null }>(
      `SELECT t.id, t.key_id AS "keyId", t.nonce::text AS nonce, t.outcome, t.venue_deadline_ms::float8 AS "deadlineMs", encode(t.wrapped_key, 'base64') AS "wrappedKey", encode(t.data, 'base64') AS data
         FROM attempts t JOIN attempt_orders m ON m.attempt_id = t.id WHERE m.order_id = $1 AND t.kind = 'place' AND t.venue_deadline_ms >= $2::bigint ORDER BY t.prepared_at DESC, t.id DESC`,
      orderId, Math.trunc(deadlineMs),
    );
    const left = rows.filter(({ outcome }) => outcome === null || !NEVER_LEFT.some((never) => never === outcome));
    const [last] = left;
    if (last === undefined || last.keyId === '' || last.nonce === null || last.data === null || left.some(({ nonce, deadlineMs: until }) => nonce !== last.nonce || until !== deadlineMs)) return null;
    return openRequest(this.core.keys, last.id, { keyId: last.keyId, wrappedKey: last.wrappedKey, data: last.data });
  }

  /**
   * The attempt whose bytes go again where only the same bytes are safe; null: sign anew, for none of the earlier ones can take
   * effect any more. A venue takes bytes until their deadline and refuses them ever after, so dead bytes are never repeated; and new
   * ones may take their place only once those that may have left are proven gone. Throws CONFLICT until then.
   */
  private toRepeat(earlier: readonly EarlierAttempt[], venue: string, holder: string | null, goneUntilMs: number | null): EarlierAttempt | null {
    const venueNowMs = this.core.offsets.nowMs(venue);
    const left = earlier.filter(mayHaveLeft);
    const last = holder === null ? left.at(-1) : earlier.at(-1);
    if (last === undefined || (holder !== null && holder !== last.id)) return null;
    if (last.venueDeadlineMs === null || venueNowMs <= last.venueDeadlineMs) return last;
    const isGone = ({ venueDeadlineMs }: EarlierAttempt): boolean => venueDeadlineMs !== null && goneUntilMs !== null && venueDeadlineMs <= goneUntilMs && venueDeadlineMs < venueNowMs;
    if (holder === null && left.every(isGone)) return null;
    throw new DomainError('CONFLICT', `the deadline of attempt ${last.id} has passed at ${venue}, and what became of it is not known yet`);
  }

  /** The very bytes of an earlier attempt, with all the orders in them. */
  private async copy(tx: Queryable, changes: ChangeSet, from: { readonly account: LockedAccount; readonly venue: Venue; readonly last: EarlierAttempt; readonly sendBeforeMs: number; readonly nowMs: number }): Promise<FirstRight> {
    const { account, venue, last, sendBeforeMs, nowMs } = from;
    const [stored] = await tx.rows<{ wrappedKey: string; data: string | null }>(`SELECT encode(wrapped_key, 'base64') AS "wrappedKey", encode(data, 'base64') AS data FROM attempts WHERE id = $1`, last.id);
    if (stored === undefined || stored.data === null) throw new DomainError('CONFLICT', `the bytes of attempt ${last.id} were purged: its nonce cannot be sent again`);
    const request = await openRequest(this.core.keys, last.id, { keyId: last.keyId, wrappedKey: stored.wrappedKey, data: stored.data });
    // Its deadline ends this: then its outcome is asked for, and others are signed.
    if (request === null) throw new DomainError('CONFLICT', `no master key at hand opens the bytes of attempt ${last.id}: they cannot be sent again`);
    const orders: Order[] = (await tx.rows(`SELECT ${ORDER_SELECT} FROM orders o JOIN attempt_orders m ON m.order_id = o.id WHERE m.attempt_id = $1 ORDER BY m.position`, last.id)).map(orderOf);
    const isExit = orders.every((order) => order.reduceOnly);
    return storeAttempt(this.core, changes, { account, venue, orders, isExit, mutationId: null, resendOf: last.id, sendBeforeMs }, request, nowMs);
  }

  private mustBeOver(earlier: readonly EarlierAttempt[], venue: string): void {
    const venueNowMs = this.core.offsets.nowMs(venue);
    const open = earlier.filter(mayHaveLeft).find(({ venueDeadlineMs }) => venueDeadlineMs === null || venueDeadlineMs >= venueNowMs);
    if (open !== undefined) throw new DomainError('CONFLICT', `attempt ${open.id} can still take effect at ${venue}: its deadline has not passed by the venue's clock`);
  }

  /** Oldest first. How each could be repeated is read by `copy`: an order may have had many. */
  private async earlierAttempts(tx: Queryable, orderId: string): Promise<readonly EarlierAttempt[]> {
    const rows = await tx.rows(
      `SELECT t.id, t.outcome, t.venue_deadline_ms::float8 AS "venueDeadlineMs", t.key_id AS "keyId"
         FROM attempts t JOIN attempt_orders m ON m.attempt_id = t.id WHERE m.order_id = $1 AND t.kind = 'place' ORDER BY t.prepared_at, t.id`,
      orderId,
    );
    return rows.map((row) => plainRow(row) as unknown as EarlierAttempt);
  }

  /** The orders that go in one request with it, in their order there: those of its group, or it alone. */
  private async requestOf(tx: Queryable, orderId: string): Promise<readonly string[]> {
    const rows = await tx.rows<{ id: string }>(
      `SELECT m.order_id AS id FROM attempt_orders m WHERE m.attempt_id = (
         SELECT t.id FROM orders o JOIN attempt_orders own ON own.order_id = o.id JOIN attempts t ON t.id = own.attempt_id
          WHERE o.id = $1 AND o.grouping IS NOT NULL AND t.kind = 'place' ORDER BY t.prepared_at DESC, t.id DESC LIMIT 1) ORDER BY m.position`,
      orderId,
    );
    return rows.length === 0 ? [orderId] : rows.map(({ id }) => id);
  }

  private async placeBeforeMs(tx: Queryable, orderIds: readonly string[]): Promise<number> {
    const [row] = await tx.rows<{ at: Date | null }>('SELECT min(place_before) AS at FROM orders WHERE id = ANY($1::text[])', orderIds);
    return row?.at?.getTime() ?? 0;
  }

  private async placeOf(orderId: string): Promise<{ readonly accountId: string; readonly venue: string }> {
    const [row] = await this.core.database.rows<{ accountId: string; venue: string }>('SELECT account_id AS "accountId", venue FROM orders WHERE id = $1', orderId);
    if (row === undefined) throw new DomainError('NOT_FOUND', `order ${orderId} does not exist`);
    return row;
  }
}

function mayHaveLeft({ outcome }: EarlierAttempt): boolean {
  return outcome === null || !NEVER_LEFT.includes(outcome);
}
