/**
 * From committed events to the endpoints they concern: rounds of this process that wait are woken at once, workflows by a signal.
 * Signals are hints and few: one for an endpoint in a while, however much happens.
 */
import { EventEmitter } from 'node:events';

export interface WebhookNewsPorts {
  /** Calls with ('*', 0) after it was away. */
  listen(onNotice: (stream: string, sequence: number) => void): Promise<{ close(): Promise<void> | void }>;
  concernedBy(streams: readonly string[]): Promise<readonly string[]>;
  /** Every endpoint that is enabled. */
  active(): Promise<readonly { readonly id: string }[]>;
  hint(endpointId: string): Promise<void>;
  onTrouble(error: unknown): void;
}

/** Notices gather for so long: one question to PostgreSQL for all of them. */
const GATHER_MS = 50;
/** A signal is a workflow task: an endpoint that is busy is hinted once in this. Its round hears of the rest by itself. */
const HINT_EVERY_MS = 1_000;
/** Endpoints whose workflow was lost (a restored Temporal) are hinted, and so started, once in this. */
const LOOK_EVERY_MS = 300_000;
const EVERY_STREAM = '*';
/** Where everybody is hinted, with ten thousand endpoints: a Temporal that has just come back is not asked for all of them in one instant. */
export const HINTS_AT_ONCE = 32;

export class WebhookNews {
  private readonly rounds = new EventEmitter().setMaxListeners(0);
  private readonly streams = new Set<string>();
  private readonly hintedAtMs = new Map<string, number>();
  private readonly late = new Map<string, NodeJS.Timeout>();
  /** Endpoints still to be hinted where everybody is. */
  private readonly queue = new Set<string>();
  private hinting = 0;
  private gathering: NodeJS.Timeout | null = null;
  private looking: NodeJS.Timeout | null = null;
  private listening: { close(): Promise<void> | void } | null = null;
  private closed = false;

  constructor(private readonly ports: WebhookNewsPorts) {}

  async start(): Promise<void> {
    this.listening = await this.ports.listen((stream) => this.noticed(stream));
    this.looking = setInterval(() => void this.everyone(), LOOK_EVERY_MS);
    await this.everyone();
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of [this.gathering, this.looking, ...this.late.values()]) if (timer !== null) clearTimeout(timer);
    await this.listening?.close();
  }

  /** Settles true once something was committed for the endpoint, false when aborted. */
  awaitNews(endpointId: string, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (heard: boolean): void => {
        this.rounds.off(endpointId, onNews);
        signal.removeEventListener('abort', onAbort);
        resolve(heard);
      };
      const onNews = (): void => finish(true);
      const onAbort = (): void => finish(false);
      if (signal.aborted) return resolve(false);
      this.rounds.on(endpointId, onNews);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  private noticed(stream: string): void {
    if (this.closed) return;
    if (stream === EVERY_STREAM) {
      void this.everyone();
      return;
    }
    this.streams.add(stream);
    this.gathering ??= setTimeout(() => void this.gathered(), GATHER_MS);
  }

  private async gathered(): Promise<void> {
    this.gathering = null;
    const streams = [...this.streams];
    this.streams.clear();
    try {
      for (const endpointId of await this.ports.concernedBy(streams)) this.tell(endpointId);
    } catch (error) {
      // Its workflow looks by itself within a minute.
      this.ports.onTrouble(error);
    }
  }

  private async everyone(): Promise<void> {
    try {
      const ids = new Set((await this.ports.active()).map(({ id }) => id));
      if (this.closed) return;
      for (const id of this.hintedAtMs.keys()) if (!ids.has(id)) this.hintedAtMs.delete(id);
      for (const id of ids) {
        this.rounds.emit(id);
        this.queue.add(id);
      }
      for (; this.hinting < HINTS_AT_ONCE && this.hinting < this.queue.size; this.hinting += 1) void this.hintQueued();
    } catch (error) {
      this.ports.onTrouble(error);
    }
  }

  private async hintQueued(): Promise<void> {
    for (const id of this.queue) {
      if (this.closed) break;
      this.queue.delete(id);
      await this.hintInTurn(id);
    }
    this.hinting -= 1;
  }

  private tell(endpointId: string): void {
    if (this.closed) return;
    this.rounds.emit(endpointId);
    // A round of this process has heard it already, and looks.
    void this.hintInTurn(endpointId);
  }

  /** Now, or once its second is over. Never rejects. */
  private async hintInTurn(endpointId: string): Promise<void> {
    const sinceMs = performance.now() - (this.hintedAtMs.get(endpointId) ?? -HINT_EVERY_MS);
    if (sinceMs >= HINT_EVERY_MS) await this.hint(endpointId);
    else if (!this.late.has(endpointId)) this.late.set(endpointId, setTimeout(() => void this.hint(endpointId), HINT_EVERY_MS - sinceMs));
  }

  private async hint(endpointId: string): Promise<void> {
    const timer = this.late.get(endpointId);
    if (timer !== undefined) clearTimeout(timer);
    this.late.delete(endpointId);
    this.hintedAtMs.set(endpointId, performance.now());
    await this.ports.hint(endpointId).catch((error: unknown) => this.ports.onTrouble(error));
  }
}
