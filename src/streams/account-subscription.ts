/** One client's subscription to one channel of an account: a snapshot or a replay, then live events, without loss or repeat at the seam. */
import { accountStream, channelOf, type StreamEvent } from '../domain/events';
import type { Balance, Position } from '../domain/account';
import type { Fill, Order } from '../domain/order';
import type { AccountChannel, AccountSubscribeRequest } from '../schemas/socket';
import type { EventTail } from './event-tail';
import type { ResyncReason } from './follower';
import type { Outgoing } from './outgoing';
import type { ResyncNotice, Subscribed } from './socket-events';

/** More than ten pages of replay cost more than a snapshot. */
export const REPLAY_MAX_EVENTS = 5_000;
/** Between two tries to read a snapshot from a store that is away. */
export const RESYNC_RETRY_MS = 1_000;

/** State as it is now. The user is named again: a read that forgets to ask cannot show another's account. */
export type SnapshotReader = {
  orders(accountId: string, userId: string): Promise<readonly Order[]>;
  fills(accountId: string, userId: string): Promise<readonly Fill[]>;
  positions(accountId: string, userId: string): Promise<readonly Position[]>;
  balances(accountId: string, userId: string): Promise<readonly Balance[]>;
};

export interface AccountSubscriptionDependencies {
  readonly tail: Pick<EventTail, 'follow' | 'head' | 'currentGeneration'>;
  readonly snapshots: SnapshotReader;
  readonly onError: (error: unknown) => void;
  readonly replayMaxEvents?: number;
  readonly retryMs?: number;
}

export class AccountSubscription {
  private readonly channel: AccountChannel;
  private readonly accountId: string;
  private readonly stream: string;
  /** Of the last event sent, or where the subscription began. */
  private previous = 0;
  /** Everything of the account's stream up to it was looked at. */
  private position = 0;
  private generation = '';
  private following: { close(): void } | null = null;
  private retryTimer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly request: AccountSubscribeRequest,
    private readonly userId: string,
    private readonly deps: AccountSubscriptionDependencies,
    private readonly out: Outgoing,
  ) {
    this.channel = request.channel;
    this.accountId = request.accountId;
    this.stream = accountStream(request.accountId);
  }

  /** What the client is answered. Nothing is sent before `start`. Rejects when the store is away. */
  async open(): Promise<Subscribed> {
    const { sinceSequence, generation: known } = this.request;
    const [generation, head] = await Promise.all([this.deps.tail.currentGeneration(), this.deps.tail.head(this.stream)]);
    if (sinceSequence === undefined) return this.begin(generation, head);
    const reason = this.cannotResume(sinceSequence, known ?? generation, generation, head);
    if (reason === null) {
      this.place(generation, sinceSequence);
      return { snapshot: null, sequence: sinceSequence, generation };
    }
    const subscribed = await this.begin(generation, head);
    this.tellResync(reason, null);
    return subscribed;
  }

  /** After the answer was sent. */
  start(): void {
    if (this.closed) return;
    this.following = this.deps.tail.follow(this.stream, this.position, {
      onEvents: (events) => this.events(events),
      onResync: (reason) => this.lost(reason),
    });
  }

  close(): void {
    this.closed = true;
    this.following?.close();
    if (this.retryTimer) clearTimeout(this.retryTimer);
  }

  private cannotResume(since: number, known: string, generation: string, head: number): 'restored' | 'tooOld' | null {
    if (known !== generation || since > head) return 'restored';
    return head - since > (this.deps.replayMaxEvents ?? REPLAY_MAX_EVENTS) ? 'tooOld' : null;
  }

  /** The sequence was read before the snapshot: what happened between is in both, and events carry whole states. */
  private async begin(generation: string, head: number): Promise<Subscribed> {
    const snapshot = await this.deps.snapshots[this.channel](this.accountId, this.userId);
    this.place(generation, head);
    return { snapshot, sequence: head, generation };
  }

  private place(generation: string, sequence: number): void {
    this.generation = generation;
    this.previous = sequence;
    this.position = sequence;
  }

  /** Event by event: a client that reads slowly is given the next when there is room, and nothing piles up for it. */
  private events(events: readonly StreamEvent[]): Promise<void> | undefined {
    for (const [index, event] of events.entries()) {
      if (this.closed) return undefined;
      this.position = event.sequence;
      if (channelOf(event.type) === this.channel) this.tell(event);
      else if (event.type === 'account.alert') this.alert(event);
      const room = this.out.room();
      if (room) return room.then(() => this.events(events.slice(index + 1)));
    }
    return undefined;
  }

  private tell({ sequence, generation, at, type, data }: StreamEvent): void {
    this.out.emit('event', { channel: this.channel, accountId: this.accountId, sequence, previousSequence: this.previous, generation, at, type, data });
    this.previous = sequence;
  }

  /** The account's watcher was cut off from its venue, or has made good what it missed. */
  private alert({ data, at }: StreamEvent): void {
    const { channel, accountId } = this;
    const from = typeof data['from'] === 'string' || typeof data['from'] === 'number' ? data['from'] : null;
    if (data['kind'] === 'streamGap') this.out.emit('gap', { channel, accountId, from, to: at });
    else if (data['kind'] === 'streamResynced') this.tellResync('venueReconciled', null);
  }

  private tellResync(reason: ResyncNotice['reason'], snapshot: ResyncNotice['snapshot']): void {
    const { channel, accountId, generation, previous: sequence } = this;
    this.out.emit('resync', { channel, accountId, reason, sequence, generation, snapshot });
  }

  private lost(reason: ResyncReason): void {
    if (this.closed) return;
    // The events are still there, the store was not: go on where it stopped, with the chain unbroken.
    if (reason === 'unreadable') this.later(() => this.start());
    else void this.anew(reason === 'restored' ? 'restored' : 'tooOld');
  }

  private async anew(reason: 'restored' | 'tooOld'): Promise<void> {
    try {
      const [generation, head] = await Promise.all([this.deps.tail.currentGeneration(), this.deps.tail.head(this.stream)]);
      const { snapshot } = await this.begin(generation, head);
      if (this.closed) return;
      this.tellResync(reason, snapshot);
      this.start();
    } catch (error) {
      this.deps.onError(error);
      this.later(() => void this.anew(reason));
    }
  }

  private later(run: () => void): void {
    if (!this.closed) this.retryTimer = setTimeout(run, this.deps.retryMs ?? RESYNC_RETRY_MS);
  }
}
