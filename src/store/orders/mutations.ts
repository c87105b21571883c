/** Amends and cancels as intents: allocated under the order's row lock, one in flight per order, a cancel supersedes. */
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import type { Order } from '../../domain/order';
import type { AppliedOrder, FirstRight, Mutation, MutationIntent, MutationState, OrderEvidence, OwnedMutation, RecordedMutation } from '../../domain/order-store';
import type { VenueCredentials, Venue } from '../../domain/venue';
import { applyToLocked, lockForEvidence } from './apply-evidence';
import { addAttempt, NonceBook, venueTermsOf } from './attempt-builder';
import type { ChangeSet } from '../change-set';
import { change, signsWithNonces, type StoreCore } from '../core';
import { isElsewhere, KEY_ELSEWHERE, NO_KEY, type Credentials } from '../accounts/credentials';
import type { Queryable, Transaction } from '../database/database';
import { loadFigures } from '../risk/figures';
import { lockAccounts, lockOrders, type LockedAccount, type LockedOrder } from '../database/locks';
import { checkAmend, checkCancel, isTooLate, judgeAmend, TOO_LATE, type MutationCheck } from './mutation-checks';
import { latestAttemptOf, mutationById, mutationOf, mutationsOf, supersedeMutationAttempts, type MutationRow } from './mutation-rows';
import type { SendRights } from './send-rights';
import { heldBackNow } from '../store-states';
import { userFiguresOf, type UserLimitChanges } from '../risk/user-figures';

export interface MutationContext {
  readonly ownerWorkflowId: string;
  readonly sendTtlMs: number;
  /** Its row was lost with the database: it may have been sent, so an amend is recorded whatever forbids it now, to be asked about. */
  readonly isReadBack?: boolean;
}

interface Checked {
  readonly accounts: ReadonlyMap<string, LockedAccount>;
  readonly account: LockedAccount;
  readonly locked: LockedOrder;
  readonly earlier: readonly MutationRow[];
  readonly venue: Venue;
}

export class Mutations {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
    private readonly rights: SendRights,
    private readonly userLimits: UserLimitChanges,
  ) {}

  /**
   * A repeat of the same intent gets the same attempt. None is made while another request's open nonce holds the signer, nor of a cancel
   * whose account's key cannot be opened here: it is on record, and whoever has the key sends it.
   */
  async record(intent: MutationIntent, context: MutationContext): Promise<RecordedMutation> {
    const venue = this.venueOf(intent.venue);
    const { opened, elsewhere } = await this.credentials.ofAll([intent.accountId]);
    const credentials = opened.get(intent.accountId);
    const work = async (tx: Transaction, changes: ChangeSet, lockIds: readonly string[]): Promise<{ answer: RecordedMutation; right: FirstRight | null }> => {
      const nonces = new NonceBook(this.core, tx);
      const locking = lockAccounts(tx, lockIds);
      // A signer is locked between account and order; without one, all leave together and are done in this order.
      if (signsWithNonces(this.core, venue.name)) await nonces.lock([...(await locking).values()].filter(({ id }) => id === intent.accountId));
      const [accounts, orders, earlier] = await Promise.all([locking, lockOrders(tx, [intent.orderId]), mutationsOf(tx, intent.orderId)]);
      const account = accounts.get(intent.accountId);
      const locked = orders.get(intent.orderId);
      if (account === undefined || locked === undefined || locked.order.accountId !== account.id || account.userId !== intent.userId) {
        return { answer: { verdict: 'denied', code: 'NOT_FOUND', message: `order ${intent.orderId} does not exist`, order: null }, right: null };
      }
      const repeated = await this.repeated(tx, intent, earlier, locked.order);
      if (repeated !== null) return { answer: repeated, right: null };
      const check = await this.check(tx, intent, context, { accounts, account, locked, earlier, venue });
      if (check.verdict !== 'go') return { answer: { ...check, order: locked.order }, right: null };
      if (credentials === undefined && !isElsewhere({ elsewhere }, account)) return { answer: { verdict: 'denied', code: 'CONFLICT', message: NO_KEY, order: locked.order }, right: null };
      if (credentials === undefined && intent.kind === 'amend') return { answer: { verdict: 'denied', code: 'SERVICE_UNAVAILABLE', message: KEY_ELSEWHERE, order: locked.order }, right: null };
      const nowMs = this.core.clock.nowMs();
      const at = isoTime(nowMs);
      await this.supersedeAmends(tx, intent, earlier, at);
      const revision = Math.max(locked.order.revision, ...earlier.filter((each) => each.kind === intent.kind).map((each) => each.revision + 1));
      const { id, kind, userId, accountId, orderId, limitPrice, quantity, triggerPrice = null } = intent;
      // Its time is over: no later attempt is made of it either.
      const sendBefore = check.onlyAsked === true ? at : intent.sendBefore;
      const mutation: Mutation = { id, orderId, accountId, kind, revision, state: 'pending', limitPrice, quantity, triggerPrice, reasonCode: null, createdAt: at };
      changes.insertMutation({ ...mutation, userId, venue: venue.name, sendBefore, ownerWorkflowId: context.ownerWorkflowId });
      const evidence: OrderEvidence['evidence'] = kind === 'cancel' ? { kind: 'cancelRequested', key: `cancelRequested/${id}`, at } : { kind: 'amendRequested', key: `amendRequested/${id}`, limitPrice, quantity, triggerPrice, at };
      const own = { orders: new Map([[orderId, locked]]), known: new Set<string>() };
      const [applied] = await applyToLocked(tx, accounts, own, [{ orderId, evidence }], changes, this.core.markOf);
      const order = applied?.order ?? locked.order;
      const sendBeforeMs = Math.min(nowMs + context.sendTtlMs, Date.parse(sendBefore));
      const right = credentials === undefined || isTooLate({ kind, sendBefore }, nowMs) || nonces.holderOf(account) !== null ? null : await this.sign(changes, nonces, { account, venue, credentials, order, mutation: intent, sendBeforeMs, resendOf: null });
      await nonces.save();
      changes.moreFollows = right !== null;
      return { answer: { verdict: 'accepted', attemptId: right?.attemptId ?? null, order, mutation }, right };
    };
    const options = { signing: signsWithNonces(this.core, venue.name) };
    // A cancel asks for nothing.
    const { answer, right } = intent.kind === 'cancel' ? await change(this.core, [intent.accountId], (tx, changes) => work(tx, changes, [intent.accountId]), options) : await this.userLimits.change([intent.accountId], work, options);
    if (right !== null) this.rights.keep(right);
    return answer;
  }

  /** Ends a mutation (or says that its outcome is unknown) with the evidence that proves it. Repeating it is harmless. */
  async settle(mutationId: string, state: MutationState, evidence: readonly OrderEvidence[], reasonCode?: string): Promise<readonly AppliedOrder[]> {
    const mutation = await this.existing(this.core.database, mutationId);
    return change(this.core, [mutation.accountId], async (tx, changes) => {
      const at = isoTime(this.core.clock.nowMs());
      const superseded: OrderEvidence = { orderId: mutation.orderId, evidence: { kind: 'amendRefused', key: `amendSuperseded/${mutationId}`, reasonCode: 'SUPERSEDED', message: 'a cancel took the amendment\'s place', at } };
      // Sent together, done in this order: account first, then orders.
      const [accounts, locked] = await Promise.all([
        lockAccounts(tx, [mutation.accountId]),
        lockForEvidence(tx, [...evidence, superseded]),
        tx.rows(
          `UPDATE mutations SET state = $2, reason_code = $3, settled_at = CASE WHEN $2 IN ('pending', 'unknown') THEN NULL ELSE $4::timestamptz END WHERE id = $1 AND state IN ('pending', 'unknown')`,
          mutationId, state, reasonCode ?? null, at,
        ),
      ]);
      const order = locked.orders.get(mutation.orderId)?.order;
      // The cancel that superseded an amendment was refused: nobody pursues the amendment any more, the venue's view rules.
      const pursued = mutation.kind === 'cancel' && state === 'refused' && order?.pendingReplace === true;
      return applyToLocked(tx, accounts, locked, pursued ? [...evidence, superseded] : evidence, changes, this.core.markOf);
    });
  }

  async find(mutationId: string): Promise<Mutation | null> {
    const row = await mutationById(this.core.database, mutationId);
    return row === null ? null : mutationOf(row);
  }

  /** Not settled yet, oldest first. */
  async pendingOf(orderId: string): Promise<readonly OwnedMutation[]> {
    return (await mutationsOf(this.core.database, orderId)).filter((row) => row.state === 'pending' || row.state === 'unknown').map((row) => ({ ...mutationOf(row), ownerWorkflowId: row.ownerWorkflowId }));
  }

  /**
   * Fresh bytes for a mutation that is under way; the right to send any earlier bytes ends. null: its signer is held by a
   * nonce whose fate is open, or it is an amend whose time is over. Throws CONFLICT once it is settled.
   */
  async newAttempt(mutationId: string, sendTtlMs: number): Promise<string | null> {
    const { accountId, venue } = await this.existing(this.core.database, mutationId);
    await this.core.offsets.resync(venue);
    const credentials = await this.credentials.of(accountId);
    const right = await change(this.core, [accountId], async (tx, changes) => {
      const accounts = await lockAccounts(tx, [accountId]);
      const nonces = new NonceBook(this.core, tx);
      await nonces.lock(accounts.values());
      const mutation = await this.existing(tx, mutationId);
      const order = (await lockOrders(tx, [mutation.orderId])).get(mutation.orderId)?.order;
      const account = accounts.get(accountId);
      if (account === undefined || order === undefined) throw new Error(`the order of mutation ${mutationId} is gone`);
      if (mutation.state !== 'pending' && mutation.state !== 'unknown') throw new DomainError('CONFLICT', `mutation ${mutationId} is ${mutation.state}`);
      const nowMs = this.core.clock.nowMs();
      if (isTooLate(mutation, nowMs) || nonces.holderOf(account) !== null) return null;
      const sendBeforeMs = mutation.kind === 'amend' ? Math.min(nowMs + sendTtlMs, Date.parse(mutation.sendBefore)) : nowMs + sendTtlMs;
      const resendOf = await latestAttemptOf(tx, mutationId);
      await supersedeMutationAttempts(tx, [mutationId], isoTime(nowMs));
      const made = await this.sign(changes, nonces, { account, venue: this.venueOf(mutation.venue), credentials, order, mutation, sendBeforeMs, resendOf });
      await nonces.save();
      return made;
    }, { signing: true });
    if (right === null) return null;
    this.rights.keep(right);
    return right.attemptId;
  }

  private async repeated(tx: Queryable, intent: MutationIntent, earlier: readonly MutationRow[], order: Order): Promise<RecordedMutation | null> {
    const mutation = earlier.find((each) => each.id === intent.id);
    if (mutation === undefined) return null;
    return { verdict: 'accepted', attemptId: await latestAttemptOf(tx, intent.id), order, mutation: mutationOf(mutation) };
  }

  private async check(tx: Queryable, intent: MutationIntent, { isReadBack = false }: MutationContext, { accounts, account, locked, earlier, venue }: Checked): Promise<MutationCheck> {
    if (intent.kind === 'cancel') return checkCancel(locked.order, earlier);
    if (!isReadBack) return this.checkNewAmend(tx, intent, { accounts, account, locked, earlier, venue });
    // The database is of before it was accepted: another revision, figures and hours of entries say nothing of what was sent.
    const check = checkAmend({ ...intent, expectedRevision: null }, locked.order, earlier, venue.capabilities);
    if (check.verdict !== 'go') return check;
    const now = await this.checkNewAmend(tx, intent, { accounts, account, locked, earlier, venue });
    return now.verdict === 'go' ? now : { verdict: 'go', onlyAsked: true };
  }

  /** Whether it may be sent now. */
  private async checkNewAmend(tx: Queryable, intent: MutationIntent, { accounts, account, locked, earlier, venue }: Checked): Promise<MutationCheck> {
    const check = checkAmend(intent, locked.order, earlier, venue.capabilities);
    if (check.verdict !== 'go') return check;
    if (isTooLate(intent, this.core.clock.nowMs())) return { verdict: 'denied', code: 'SERVICE_UNAVAILABLE', message: TOO_LATE };
    const heldBack = locked.order.reduceOnly ? null : await heldBackNow(tx, account.id);
    if (heldBack !== null) return { verdict: 'denied', code: 'SERVICE_UNAVAILABLE', message: heldBack };
    const figures = (await loadFigures(tx, [account], [{ accountId: account.id, symbol: locked.order.symbol }], this.core.clock.nowMs(), this.core)).get(account.id);
    if (figures === undefined) throw new Error(`no figures of account ${account.id}`);
    const companions = await this.userLimits.read(tx, accounts, [account]);
    return judgeAmend(intent, locked, figures, userFiguresOf(account, companions, new Map()));
  }

  private async supersedeAmends(tx: Queryable, intent: MutationIntent, earlier: readonly MutationRow[], at: string): Promise<void> {
    if (intent.kind !== 'cancel') return;
    const amends = earlier.filter((mutation) => mutation.kind === 'amend' && mutation.state === 'pending').map((mutation) => mutation.id);
    if (amends.length === 0) return;
    await tx.rows(`UPDATE mutations SET state = 'superseded', settled_at = $2::timestamptz WHERE id = ANY($1::text[])`, amends, at);
    await supersedeMutationAttempts(tx, amends, at);
  }

  private sign(changes: ChangeSet, nonces: NonceBook, plan: SignPlan): Promise<FirstRight> {
    const { account, venue, credentials, order, mutation, sendBeforeMs, resendOf } = plan;
    return addAttempt(this.core, changes, nonces, {
      account, venue, session: venue.session(credentials), orders: [order], isExit: mutation.kind === 'cancel' || order.reduceOnly, mutationId: mutation.id, resendOf, sendBeforeMs,
      sign: (session, context) => (mutation.kind === 'cancel' ? session.prepareCancel([order], context) : session.prepareAmend({ order, amendmentId: mutation.id, limitPrice: mutation.limitPrice, quantity: mutation.quantity, triggerPrice: mutation.triggerPrice ?? null, terms: { ...venueTermsOf(order), filledQuantity: order.filledQuantity } }, context)),
    });
  }

  private async existing(tx: Queryable, mutationId: string): Promise<MutationRow> {
    const row = await mutationById(tx, mutationId);
    if (row === null) throw new DomainError('NOT_FOUND', `mutation ${mutationId} does not exist`);
    return row;
  }

  private venueOf(name: string): Venue {
    const venue = this.core.venues.get(name);
    if (venue === undefined) throw new DomainError('VENUE_UNAVAILABLE', `venue ${name} is not configured`);
    return venue;
  }
}

interface SignPlan {
  readonly account: LockedAccount;
  readonly venue: Venue;
  readonly credentials: VenueCredentials;
  readonly order: Order;
  readonly mutation: Pick<Mutation, 'id' | 'kind' | 'limitPrice' | 'quantity' | 'triggerPrice'>;
  readonly sendBeforeMs: number;
  readonly resendOf: string | null;
}
