/** Messages of a private stream, in order, handed out in batches: what arrives while one is written shares the next. */
import type { PrivateMessage, VenueBalance, VenueFill, VenueFundingPayment, VenueOrder } from '../domain/venue';

/** One batch is one pass of transactions; more would hold the account's row for long. */
const MAX_BATCH = 500;
/** A stream that fills this faster than it is written is read anew as a whole: bounded memory, nothing lost. */
export const MAX_WAITING = 50_000;
/** The longest delay a timer takes. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * How long words that repeat what we mostly know already - a working order, a balance - may gather: our own answers tell
 * the first of it, and a transaction each would cost the account's row the place of an order.
 */
const GATHER_MS = 500;

export type PositionMessage = Extract<PrivateMessage, { kind: 'position' }>;

/** The venue's word on positions and balances at one of its instants, ms. */
export interface WordsAt {
  readonly atMs: number;
  readonly positions: PositionMessage['position'][];
  readonly balances: VenueBalance[];
}

/** What one batch tells, duplicates within it already merged. */
export interface InboxBatch {
  readonly orders: readonly VenueOrder[];
  readonly fills: readonly VenueFill[];
  readonly fundings: readonly VenueFundingPayment[];
  /** What the venue said that its adapter does not know. */
  readonly drifts: readonly string[];
  /** The last word per market and asset, oldest instant first. */
  readonly words: readonly WordsAt[];
  readonly gap: string | null;
}

export class AccountInbox {
  private waiting: PrivateMessage[] = [];
  private overflowed = false;
  private nudged = false;
  private wake: (() => void) | null = null;
  private urgent = false;

  push(message: PrivateMessage): void {
    if (this.waiting.length >= MAX_WAITING) {
      this.waiting = [];
      this.overflowed = true;
    }
    this.waiting.push(message);
    this.urgent ||= isUrgent(message);
    this.wake?.();
  }

  /** Lets what is not urgent gather; ends at once when something urgent is there or comes. */
  async gathered(signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + GATHER_MS;
    for (let leftMs = GATHER_MS; leftMs > 0 && !this.urgent && !this.overflowed && !signal.aborted; leftMs = deadlineMs - performance.now()) {
      await this.change(leftMs, signal);
    }
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && !this.overflowed;
  }

  /** Ends the wait that is, or else the next one: its holder has something else to see to. */
  nudge(): void {
    this.nudged = this.wake === null;
    this.wake?.();
  }

  /** Settles when there is something to take, after `delayMs`, or when told to stop. */
  arrival(delayMs: number, signal: AbortSignal): Promise<void> {
    const nudged = this.nudged;
    this.nudged = false;
    if (nudged || !this.isEmpty || signal.aborted || delayMs <= 0) return Promise.resolve();
    return this.change(delayMs, signal);
  }

  private change(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(done, Math.min(delayMs, MAX_DELAY_MS));
      signal.addEventListener('abort', done, { once: true });
      this.wake = done;
    });
  }

  take(): InboxBatch {
    const orders = new Map<string, VenueOrder>();
    const fills: VenueFill[] = [];
    const fundings: VenueFundingPayment[] = [];
    const drifts: string[] = [];
    const balances = new Map<string, { word: VenueBalance; atMs: number }>();
    const positions = new Map<string, { word: PositionMessage['position']; atMs: number }>();
    let gap = this.overflowed ? 'more messages came than can be kept' : null;
    this.overflowed = false;
    this.urgent = this.waiting.length > MAX_BATCH && this.urgent;
    for (const message of this.waiting.splice(0, MAX_BATCH)) {
      switch (message.kind) {
        case 'order':
          keepFurthest(orders, message.order);
          break;
        case 'fill':
          fills.push(message.fill);
          break;
        case 'balance':
          keepNewest(balances, message.balance.asset, message.balance, message.atMs);
          break;
        case 'position':
          keepNewest(positions, message.position.venueSymbol, message.position, message.atMs);
          break;
        case 'funding':
          fundings.push(message.payment);
          break;
        case 'drift':
          drifts.push(message.what);
          break;
        case 'gap':
          gap = message.reason;
          break;
        case 'keyRevoked':
          break; // heard by the holder at once: what is queued before it makes no difference
      }
    }
    return { orders: [...orders.values()], fills, fundings, drifts, words: byInstant([...positions.values()], [...balances.values()]), gap };
  }
}

/** Several views of one order in a batch: only the newest says anything the others do not. */
function keepFurthest(orders: Map<string, VenueOrder>, view: VenueOrder): void {
  const known = orders.get(view.venueOrderId);
  if (known === undefined || !isOlder(view, known)) orders.set(view.venueOrderId, view);
}

function isOlder(view: VenueOrder, than: VenueOrder): boolean {
  if (view.revision !== null && than.revision !== null && view.revision !== than.revision) return view.revision < than.revision;
  if (view.updatedAtMs !== than.updatedAtMs) return view.updatedAtMs < than.updatedAtMs;
  return than.status !== 'open' && view.status === 'open'; // in one instant: nothing reopens
}

function keepNewest<Word>(words: Map<string, { word: Word; atMs: number }>, name: string, word: Word, atMs: number): void {
  const known = words.get(name);
  if (known === undefined || known.atMs <= atMs) words.set(name, { word, atMs });
}

function byInstant(positions: readonly { word: PositionMessage['position']; atMs: number }[], balances: readonly { word: VenueBalance; atMs: number }[]): WordsAt[] {
  const instants = new Map<number, WordsAt>();
  const at = (atMs: number): WordsAt => {
    const words = instants.get(atMs) ?? { atMs, positions: [], balances: [] };
    instants.set(atMs, words);
    return words;
  };
  for (const { word, atMs } of positions) at(atMs).positions.push(word);
  for (const { word, atMs } of balances) at(atMs).balances.push(word);
  return [...instants.values()].sort((a, b) => a.atMs - b.atMs);
}

/** What clients wait for: fills, ends, flat positions and everything about the stream itself. */
function isUrgent(message: PrivateMessage): boolean {
  return message.kind !== 'balance' && message.kind !== 'position' && !(message.kind === 'order' && message.order.status === 'open' && message.order.filledQuantity === '0');
}
