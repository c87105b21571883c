/** Keeps what is watched equal to PostgreSQL: all at the start, then what changed, as soon as somebody says so and each second besides. */
import type { WriterEpoch } from '../../domain/order-store';
import type { Trigger, TriggerEvidence } from '../../domain/trigger';
import type { TriggerEngineOptions } from './trigger-engine';
import type { TriggerIndex } from './trigger-index';

/** The table, as store/waiting/triggers.ts has it. */
export interface TriggerRows {
  waiting(venue: string): Promise<readonly Trigger[]>;
  changedSince(venue: string, sinceMs: number): Promise<readonly Trigger[]>;
  fire(writer: WriterEpoch, evidence: TriggerEvidence): Promise<{ readonly verdict: 'fired' | 'repeated' | 'stale'; readonly trigger: Trigger | null }>;
  acknowledge(id: string): Promise<Trigger | null>;
  checkpoint(writer: WriterEpoch, marks: readonly { readonly id: string; readonly revision: number; readonly extreme: string; readonly checkpointAtMs: number }[]): Promise<void>;
}

/** What a trail had seen by then (our clock), with nothing missing. */
export interface Mark {
  readonly revision: number;
  readonly extreme: string;
  readonly atMs: number;
}

/** What a re-read does to the engine. */
interface Watched {
  arm(trigger: Trigger): void;
  disarm(id: string): void;
  tell(trigger: Trigger): void;
  forget(id: string): void;
}

/** Between two re-reads without a word of a change. */
const RE_READ_MS = 1_000;
/** A row says when it changed by the clock of whoever changed it, and is seen once it is committed: so far back is read again. */
const OVERLAP_MS = 10_000;
/** Marks that are stored by one statement. */
const MARKS_AT_ONCE = 5_000;

export class TriggerSync {
  /** Everything armed up to then (our clock) is watched. */
  knownMs = -Infinity;
  private readonly unstored = new Map<string, { readonly revision: number; readonly extreme: string }>();
  /** Of each trail the last two: one may be of after what a stream has lost, before that is known. */
  private readonly marks = new Map<string, readonly Mark[]>();
  private timer: NodeJS.Timeout | null = null;
  private reading: Promise<void> | null = null;
  private again = false;
  private closed = false;

  constructor(
    private readonly options: Pick<TriggerEngineOptions, 'venue' | 'clock' | 'rows' | 'onTrouble'>,
    private readonly watched: Watched,
    private readonly index: TriggerIndex,
  ) {}

  /** Before anything is evaluated. */
  async load(): Promise<void> {
    const beganMs = this.options.clock.nowMs();
    const rows = await this.options.rows.waiting(this.options.venue);
    const waiting = new Set(rows.map(({ id }) => id));
    for (const id of this.index.ids()) if (!waiting.has(id)) this.watched.disarm(id);
    for (const row of rows) {
      // The one before may have come further meanwhile; this one has evaluated nothing yet.
      if (row.status === 'ARMED') this.index.disarm(row.id);
      this.take(row);
    }
    this.knownMs = beganMs - OVERLAP_MS;
  }

  /** From now on re-reads by itself. */
  follow(): void {
    this.timer = setInterval(() => this.noticed(), RE_READ_MS);
    this.noticed();
  }

  noticed(): void {
    if (this.closed) return;
    if (this.reading !== null) {
      this.again = true;
      return;
    }
    this.reading = this.read().finally(() => {
      this.reading = null;
      if (!this.again) return;
      this.again = false;
      this.noticed();
    });
  }

  /**
   * How far trailing triggers have come up to then (our clock); what could not be stored is kept for the next time. One that misses prices
   * (`isWhole`: false) keeps its older mark: its extreme may be of after them, and whoever reads them back must not begin there.
   */
  async storeMarks(writer: WriterEpoch, atMs: number, isWhole: (id: string) => boolean): Promise<void> {
    for (const { id, revision, extreme } of this.index.takeMoved()) this.unstored.set(id, { revision, extreme });
    const marks = [...this.unstored].flatMap(([id, mark]) => (isWhole(id) ? [{ id, ...mark, checkpointAtMs: atMs }] : []));
    for (const { id, revision, extreme } of marks) this.noteMark(id, { revision, extreme, atMs });
    for (let from = 0; from < marks.length; from += MARKS_AT_ONCE) {
      const batch = marks.slice(from, from + MARKS_AT_ONCE);
      await this.options.rows.checkpoint(writer, batch);
      for (const { id, extreme } of batch) if (this.unstored.get(id)?.extreme === extreme) this.unstored.delete(id);
    }
  }

  /** The last mark of this revision that is no later than `ms`; null: none is known. */
  markBy({ id, revision }: Pick<Trigger, 'id' | 'revision'>, ms: number): Mark | null {
    return this.marks.get(id)?.findLast((mark) => mark.revision === revision && mark.atMs <= ms) ?? null;
  }

  private noteMark(id: string, mark: Mark): void {
    this.marks.set(id, [...(this.marks.get(id) ?? []).slice(-1), mark]);
  }

  close(): void {
    this.closed = true;
    if (this.timer !== null) clearInterval(this.timer);
  }

  private async read(): Promise<void> {
    const beganMs = this.options.clock.nowMs();
    try {
      for (const row of await this.options.rows.changedSince(this.options.venue, this.knownMs)) this.take(row);
      this.knownMs = beganMs - OVERLAP_MS;
    } catch (error) {
      this.options.onTrouble(error);
    }
  }

  private take(row: Trigger): void {
    if (row.status === 'ARMED') {
      const known = this.index.revisionOf(row.id);
      if (known !== undefined && known >= row.revision) return;
      if (row.extreme !== null) this.noteMark(row.id, { revision: row.revision, extreme: row.extreme, atMs: row.checkpointAtMs });
      this.watched.arm(row);
      return;
    }
    this.marks.delete(row.id);
    this.watched.disarm(row.id);
    if (row.status === 'FIRED' && !row.acknowledged) this.watched.tell(row);
    else this.watched.forget(row.id);
  }
}
