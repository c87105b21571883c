/**
 * Whether a worker lives that takes orders' tasks. Temporal tells who asked it lately, but a question stays open for a minute where there
 * is nothing to do, so that a worker which waits quietly looks there like one that was killed. So each worker has a seat (domain/seats.ts)
 * under the name by which it asks: its lease ends where the process gives no sign of life.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { holdsLease, workerIdentity } from '../temporal/worker-identity';
import { backOffMs, RECONNECT_BACK_OFF, sleepUnlessAborted } from '../venues/back-off';
import type { Platform } from './platform';

const WORKER_SEATS = 'workers';
/** The seats tell who is there; how many workers there may be is not ours to say. */
const ANY_NUMBER = 2_147_483_647;
/** Whoever asked this lately lives. A busy worker asks all the time, so a sign of life that is late on a busy machine matters to nobody. */
const ASKED_LATELY_MS = 10_000;
/** A poller asks at least once a minute; one that has not for longer is gone. */
const POLLER_FRESH_MS = 70_000;

/** Takes the seat of this worker and answers its name, without waiting: PostgreSQL may be away just now, and is asked until it answers. */
export function tellWorkerLives({ seats, logger }: Pick<Platform, 'seats' | 'logger'>, stopped: AbortSignal): string {
  const name = workerIdentity(hostname(), process.pid, randomUUID());
  const take = async (): Promise<void> => {
    for (let attempt = 0; !stopped.aborted; attempt += 1) {
      try {
        await seats.take({ scope: WORKER_SEATS, name, max: ANY_NUMBER });
        return;
      } catch (error) {
        if (!stopped.aborted) logger.warn({ err: error }, 'this worker could not say yet that it lives; /readyz counts it by what it asks Temporal');
        await sleepUnlessAborted(backOffMs(RECONNECT_BACK_OFF, attempt), stopped);
      }
    }
  };
  void take();
  return name;
}

export interface Poller {
  readonly identity: string;
  /** By Temporal's clock. */
  readonly askedAtMs: number;
}

export interface WorkerPresencePorts {
  /** Who asked Temporal for orders' tasks, as far as it remembers. */
  pollers(): Promise<readonly Poller[]>;
  /** How long the leases last that have not ended, by name: what the store tells of the seats of `scope`. */
  leases(scope: string): Promise<ReadonlyMap<string, number>>;
  /** The time of day. */
  nowMs(): number;
  /** Ms that only rise, from whenever. */
  elapsedMs(): number;
}

/** Asked each second by an API: leases are read when the last one known has ended, not before. */
export class WorkerPresence {
  /** Until when each lives by its lease, in elapsed ms. */
  private lives = new Map<string, number>();

  constructor(private readonly ports: WorkerPresencePorts) {}

  /** Rejects where Temporal, or who would have to tell of the leases, does not answer. */
  async isThere(): Promise<boolean> {
    const askedSince = (ms: number): ((poller: Poller) => boolean) => ({ askedAtMs }) => this.ports.nowMs() - askedAtMs < ms;
    const asked = (await this.ports.pollers()).filter(askedSince(POLLER_FRESH_MS));
    if (asked.some(({ identity }) => !holdsLease(identity)) || asked.some(askedSince(ASKED_LATELY_MS))) return true;
    if (asked.length === 0) return false;
    if (!this.livesOneOf(asked)) await this.readLeases();
    return this.livesOneOf(asked);
  }

  private livesOneOf(pollers: readonly Poller[]): boolean {
    const nowMs = this.ports.elapsedMs();
    return pollers.some(({ identity }) => (this.lives.get(identity) ?? -Infinity) > nowMs);
  }

  private async readLeases(): Promise<void> {
    // Counted from before the question: a lease never seems to last longer than it does.
    const askedMs = this.ports.elapsedMs();
    const left = await this.ports.leases(WORKER_SEATS);
    this.lives = new Map([...left].map(([name, leftMs]) => [name, askedMs + leftMs]));
  }
}
