/**
 * Groups orders that arrive together, with no delay when idle: while one start is in flight in a lane, the next group
 * gathers; when none is, an order starts at once and alone. A lane is a venue; where nonces are strict, a venue and signer.
 * A start is in flight until its orders are answered: by their committed events, or by its own end, whichever is first.
 */
import { LaneQueue, type QueueOptions, type Waiting } from './order-lane-queue';

/**
 * Most orders of one group: an input of about 200 KB, far below Temporal's 2 MB payload and 1 MB by our own rule, and recorded well within the
 * time that recording may take (RECORDING_SHARE_MS). With half as many, 256 callers of sixteen accounts cost a fifth more processor time an order.
 */
export const MAX_GROUP_ORDERS = 200;

/**
 * A start that takes twice as long as starts of its lane usually do no longer holds back the next group: one slow answer is not
 * everyone's wait, and a lane that is busy as a whole does not cut its groups small. Never sooner than a quick venue
 * takes, never later than a person would notice.
 */
export const OVERLAP_LEAST_MS = 40;
export const OVERLAP_MOST_MS = 500;
const OVERLAP_FACTOR = 2;
/** Weight of the newest start in what is usual: about the last ten count. */
const NEWEST_WEIGHT = 0.2;

/**
 * Under load, after a group was answered: whoever it answered may have more, and joins the next group instead of making one of its own
 * after it. The group goes as soon as as many came as were answered. The longest wait is what it takes this process to write that many
 * answers and read that many orders, and never longer than a start takes: so it is little beside the wait it saves. Who was alone in his
 * group is waited for by nobody, nor waits for anybody.
 */
export const LINGER_MS_PER_ORDER = 1.5;
/** As long as a start takes on a busy machine. */
export const LINGER_MOST_MS = 100;
/** Node's timers know no shorter one. */
const SHORTEST_TIMER_MS = 1;

/** Groups of one lane under way at once, however slow the venue: more would only make each smaller, and wait for one account. */
export const MAX_GROUPS_IN_FLIGHT = 4;

/** Full groups of one lane under way at once: while one waits for PostgreSQL or the venue, the processor has the other's work. More would wait for the same. */
export const MAX_FULL_GROUPS_IN_FLIGHT = 2;

export interface LaneOptions<Item> extends Pick<QueueOptions<Item>, 'clock' | 'startBeforeMs' | 'isExit'> {
  /** Strict nonces: never a second group while one is under way. */
  readonly oneGroupAtATime: boolean;
  /** Most orders of one group of this lane; MAX_GROUP_ORDERS or fewer. */
  readonly maxOrders: number;
}

/** A group whose start holds back others. */
interface Flight<Item> {
  /** Of its orders, those that have no answer yet. */
  readonly unanswered: Set<Item>;
  readonly items: readonly Item[];
  readonly startedMs: number;
}

export class OrderLane<Item> {
  private readonly queue: LaneQueue<Item>;
  private readonly flights = new Set<Flight<Item>>();
  private overlapTimer: NodeJS.Timeout | null = null;
  private lingering: NodeJS.Timeout | null = null;
  /** While lingering: with as many orders the next group goes. */
  private enough = 0;
  /** How long a start of this lane takes, ms; null before the first ended. */
  private usualMs: number | null = null;

  constructor(
    private readonly start: (items: readonly Item[]) => Promise<void>,
    private readonly options: LaneOptions<Item>,
  ) {
    // With strict nonces the order of asking is the order of sending.
    this.queue = new LaneQueue({ ...options, exitsFirst: !options.oneGroupAtATime });
  }

  /**
   * Settles when the group that carried these items is answered. Items added together stay together: at most a group of them. Rejects with
   * SERVICE_UNAVAILABLE (outcome none) where too many wait, or when the first of these is past its time before its turn comes.
   */
  add(items: readonly Item[]): Promise<void> {
    if (items.length > this.options.maxOrders) return Promise.reject(new RangeError(`${items.length} orders were handed over together; split them into lists of at most ${this.options.maxOrders}`));
    return new Promise((resolve, reject) => {
      this.queue.add({ items, resolve, reject });
      if (this.lingering !== null) {
        if (this.queue.orders >= this.enough) this.endLinger();
      } else if (this.flights.size === 0 || (this.isFull && this.flights.size < this.fullGroupsInFlight)) this.launch();
    });
  }

  /**
   * An order of a group has its answer: its caller waits no longer, though Temporal is still closing the workflow. The last one lets the
   * next group go. Never with strict nonces: there the start's own end says that the signer is free.
   */
  answered(item: Item): void {
    if (this.options.oneGroupAtATime) return;
    for (const flight of this.flights) if (flight.unanswered.delete(item) && flight.unanswered.size === 0) this.landed(flight, true);
  }

  private launch(): void {
    const group = this.queue.take();
    if (group.length === 0) {
      // All that waited was past its time: a start that is under way is timed on, for whoever comes next.
      if (this.flights.size > 0) this.armOverlap();
      return;
    }
    const items = group.flatMap((waiting) => waiting.items);
    const flight = { items, unanswered: new Set(items), startedMs: performance.now() };
    this.flights.add(flight);
    this.armOverlap();
    void this.run(group, flight);
  }

  private async run(group: readonly Waiting<Item>[], flight: Flight<Item>): Promise<void> {
    try {
      await this.start(flight.items);
      group.forEach((waiting) => waiting.resolve());
      this.landed(flight, true);
    } catch (error) {
      group.forEach((waiting) => waiting.reject(error));
      this.landed(flight, false);
    }
  }

  private landed(flight: Flight<Item>, answered: boolean): void {
    if (!this.flights.delete(flight)) return;
    if (answered) this.learn(performance.now() - flight.startedMs);
    if (this.flights.size === 0) this.disarmOverlap(); // it timed a start that has ended; the next one has its own time
    this.queue.dropExpired(); // what is not started makes no group full
    if (this.isFull && (this.flights.size === 0 || !this.options.oneGroupAtATime)) this.launch();
    else if (this.flights.size === 0) this.linger(flight.items.length);
  }

  /** Lets the next group gather a moment longer: what those have next whose `answered` orders are done; a full one goes at once. */
  private linger(answered: number): void {
    this.enough = Math.min(this.queue.orders + answered, this.options.maxOrders);
    const waitMs = answered === 1 ? 0 : Math.min(this.usualMs ?? 0, answered * LINGER_MS_PER_ORDER, LINGER_MOST_MS);
    if (waitMs < SHORTEST_TIMER_MS) this.launch();
    else this.lingering = setTimeout(() => this.endLinger(), waitMs).unref();
  }

  private endLinger(): void {
    if (this.lingering !== null) clearTimeout(this.lingering);
    this.lingering = null;
    if (this.flights.size === 0) this.launch();
  }

  private learn(tookMs: number): void {
    this.usualMs = this.usualMs === null ? tookMs : this.usualMs + NEWEST_WEIGHT * (tookMs - this.usualMs);
  }

  private get overlapAfterMs(): number {
    return Math.min(Math.max((this.usualMs ?? 0) * OVERLAP_FACTOR, OVERLAP_LEAST_MS), OVERLAP_MOST_MS);
  }

  /** It would gain nothing by waiting. */
  private get isFull(): boolean {
    return this.queue.orders >= this.options.maxOrders;
  }

  private get fullGroupsInFlight(): number {
    return this.options.oneGroupAtATime ? 1 : MAX_FULL_GROUPS_IN_FLIGHT;
  }

  /** Lets the next group go when the one under way takes long. */
  private armOverlap(): void {
    if (this.options.oneGroupAtATime || this.overlapTimer !== null) return;
    this.overlapTimer = setTimeout(() => {
      this.overlapTimer = null;
      if (this.flights.size > 0 && this.queue.orders > 0 && this.flights.size < MAX_GROUPS_IN_FLIGHT) this.launch();
      else if (this.flights.size > 0) this.armOverlap();
    }, this.overlapAfterMs);
    this.overlapTimer.unref();
  }

  private disarmOverlap(): void {
    if (this.overlapTimer !== null) clearTimeout(this.overlapTimer);
    this.overlapTimer = null;
  }
}
