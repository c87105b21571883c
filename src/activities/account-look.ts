/**
 * One look at everything the venue shows of an account, applied to our books: open orders, what became of those it no longer
 * lists, fills since before the last we know, positions and balances. Only what the venue shows is evidence; absence is not.
 */
import type { Account } from '../domain/account';
import { decimal, decimalText } from '../domain/decimal';
import { UNSETTLED_STATES, type Order } from '../domain/order';
import type { OrderReference, ReadOptions, Venue, VenueAccountSession, VenueOrder, VenuePosition } from '../domain/venue';
import { VenueOutcomeUnknown } from '../domain/venue-errors';
import { AccountMoney } from './account-money';
import { accountScope, type AccountWatcherPorts } from './account-ports';
import type { AccountWriter } from './account-writer';
import { newestOf } from './order-look';

/** After a gap, fills are read again from this long before the newest we have: venues deliver late and clocks differ. */
export const FILL_OVERLAP_MS = 10 * 60_000;
/** And from at least so many fills back: two pages of the venues' usual 500. */
export const FILL_OVERLAP_COUNT = 1_000;
/** An audit follows a look that was complete a poll ago. */
export const AUDIT_OVERLAP_MS = 60_000;
/** More missing orders than this are looked up in the venue's history first. */
const ASKED_SINGLY = 20;
/** An order in a passing state is its own workflow's business; one that stays in it is asked about here too. */
const PASSING_MS = 10_000;
/**
 * What is carried in is read so often, until nothing filled meanwhile. Mostly once does; an account that fills during each is
 * looked at again later, for a look holds the stream's messages back and spends what the venue lets everybody ask.
 */
export const CARRY_IN_READS = 5;

export type LookKind = 'resync' | 'audit';

export interface LookResult {
  readonly changedOrders: number;
  readonly newFills: number;
  /** Fills that may belong to an order whose name at the venue is not known yet: read again soon. */
  readonly deferred: number;
}

/** Options of one call, its time-out counted from now. */
export type Reading = () => ReadOptions;

export class AccountLook {
  /** Markets where the last audit saw another position than ours; a second sighting is no race with the stream. */
  private suspects: ReadonlySet<string> = new Set();
  private readonly money: AccountMoney;

  constructor(
    private readonly ports: AccountWatcherPorts,
    private readonly venue: Venue,
    private readonly account: Account,
    private readonly session: VenueAccountSession,
    private readonly writer: AccountWriter,
  ) {
    this.money = new AccountMoney(ports, venue, account, session, writer);
  }

  /** One read after the other: a key that was revoked is asked with once, not with several at a time. */
  async take(kind: LookKind, read: Reading): Promise<LookResult> {
    const { watching } = this.ports;
    const { id } = this.account;
    const skippedBefore = this.writer.skipped;
    const lookedFromMs = this.ports.clock.nowMs();
    // Ours are listed first: one that is placed while the venue answers must not look missing.
    const ours = await this.ports.working(id);
    const atMs = await this.venue.venueTimeMs(read());
    const open = await this.session.openOrders(read());
    const gone = await this.gone(ours, open, read);
    // Fills come between: an order placed outside is known by then, and one that ended never stands there without its fills.
    const changedOpen = await this.writer.orders(open, 'query');
    const readTo = readToOf(await watching.readCheckpoint(accountScope(id)));
    const opening = await this.money.opening(readTo.fillsMs === null, read);
    const fills = await this.fills(kind, atMs, readTo.fillsMs, read);
    // At once: the reads that follow may break the look off, and what is held is not known by then.
    if (fills.carryIn === 'truncated') await this.reduce();
    await this.money.funding(readTo.fundingMs, read);
    const changedOrders = changedOpen + (await this.writer.orders(gone, 'query'));
    const { atMs: heldAtMs, positions, ...since } = fills.carryIn === null ? { ...(await this.held(read)), newFills: 0, deferred: 0 } : await this.heldBetweenFills(atMs, read);
    // A fill that waits for its order's name is in the positions, and would be booked on top of them: nothing is carried in until then.
    const isNamed = fills.deferred === 0 && since.deferred === 0;
    const balances = await this.session.balances(read());
    if (fills.carryIn !== null && isNamed) await this.carryIn(positions, heldAtMs, fills.carryIn);
    await watching.putPositions(this.writer.epoch, id, positions, heldAtMs, { complete: true });
    await watching.putBalances(this.writer.epoch, id, balances, heldAtMs);
    // A fill that waits for its order's name, or could not be written, is not covered yet: it is read again.
    const covered = isNamed && this.writer.skipped === skippedBefore;
    if (covered || (isNamed && fills.carryIn !== null)) {
      await watching.checkpoint(accountScope(id), { fillsReadToMs: atMs, fundingReadToMs: atMs, lookedFromMs }, this.writer.epoch);
      // A carry-in counts all that filled; otherwise a fill may still be told as late as the overlap allows for.
      await watching.settleUnbooked(this.writer.epoch, id, fills.carryIn === null ? atMs - AUDIT_OVERLAP_MS : atMs);
    }
    if (covered) await this.money.compare(balances, opening, heldAtMs);
    // What is not carried in yet is no mismatch.
    if (kind === 'audit' && (isNamed || fills.carryIn === null)) await this.comparePositions(positions);
    return { changedOrders, newFills: fills.newFills + since.newFills, deferred: Math.max(fills.deferred, since.deferred) };
  }

  /** What the venue holds, and its time just before. */
  private async held(read: Reading): Promise<{ atMs: number; positions: readonly VenuePosition[] }> {
    const atMs = await this.venue.venueTimeMs(read());
    return { atMs, positions: await this.session.positions(read()) };
  }

  /**
   * The same with no fill since the fills were read: one would be in these positions and be booked on top of them. Whether the
   * stream has booked it already does not matter, so its time counts, too.
   */
  private async heldBetweenFills(readToMs: number, read: Reading): Promise<{ atMs: number; positions: readonly VenuePosition[]; newFills: number; deferred: number }> {
    let newFills = 0;
    for (let reads = 0; reads < CARRY_IN_READS; reads += 1) {
      const held = await this.held(read);
      const since = await this.pages(readToMs - AUDIT_OVERLAP_MS, read);
      newFills += since.newFills;
      if (since.newFills === 0 && since.newestMs <= held.atMs) return { ...held, newFills, deferred: since.deferred };
    }
    throw new VenueOutcomeUnknown(this.venue.name, `${this.venue.name}: the account fills faster than its positions can be read`, 'unreadable');
  }

  /** What the venue says of orders that work in our books and are not in its list. */
  private async gone(ours: readonly Order[], open: readonly VenueOrder[], read: Reading): Promise<VenueOrder[]> {
    const passingSince = this.ports.clock.nowMs() - PASSING_MS;
    const listed = new Set(open.flatMap((order) => [`o ${order.venueOrderId}`, `c ${order.venueClientId ?? ''}`]));
    let missing = ours.filter((order) => {
      if (listed.has(`o ${order.venueOrderId ?? ''}`) || listed.has(`c ${order.venueClientId}`)) return false;
      return !UNSETTLED_STATES.has(order.state) || Date.parse(order.updatedAt) < passingSince;
    });
    const answers: VenueOrder[] = [];
    if (missing.length > ASKED_SINGLY) {
      const since = Math.min(...missing.map((order) => Date.parse(order.createdAt))) - FILL_OVERLAP_MS;
      const closed = new Map((await newestOf(this.session.closedOrders(since, read()))).orders.flatMap((order) => [[`o ${order.venueOrderId}`, order], [`c ${order.venueClientId ?? ''}`, order]]));
      const found = (order: Order): VenueOrder | undefined => closed.get(`o ${order.venueOrderId ?? ''}`) ?? closed.get(`c ${order.venueClientId}`);
      answers.push(...missing.map(found).filter((order) => order !== undefined));
      missing = missing.filter((order) => found(order) === undefined);
    }
    for (const order of missing) {
      const answer = await this.session.findOrder(referenceTo(order), read());
      if (answer !== null) answers.push(answer);
    }
    return answers;
  }

  /**
   * Every fill since before the last we know, to the venue's end. `carryIn`: why the fills cannot explain the positions - the
   * venue's history begins after the last fill we know, or what was held before we ever looked.
   */
  private async fills(kind: LookKind, atMs: number, readToMs: number | null, read: Reading): Promise<{ newFills: number; deferred: number; carryIn: 'truncated' | 'firstLook' | null }> {
    const lastFillMs = await this.ports.watching.lastFillTime(this.account.id);
    const createdMs = Date.parse(this.account.createdAt) - FILL_OVERLAP_MS;
    // What the stream brought after a gap, or a look that was broken off, does not make the gap known: not before the first whole look either.
    const knownToMs = readToMs ?? createdMs;
    const oldestMs = Math.min(readToMs ?? knownToMs, lastFillMs ?? knownToMs, atMs);
    const sinceMs = kind === 'audit' && readToMs !== null ? Math.min(readToMs, atMs) - AUDIT_OVERLAP_MS : await this.resyncSinceMs(oldestMs, createdMs);
    const { newFills, deferred, truncatedBeforeMs } = await this.pages(sinceMs, read);
    // Until one was whole: fills of a look that was broken off, or that the stream brought, explain nothing of what was held before.
    const firstLook = readToMs === null;
    return { newFills, deferred, carryIn: truncatedBeforeMs > knownToMs ? 'truncated' : firstLook ? 'firstLook' : null };
  }

  /** Books every fill from then to the venue's end. */
  private async pages(sinceMs: number, read: Reading): Promise<{ newFills: number; deferred: number; truncatedBeforeMs: number; newestMs: number }> {
    let newFills = 0;
    let deferred = 0;
    let truncatedBeforeMs = -Infinity;
    let newestMs = -Infinity;
    for (let cursor: string | null = null; ; ) {
      const page = await this.session.fillsSince(sinceMs, cursor, read());
      const answer = await this.writer.fills(page.fills);
      newFills += answer.newFills;
      deferred += answer.deferred;
      truncatedBeforeMs = Math.max(truncatedBeforeMs, page.truncatedBeforeMs ?? -Infinity);
      newestMs = Math.max(newestMs, ...page.fills.map((fill) => fill.atMs));
      if (page.next === null) return { newFills, deferred, truncatedBeforeMs, newestMs };
      cursor = page.next;
    }
  }

  /** Ten minutes or two pages of fills before the oldest of what we are sure of, whichever is more. */
  private async resyncSinceMs(oldestMs: number, createdMs: number): Promise<number> {
    const twoPagesBackMs = (await this.ports.watching.lastFillTime(this.account.id, FILL_OVERLAP_COUNT)) ?? createdMs;
    return Math.max(0, Math.min(oldestMs - FILL_OVERLAP_MS, twoPagesBackMs));
  }

  /** Whether or not there is something to carry in yet. */
  private async reduce(): Promise<void> {
    const reason = 'the venue\'s fill history begins after the last fill we know: check the positions that were carried in';
    // Compared under the account's lock: an operator's HALTED is not loosened, however late it came.
    await this.ports.accounts.setStatus(this.account.id, 'REDUCING', reason, this.writer.epoch, { onlyFrom: 'ACTIVE' });
  }

  private async carryIn(positions: readonly VenuePosition[], atMs: number, why: 'truncated' | 'firstLook'): Promise<void> {
    const { id } = this.account;
    const wrong = await this.differing(positions);
    if (why === 'truncated') await this.ports.accounts.alert(id, { kind: 'historyTruncated', markets: [...wrong] }, this.writer.epoch);
    const shown = new Set(positions.map((position) => position.venueSymbol));
    const flat = [...wrong].filter((venueSymbol) => !shown.has(venueSymbol)).map((venueSymbol) => ({ venueSymbol, side: 'flat' as const }));
    // The entry is made of every position when history is missing, and only of unexplained ones on a first look.
    const entries = [...(why === 'truncated' ? positions : positions.filter((position) => wrong.has(position.venueSymbol))), ...flat];
    if (entries.length > 0) await this.ports.watching.carryIn(this.writer.epoch, id, entries, atMs);
  }

  private async comparePositions(positions: readonly VenuePosition[]): Promise<void> {
    const wrong = await this.differing(positions);
    const confirmed = [...wrong].filter((venueSymbol) => this.suspects.has(venueSymbol));
    this.suspects = wrong;
    if (confirmed.length === 0) return;
    this.ports.onMismatch(this.account.id, 'position', confirmed.length);
    await this.ports.accounts.alert(this.account.id, { kind: 'positionMismatch', markets: confirmed }, this.writer.epoch);
  }

  /** Markets where the venue's position is not the one our fills make. */
  private async differing(positions: readonly VenuePosition[]): Promise<Set<string>> {
    const ours = await this.ports.watching.heldQuantities(this.account.id);
    const theirs = new Map(positions.map((position) => [position.venueSymbol, position.side === 'short' ? decimalText(decimal(position.quantity).negated()) : position.quantity]));
    const markets = new Set([...ours.keys(), ...theirs.keys()]);
    return new Set([...markets].filter((market) => !decimal(ours.get(market) ?? '0').equals(decimal(theirs.get(market) ?? '0'))));
  }
}

/** An order placed outside may have no client id of the venue's: ours for it is no name there. */
function referenceTo(order: Order): OrderReference {
  const { venueOrderId, venueSymbol } = order;
  return { venueClientId: order.origin === 'EXTERNAL' && order.venueClientId === order.clientOrderId ? '' : order.venueClientId, venueOrderId, venueSymbol };
}

/** Up to when (venue's time, ms) fills and funding were read before; null: never. */
function readToOf(checkpoint: unknown): { readonly fillsMs: number | null; readonly fundingMs: number | null } {
  const known: Readonly<Record<string, unknown>> = typeof checkpoint === 'object' && checkpoint !== null ? { ...checkpoint } : {};
  const timeOf = (field: string): number | null => (typeof known[field] === 'number' ? known[field] : null);
  return { fillsMs: timeOf('fillsReadToMs'), fundingMs: timeOf('fundingReadToMs') };
}
