/** Makes the requests of a group ready: one per account and batch, signed under the signer's row, sealed with a key of its own. */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import type { Order } from '../../domain/order';
import type { FirstRight } from '../../domain/order-store';
import type { KeyProvider, SealContext } from '../../domain/key-provider';
import { nextNonce } from '../../domain/nonce';
import type { PlaceRequest, PrepareContext, SignedRequest, Venue, VenueAccountSession } from '../../domain/venue';
import type { ChangeSet } from '../change-set';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { openIfAtHand, seal, sealedOf, sealedText, type SealedText } from '../keys/envelope';
import { lockSigner, type LockedAccount, type LockedSigner } from '../database/locks';

export function attemptContext(attemptId: string): SealContext {
  return { table: 'attempts', row: attemptId, field: 'data' };
}

/** What an attempt sent; null: no master key at hand opens it. */
export async function openRequest(keys: KeyProvider, attemptId: string, sealed: SealedText): Promise<SignedRequest | null> {
  const bytes = await openIfAtHand(keys, sealedOf(sealed), attemptContext(attemptId));
  return bytes === null ? null : (JSON.parse(bytes.toString('utf8')) as SignedRequest);
}

export interface AttemptPlan {
  readonly account: LockedAccount;
  readonly venue: Venue;
  readonly session: VenueAccountSession;
  readonly orders: readonly Order[];
  readonly isExit: boolean;
  readonly mutationId: string | null;
  readonly resendOf: string | null;
  /** Our clock, ms. */
  readonly sendBeforeMs: number;
  readonly sign: (session: VenueAccountSession, context: PrepareContext) => SignedRequest;
}

/**
 * Nonces of one transaction: each signer's row is locked on first use and written at the end. Where nonces are strict, the
 * newest request holds its signer until its nonce is known used or free (store/orders/signer-nonces.ts).
 */
export class NonceBook {
  private readonly signers = new Map<string, LockedSigner>();
  private readonly used = new Set<string>();

  constructor(
    private readonly core: StoreCore,
    private readonly tx: Queryable,
  ) {}

  /** Locks every signer the group can need, by id, before any order row is locked. */
  async lock(accounts: Iterable<LockedAccount>): Promise<void> {
    const signers = new Map<string, LockedAccount>();
    for (const account of accounts) if (this.ruleOf(account) !== 'none') signers.set(account.signerId, account);
    for (const [id, account] of [...signers].sort(([a], [b]) => (a < b ? -1 : 1))) this.signers.set(id, await lockSigner(this.tx, { id, userId: account.userId, venue: account.venue }));
  }

  peek(account: LockedAccount): string | null {
    const rule = this.ruleOf(account);
    if (rule === 'none') return null;
    return nextNonce(rule, this.signerOf(account).last, this.core.clock.nowMs()).toString();
  }

  /** The request whose open nonce holds back every other of this signer; null: the next may be signed. */
  holderOf(account: LockedAccount): string | null {
    return this.isStrict(account) ? this.signerOf(account).openAttemptId : null;
  }

  /** From now on this request's nonce is the one whose fate is open. */
  hold(account: LockedAccount, attemptId: string): void {
    if (!this.isStrict(account)) return;
    this.signerOf(account).openAttemptId = attemptId;
    this.used.add(account.signerId);
  }

  take(account: LockedAccount, nonce: string | null): void {
    if (nonce === null) return;
    this.signerOf(account).last = BigInt(nonce);
    this.used.add(account.signerId);
  }

  async save(): Promise<void> {
    for (const id of this.used) {
      const signer = this.signers.get(id);
      await this.tx.rows('UPDATE signers SET last_nonce = $2::numeric, open_attempt_id = $3 WHERE id = $1', id, String(signer?.last), signer?.openAttemptId ?? null);
    }
  }

  private signerOf(account: LockedAccount): LockedSigner {
    const signer = this.signers.get(account.signerId);
    if (signer === undefined) throw new Error(`signer ${account.signerId} is not locked`);
    return signer;
  }

  private isStrict(account: LockedAccount): boolean {
    return this.core.venues.get(account.venue)?.capabilities.strictNonces === true;
  }

  private ruleOf(account: LockedAccount): 'none' | 'increment' | 'timeMs' {
    return this.core.venues.get(account.venue)?.capabilities.nonceRule ?? 'none';
  }
}

/**
 * Signs and adds the attempt's rows. A nonce counts as used only when the bytes could be made. Throws what signing throws;
 * whoever calls has seen that nothing holds the signer.
 */
export async function addAttempt(core: StoreCore, changes: ChangeSet, nonces: NonceBook, plan: AttemptPlan): Promise<FirstRight> {
  const nowMs = core.clock.nowMs();
  const holder = nonces.holderOf(plan.account);
  if (holder !== null) throw new Error(`signer ${plan.account.signerId} is held by attempt ${holder}`);
  const nonce = nonces.peek(plan.account);
  const venueTimeMs = core.offsets.nowMs(plan.venue.name);
  const venueDeadlineMs = venueTimeMs + (plan.sendBeforeMs - nowMs);
  const request = plan.sign(plan.session, { nonce, venueDeadlineMs, venueTimeMs });
  nonces.take(plan.account, nonce);
  const right = await storeAttempt(core, changes, plan, request, nowMs);
  nonces.hold(plan.account, right.attemptId);
  return right;
}

/** Adds the rows of a request that is signed already. */
export async function storeAttempt(core: StoreCore, changes: ChangeSet, plan: Omit<AttemptPlan, 'session' | 'sign'>, request: SignedRequest, nowMs: number): Promise<FirstRight> {
  const id = randomUUID();
  const sealed = await seal(core.keys, Buffer.from(JSON.stringify(request), 'utf8'), attemptContext(id));
  changes.insertAttempt({
    id, userId: plan.account.userId, accountId: plan.account.id, venue: plan.venue.name, kind: request.kind, mutationId: plan.mutationId, resendOf: plan.resendOf, isExit: plan.isExit, fence: 1,
    nonce: request.nonce, ...sealedText(sealed),
    sendBefore: isoTime(plan.sendBeforeMs), venueDeadlineMs: request.venueDeadlineMs, preparedAt: isoTime(nowMs),
  });
  plan.orders.forEach((order, position) => changes.insertAttemptOrder({ attemptId: id, orderId: order.id, userId: order.userId, position }));
  return { attemptId: id, fence: 1, request, venue: plan.venue.name, accountId: plan.account.id, orders: plan.orders, sendBeforeMs: plan.sendBeforeMs, maybeSent: false };
}

export function placeRequestOf(order: Order): PlaceRequest {
  return { venueClientId: order.venueClientId, venueSymbol: order.venueSymbol, ...venueTermsOf(order) };
}

/** What the venue is told of the order, beside its names. */
export function venueTermsOf(order: Order): Omit<PlaceRequest, 'venueClientId' | 'venueSymbol'> {
  const { side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly, triggerPrice, triggerPriceType, expireTime } = order;
  const terms = { side, type, timeInForce, quantity, limitPrice, postOnly, reduceOnly };
  const trigger = triggerPrice === null ? {} : { triggerPrice, ...(triggerPriceType === null || triggerPriceType === 'mid' ? {} : { triggerPriceType }) };
  return { ...terms, ...trigger, ...(timeInForce === 'GTD' && expireTime !== null ? { expireAtMs: Date.parse(expireTime) } : {}) };
}
