/** An events table in memory, with what the real one may do to its readers: be slow, be away, lose notices, be restored. */
import { accountStream, userStream, type EventType, type StreamEvent } from '../../../src/domain/events';
import type { EventSource } from '../../../src/streams/event-tail';

export class EventsTable implements EventSource {
  generationNow = 'generation-1';
  away = false;
  /** How a read waits; null at once. */
  pause: ((what: string) => Promise<void>) | null = null;
  readonly reads: string[] = [];
  private rows = new Map<string, StreamEvent[]>();
  private heads_ = new Map<string, number>();
  private listeners = new Set<(stream: string, sequence: number) => void>();

  /** Commits an event; `notify` false loses its notice. */
  commit(accountId: string, type: EventType = 'order.working', data: Record<string, unknown> = {}, notify = true): StreamEvent {
    return this.commitTo({ stream: accountStream(accountId), userId: 'u1', accountId }, type, data, notify);
  }

  commitForUser(userId: string, type: EventType, data: Record<string, unknown> = {}): StreamEvent {
    return this.commitTo({ stream: userStream(userId), userId, accountId: null }, type, data, true);
  }

  private commitTo(owner: Pick<StreamEvent, 'stream' | 'userId' | 'accountId'>, type: EventType, data: Record<string, unknown>, notify: boolean): StreamEvent {
    const { stream } = owner;
    const sequence = (this.heads_.get(stream) ?? 0) + 1;
    const event: StreamEvent = { ...owner, id: `${stream}-${sequence}`, sequence, generation: this.generationNow, type, at: '2026-01-31T12:00:00.000Z', orderId: null, data: { ...data, n: sequence } };
    this.heads_.set(stream, sequence);
    const rows = this.rows.get(stream);
    if (rows) rows.push(event);
    else this.rows.set(stream, [event]);
    if (notify) this.notify(stream, sequence);
    return event;
  }

  notify(stream: string, sequence: number): void {
    for (const listener of this.listeners) listener(stream, sequence);
  }

  /** As after a restore from a backup: the stream ends earlier, the generation differs. */
  restore(accountId: string, sequence: number): void {
    const stream = accountStream(accountId);
    this.generationNow = `${this.generationNow}'`;
    this.heads_.set(stream, sequence);
    this.rows.set(stream, (this.rows.get(stream) ?? []).filter((event) => event.sequence <= sequence).map((event) => ({ ...event, generation: this.generationNow })));
  }

  purge(accountId: string, upTo: number): void {
    const stream = accountStream(accountId);
    this.rows.set(stream, (this.rows.get(stream) ?? []).filter(({ sequence }) => sequence > upTo));
  }

  headOf(accountId: string): number {
    return this.heads_.get(accountStream(accountId)) ?? 0;
  }

  /** As the store reads it. */
  async lastStreamAlert(stream: string, upTo: number): Promise<StreamEvent | null> {
    const isOne = ({ sequence, type, data }: StreamEvent): boolean => sequence <= upTo && type === 'account.alert' && (data['kind'] === 'streamGap' || data['kind'] === 'streamResynced');
    return this.read(`lastStreamAlert ${stream} ${upTo}`, () => (this.rows.get(stream) ?? []).filter(isOne).at(-1) ?? null);
  }

  async since(stream: string, sequence: number, limit: number): Promise<readonly StreamEvent[]> {
    return this.read(`since ${stream} ${sequence}`, () => this.page(stream, sequence, limit));
  }
  async sinceMany(positions: readonly { readonly stream: string; readonly sequence: number }[], limitEach: number): Promise<readonly StreamEvent[]> {
    return this.read(`sinceMany ${positions.map(({ stream, sequence }) => `${stream} ${sequence}`).join(' ')}`, () => positions.flatMap(({ stream, sequence }) => this.page(stream, sequence, limitEach)));
  }
  async heads(streams: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return this.read(`heads ${streams.join(' ')}`, () => new Map(streams.map((stream) => [stream, this.heads_.get(stream) ?? 0])));
  }
  async generation(): Promise<string> {
    return this.read('generation', () => this.generationNow);
  }
  async listen(onNotice: (stream: string, sequence: number) => void): Promise<{ close(): void }> {
    this.listeners.add(onNotice);
    return { close: () => void this.listeners.delete(onNotice) };
  }

  private page(stream: string, sequence: number, limit: number): StreamEvent[] {
    const rows = this.rows.get(stream) ?? [];
    // Gap-free, but for what was purged in front.
    const start = Math.max(0, sequence + 1 - (rows[0]?.sequence ?? 0));
    return rows.slice(start, start + limit);
  }

  /** Waits before and after it looks, as a query on the wire does. */
  private async read<T>(what: string, look: () => T): Promise<T> {
    this.reads.push(what);
    await this.pause?.(`${what} asked`);
    if (this.away) throw new Error('PostgreSQL is away');
    const answer = look();
    await this.pause?.(`${what} answered`);
    return answer;
  }
}
