/** One client's subscription to one channel of an account, or of its user: a snapshot or a replay, then live events, without loss or repeat at the seam. */
import { accountStream, channelOf, STREAM_ALERTS, userStream, type StreamEvent } from '../domain/events';
import type { ShownDeposit } from '../domain/deposit';
import type { Alert } from '../domain/alert';
import type { Account, Balance, Position } from '../domain/account';
import type { Fill, Order } from '../domain/order';
import type { OrderList } from '../domain/order-list';
import type { Strategy } from '../domain/strategy';
import type { Trade } from '../domain/trade';
import type { AccountChannel, AccountSubscribeRequest, UserChannel, UserSubscribeRequest } from '../schemas/socket';
import type { EventTail } from './event-tail';
import type { ResyncReason } from './follower';
import type { Outgoing } from './outgoing';
import type { ChannelEvent, ResyncNotice, Subscribed } from './socket-events';

/** More than ten pages of replay cost more than a snapshot. */
export const REPLAY_MAX_EVENTS = 5_000;
/** Between two tries to read a snapshot from a store that is away. */
export const RESYNC_RETRY_MS = 1_000;

/** State as it is now. The user is named again: a read that forgets to ask cannot show another's account. */
export type SnapshotReader = {
  orders(accountId: string, userId: string): Promise<readonly Order[]>;
  /** Open ones, the newest first. */
  orderLists(accountId: string, userId: string): Promise<readonly OrderList[]>;
  strategies(accountId: string, userId: string): Promise<readonly Strategy[]>;
  fills(accountId: string, userId: string): Promise<readonly Fill[]>;
  positions(accountId: string, userId: string): Promise<readonly Position[]>;
  balances(accountId: string, userId: string): Promise<readonly Balance[]>;
  /** Round trips, the newest first. */
  trades(accountId: string, userId: string): Promise<readonly Trade[]>;
  /** One row: the account itself. */
  account(accountId: string, userId: string): Promise<readonly Account[]>;
  /** The newest first. */
  deposits(userId: string): Promise<readonly ShownDeposit[]>;
  /** Those that nobody has acknowledged, the newest first. */
  alerts(userId: string): Promise<readonly Alert[]>;
};

export interface AccountSubscriptionDependencies {
  readonly tail: Pick<EventTail, 'follow' | 'head' | 'currentGeneration'>;
  readonly snapshots: SnapshotReader;
  /** The newest alert of STREAM_ALERTS up to a sequence of the stream; null: there is none. */
  readonly lastStreamAlert: (stream: string, upTo: number) => Promise<StreamEvent | null>;
  readonly onError: (error: unknown) => void;
  readonly replayMaxEvents?: number;
  readonly retryMs?: number;
}

/** What a message is about, as it says itself. */
type Subject = { readonly channel: AccountChannel; readonly accountId: string } | { readonly channel: UserChannel };

export class AccountSubscription {
  private readonly subject: Subject;
  private readonly stream: string;
  /** Of the last event sent, or where the subscription began. */
  private previous = 0;
  /** Everything of the account's stream up to it was looked at. */
  private position = 0;
  private generation = '';
  /** Where the subscription begins inside a gap: told first, because the alert itself is behind it. */
  private openGap: StreamEvent | null = null;
  private following: { close(): void } | null = null;
  /** Counts the times it followed: what an earlier one still had for a client that read slowly is of a past that it was told to forget. */
  private turn = 0;
  private retryTimer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    private readonly request: AccountSubscribeRequest | UserSubscribeRequest,
    private readonly userId: string,
    private readonly deps: AccountSubscriptionDependencies,
    private readonly out: Outgoing,
  ) {
    this.subject = 'accountId' in request ? { channel: request.channel, accountId: request.accountId } : { channel: request.channel };
    this.stream = 'accountId' in request ? accountStream(request.accountId) : userStream(userId);
  }

  /** What the client is answered. Nothing is sent before `start`. Rejects when the store is away. */
  async open(): Promise<Subscribed> {
    const { sinceSequence, generation: known } = this.request;
    const [generation, head] = await Promise.all([this.deps.tail.currentGeneration(), this.deps.tail.head(this.stream)]);
    if (sinceSequence === undefined) return this.begin(generation, head);
    const reason = this.cannotResume(sinceSequence, known ?? generation, generation, head);
    if (reason === null) {
      await this.noteGap(sinceSequence);
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
    if (this.openGap) this.alert(this.openGap);
    this.openGap = null;
    const turn = (this.turn += 1);
    this.following = this.deps.tail.follow(this.stream, this.position, {
      onEvents: (events) => this.events(events, turn),
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
    const [snapshot] = await Promise.all([this.snapshot(), this.noteGap(head)]);
    this.place(generation, head);
    return { snapshot, sequence: head, generation };
  }

  private snapshot(): Promise<Subscribed['snapshot']> {
    const { subject, userId, deps } = this;
    return 'accountId' in subject ? deps.snapshots[subject.channel](subject.accountId, userId) : deps.snapshots[subject.channel](userId);
  }

  private async noteGap(upTo: number): Promise<void> {
    const last = upTo === 0 ? null : await this.deps.lastStreamAlert(this.stream, upTo);
    this.openGap = last?.data['kind'] === STREAM_ALERTS.gap ? last : null;
  }

  private place(generation: string, sequence: number): void {
    this.generation = generation;
    this.previous = sequence;
    this.position = sequence;
  }

  /** Event by event: a client that reads slowly is given the next when there is room, and nothing piles up for it. */
  private events(events: readonly StreamEvent[], turn: number): Promise<void> | undefined {
    let told = 0;
    for (const event of events) {
      if (this.closed || turn !== this.turn) return undefined;
      told += 1;
      this.position = event.sequence;
      if (channelOf(event.type) === this.subject.channel) this.tell(event);
      if (event.type === 'account.alert') this.alert(event);
      const room = this.out.room();
      if (room) return room.then(() => this.events(events.slice(told), turn));
    }
    return undefined;
  }

  private tell(event: StreamEvent): void {
    this.out.emit('event', sharedMessage(event, this.subject, this.previous));
    this.previous = event.sequence;
  }

  /** The account's watcher was cut off from its venue, or has made good what it missed. */
  private alert({ data, at }: StreamEvent): void {
    const { subject } = this;
    // Only accounts have a venue whose stream can break.
    if (!('accountId' in subject)) return;
    const from = typeof data['from'] === 'string' || typeof data['from'] === 'number' ? data['from'] : null;
    if (data['kind'] === STREAM_ALERTS.gap) this.out.emit('gap', { ...subject, from, to: at });
    else if (data['kind'] === STREAM_ALERTS.resynced) this.tellResync('venueReconciled', null);
  }

  private tellResync(reason: ResyncNotice['reason'], snapshot: ResyncNotice['snapshot']): void {
    const { subject, generation, previous: sequence } = this;
    this.out.emit('resync', { ...subject, reason, sequence, generation, snapshot });
  }

  private lost(reason: ResyncReason): void {
    if (this.closed) return;
    this.turn += 1;
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

/**
 * The last message made of an event stays with it: followers at the same place are sent the same object. Not in a weak map
 * beside them: where every client has a stream of its own, its upkeep is work for each delivery.
 */
const MESSAGE = Symbol('message');
interface ToldEvent extends StreamEvent {
  [MESSAGE]?: ChannelEvent;
}

function sharedMessage(event: ToldEvent, subject: Subject, previousSequence: number): ChannelEvent {
  const known = event[MESSAGE];
  if (known?.previousSequence === previousSequence) return known;
  const { sequence, generation, at, type, data } = event;
  // The event's type decided the channel, and the store what its data holds. Written out, not spread from the subject: what is added
  // to a spread copy is kept outside the object one by one, which was a third of our own work for each delivery.
  const message = (
    'accountId' in subject
      ? { channel: subject.channel, accountId: subject.accountId, sequence, previousSequence, generation, at, type, data }
      : { channel: subject.channel, sequence, previousSequence, generation, at, type, data }
  ) as ChannelEvent;
  event[MESSAGE] = message;
  return message;
}
