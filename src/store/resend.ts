/** Making an order's placing ready once more, as far as the venue's resendSafety allows it. */
import { isoTime } from '../domain/clock';
import { DomainError } from '../domain/errors';
import { UNSETTLED_STATES, type Order } from '../domain/order';
import type { SendRight } from '../domain/order-store';
import type { SignedRequest, Venue } from '../domain/venue';
import { addAttempt, attemptContext, NonceBook, placeRequestOf, storeAttempt } from './attempt-builder';
import type { ChangeSet } from './change-set';
import { plainRow } from './columns';
import { change, type StoreCore } from './core';
import type { Credentials } from './credentials';
import type { Queryable } from './database';
import { open } from './envelope';
import { lockAccounts, lockOrders, orderOf, ORDER_SELECT, type LockedAccount } from './locks';
import type { SendRights } from './send-rights';

interface EarlierAttempt {
  readonly id: string;
  readonly outcome: string | null;
  readonly venueDeadlineMs: number | null;
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string | null;
}

/** Outcomes after which nothing of the attempt can reach the venue any more. */
const NEVER_LEFT: ReadonlySet<string> = new Set(['notSent', 'rateLimited']);

export class Resend {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
    private readonly rights: SendRights,
  ) {}

  /**
   * The new attempt's id; the right to send any earlier one ends. null: the order is settled, its placeBefore has passed,
   * the venue makes no second send safe, or its signer is held by a nonce whose fate is open. Throws CONFLICT
   * while an earlier request could still take effect (`venueDeadline`; `sameBytes` whose deadline has passed: they are
   * signed anew). The caller has found the order absent at the venue.
   */
  async prepareAgain(orderId: string, sendTtlMs: number): Promise<string | null> {
    const { accountId, venue: venueName } = await this.placeOf(orderId);
    await this.core.offsets.resync(venueName);
    const credentials = await this.credentials.of(accountId);
    const right = await change(this.core, [accountId], async (tx, changes) => {
      const accounts = await lockAccounts(tx, [accountId]);
      const nonces = new NonceBook(this.core, tx);
      await nonces.lock(accounts.values());
      const order = (await lockOrders(tx, [orderId])).get(orderId)?.order;
      const account = accounts.get(accountId);
      if (order === undefined || account === undefined) throw new Error(`order ${orderId} is gone`);
      const venue = this.core.venues.get(order.venue);
      if (venue === undefined) throw new DomainError('VENUE_UNAVAILABLE', `venue ${order.venue} is not configured`);
      const nowMs = this.core.clock.nowMs();
      const sendBeforeMs = Math.min(nowMs + sendTtlMs, await this.placeBeforeMs(tx, orderId));
      const { resendSafety } = venue.capabilities;
      if (!UNSETTLED_STATES.has(order.state) || sendBeforeMs <= nowMs) return null;
      const earlier = await this.earlierAttempts(tx, orderId);
      // An order that waited for its signer has no attempt: this is its first.
      if (resendSafety === 'none' && earlier.length > 0) return null;
      const last = earlier.at(-1);
      const holder = nonces.holderOf(account);
      // The venue would refuse the same bytes for ever: an exit that waited until it could be reached again must not end so.
      const isExpired = resendSafety === 'sameBytes' && holder === null && last?.venueDeadlineMs != null && last.venueDeadlineMs < this.core.offsets.nowMs(venue.name);
      // Signed anew it would go alone: an exit without its entry, or an entry that nothing guards.
      if (order.grouping !== null && (resendSafety !== 'sameBytes' || earlier.length === 0 || isExpired)) return null;
      if (resendSafety === 'venueDeadline') this.mustBeOver(earlier, venue.name, 0);
      // Beyond the deadline the venue may hide for so long what it took before.
      if (isExpired) this.mustBeOver(earlier, venue.name, venue.capabilities.absenceFinalAfterMs ?? Infinity);
      // The very bytes that hold the signer may go again: that is how their nonce gets used. Nothing else may.
      if (holder !== null && (resendSafety !== 'sameBytes' || holder !== last?.id)) return null;
      await tx.rows('UPDATE attempts SET fence = fence + 1, superseded_at = $2::timestamptz WHERE id = ANY($1::text[]) AND reported_at IS NULL AND superseded_at IS NULL', earlier.map(({ id }) => id), isoTime(nowMs));
      await tx.rows('UPDATE orders SET fence = fence + 1 WHERE id = $1', orderId);
      // A strict nonce that was found free is given to whoever comes next: its old bytes must never go again.
      const nonceIsGone = venue.capabilities.strictNonces && holder === null && earlier.every(({ outcome }) => NEVER_LEFT.has(outcome ?? ''));
      if (resendSafety === 'sameBytes' && last !== undefined && !nonceIsGone && !isExpired) {
        const again = await this.copy(tx, changes, { account, venue, last, sendBeforeMs, nowMs });
        if (holder !== null) nonces.hold(account, again.attemptId);
        await nonces.save();
        return again;
      }
      const made = await addAttempt(this.core, changes, nonces, {
        account, venue, session: venue.session(credentials), orders: [order], isExit: order.reduceOnly, mutationId: null, resendOf: last?.id ?? null, sendBeforeMs,
        sign: (session, context) => session.preparePlace([placeRequestOf(order)], context),
      });
      await nonces.save();
      return made;
    }, { signing: true });
    if (right === null) return null;
    this.rights.keep(right);
    return right.attemptId;
  }

  /** The very bytes of the last attempt, with all the orders in them. */
  private async copy(tx: Queryable, changes: ChangeSet, from: { readonly account: LockedAccount; readonly venue: Venue; readonly last: EarlierAttempt; readonly sendBeforeMs: number; readonly nowMs: number }): Promise<SendRight> {
    const { account, venue, last, sendBeforeMs, nowMs } = from;
    if (last.data === null) throw new DomainError('CONFLICT', `the bytes of attempt ${last.id} were purged: its nonce cannot be sent again`);
    const sealed = { keyId: last.keyId, wrappedKey: Buffer.from(last.wrappedKey, 'base64'), data: Buffer.from(last.data, 'base64') };
    const request = JSON.parse((await open(this.core.keys, sealed, attemptContext(last.id))).toString('utf8')) as SignedRequest;
    const orders: Order[] = (await tx.rows(`SELECT ${ORDER_SELECT} FROM orders o JOIN attempt_orders m ON m.order_id = o.id WHERE m.attempt_id = $1 ORDER BY m.position`, last.id)).map(orderOf);
    const isExit = orders.every((order) => order.reduceOnly);
    return storeAttempt(this.core, changes, { account, venue, orders, isExit, mutationId: null, resendOf: last.id, sendBeforeMs }, request, nowMs);
  }

  private mustBeOver(earlier: readonly EarlierAttempt[], venue: string, marginMs: number): void {
    const venueNowMs = this.core.offsets.nowMs(venue);
    const open = earlier.find(({ outcome, venueDeadlineMs }) => !NEVER_LEFT.has(outcome ?? '') && (venueDeadlineMs === null || venueDeadlineMs + marginMs >= venueNowMs));
    if (open !== undefined) throw new DomainError('CONFLICT', `attempt ${open.id} can still take effect at ${venue}, or have taken it unseen: its deadline has not passed by the venue's clock, or not long enough ago`);
  }

  private async earlierAttempts(tx: Queryable, orderId: string): Promise<readonly EarlierAttempt[]> {
    const rows = await tx.rows(
      `SELECT t.id, t.outcome, t.venue_deadline_ms::float8 AS "venueDeadlineMs", t.key_id AS "keyId", encode(t.wrapped_key, 'base64') AS "wrappedKey", encode(t.data, 'base64') AS data
         FROM attempts t JOIN attempt_orders m ON m.attempt_id = t.id WHERE m.order_id = $1 AND t.kind = 'place' ORDER BY t.prepared_at, t.id`,
      orderId,
    );
    return rows.map((row) => plainRow(row) as unknown as EarlierAttempt);
  }

  private async placeBeforeMs(tx: Queryable, orderId: string): Promise<number> {
    const [row] = await tx.rows<{ at: Date | null }>('SELECT place_before AS at FROM orders WHERE id = $1', orderId);
    return row?.at?.getTime() ?? 0;
  }

  private async placeOf(orderId: string): Promise<{ readonly accountId: string; readonly venue: string }> {
    const [row] = await this.core.database.rows<{ accountId: string; venue: string }>('SELECT account_id AS "accountId", venue FROM orders WHERE id = $1', orderId);
    if (row === undefined) throw new DomainError('NOT_FOUND', `order ${orderId} does not exist`);
    return row;
  }
}
