/**
 * Holds one account's private stream and keeps our books equal to the venue's. Buffer first, then snapshot, then fills with
 * an overlap, then the buffer; after every gap the same; and an audit beside it that does not trust the stream. Crash-only:
 * what it cannot write ends it, and its successor begins with a snapshot.
 */
import { KEY_REFUSED, needsNewKey, type Account } from '../domain/account';
import { EpochLost } from '../domain/order-store';
import type { ReadOptions, Venue, VenueAccountSession, VenueStream } from '../domain/venue';
import { VenueError, VenueRateLimited, VenueRefused, VenueUnavailable } from '../domain/venue-errors';
import { settledWithin, sleepUnlessAborted } from '../venues/back-off';
import { AccountInbox } from './account-inbox';
import { AccountJudge } from './account-judge';
import { AccountLook } from './account-look';
import { accountScope, type AccountWatcherPorts } from './account-ports';
import { AccountWriter } from './account-writer';

export type { AccountWatcherPorts } from './account-ports';

export interface AccountWatcherOptions {
  readonly auditPollMs: number;
  /** Names this process in the epoch's row. */
  readonly holder: string;
  /** Between two questions to a venue that refused the account's key. */
  readonly keyQuestionMs?: number;
  /** After which a stream that failed ends its watcher. */
  readonly streamFaultMs?: number;
}

/** `replaced`: a successor has taken the scope. */
export type WatchEnd = 'stopped' | 'keyRevoked' | 'replaced';

/** How long the stream may take to open before the account is looked at without it. */
const STREAM_WAIT_MS = 2_000;
/**
 * A stream that failed for good before it opened, not by the venue's word, ends its watcher after this: nothing but a successor gives
 * the account another. Not at once, for that one looks at everything first, and may fail like this one: audits go on until then.
 */
const STREAM_FAULT_MS = 30_000;
/** A look that failed is repeated after this, doubled each time up to the longest. */
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;
/** Looks in a row that did not reach the venue: one is a hiccup, after these the account is told that it is out of step. */
const UNREACHED_LOOKS = 2;
/** One read of a resynchronisation, which holds the stream's messages back meanwhile. */
const RESYNC_READ_MS = 5_000;
/** One read of an audit, which holds nothing back: time enough for the venue's own repeats. */
const AUDIT_READ_MS = 20_000;
/** After the first refusal of its key, an account is asked about so often and no more. */
const ATTEMPTS_AFTER_REFUSAL = 3;
/** A refusal may be a hiccup of the venue: questions are apart. */
const KEY_QUESTION_MS = 1_000;

export class AccountWatcher {
  private inbox = new AccountInbox();
  private resyncDueMs = 0;
  private resyncFailures = 0;
  private auditDueMs = Infinity;
  private audit: Promise<void> | null = null;
  private judge: AccountJudge | null = null;
  private gap: string | null = null;
  /** Refusals of the key since it last worked. */
  private refusals = 0;
  private fault: { readonly error: unknown } | null = null;
  private lastHeardMs: number | null = null;
  /** The key that is held with, as text to compare; kept in this memory alone. */
  private key = '';

  constructor(
    private readonly ports: AccountWatcherPorts,
    private readonly venue: Venue,
    private readonly account: Account,
    private readonly options: AccountWatcherOptions,
  ) {}

  /** Our clock, ms: when the stream last said something. For heartbeats. */
  get heardMs(): number | null {
    return this.lastHeardMs;
  }

  /** Looks at the account anew, as after a gap. */
  resync(reason: string): void {
    this.inbox.push({ kind: 'gap', reason });
  }

  /** Until told to stop, until a successor takes over, or until the venue refuses the account's key. */
  async run(signal: AbortSignal): Promise<WatchEnd> {
    if (needsNewKey(this.account)) return 'keyRevoked';
    try {
      for (;;) {
        const end = await this.hold(signal);
        if (end !== 'keyWorks') return end;
      }
    } catch (error) {
      if (error instanceof EpochLost) return 'replaced';
      throw error;
    }
  }

  /** One connection of the stream, from its opening to its end. */
  private async hold(signal: AbortSignal): Promise<WatchEnd | 'keyWorks'> {
    const { id } = this.account;
    const ended = new AbortController();
    const stop = AbortSignal.any([signal, ended.signal]);
    this.inbox = new AccountInbox();
    this.resyncDueMs = 0;
    this.auditDueMs = Infinity;
    const credentials = await this.ports.accounts.credentials(id);
    this.key = JSON.stringify(credentials);
    const session = this.venue.session(credentials);
    const stream = this.open(session, stop);
    let judging: Promise<void> | null = null;
    try {
      // The scope is taken once the socket listens, so that a take-over loses nothing.
      await settledWithin(stream.ready, STREAM_WAIT_MS, stop);
      if (stop.aborted) return 'stopped';
      const epoch = await this.ports.watching.takeEpoch(accountScope(id), this.options.holder);
      const writer = new AccountWriter(this.ports, id, epoch);
      this.judge = new AccountJudge(this.ports.judged, id, epoch);
      judging = this.judge.run(stop, (error) => this.end(error));
      if (epoch.epoch > 1) await this.openGap(writer, 'a watcher took over');
      return await this.watch(new AccountLook(this.ports, this.venue, this.account, session, writer), writer, session, stream, stop);
    } finally {
      ended.abort();
      stream.close();
      await this.audit;
      await judging;
    }
  }

  private open(session: VenueAccountSession, stop: AbortSignal): VenueStream {
    const { inbox } = this;
    let asked = false;
    const stream = session.streamPrivate((message) => {
      this.lastHeardMs = this.ports.clock.nowMs();
      if (message.kind === 'keyRevoked') this.noteRefusedStream(stream, inbox);
      else inbox.push(message);
    });
    stream.ready.then(
      // Opened late: what came between the look that was taken without it and now is missing.
      () => asked && inbox.push({ kind: 'gap', reason: 'the stream opened late' }),
      (error: unknown) => {
        if (isRefusedKey(error)) this.noteRefusedStream(stream, inbox);
        // Anything else is the stream that was closed by us.
        else if (!(error instanceof VenueUnavailable && error.reason === 'canceled')) this.noteFailedStream(error, stop);
      },
    );
    setTimeout(() => (asked = true), STREAM_WAIT_MS).unref();
    return stream;
  }

  /** The socket is closed, or it would try the refused key again. */
  private noteRefusedStream(stream: VenueStream, inbox: AccountInbox): void {
    stream.close();
    this.refusals = Math.max(this.refusals, 1);
    inbox.nudge();
  }

  private noteFailedStream(error: unknown, stop: AbortSignal): void {
    this.ports.onTrouble(this.account.id, error);
    if (stop.aborted) return;
    const timer = setTimeout(() => this.end(error), this.options.streamFaultMs ?? STREAM_FAULT_MS);
    stop.addEventListener('abort', () => clearTimeout(timer), { once: true });
  }

  /** Of what only a successor can mend. */
  private end(error: unknown): void {
    this.fault = { error };
    this.inbox.nudge();
  }

  private async watch(look: AccountLook, writer: AccountWriter, session: VenueAccountSession, stream: VenueStream, stop: AbortSignal): Promise<WatchEnd | 'keyWorks'> {
    const { clock } = this.ports;
    while (!stop.aborted) {
      if (this.fault !== null) throw this.takeFault();
      if (this.refusals > 0) {
        stream.close();
        await this.audit;
        return await this.questionKey(session, writer, stop);
      }
      if (clock.nowMs() >= this.resyncDueMs) await this.resynchronise(look, writer, stop);
      else if (clock.nowMs() >= this.auditDueMs && this.audit === null) this.startAudit(look, stop);
      await this.inbox.arrival(Math.min(this.resyncDueMs, this.audit === null ? this.auditDueMs : Infinity) - clock.nowMs(), stop);
      if (this.inbox.isEmpty) continue;
      await this.inbox.gathered(stop);
      await this.write(writer);
    }
    return 'stopped';
  }

  private async write(writer: AccountWriter): Promise<void> {
    const batch = this.inbox.take();
    const { deferred } = await writer.batch(batch);
    if (batch.fills.length > 0) this.judge?.filled();
    if (deferred > 0) this.auditDueMs = Math.min(this.auditDueMs, this.ports.clock.nowMs() + FIRST_RETRY_MS);
    if (batch.gap === null) return;
    await this.openGap(writer, batch.gap);
    this.resyncDueMs = this.ports.clock.nowMs();
  }

  /** A look while messages wait in the inbox. Where it fails they are not held back for the next one: they are evidence. */
  private async resynchronise(look: AccountLook, writer: AccountWriter, stop: AbortSignal): Promise<void> {
    await this.audit;
    const { clock } = this.ports;
    try {
      const { deferred } = await look.take('resync', () => this.reading(RESYNC_READ_MS, 'exit', stop));
      await this.closeGap(writer);
      this.resyncFailures = 0;
      this.resyncDueMs = Infinity;
      this.auditDueMs = clock.nowMs() + this.untilAuditMs(deferred);
    } catch (error) {
      this.resyncDueMs = clock.nowMs() + this.failed(error, stop);
    }
  }

  private startAudit(look: AccountLook, stop: AbortSignal): void {
    this.audit = this.auditOnce(look, stop).finally(() => {
      this.audit = null;
      this.inbox.nudge();
    });
  }

  /** Beside the stream: a venue that answers slowly holds no message back. */
  private async auditOnce(look: AccountLook, stop: AbortSignal): Promise<void> {
    const { clock } = this.ports;
    const { id } = this.account;
    try {
      const { changedOrders, newFills, deferred } = await look.take('audit', () => this.reading(AUDIT_READ_MS, 'read', stop));
      if (changedOrders > 0) this.ports.onMismatch(id, 'order', changedOrders);
      if (newFills > 0) this.ports.onMismatch(id, 'fill', newFills);
      this.resyncFailures = 0;
      this.auditDueMs = clock.nowMs() + this.untilAuditMs(deferred);
    } catch (error) {
      try {
        this.auditDueMs = clock.nowMs() + this.failed(error, stop);
      } catch (fault) {
        this.fault = { error: fault };
      }
    }
  }

  /** Fills that wait for their order's name keep what was held from being carried in: they are read again soon. */
  private untilAuditMs(deferred: number): number {
    return deferred > 0 ? Math.min(LONGEST_RETRY_MS, this.options.auditPollMs) : this.options.auditPollMs;
  }

  /** After how long to look again. Throws what is no failure of the venue. */
  private failed(error: unknown, stop: AbortSignal): number {
    if (!(error instanceof VenueError)) throw error;
    if (stop.aborted) return 0;
    this.ports.onTrouble(this.account.id, error);
    if (isRefusedKey(error)) this.refusals += 1;
    // A stream that cannot come back says nothing of it: who looks and reaches nobody does.
    if (isAway(error) && this.gap === null && this.resyncFailures + 1 >= UNREACHED_LOOKS) this.resync('the venue cannot be reached');
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** this.resyncFailures, LONGEST_RETRY_MS);
    this.resyncFailures += 1;
    return error instanceof VenueRateLimited ? Math.max(delayMs, error.retryAfterMs) : delayMs;
  }

  /** A few quiet questions decide whether the key is gone, and no more are asked of one that is. */
  private async questionKey(session: VenueAccountSession, writer: AccountWriter, stop: AbortSignal): Promise<WatchEnd | 'keyWorks'> {
    const { accounts } = this.ports;
    while (this.refusals <= ATTEMPTS_AFTER_REFUSAL) {
      if (!(await sleepUnlessAborted(this.options.keyQuestionMs ?? KEY_QUESTION_MS, stop))) return 'stopped';
      try {
        await session.balances(this.reading(RESYNC_READ_MS, 'exit', stop));
        this.refusals = 0;
        return 'keyWorks';
      } catch (error) {
        if (!(error instanceof VenueError)) throw error;
        this.ports.onTrouble(this.account.id, error);
        if (isRefusedKey(error)) this.refusals += 1;
      }
    }
    // Replaced while the old one was questioned, and the word of it was lost: begin anew with the new one.
    if (JSON.stringify(await accounts.credentials(this.account.id)) !== this.key) {
      this.refusals = 0;
      return 'keyWorks';
    }
    await accounts.setStatus(this.account.id, 'HALTED', KEY_REFUSED, writer.epoch);
    await accounts.alert(this.account.id, { kind: 'keyRevoked' }, writer.epoch);
    return 'keyRevoked';
  }

  private reading(timeoutMs: number, priority: ReadOptions['priority'], stop: AbortSignal): ReadOptions {
    return { signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]), priority };
  }

  private async openGap(writer: AccountWriter, reason: string): Promise<void> {
    if (this.gap !== null) return;
    this.gap = reason;
    const from = this.lastHeardMs === null ? null : new Date(this.lastHeardMs).toISOString();
    await this.ports.accounts.alert(this.account.id, { kind: 'streamGap', reason, from }, writer.epoch);
  }

  private async closeGap(writer: AccountWriter): Promise<void> {
    if (this.gap === null) return;
    this.gap = null;
    await this.ports.accounts.alert(this.account.id, { kind: 'streamResynced' }, writer.epoch);
  }

  private takeFault(): unknown {
    const error = this.fault?.error;
    this.fault = null;
    return error;
  }
}

function isAway(error: VenueError): boolean {
  return error instanceof VenueUnavailable && error.reason !== 'canceled' && error.reason !== 'fence';
}

function isRefusedKey(error: unknown): boolean {
  return error instanceof VenueRefused && error.code === 'unauthorized';
}
