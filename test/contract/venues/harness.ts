/** What the contract needs of a venue under test: the adapter, its simulator as a process, and a hand on the simulator. */
import { setTimeout as wait } from 'node:timers/promises';
import { nextNonce } from '../../../src/domain/nonce';
import type { AmendRequest, PlaceRequest, ReadOptions, SendAnswer, SendOptions, SignedRequest, Venue, VenueAccountSession, VenueOrder } from '../../../src/domain/venue';

export type SendKind = 'place' | 'amend' | 'cancel';

/** Faults and counts, in words every venue's simulator has. */
export interface VenueControl {
  /** Re-centres the market's book; resting orders that cross are filled. */
  movePrice(symbol: string, price: string): Promise<void>;
  /** The next request of this kind has its effect, and its connection is destroyed instead of answered. */
  loseAnswer(kind: SendKind): Promise<void>;
  /** The next request of this kind has its effect, and is answered 500. */
  failAfterAccept(kind: SendKind): Promise<void>;
  /** The next request of this kind has its effect; its answer is held until released. */
  holdAnswer(kind: SendKind): Promise<{ taken: () => Promise<void>; release: () => Promise<void> }>;
  /** The next request of this kind, or the next read, is answered 429. */
  rateLimit(what: SendKind | 'read', retryAfterSeconds: number): Promise<void>;
  /** Nothing listens at the venue's address while `run` runs. */
  whileUnreachable(run: () => Promise<void>): Promise<void>;
  /** Requests of this kind that reached the venue in all. */
  received(kind: SendKind): Promise<number>;
  /** Orders of an account the venue ever accepted, as it tells them itself. */
  accepted(account: string): Promise<readonly { clientId: string; symbol: string; quantity: string; price: string | null }[]>;
  dropStreamMessages(account: string, count: number): Promise<void>;
  duplicateStreamMessages(account: string, count: number): Promise<void>;
  closeStreams(account: string): Promise<void>;
  /** The next message of the public book is lost. */
  dropBookMessage(): Promise<void>;
  revokeKey(key: string): Promise<void>;
  advanceClock(ms: number): Promise<void>;
  /** Fills and orders before this venue time are hidden. */
  truncateHistory(account: string, beforeMs: number): Promise<void>;
  clear(): Promise<void>;
}

export interface ContractAccount {
  readonly name: string;
  /** The secret that must never be seen. */
  readonly key: string;
  readonly session: VenueAccountSession;
}

/**
 * What a venue's own protocol cannot do, so that no adapter could; each needs its reason in docs/venues.md:
 * - terseViews: answers and queries of one order differ in time, average price, or how a market order is called
 * - reusableClientIds: a client id may be used again; the nonce is what makes the same bytes harmless
 * - replacingAmends: an amendment gives the order a new venue id, and its repeat is refused by the used nonce
 * - unsequencedStreams: nothing on the stream tells that a message is missing; the audit poll finds it
 * - silentTruncation: hidden fills are not told as hidden
 * - vagueCancels: "unknown" and "closed" are one refusal
 */
export type VenueQuirk = 'terseViews' | 'reusableClientIds' | 'replacingAmends' | 'unsequencedStreams' | 'silentTruncation' | 'vagueCancels';

export interface VenueHarness {
  readonly quirks?: ReadonlySet<VenueQuirk>;
  /** The adapter under test, bare: decorators have their own tests. Pages are small. */
  readonly venue: Venue;
  readonly control: VenueControl;
  /** A perpetual and a price to set it to at the start of each check. */
  readonly symbol: string;
  readonly price: string;
  /** A quantity well above the market's minimum and far below its best level. */
  readonly quantity: string;
  /** How long a message of a stream is waited for: a limit against hanging, not an assertion about time. */
  readonly hearWithinMs: number;
  /** A new, funded account of this adapter; `venue` for another instance of it. */
  account(venue?: Venue): Promise<ContractAccount>;
  /** Another instance with no connection yet; closed with the harness. */
  freshVenue(): Venue;
  /** Cancels what the accounts of a check left and lifts its faults. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export const LONG_AFTER_MS = 30_000;

export function reading(): ReadOptions {
  return { signal: new AbortController().signal, priority: 'read' };
}

export function sending(change: Partial<SendOptions> = {}): SendOptions {
  return { maySend: () => Promise.resolve(true), sendBeforeMs: Date.now() + LONG_AFTER_MS, signal: new AbortController().signal, priority: 'entry', ...change };
}

let made = 0;
/** A client id no earlier check used. */
export function newClientId(): string {
  made += 1;
  // 32 hex digits, as the product makes them (domain/client-ids.ts).
  return `${process.pid.toString(16)}${Date.now().toString(16)}${made.toString(16)}`.padStart(32, 'c');
}

/** A limit order that rests unless `change` says otherwise. */
export function orderFor(harness: VenueHarness, change: Partial<PlaceRequest> = {}): PlaceRequest {
  return {
    venueClientId: newClientId(),
    venueSymbol: harness.symbol,
    side: 'buy',
    type: 'limit',
    timeInForce: 'GTC',
    quantity: harness.quantity,
    // Half the price: rests, and is within every venue's price band.
    limitPrice: half(harness.price),
    postOnly: false,
    reduceOnly: false,
    ...change,
  };
}

export function marketOrderFor(harness: VenueHarness, change: Partial<PlaceRequest> = {}): PlaceRequest {
  return orderFor(harness, { type: 'market', timeInForce: 'IOC', limitPrice: null, ...change });
}

function half(price: string): string {
  return String(Number(price) / 2);
}

/** Prepares a place with a deadline far ahead by the venue's clock. */
export async function prepared(harness: VenueHarness, session: VenueAccountSession, orders: readonly PlaceRequest[]): Promise<SignedRequest> {
  return session.preparePlace(orders, await deadline(harness));
}

let lastNonce = 0n;

export async function deadline(harness: VenueHarness): Promise<{ nonce: string | null; venueDeadlineMs: number }> {
  const venueTimeMs = await harness.venue.venueTimeMs(reading());
  if (harness.venue.capabilities.nonceRule !== 'none') lastNonce = nextNonce(harness.venue.capabilities.nonceRule, lastNonce, venueTimeMs);
  return { nonce: harness.venue.capabilities.nonceRule === 'none' ? null : String(lastNonce), venueDeadlineMs: venueTimeMs + LONG_AFTER_MS };
}

export function hasQuirk(harness: VenueHarness, quirk: VenueQuirk): boolean {
  return harness.quirks?.has(quirk) === true;
}

/** An order as far as two views of it must agree. */
export function comparable(harness: VenueHarness, order: VenueOrder | null | undefined): unknown {
  if (order === null || order === undefined || !hasQuirk(harness, 'terseViews')) return order;
  const { venueOrderId, venueClientId, venueSymbol, side, quantity, filledQuantity, status, reduceOnly } = order;
  return { venueOrderId, venueClientId, venueSymbol, side, quantity, filledQuantity, status, reduceOnly };
}

/** What an amendment needs of the order. */
export function termsOf(order: VenueOrder): NonNullable<AmendRequest['terms']> {
  return order;
}

export async function place(harness: VenueHarness, session: VenueAccountSession, orders: readonly PlaceRequest[], options?: SendOptions): Promise<SendAnswer> {
  return session.send(await prepared(harness, session, orders), options ?? sending());
}

/** Collects what a stream tells and waits for a message by its looks. */
export class Heard<T> {
  readonly messages: T[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(private readonly harness: Pick<VenueHarness, 'hearWithinMs'>) {}

  readonly take = (message: T): void => {
    this.messages.push(message);
    for (const look of [...this.waiting]) look();
  };

  async until<S extends T>(what: string, matches: (message: T) => message is S): Promise<S>;
  async until(what: string, matches: (message: T) => boolean): Promise<T>;
  async until(what: string, matches: (message: T) => boolean): Promise<T> {
    const stop = new AbortController();
    try {
      return await Promise.race([
        new Promise<T>((resolve) => {
          const look = (): void => {
            const found = this.messages.find(matches);
            if (found === undefined) return;
            this.waiting.delete(look);
            resolve(found);
          };
          this.waiting.add(look);
          look();
        }),
        wait(this.harness.hearWithinMs, undefined, { signal: stop.signal }).then(() => {
          throw new Error(`never heard of ${what}; heard ${JSON.stringify(this.messages).slice(0, 2_000)}`);
        }),
      ]);
    } finally {
      stop.abort();
    }
  }

  forget(): void {
    this.messages.length = 0;
  }
}
