/**
 * Private streams. The venue lets an address of the network listen to 10 users, counted over all processes by seats; further ones are
 * polled, at a pace that leaves half of the request weight, and get a stream when a seat becomes free.
 */
import { DomainError } from '../../domain/errors';
import { OneProcessSeats, type Seats } from '../../domain/seats';
import type { PrivateMessage, ReadOptions, VenueAccountSession, VenueOrder, VenueStream } from '../../domain/venue';
import { VenueError, VenueRefused } from '../../domain/venue-errors';
import { sleepUnlessAborted } from '../back-off';
import type { SocketDialect } from '../socket';
import { privateDialect, type TellDrift } from './dialects';
import type { HyperliquidOptions } from './schemas';

/** What one poll weighs, without the dexes: open orders, fills, positions, balances and the agent's standing. */
const POLL_WEIGHT = 104;
const POLL_WEIGHT_PER_DEX = 24;
const MINUTE_MS = 60_000;
/** One read of a poll. */
const READ_WITHIN_MS = 5_000;
/** Fills are read again from so far back: the venue lists one a moment after its time. */
const OVERLAP_MS = 10_000;

type PolledSession = Pick<VenueAccountSession, 'fillsSince' | 'openOrders' | 'findOrder' | 'positions' | 'balances'>;

export interface StreamedAccount {
  readonly user: string;
  /** null: the account signs itself. */
  readonly agent: string | null;
  readonly session: PolledSession;
}

export interface AccountStreamsParts {
  readonly options: HyperliquidOptions;
  readonly nowMs: () => number;
  readonly tellDrift: TellDrift;
  readonly collateralOf: (dex: string) => string;
  readonly open: (dialect: SocketDialect<PrivateMessage>, onMessage: (message: PrivateMessage) => void) => VenueStream;
  readonly venueTimeMs: (options: ReadOptions) => Promise<number>;
  /** Takes weight of the shared budget; false: not now. */
  readonly spend: (weight: number) => Promise<boolean>;
  /** undefined: counted by this object alone. */
  readonly seats: Seats | undefined;
  /** A question for a seat failed, and not because the seats are away: that is told by whoever keeps them. */
  readonly onSeatError: (error: unknown) => void;
  readonly venue: string;
}

/** A user that is polled and wants to be listened to. */
interface Waiting {
  /** Asks for a seat now rather than after the next poll. */
  wake(): void;
}

interface Listener {
  /** Streams of the user. */
  streams: number;
  readonly seated: Promise<boolean>;
}

export class AccountStreams {
  private readonly seats: Seats;
  private readonly listeners = new Map<string, Listener>();
  private readonly polled = new Set<Waiting>();

  constructor(private readonly parts: AccountStreamsParts) {
    this.seats = parts.seats ?? new OneProcessSeats();
  }

  open(account: StreamedAccount, onMessage: (message: PrivateMessage) => void): VenueStream {
    const stop = new AbortController();
    const hear = (message: PrivateMessage): void => (stop.signal.aborted ? undefined : onMessage(message));
    const ready = new Promise<void>((resolve, reject) => {
      this.serve(account, hear, stop.signal, resolve).then(resolve, reject);
    });
    // A holder that does not wait hears of a refusal as a message.
    ready.catch(() => undefined);
    return { ready, close: () => stop.abort() };
  }

  private async serve(account: StreamedAccount, hear: (message: PrivateMessage) => void, stop: AbortSignal, onReady: () => void): Promise<void> {
    if (await this.sit(account.user, stop)) return this.listen(account, hear, stop);
    await this.poll(account, hear, stop, onReady);
    if (stop.aborted) return;
    // What came between the last poll and the stream's beginning is read by whoever hears of the gap.
    await this.listen(account, hear, stop);
    hear({ kind: 'gap', reason: 'from polling to the stream' });
  }

  /** Settles when the stream stands. The user's seat is taken, and is given back with its last stream. */
  private listen({ user, agent, session }: StreamedAccount, hear: (message: PrivateMessage) => void, stop: AbortSignal): Promise<void> {
    const { nowMs, tellDrift, collateralOf, options, open } = this.parts;
    const confirm = (order: VenueOrder): void => {
      const asked = async (): Promise<VenueOrder | null> => {
        await this.parts.spend(2);
        return session.findOrder({ ...order, venueClientId: order.venueClientId ?? '' }, { signal: stop, priority: 'read' });
      };
      asked().then(
        (found) => hear({ kind: 'order', order: found ?? order, atMs: order.updatedAtMs }),
        () => hear({ kind: 'gap', reason: 'a cancel could not be confirmed' }),
      );
    };
    const dialect = privateDialect({ user, dexes: options.dexes, agent, agentCheckEveryMs: options.agentCheckEveryMs, nowMs, tellDrift, collateralOf, onDoubtfulCancel: confirm });
    const stream = open(dialect, hear);
    stop.addEventListener('abort', () => {
      stream.close();
      this.stand(user);
    }, { once: true });
    return stream.ready;
  }

  /** Whether the user may be listened to: it is already, or there is a seat for it. */
  private async sit(user: string, stop: AbortSignal): Promise<boolean> {
    const listener = this.listeners.get(user) ?? { streams: 0, seated: this.seats.take({ scope: this.scope, name: user, max: this.parts.options.streamedUsers }).catch(this.unseated) };
    this.listeners.set(user, listener);
    listener.streams += 1;
    const isSeated = await listener.seated;
    if (isSeated && !stop.aborted) return true;
    if (isSeated) this.stand(user);
    else if (this.listeners.get(user) === listener) this.listeners.delete(user);
    return false;
  }

  /** Where nobody can tell whether there is a seat, none is taken: the user is polled, and asked for again after the next poll. */
  private readonly unseated = (error: unknown): boolean => {
    if (!(error instanceof DomainError)) this.parts.onSeatError(error);
    return false;
  };

  private stand(user: string): void {
    const listener = this.listeners.get(user);
    if (listener === undefined || (listener.streams -= 1) > 0) return;
    this.listeners.delete(user);
    this.seats.giveBack({ scope: this.scope, name: user });
    // One more user may be listened to: the one that waited longest here is the first to ask.
    const [next] = this.polled;
    next?.wake();
  }

  /** Settles when there is a seat for the user, or it is stopped. Rejects when the key is refused. */
  private async poll({ user, session }: StreamedAccount, hear: (message: PrivateMessage) => void, stop: AbortSignal, onFirst: () => void): Promise<void> {
    const poller = new AccountPoller(session, this.parts.venueTimeMs, hear);
    const naps = new Naps(stop);
    this.polled.add(naps);
    let failed = false;
    try {
      while (!stop.aborted) {
        try {
          if (await this.parts.spend(this.pollWeight)) {
            await poller.poll(stop);
            failed = false;
            onFirst();
          }
        } catch (error) {
          if (error instanceof VenueRefused && error.code === 'unauthorized') {
            hear({ kind: 'keyRevoked', atMs: this.parts.nowMs() });
            throw error;
          }
          // Fills are read from where the last poll ended: one that failed loses nothing. What no venue said is told, the first of it in a row.
          if (!(error instanceof VenueError) && !failed) {
            failed = true;
            hear({ kind: 'gap', reason: `polling failed: ${error instanceof Error ? error.message : String(error)}` });
          }
        }
        await naps.take(this.everyMs);
        // Seats are given back by other processes, too.
        if (!stop.aborted && (await this.sit(user, stop))) return;
      }
    } finally {
      this.polled.delete(naps);
    }
  }

  private get scope(): string {
    return `listeners/${this.parts.venue}`;
  }

  private get pollWeight(): number {
    return POLL_WEIGHT + POLL_WEIGHT_PER_DEX * this.parts.options.dexes.length;
  }

  private get everyMs(): number {
    return Math.max(this.parts.options.pollEveryMs, (this.polled.size * this.pollWeight * MINUTE_MS) / this.parts.options.pollWeightPerMinute);
  }
}

/** The pauses between polls; one ends early where a seat may be free. */
class Naps implements Waiting {
  private current = new AbortController();

  constructor(private readonly stop: AbortSignal) {}

  wake(): void {
    this.current.abort();
  }

  async take(ms: number): Promise<void> {
    await sleepUnlessAborted(ms, AbortSignal.any([this.stop, this.current.signal]));
    this.current = new AbortController();
  }
}

/** What changed of an account between two looks, in the messages of a stream. The first look is only compared with. */
class AccountPoller {
  private readonly open = new Map<string, VenueOrder>();
  private readonly told = new Set<string>();
  private held = new Set<string>();
  private sinceMs: number | null = null;

  constructor(
    private readonly session: PolledSession,
    private readonly venueTimeMs: (options: ReadOptions) => Promise<number>,
    private readonly onMessage: (message: PrivateMessage) => void,
  ) {}

  async poll(stop: AbortSignal): Promise<void> {
    const reading = (): ReadOptions => ({ signal: AbortSignal.any([stop, AbortSignal.timeout(READ_WITHIN_MS)]), priority: 'read' });
    const nowMs = await this.venueTimeMs(reading());
    const first = this.sinceMs === null;
    await this.orders(first, reading);
    await this.fills(first, (this.sinceMs ?? nowMs) - OVERLAP_MS, reading);
    await this.money(first, nowMs, reading);
    this.sinceMs = nowMs;
  }

  private async orders(first: boolean, reading: () => ReadOptions): Promise<void> {
    const listed = await this.session.openOrders(reading());
    for (const order of listed) {
      const known = this.open.get(order.venueOrderId);
      this.open.set(order.venueOrderId, order);
      if (!first && (known === undefined || known.filledQuantity !== order.filledQuantity)) this.onMessage({ kind: 'order', order, atMs: order.updatedAtMs });
    }
    const ids = new Set(listed.map(({ venueOrderId }) => venueOrderId));
    for (const gone of [...this.open.values()].filter(({ venueOrderId }) => !ids.has(venueOrderId))) {
      const order = await this.session.findOrder({ ...gone, venueClientId: gone.venueClientId ?? '' }, reading());
      if (order !== null) this.onMessage({ kind: 'order', order, atMs: order.updatedAtMs });
      this.open.delete(gone.venueOrderId);
    }
  }

  private async fills(first: boolean, sinceMs: number, reading: () => ReadOptions): Promise<void> {
    for (let cursor: string | null = null; ; ) {
      const page = await this.session.fillsSince(sinceMs, cursor, reading());
      for (const fill of page.fills) {
        const key = `${fill.venueFillId}/${fill.side}/${fill.venueOrderId}`;
        if (this.told.has(key)) continue;
        this.told.add(key);
        if (!first) this.onMessage({ kind: 'fill', fill, atMs: fill.atMs });
      }
      if (page.next === null) break;
      cursor = page.next;
    }
    // What is older than the overlap is not read again.
    if (this.told.size > MAX_TOLD) this.told.clear();
  }

  private async money(first: boolean, atMs: number, reading: () => ReadOptions): Promise<void> {
    const positions = await this.session.positions(reading());
    const balances = await this.session.balances(reading());
    const held = new Set(positions.map(({ venueSymbol }) => venueSymbol));
    const gone = [...this.held].filter((venueSymbol) => !held.has(venueSymbol));
    this.held = held;
    if (first) return;
    for (const position of positions) this.onMessage({ kind: 'position', position, atMs });
    for (const venueSymbol of gone) this.onMessage({ kind: 'position', position: { venueSymbol, side: 'flat' }, atMs });
    for (const balance of balances) this.onMessage({ kind: 'balance', balance, atMs });
  }
}

/** A fill told twice is one fill to whoever keeps books, so forgetting costs work and nothing else. */
const MAX_TOLD = 10_000;
