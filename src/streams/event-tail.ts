/**
 * Follows the events table: each event of a followed stream is delivered once, in order, without gaps. Woken by notices
 * that carry only stream and sequence, and polling besides, because a notice may be lost; what is not followed is not read.
 * All streams that wait are read in one query, and while it runs the next ones gather.
 */
import type { StreamEvent } from '../domain/events';
import { Follower, type FollowHandlers } from './follower';

/** Lost notices cost at most this. */
export const POLL_MS = 1_000;
/** Events of one stream in one read: a page of 1 KB events stays below 1 MB. */
export const PAGE_EVENTS = 500;
/** Newest known sequences of streams nobody follows; a restart asks again. */
const MAX_KNOWN_STREAMS = 50_000;

/** What is read: the events table, through a narrow port. Answers are ordered by sequence within a stream. */
export interface EventSource {
  since(stream: string, sequence: number, limit: number): Promise<readonly StreamEvent[]>;
  sinceMany(positions: readonly Position[], limitEach: number): Promise<readonly StreamEvent[]>;
  /** 0, or absent, for a stream without events. */
  heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>>;
  generation(): Promise<string>;
  /** Calls with ('*', 0) after it was away. Must reconnect by itself. */
  listen(onNotice: (stream: string, sequence: number) => void): Promise<{ close(): Promise<void> | void }>;
}

export interface EventTailOptions {
  readonly source: EventSource;
  /** A read failed, or a listener did; the next poll tries again. */
  readonly onError: (error: unknown) => void;
  readonly pollMs?: number;
  readonly pageEvents?: number;
}

interface Position {
  readonly stream: string;
  readonly sequence: number;
}

interface Followed {
  /** Everything up to it was delivered to the followers that are live. null until it is known. */
  cursor: number | null;
  readonly live: Set<Follower>;
  readonly all: Set<Follower>;
}

export class EventTail {
  private readonly streams = new Map<string, Followed>();
  private readonly known = new Map<string, number>();
  private readonly waiting = new Set<string>();
  private reading: Promise<void> | null = null;
  private polling = false;
  private generation: string | null = null;
  private closed = false;
  private timer: NodeJS.Timeout | null = null;
  private listening: { close(): Promise<void> | void } | null = null;

  constructor(private readonly options: EventTailOptions) {}

  /** Listens and reads the generation. Rejects when the store is away. */
  async start(): Promise<void> {
    this.listening = await this.options.source.listen((stream, sequence) => this.noticed(stream, sequence));
    this.generation = await this.options.source.generation();
    this.timer = setInterval(() => void this.poll(), this.options.pollMs ?? POLL_MS);
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.timer) clearInterval(this.timer);
    for (const { all } of this.streams.values()) for (const follower of all) follower.close();
    await this.listening?.close();
    await this.reading;
  }

  /** The database's, as it is now. */
  currentGeneration(): Promise<string> {
    return this.options.source.generation();
  }

  /** The newest sequence this process knows of: at most the true one. undefined for a stream it never heard of. */
  knownSequence(stream: string): number | undefined {
    return this.known.get(stream);
  }

  /** The newest sequence of a stream, from the store. */
  async head(stream: string): Promise<number> {
    const sequence = (await this.options.source.heads([stream])).get(stream) ?? 0;
    this.learn(stream, sequence);
    return sequence;
  }

  /**
   * Events after `fromSequence`; 'now' means after what this process knows of the stream, which may repeat a little of the
   * past but, once `ready` settled, misses nothing. A handler that answers with a promise is given no more until it settles.
   */
  follow(stream: string, fromSequence: number | 'now', handlers: FollowHandlers): { readonly ready: Promise<void>; close(): void } {
    if (this.closed) throw new Error('the event tail is closed');
    const followed = this.streams.get(stream) ?? { cursor: null, live: new Set<Follower>(), all: new Set<Follower>() };
    this.streams.set(stream, followed);
    const follower: Follower = new Follower(handlers, this.options.onError, () => this.leave(stream, followed, follower));
    followed.all.add(follower);
    const ready = this.position(stream, fromSequence).then((sequence) => {
      follower.startAt(sequence);
      return this.catchUp(stream, followed, follower);
    });
    const reported = ready.catch((error: unknown) => {
      follower.lost('unreadable');
      throw error;
    });
    reported.catch(() => undefined); // told by onResync; a caller may wait for `ready` as well
    return { ready: reported, close: () => follower.close() };
  }

  /** Every event from now on, whatever happens: followed anew where it broke off, so that some may be missed then. */
  followFromNow(stream: string, onEvents: (events: readonly StreamEvent[]) => void): () => void {
    let following: { close(): void } | null = null;
    let timer: NodeJS.Timeout | null = null;
    const again = (): void => {
      if (!this.closed) following = this.follow(stream, 'now', { onEvents, onResync: () => void (timer = setTimeout(again, this.options.pollMs ?? POLL_MS)) });
    };
    again();
    return () => {
      if (timer) clearTimeout(timer);
      following?.close();
    };
  }

  /** The first event of the stream, from `fromSequence` on, that the predicate accepts. Rejects when aborted or closed. */
  waitFor(stream: string, predicate: (event: StreamEvent) => boolean, signal: AbortSignal, fromSequence: number | 'now' = 'now'): Promise<StreamEvent> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortError());
        return;
      }
      const finish = (settle: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        following.close();
        settle();
      };
      const onAbort = (): void => finish(() => reject(abortError()));
      const following = this.follow(stream, fromSequence, {
        onEvents: (events) => {
          const found = events.find(predicate);
          if (found) finish(() => resolve(found));
        },
        onResync: (reason) => finish(() => reject(new Error(`the events of ${stream} cannot be followed: ${reason}`))),
      });
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  private async position(stream: string, fromSequence: number | 'now'): Promise<number> {
    return fromSequence === 'now' ? (this.known.get(stream) ?? this.head(stream)) : fromSequence;
  }

  /** Reads for this follower alone until it is where the others are; then the shared reads bring it the rest. */
  private async catchUp(stream: string, followed: Followed, follower: Follower): Promise<void> {
    const page = this.options.pageEvents ?? PAGE_EVENTS;
    while (!follower.closed && followed.cursor !== null && follower.sequence < followed.cursor) {
      const { cursor } = followed;
      const events = await this.options.source.since(stream, follower.sequence, page);
      // The others were given events that are no longer there.
      if (events.length === 0 && follower.sequence < cursor) return follower.lost('purged');
      await follower.deliver(events);
    }
    if (follower.closed) return;
    // The first one's place is the shared one: the shared reads go on from there.
    followed.cursor ??= follower.sequence;
    followed.live.add(follower);
    this.read(stream);
  }

  private leave(stream: string, followed: Followed, follower: Follower): void {
    followed.all.delete(follower);
    followed.live.delete(follower);
    if (followed.all.size > 0) {
      if (followed.live.size === 0) followed.cursor = null;
      return;
    }
    if (followed.cursor !== null) this.learn(stream, followed.cursor);
    if (this.streams.get(stream) === followed) this.streams.delete(stream);
  }

  private noticed(stream: string, sequence: number): void {
    if (stream === '*') {
      void this.poll();
      return;
    }
    this.learn(stream, sequence);
    const followed = this.streams.get(stream);
    if (followed && (followed.cursor === null || followed.cursor < sequence)) this.read(stream);
  }

  private learn(stream: string, sequence: number): void {
    const known = this.known.get(stream);
    if (known !== undefined && known >= sequence) return;
    if (known === undefined && this.known.size >= MAX_KNOWN_STREAMS) this.known.clear();
    this.known.set(stream, sequence);
  }

  private read(stream: string): void {
    this.waiting.add(stream);
    this.reading ??= this.readWaiting();
  }

  private async readWaiting(): Promise<void> {
    // What is noticed in the same turn goes with the same query.
    await Promise.resolve();
    try {
      while (this.waiting.size > 0 && !this.closed) await this.readOnce();
    } catch (error) {
      // The poll asks again: the store is away, and asking at once would only add to its trouble.
      this.options.onError(error);
    } finally {
      // In the same turn as the last look at `waiting`, so that nothing falls between.
      this.reading = null;
    }
  }

  private async readOnce(): Promise<void> {
    const page = this.options.pageEvents ?? PAGE_EVENTS;
    const positions: Position[] = [];
    for (const stream of this.waiting) {
      const followed = this.streams.get(stream);
      if (followed && followed.cursor !== null && followed.live.size > 0) positions.push({ stream, sequence: followed.cursor });
    }
    this.waiting.clear();
    if (positions.length > 0) this.handOut(positions, await this.options.source.sinceMany(positions, page), page);
  }

  private handOut(positions: readonly Position[], events: readonly StreamEvent[], page: number): void {
    const batches = byStream(events);
    for (const { stream, sequence } of positions) {
      const followed = this.streams.get(stream);
      const batch = batches.get(stream) ?? [];
      const last = batch.at(-1);
      if (!followed || !last) continue;
      // Another shared place by now, as when everyone left and others came: what was read may not begin where they are.
      if (followed.cursor !== sequence) {
        this.waiting.add(stream);
        continue;
      }
      followed.cursor = last.sequence;
      this.learn(stream, last.sequence);
      if (batch.length >= page) this.waiting.add(stream);
      for (const follower of [...followed.live]) this.give(stream, followed, follower, batch);
    }
  }

  /** A follower that needs time is read for alone, so that it holds nobody back and nothing piles up for it. */
  private give(stream: string, followed: Followed, follower: Follower, batch: readonly StreamEvent[]): void {
    const done = follower.deliver(batch);
    if (done === undefined) return;
    followed.live.delete(follower);
    if (followed.live.size === 0) followed.cursor = null;
    done.then(() => this.catchUp(stream, followed, follower)).catch((error: unknown) => {
      this.options.onError(error);
      follower.lost('unreadable');
    });
  }

  private async poll(): Promise<void> {
    if (this.polling || this.closed) return;
    this.polling = true;
    try {
      const generation = await this.options.source.generation();
      if (this.generation !== null && generation !== this.generation) this.restored();
      this.generation = generation;
      // Places as they were before the read: they move on while it runs.
      const places = new Map([...this.streams].map(([stream, { cursor }]) => [stream, cursor]));
      if (places.size === 0) return;
      const heads = await this.options.source.heads([...places.keys()]);
      for (const [stream, cursor] of places) this.compare(stream, heads.get(stream) ?? 0, cursor);
    } catch (error) {
      this.options.onError(error);
    } finally {
      this.polling = false;
    }
  }

  private compare(stream: string, head: number, cursorBefore: number | null): void {
    const followed = this.streams.get(stream);
    if (!followed) return;
    if (cursorBefore !== null && head < cursorBefore) {
      // Sequences never go back, unless an older database took the place of this one.
      this.known.delete(stream);
      this.loseAll(followed);
      return;
    }
    this.learn(stream, head);
    if (followed.cursor !== null && head > followed.cursor) this.read(stream);
  }

  /** What was known is of a past that did not happen. */
  private restored(): void {
    this.known.clear();
    const streams = [...this.streams.values()];
    this.streams.clear();
    for (const followed of streams) this.loseAll(followed);
  }

  private loseAll(followed: Followed): void {
    // Where they were is of that past too: kept as known by the last who leaves, it would have whoever follows from now on begin behind the end.
    followed.cursor = null;
    for (const follower of [...followed.all]) follower.lost('restored');
  }
}

function byStream(events: readonly StreamEvent[]): Map<string, StreamEvent[]> {
  const batches = new Map<string, StreamEvent[]>();
  for (const event of events) {
    const batch = batches.get(event.stream);
    if (batch) batch.push(event);
    else batches.set(event.stream, [event]);
  }
  return batches;
}

function abortError(): Error {
  return new Error('no longer waited for');
}
