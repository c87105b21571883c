/**
 * Holds one account's private stream and keeps our books equal to the venue's. Buffer first, then snapshot, then fills with
 * an overlap, then the buffer; after every gap the same; and an audit that does not trust the stream. Crash-only: what it
 * cannot write ends it, and its successor begins with a snapshot.
 */
import type { Account, AccountStatus } from '../domain/account';
import type { Clock } from '../domain/clock';
import { UNSETTLED_STATES, type Order } from '../domain/order';
import type { AppliedOrder, WriterEpoch } from '../domain/order-store';
import type { FillsPage, ReadOptions, Venue, VenueAccountSession, VenueBalance, VenueCredentials, VenueFill, VenueOrder, VenuePosition } from '../domain/venue';
import { VenueError, VenueRefused } from '../domain/venue-errors';
import { AccountInbox, type InboxBatch, type PositionMessage } from './account-inbox';

export interface AccountWatcherPorts {
  readonly clock: Clock;
  readonly watching: {
    takeEpoch(scope: string, holder: string): Promise<WriterEpoch>;
    applyFills(writer: WriterEpoch, accountId: string, fills: readonly VenueFill[]): Promise<{ readonly newFills: number; readonly deferred: number }>;
    applyVenueOrders(writer: WriterEpoch, accountId: string, orders: readonly VenueOrder[], source: 'stream' | 'query'): Promise<readonly AppliedOrder[]>;
    putPositions(writer: WriterEpoch, accountId: string, positions: readonly PositionMessage['position'][], atMs: number, options?: { readonly complete?: boolean }): Promise<void>;
    carryIn(writer: WriterEpoch, accountId: string, positions: readonly VenuePosition[], atMs: number): Promise<void>;
    putBalances(writer: WriterEpoch, accountId: string, balances: readonly VenueBalance[], atMs: number): Promise<void>;
    lastFillTime(accountId: string): Promise<number | null>;
  };
  readonly accounts: {
    credentials(accountId: string): Promise<VenueCredentials>;
    setStatus(id: string, status: AccountStatus, reason: string | null, writer?: WriterEpoch): Promise<unknown>;
    alert(id: string, data: Readonly<Record<string, unknown>>, writer?: WriterEpoch): Promise<void>;
  };
  working(accountId: string): Promise<readonly Order[]>;
  /** Told of what the audit found that the stream had not brought. */
  onMismatch(accountId: string, kind: 'order' | 'fill', count: number): void;
  onTrouble(accountId: string, error: unknown): void;
}

export interface AccountWatcherOptions {
  readonly auditPollMs: number;
  /** Names this process in the epoch's row. */
  readonly holder: string;
}

export type WatchEnd = 'stopped' | 'keyRevoked';

/** Fills are read again from this long before the newest we have: venues deliver late and clocks differ. */
export const FILL_OVERLAP_MS = 10 * 60_000;
/** How long the stream may take to open before the account is looked at without it. */
const STREAM_WAIT_MS = 3_000;
/** A look at the venue that failed is repeated after this. */
const RETRY_LOOK_MS = 1_000;
/** All reads of one look. */
const LOOK_TIMEOUT_MS = 20_000;
/** Questions about single orders at once. */
const QUESTIONS_AT_ONCE = 8;
/** After the first refusal of its key, an account is asked about so often and no more. */
const ATTEMPTS_AFTER_REFUSAL = 3;

export class AccountWatcher {
  private readonly inbox = new AccountInbox();
  private lookDueMs = 0;
  private gap: string | null = null;
  private carriedIn = false;

  constructor(
    private readonly ports: AccountWatcherPorts,
    private readonly venue: Venue,
    private readonly account: Account,
    private readonly options: AccountWatcherOptions,
  ) {}

  /** Until told to stop, or until the venue refuses the account's key. Throws EpochLost when a successor has taken over. */
  async run(signal: AbortSignal): Promise<WatchEnd> {
    const session = this.venue.session(await this.ports.accounts.credentials(this.account.id));
    const stream = session.streamPrivate((message) => this.inbox.push(message));
    // A refused key is told by a message as well; anything else the stream gets over by itself.
    const opened = stream.ready.catch((error: unknown) => this.ports.onTrouble(this.account.id, error));
    try {
      // The scope is taken once the socket listens, so that a take-over loses nothing.
      await Promise.race([opened, stopOrDelay(STREAM_WAIT_MS, signal)]);
      if (signal.aborted) return 'stopped';
      const writer = await this.ports.watching.takeEpoch(`account/${this.account.id}`, this.options.holder);
      if (writer.epoch > 1) await this.openGap(writer, 'a watcher took over');
      return await this.watch(session, writer, signal);
    } finally {
      stream.close();
    }
  }

  private async watch(session: VenueAccountSession, writer: WriterEpoch, signal: AbortSignal): Promise<WatchEnd> {
    let audit = false;
    while (!signal.aborted) {
      if (this.ports.clock.nowMs() >= this.lookDueMs) {
        if ((await this.lookAndSchedule(session, writer, audit, signal)) === 'keyRevoked') return 'keyRevoked';
        audit = true;
      }
      await this.inbox.arrival(this.lookDueMs - this.ports.clock.nowMs(), signal);
      if (this.inbox.isEmpty) continue;
      const batch = this.inbox.take();
      await this.write(writer, batch);
      if (batch.keyRevoked && (await this.isRevoked(session, writer, signal))) return 'keyRevoked';
      if (batch.gap !== null) {
        await this.openGap(writer, batch.gap);
        this.lookDueMs = 0;
        audit = false;
      }
    }
    return 'stopped';
  }

  private async write(writer: WriterEpoch, batch: InboxBatch): Promise<void> {
    const { watching } = this.ports;
    const id = this.account.id;
    if (batch.orders.length > 0) await watching.applyVenueOrders(writer, id, batch.orders, 'stream');
    if (batch.fills.length > 0) {
      const { deferred } = await watching.applyFills(writer, id, batch.fills);
      if (deferred > 0) this.lookDueMs = Math.min(this.lookDueMs, this.ports.clock.nowMs() + RETRY_LOOK_MS);
    }
    if (batch.positions.length > 0) await watching.putPositions(writer, id, batch.positions, batch.atMs);
    if (batch.balances.length > 0) await watching.putBalances(writer, id, batch.balances, batch.atMs);
  }

  private async lookAndSchedule(session: VenueAccountSession, writer: WriterEpoch, audit: boolean, signal: AbortSignal): Promise<'looked' | 'keyRevoked'> {
    try {
      await this.look(session, writer, audit, { signal: AbortSignal.any([signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]), priority: audit ? 'read' : 'exit' });
      await this.closeGap(writer);
      this.lookDueMs = this.ports.clock.nowMs() + this.options.auditPollMs;
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
      this.ports.onTrouble(this.account.id, error);
      if (isUnauthorized(error) && (await this.isRevoked(session, writer, signal))) return 'keyRevoked';
      this.lookDueMs = this.ports.clock.nowMs() + Math.min(RETRY_LOOK_MS, this.options.auditPollMs);
    }
    return 'looked';
  }

  /** Everything the venue shows of the account now, and every fill since before the newest we have. */
  private async look(session: VenueAccountSession, writer: WriterEpoch, audit: boolean, options: ReadOptions): Promise<void> {
    const { watching } = this.ports;
    const id = this.account.id;
    const lastFillMs = await watching.lastFillTime(id);
    const atMs = await this.venue.venueTimeMs(options);
    const open = await session.openOrders(options);
    const gone = await this.gone(session, open, options);
    const found = await watching.applyVenueOrders(writer, id, [...open, ...gone], 'query');
    const newFills = await this.readFills(session, writer, (lastFillMs ?? Date.parse(this.account.createdAt)) - FILL_OVERLAP_MS, options);
    const positions = await session.positions(options);
    // What was held before we ever looked has no fills to stand on.
    if (lastFillMs === null && newFills === 0 && positions.length > 0) await watching.carryIn(writer, id, positions, atMs);
    await watching.putPositions(writer, id, positions, atMs, { complete: true });
    await watching.putBalances(writer, id, await session.balances(options), atMs);
    if (!audit) return;
    const changed = found.filter((order) => order.changed).length;
    if (changed > 0) this.ports.onMismatch(id, 'order', changed);
    if (newFills > 0) this.ports.onMismatch(id, 'fill', newFills);
  }

  /** Orders of ours that work but are not in the venue's list: asked one by one. Absence is not evidence, so only answers count. */
  private async gone(session: VenueAccountSession, open: readonly VenueOrder[], options: ReadOptions): Promise<VenueOrder[]> {
    const listed = new Set(open.map((order) => order.venueOrderId));
    const missing = (await this.ports.working(this.account.id)).filter((order) => order.venueOrderId !== null && !listed.has(order.venueOrderId) && !UNSETTLED_STATES.has(order.state));
    const answers: VenueOrder[] = [];
    for (let from = 0; from < missing.length; from += QUESTIONS_AT_ONCE) {
      const asked = await Promise.all(missing.slice(from, from + QUESTIONS_AT_ONCE).map((order) => session.findOrder(order, options)));
      answers.push(...asked.filter((order) => order !== null));
    }
    return answers;
  }

  /** Pages to the venue's end; a history that begins later than it must puts the account into REDUCING with a carry-in. */
  private async readFills(session: VenueAccountSession, writer: WriterEpoch, sinceMs: number, options: ReadOptions): Promise<number> {
    let newFills = 0;
    for (let cursor: string | null = null; ; ) {
      const page: FillsPage = await session.fillsSince(sinceMs, cursor, options);
      newFills += (await this.ports.watching.applyFills(writer, this.account.id, page.fills)).newFills;
      if (page.truncatedBeforeMs !== null && page.truncatedBeforeMs > sinceMs) await this.carryIn(session, writer, page.truncatedBeforeMs, options);
      if (page.next === null) return newFills;
      cursor = page.next;
    }
  }

  private async carryIn(session: VenueAccountSession, writer: WriterEpoch, truncatedBeforeMs: number, options: ReadOptions): Promise<void> {
    if (this.carriedIn) return;
    this.carriedIn = true;
    const reason = `the venue's fills before ${new Date(truncatedBeforeMs).toISOString()} cannot be read`;
    if (this.account.status === 'ACTIVE') await this.ports.accounts.setStatus(this.account.id, 'REDUCING', reason, writer);
    await this.ports.watching.carryIn(writer, this.account.id, await session.positions(options), await this.venue.venueTimeMs(options));
  }

  private async openGap(writer: WriterEpoch, reason: string): Promise<void> {
    if (this.gap !== null) return;
    this.gap = reason;
    await this.ports.accounts.alert(this.account.id, { kind: 'streamGap', reason }, writer);
  }

  private async closeGap(writer: WriterEpoch): Promise<void> {
    if (this.gap === null) return;
    this.gap = null;
    await this.ports.accounts.alert(this.account.id, { kind: 'streamResynced' }, writer);
  }

  /** A refusal may be a hiccup of the venue; a few quiet questions decide, and no more are asked of a key that is gone. */
  private async isRevoked(session: VenueAccountSession, writer: WriterEpoch, signal: AbortSignal): Promise<boolean> {
    for (let attempt = 1; attempt <= ATTEMPTS_AFTER_REFUSAL; attempt += 1) {
      try {
        await session.balances({ signal, priority: 'exit' });
        return false;
      } catch (error) {
        if (!isUnauthorized(error) && attempt === ATTEMPTS_AFTER_REFUSAL) return false;
      }
    }
    await this.ports.accounts.setStatus(this.account.id, 'HALTED', 'the venue refuses the account\'s key', writer);
    await this.ports.accounts.alert(this.account.id, { kind: 'keyRevoked' }, writer);
    return true;
  }
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof VenueRefused && error.code === 'unauthorized';
}

function stopOrDelay(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

