/**
 * recordOrders: a group of intents becomes orders, a verdict each, reservations, signed attempts and events, in one
 * transaction (DESIGN 3.3). A refused or duplicate item never rolls back another; a repeat by the same owner gets the same
 * answer.
 */
import { isoTime } from '../../domain/clock';
import { DomainError } from '../../domain/errors';
import { isHeld } from '../../domain/condition';
import { exposureOf } from '../../domain/exposure';
import { decimalText } from '../../domain/decimal';
import { EVENT_OF_STATE } from '../../domain/order-changes';
import { UNCONDITIONAL, type Order, type OrderIntent } from '../../domain/order';
import type { FirstRight, RecordedCall, RecordedGroup, RecordedItem } from '../../domain/order-store';
import type { VenueCredentials } from '../../domain/venue';
import type { AccountFigures } from '../../risk/figures';
import { judgeOrder, valuationPrice } from '../../risk/judge';
import { admissionOf, type Admission } from '../../domain/store-state';
import { exposed } from './apply-evidence';
import { NonceBook } from './attempt-builder';
import type { ChangeSet } from '../change-set';
import { signsWithNonces, type StoreCore } from '../core';
import { isElsewhere, KEY_ELSEWHERE, NO_KEY, type Credentials } from '../accounts/credentials';
import type { Queryable } from '../database/database';
import { figuresFrom } from '../risk/figures';
import { lockAccounts, type LockedAccount, type OrderBookkeeping } from '../database/locks';
import { armed, armWith, denied, newOrder, NO_BOOKS } from './new-orders';
import { strictest, TORN, unitsOf } from './placing-groups';
import { existingCalls, readGroup, type GroupReading } from './placing-reads';
import { signAccepted } from './placing-calls';
import type { SendRights } from './send-rights';
import { recordUnheard } from './unheard-orders';
import { userFiguresOf, UserLimitChanges, type Companions } from '../risk/user-figures';

export interface PlacingContext {
  /** null: nobody is to pursue it, which only a denied order needs not. */
  readonly ownerWorkflowId: string | null;
  /** How long after this the venue may still be told, ms. */
  readonly sendTtlMs: number;
  /** When the intents came to be, ms; absent: now. Older than a restored database, they may have been sent already. */
  readonly intendedAtMs?: number;
  /** Reads them back from Temporal after PostgreSQL lost them: what became of each is for the venue to say. */
  readonly readBack?: ReadBack;
  /** Throws NotDenied, and leaves nothing, where an intent is not denied now. */
  readonly denialsOnly?: boolean;
}

export interface ReadBack {
  /** Ids of intents that their workflow knows to be refused by us: certainly not at the venue. */
  readonly denied: ReadonlySet<string>;
  /** Of orders that wait: from when on prices count for them, ms. Absent: from now on. */
  readonly pricesSinceMs?: number;
}

/** The intent passes, or is an earlier one's repeat. */
class NotDenied extends Error {
  override readonly name = 'NotDenied';
}

/** One intent's way through the transaction. */
export interface Candidate {
  readonly intent: OrderIntent;
  readonly account: LockedAccount;
  readonly order: Order;
  readonly books: OrderBookkeeping;
  readonly shown: Readonly<Record<string, unknown>>;
}

const HELD_BACK = 'entries are held back until PostgreSQL and Temporal agree again';

export class Placing {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
    private readonly rights: SendRights,
    private readonly userLimits: UserLimitChanges,
  ) {}

  /**
   * Items come back in the order of the intents. Throws NOT_FOUND when none of the accounts exists; an intent whose account
   * is missing beside others is answered `denied` and leaves no row.
   */
  async recordOrders(intents: readonly OrderIntent[], context: PlacingContext): Promise<RecordedGroup> {
    if (intents.length === 0) return { items: [], calls: [] };
    const accountIds = [...new Set(intents.map((intent) => intent.accountId))];
    const { opened: credentials, elsewhere } = await this.credentials.ofAll(accountIds);
    const { group, rights } = await this.userLimits.change(accountIds, async (tx, changes, lockIds) => {
      const nowMs = this.core.clock.nowMs();
      // Sent together, done in this order: what is read is read under the locks.
      const [locked, reading] = await Promise.all([lockAccounts(tx, lockIds), readGroup(tx, intents, accountIds, nowMs, this.core.retention.idempotencyMs)]);
      const accounts = new Map([...locked].filter(([id]) => accountIds.includes(id)));
      const companions = await this.userLimits.read(tx, locked, accounts.values());
      const mine = intents.filter((intent) => accounts.get(intent.accountId)?.userId === intent.userId);
      if (mine.length === 0) throw new DomainError('NOT_FOUND', `none of the accounts ${accountIds.join(', ')} exists`);
      const nonces = new NonceBook(this.core, tx);
      await nonces.lock(accounts.values());
      const figures = figuresFrom(reading.figures, accounts.values(), mine, this.core);
      const recorded = await this.record(tx, changes, intents, { accounts, companions, credentials, elsewhere, figures, reading, nonces, context, nowMs });
      await nonces.save();
      changes.moreFollows = accountIds.every((accountId) => recorded.rights.some((right) => right.accountId === accountId));
      return recorded;
    }, { signing: intents.some((intent) => signsWithNonces(this.core, intent.venue)), tentative: context.denialsOnly });
    for (const right of rights) this.rights.keep(right);
    return group;
  }

  /** Records this intent if it is denied now, as recordOrders would have; false, and nothing is left behind, if it is not. */
  async recordDenied(intent: OrderIntent): Promise<boolean> {
    try {
      await this.recordOrders([intent], { ownerWorkflowId: null, sendTtlMs: 0, denialsOnly: true });
      return true;
    } catch (error) {
      if (error instanceof NotDenied) return false;
      throw error;
    }
  }

  private async record(tx: Queryable, changes: ChangeSet, intents: readonly OrderIntent[], state: GroupState): Promise<{ group: RecordedGroup; rights: readonly FirstRight[] }> {
    const items = new Map<number, RecordedItem>();
    const accepted: { readonly index: number; readonly candidate: Candidate }[] = [];
    const asked: Candidate[] = [];
    const held: { readonly index: number; readonly candidate: Candidate; readonly words: string }[] = [];
    const repeated: string[] = [];
    const consider = (intent: OrderIntent, index: number, admission: Admission): void => {
      const account = state.accounts.get(intent.accountId);
      if (account === undefined || account.userId !== intent.userId) {
        items.set(index, { orderId: intent.id, verdict: 'denied' });
        return;
      }
      const earlier = state.reading.earlier(intent);
      if (earlier !== null) {
        if (state.context.denialsOnly === true) throw new NotDenied();
        const same = earlier.id === intent.id && earlier.ownerWorkflowId === state.context.ownerWorkflowId;
        items.set(index, { orderId: earlier.id, verdict: !same ? 'duplicate' : earlier.state === 'DENIED' ? 'denied' : 'accepted' });
        if (same && earlier.state !== 'DENIED') repeated.push(earlier.id);
        return;
      }
      if (isHeld(intent.condition ?? UNCONDITIONAL)) {
        const candidate = armed(this.core, intent, account, state);
        if (state.context.denialsOnly === true && candidate.order.state !== 'DENIED') throw new NotDenied();
        state.reading.remember(candidate.order);
        items.set(index, { orderId: intent.id, verdict: candidate.order.state === 'DENIED' ? 'denied' : 'accepted' });
        addOrder(changes, candidate);
        armWith(changes, candidate.order, state.nowMs, state.context.readBack?.pricesSinceMs);
        return;
      }
      // Figures of a database that lost something deny nothing.
      if (state.context.denialsOnly === true && admission !== 'send') throw new NotDenied();
      const candidate = admission === 'send' ? this.judge(intent, account, state) : this.unjudged(intent, account, state);
      if (state.context.denialsOnly === true && candidate.order.state !== 'DENIED') throw new NotDenied();
      state.reading.remember(candidate.order);
      if (admission === 'hold') {
        held.push({ index, candidate, words: isElsewhere(state, account) ? KEY_ELSEWHERE : HELD_BACK });
        return;
      }
      if (admission === 'ask') {
        items.set(index, { orderId: intent.id, verdict: candidate.order.state === 'DENIED' ? 'denied' : 'accepted' });
        asked.push(candidate);
        return;
      }
      items.set(index, { orderId: intent.id, verdict: candidate.order.state === 'DENIED' ? 'denied' : 'accepted' });
      if (candidate.order.state === 'DENIED') addOrder(changes, candidate);
      else accepted.push({ index, candidate });
    };
    for (const unit of unitsOf(intents)) {
      const figures = unit.length === 1 ? null : new Map(state.figures);
      const [before, admission] = [accepted.length, strictest(unit.map(({ intent }) => this.admission(intent, state)))];
      for (const { intent, index } of unit) consider(intent, index, admission);
      const mine = accepted.length - before;
      if (figures === null || mine === 0 || mine === unit.length) continue;
      for (const [id, known] of figures) state.figures.set(id, known);
      for (const { index, candidate } of accepted.splice(before)) {
        addOrder(changes, denied(candidate, 'UNPROCESSABLE', TORN));
        items.set(index, { orderId: candidate.order.id, verdict: 'denied' });
      }
    }
    const signed = await signAccepted(this.core, changes, state.nonces, accepted.map(({ candidate }) => candidate), state.credentials, state.nowMs + state.context.sendTtlMs);
    for (const { index, candidate } of accepted) {
      const failure = signed.failures.get(candidate.order.id);
      addOrder(changes, failure === undefined ? candidate : denied(candidate, failure.code, failure.message));
      if (failure !== undefined) items.set(index, { orderId: candidate.order.id, verdict: 'denied' });
    }
    // Alone they wait, and their activity is tried again; exits and others' orders do not.
    const [first] = held;
    if (first !== undefined && (first.words === HELD_BACK ? accepted.length + asked.length : items.size) === 0) throw new DomainError('SERVICE_UNAVAILABLE', first.words, { retryAfterSeconds: 1 });
    for (const { index, candidate, words } of held) {
      addOrder(changes, denied(candidate, 'SERVICE_UNAVAILABLE', words));
      items.set(index, { orderId: candidate.order.id, verdict: 'denied' });
    }
    for (const candidate of asked) addOrder(changes, candidate);
    const unheard = await recordUnheard(this.core, tx, changes, asked, state.nowMs + state.context.sendTtlMs);
    const calls: RecordedCall[] = [...signed.calls, ...unheard, ...(await existingCalls(tx, repeated))];
    return { group: { items: intents.map((_, index) => itemAt(items, index)), calls }, rights: signed.rights };
  }

  private admission(intent: OrderIntent, state: GroupState): Admission {
    if (state.context.readBack !== undefined) return 'ask';
    const admission = admissionOf(state.reading.stores, { ...intent, intendedAtMs: state.context.intendedAtMs ?? null });
    const account = state.accounts.get(intent.accountId);
    return admission === 'send' && account !== undefined && isElsewhere(state, account) ? 'hold' : admission;
  }

  /** Of an intent that somebody judged before: it counts, whatever the figures are now. */
  private unjudged(intent: OrderIntent, account: LockedAccount, { context, nowMs }: GroupState): Candidate {
    const order = newOrder(intent, context.ownerWorkflowId, isoTime(nowMs));
    const price = valuationPrice(intent, this.core.markOf(intent.venue, intent.symbol));
    const candidate: Candidate = { intent, account, order, books: { ...NO_BOOKS, valuationPrice: price === null ? (intent.limitPrice ?? '0') : decimalText(price) }, shown: {} };
    if (intent.reduceOnly && this.core.venues.get(intent.venue)?.capabilities.reduceOnly === false) return denied(candidate, 'UNPROCESSABLE', `${intent.venue} takes no reduce-only orders`);
    return context.readBack?.denied.has(intent.id) === true ? denied(candidate, 'CONFLICT', 'it was refused before the database was restored; the figures of that verdict are lost') : candidate;
  }

  /** The verdict by the figures as the earlier items of the group left them. */
  private judge(intent: OrderIntent, account: LockedAccount, state: GroupState): Candidate {
    const figures = state.figures.get(account.id);
    if (figures === undefined) throw new Error(`no figures of account ${account.id}`);
    const order = newOrder(intent, state.context.ownerWorkflowId, isoTime(state.nowMs));
    const candidate: Candidate = { intent, account, order, books: NO_BOOKS, shown: {} };
    const venue = this.core.venues.get(intent.venue);
    if (venue === undefined) return denied(candidate, 'VENUE_UNAVAILABLE', `venue ${intent.venue} is not configured`);
    // Sent as an ordinary order it could open the position that it was to close.
    if (intent.reduceOnly && !venue.capabilities.reduceOnly) return denied(candidate, 'UNPROCESSABLE', `${intent.venue} takes no reduce-only orders`);
    if (!state.credentials.has(account.id)) return denied(candidate, 'FORBIDDEN', NO_KEY);
    const verdict = judgeOrder(intent, figures, userFiguresOf(account, state.companions, state.figures));
    if (verdict.verdict === 'denied') return denied({ ...candidate, shown: verdict.shown }, verdict.code, verdict.message);
    state.figures.set(account.id, verdict.after);
    const price = valuationPrice(intent, figures.symbols[intent.symbol]?.markPrice ?? null);
    return { ...candidate, shown: verdict.shown, books: { ...NO_BOOKS, valuationPrice: price === null ? '0' : decimalText(price) } };
  }
}

export interface GroupState {
  readonly accounts: ReadonlyMap<string, LockedAccount>;
  readonly companions: Companions;
  readonly credentials: ReadonlyMap<string, VenueCredentials>;
  readonly elsewhere: ReadonlySet<string>;
  readonly figures: Map<string, AccountFigures>;
  readonly reading: GroupReading;
  readonly nonces: NonceBook;
  readonly context: PlacingContext;
  readonly nowMs: number;
}

/** The order's row, its reservation and its first event. */
function addOrder(changes: ChangeSet, { intent, account, order, books, shown }: Candidate): void {
  const isDenied = order.state === 'DENIED';
  const verdict = { verdict: isDenied ? 'denied' : 'accepted', code: order.reasonCode, message: order.reasonMessage, figures: shown };
  changes.insertOrder(order, { ...books, placeBefore: intent.placeBefore, fence: order.state === 'SUBMITTING' ? 1 : 0, riskFigures: verdict });
  changes.addExposure(account, order.symbol, exposureOf(exposed(order, books)));
  changes.addEvent(account, { type: EVENT_OF_STATE[order.state], orderId: order.id, data: { order, risk: verdict } }, order.createdAt);
}

function itemAt(items: ReadonlyMap<number, RecordedItem>, index: number): RecordedItem {
  const item = items.get(index);
  if (item === undefined) throw new Error(`intent ${index} has no verdict`);
  return item;
}
