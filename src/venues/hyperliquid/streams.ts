/**
 * Private streams of one process. The venue lets an address of the network listen to 10 users; further ones are polled, at a
 * pace that leaves half of the request weight, and get a stream when one becomes free.
 */
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
}

interface Waiting {
  readonly user: string;
  readonly promote: () => void;
}

export class AccountStreams {
  private readonly streamed = new Map<string, number>();
  private readonly polled = new Set<Waiting>();

  constructor(private readonly parts: AccountStreamsParts) {}

  open(account: StreamedAccount, onMessage: (message: PrivateMessage) => void): VenueStream {
    if (!this.streamed.has(account.user) && this.streamed.size >= this.parts.options.streamedUsers) return this.poll(account, onMessage);
    return this.listen(account, onMessage);
  }

  private listen({ user, agent, session }: StreamedAccount, onMessage: (message: PrivateMessage) => void): VenueStream {
    const { nowMs, tellDrift, collateralOf, options, open } = this.parts;
    this.streamed.set(user, (this.streamed.get(user) ?? 0) + 1);
    const stop = new AbortController();
    const confirm = (order: VenueOrder): void => {
      const asked = async (): Promise<VenueOrder | null> => {
        await this.parts.spend(2);
        return session.findOrder({ ...order, venueClientId: order.venueClientId ?? '' }, { signal: stop.signal, priority: 'read' });
      };
      asked().then(
        (found) => (stop.signal.aborted ? undefined : onMessage({ kind: 'order', order: found ?? order, atMs: order.updatedAtMs })),
        () => (stop.signal.aborted ? undefined : onMessage({ kind: 'gap', reason: 'a cancel could not be confirmed' })),
      );
    };
    const dialect = privateDialect({ user, dexes: options.dexes, agent, agentCheckEveryMs: options.agentCheckEveryMs, nowMs, tellDrift, collateralOf, onDoubtfulCancel: confirm });
    const stream = open(dialect, onMessage);
    return {
      ready: stream.ready,
      close: () => {
        if (stop.signal.aborted) return;
        stop.abort();
        stream.close();
        this.release(user);
      },
    };
  }

  /** One more user may listen: the longest waiting one does. */
  private release(user: string): void {
    const left = (this.streamed.get(user) ?? 1) - 1;
    if (left > 0) {
      this.streamed.set(user, left);
      return;
    }
    this.streamed.delete(user);
    const [next] = this.polled;
    if (next === undefined) return;
    for (const each of [...this.polled]) if (each.user === next.user) each.promote();
  }

  private poll(account: StreamedAccount, onMessage: (message: PrivateMessage) => void): VenueStream {
    const stop = new AbortController();
    let stream: VenueStream | null = null;
    const waiting: Waiting = {
      user: account.user,
      promote: () => {
        this.polled.delete(waiting);
        stop.abort();
        // What came between the last poll and the stream's beginning is read by whoever hears of the gap.
        stream = this.listen(account, onMessage);
        stream.ready.then(() => onMessage({ kind: 'gap', reason: 'from polling to the stream' }), () => undefined);
      },
    };
    this.polled.add(waiting);
    const ready = this.polling(account, onMessage, stop.signal);
    // A holder that does not wait hears of a refusal as a message.
    ready.catch(() => undefined);
    return {
      ready,
      close: () => {
        this.polled.delete(waiting);
        stop.abort();
        stream?.close();
      },
    };
  }

  /** Settles with the first poll that succeeded; goes on until it is stopped or the key is refused. */
  private polling({ session }: StreamedAccount, onMessage: (message: PrivateMessage) => void, stop: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const poller = new AccountPoller(session, this.parts.venueTimeMs, (message) => (stop.aborted ? undefined : onMessage(message)));
      const run = async (): Promise<void> => {
        while (!stop.aborted) {
          try {
            if (await this.parts.spend(this.pollWeight)) {
              await poller.poll(stop);
              resolve();
            }
          } catch (error) {
            if (error instanceof VenueRefused && error.code === 'unauthorized') {
              onMessage({ kind: 'keyRevoked', atMs: this.parts.nowMs() });
              reject(error);
              return;
            }
            // Fills are read from where the last poll ended: one that failed loses nothing.
            if (!(error instanceof VenueError)) throw error;
          }
          await sleepUnlessAborted(this.everyMs, stop);
        }
        resolve();
      };
      run().catch((error: unknown) => {
        onMessage({ kind: 'gap', reason: `polling ended: ${error instanceof Error ? error.message : String(error)}` });
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  private get pollWeight(): number {
    return POLL_WEIGHT + POLL_WEIGHT_PER_DEX * this.parts.options.dexes.length;
  }

  private get everyMs(): number {
    return Math.max(this.parts.options.pollEveryMs, (this.polled.size * this.pollWeight * MINUTE_MS) / this.parts.options.pollWeightPerMinute);
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
