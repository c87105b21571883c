/**
 * The venue's memory over restarts: JSON lines, appended before any answer leaves.
 *
 * Group commit: all lines appended in one turn of the event loop are written by one write (and one fdatasync with `fsync`),
 * and their promises resolve together after it. Without fsync a line survives the death of the process, not of the machine.
 *
 * Files in the home folder: `paper-journal-<n>.jsonl` segments and one `paper-snapshot.jsonl`, whose first line names the
 * first segment it does not contain. A snapshot is written while the venue runs on: its lines may already include changes
 * of the segment that follows it, which is harmless because every line says what a thing is, not how it changed.
 */
import { closeSync, existsSync, fdatasync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

const SNAPSHOT = 'paper-snapshot.jsonl';
const SEGMENT = /^paper-journal-(\d+)\.jsonl$/;
/** A segment larger than this is folded into a snapshot: a restart then reads seconds, not minutes, of history. */
const COMPACT_ABOVE_BYTES = 256 * 1024 * 1024;
/** Snapshot lines written per turn of the event loop, so that requests are served in between. */
const SNAPSHOT_LINES_PER_TURN = 500;
/** Files hold account names and key hashes: the owner's only. */
const FILE_MODE = 0o600;
const NEWLINE = 10;

export interface JournalOptions {
  readonly home: string;
  readonly fsync: boolean;
  /** Told of what was tolerated: one line of text. */
  readonly warn: (line: string) => void;
  /** Told once, when the disk refuses a line: nothing may be promised any more. */
  readonly onFailure: (error: Error) => void;
  readonly compactAboveBytes?: number;
}

interface Group {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Journal {
  private readonly fsync: boolean;
  private file = -1;
  private segment = 0;
  private bytes = 0;
  private pending: string[] = [];
  private group: Group | null = null;
  /** The group that was flushed last. */
  private writing: Promise<void> = Promise.resolve();
  private compacting: Promise<void> | null = null;
  private failed: Error | null = null;

  constructor(
    private readonly options: JournalOptions,
    private readonly snapshotLines: () => Iterable<string>,
  ) {
    this.fsync = options.fsync;
  }

  /**
   * Reads everything written before into `apply`, says so by `restored` (the state must then be complete), starts a new
   * segment and folds the old ones into a snapshot.
   */
  async open(apply: (record: unknown) => void, restored: () => void): Promise<void> {
    mkdirSync(this.options.home, { recursive: true });
    let first = 0;
    const snapshot = join(this.options.home, SNAPSHOT);
    if (existsSync(snapshot)) {
      const lines = readLines(snapshot, null);
      first = (lines.shift() as { continuesWith: number }).continuesWith;
      lines.forEach(apply);
    }
    const segments = this.segments();
    for (const segment of segments) if (segment >= first) readLines(this.path(segment), this.options.warn).forEach(apply);
    restored();
    this.segment = Math.max(first, ...segments.map((segment) => segment + 1));
    this.file = openSync(this.path(this.segment), 'a', FILE_MODE);
    await this.writeSnapshot();
  }

  /** Resolves once the line is written. Rejects, for this and every later line, when the disk refuses it. */
  append(line: string): Promise<void> {
    if (this.failed !== null) return Promise.reject(this.failed);
    this.pending.push(line);
    if (this.group === null) {
      this.group = newGroup();
      setImmediate(() => this.flush());
    }
    return this.group.promise;
  }

  /** Resolves once everything appended so far is written: what a read waits for, which may show it. */
  settled(): Promise<void> {
    return this.group?.promise ?? this.writing;
  }

  /** Writes what is pending and waits for it. */
  async close(): Promise<void> {
    await this.settled();
    if (this.compacting !== null) await this.compacting;
    if (this.file !== -1) closeSync(this.file);
    this.file = -1;
  }

  private flush(): void {
    const group = this.group;
    if (group === null) return;
    const text = `${this.pending.join('\n')}\n`;
    this.pending = [];
    this.writing = group.promise;
    this.group = null;
    try {
      this.bytes += writeAll(this.file, text);
    } catch (error) {
      this.fail(group, error as Error);
      return;
    }
    if (this.bytes > (this.options.compactAboveBytes ?? COMPACT_ABOVE_BYTES)) this.compact();
    if (!this.fsync) {
      group.resolve();
      return;
    }
    fdatasync(this.file, (error) => (error === null ? group.resolve() : this.fail(group, error)));
  }

  private fail(group: Group, cause: Error): void {
    this.failed = new Error(`journal in ${this.options.home} cannot be written: ${cause.message}`, { cause });
    this.options.onFailure(this.failed);
    group.reject(this.failed);
  }

  private compact(): void {
    if (this.compacting !== null) return;
    const old = this.file;
    this.segment += 1;
    this.bytes = 0;
    this.file = openSync(this.path(this.segment), 'a', FILE_MODE);
    this.compacting = this.writeSnapshot()
      .then(() => closeSync(old))
      .catch((error: Error) => this.options.warn(`journal: snapshot failed, segments are kept: ${error.message}`))
      .finally(() => (this.compacting = null));
  }

  private async writeSnapshot(): Promise<void> {
    const segment = this.segment;
    const draft = join(this.options.home, `${SNAPSHOT}.draft`);
    const file = openSync(draft, 'w', FILE_MODE);
    try {
      let chunk = [JSON.stringify({ continuesWith: segment })];
      for (const line of this.snapshotLines()) {
        chunk.push(line);
        if (chunk.length < SNAPSHOT_LINES_PER_TURN) continue;
        writeAll(file, `${chunk.join('\n')}\n`);
        chunk = [];
        await nextTurn();
      }
      if (chunk.length > 0) writeAll(file, `${chunk.join('\n')}\n`);
    } finally {
      closeSync(file);
    }
    // What the snapshot may already contain must be in the journal before the snapshot counts.
    await this.settled();
    renameSync(draft, join(this.options.home, SNAPSHOT));
    for (const old of this.segments()) if (old < segment) rmSync(this.path(old));
  }

  private segments(): number[] {
    return readdirSync(this.options.home)
      .map((name) => SEGMENT.exec(name)?.[1])
      .filter((digits) => digits !== undefined)
      .map(Number)
      .sort((a, b) => a - b);
  }

  private path(segment: number): string {
    return join(this.options.home, `paper-journal-${segment}.jsonl`);
  }
}

/** Writes all of the text (a write may be short); returns its bytes. */
function writeAll(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written);
  return bytes.length;
}

/** Parses a file's lines. With `warn`, a last line without its newline is a torn write: told, and left out. */
function readLines(path: string, warn: ((line: string) => void) | null): unknown[] {
  const bytes = readFileSync(path);
  const complete = bytes.lastIndexOf(NEWLINE) + 1;
  if (complete < bytes.length) {
    if (warn === null) throw new Error(`${path} ends inside a line: move the folder away to start afresh`);
    warn(`journal: ${path} ended in a torn line of ${bytes.length - complete} bytes, which no answer had been given for`);
  }
  const lines = bytes.subarray(0, complete).toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (error) {
      throw new Error(`${path} line ${index + 1} is damaged: move the folder away to start afresh`, { cause: error });
    }
  });
}

function newGroup(): Group {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
