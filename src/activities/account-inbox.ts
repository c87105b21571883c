/** Messages of a private stream, in order, handed out in batches: what arrives while one is written shares the next. */
import type { PrivateMessage, VenueBalance, VenueFill, VenueOrder } from '../domain/venue';

/** One batch is one pass of transactions; more would hold the account's row for long. */
const MAX_BATCH = 500;
/** A stream that fills this faster than it is written is read anew as a whole: bounded memory, nothing lost. */
const MAX_WAITING = 50_000;

export type PositionMessage = Extract<PrivateMessage, { kind: 'position' }>;

/** What one batch tells, duplicates within it already merged. */
export interface InboxBatch {
  readonly orders: readonly VenueOrder[];
  readonly fills: readonly VenueFill[];
  /** The last word per asset. */
  readonly balances: readonly VenueBalance[];
  /** The last word per market. */
  readonly positions: readonly PositionMessage['position'][];
  /** Venue's time of the newest balance or position, ms. */
  readonly atMs: number;
  readonly gap: string | null;
  readonly keyRevoked: boolean;
}

export class AccountInbox {
  private waiting: PrivateMessage[] = [];
  private overflowed = false;
  private wake: (() => void) | null = null;

  push(message: PrivateMessage): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.waiting = [];
      this.overflowed = true;
    }
    this.waiting.push(message);
    this.wake?.();
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && !this.overflowed;
  }

  /** Settles when there is something to take, when `untilMs` (our clock) has come, or when told to stop. */
  async arrival(delayMs: number, signal: AbortSignal): Promise<void> {
    if (!this.isEmpty || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, delayMs));
      const stop = (): void => resolve();
      signal.addEventListener('abort', stop, { once: true });
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      // Whatever comes first ends the others.
      void Promise.resolve().then(() => this.isEmpty || this.wake?.());
    });
    this.wake = null;
  }

  take(): InboxBatch {
    const messages = this.waiting.splice(0, MAX_BATCH);
    const orders = new Map<string, VenueOrder>();
    const fills: VenueFill[] = [];
    const balances = new Map<string, VenueBalance>();
    const positions = new Map<string, PositionMessage['position']>();
    let gap = this.overflowed ? 'more messages than can be kept' : null;
    let keyRevoked = false;
    let atMs = 0;
    this.overflowed = false;
    for (const message of messages) {
      switch (message.kind) {
        case 'order':
          keepFurthest(orders, message.order);
          break;
        case 'fill':
          fills.push(message.fill);
          break;
        case 'balance':
          balances.set(message.balance.asset, message.balance);
          atMs = Math.max(atMs, message.atMs);
          break;
        case 'position':
          positions.set(message.position.venueSymbol, message.position);
          atMs = Math.max(atMs, message.atMs);
          break;
        case 'gap':
          gap = message.reason;
          break;
        case 'keyRevoked':
          keyRevoked = true;
          break;
      }
    }
    return { orders: [...orders.values()], fills, balances: [...balances.values()], positions: [...positions.values()], atMs, gap, keyRevoked };
  }
}

/** Several views of one order in a batch: only the newest says anything the others do not. */
function keepFurthest(orders: Map<string, VenueOrder>, view: VenueOrder): void {
  const known = orders.get(view.venueOrderId);
  const older = known !== undefined && (known.updatedAtMs > view.updatedAtMs || (known.revision !== null && view.revision !== null && known.revision > view.revision));
  if (!older) orders.set(view.venueOrderId, view);
}
