/** Whether the parts answer: asked each second in the background, so that a request never waits to learn that one is away. */
import type { HealthPort, VenueState } from '../api';
import type { ChainStall } from '../domain/chain-stall';
import type { Readiness } from '../schemas/health';
import { TASK_QUEUES } from '../temporal/task-queues';
import type { Platform } from './platform';
import type { StoreWatch } from './store-watch';
import { type Poller, WorkerPresence } from './worker-presence';

/** How old the answer of /readyz may be. */
const CHECK_INTERVAL_MS = 1_000;
/** A part that takes longer is away for our purposes. */
const CHECK_TIMEOUT_MS = 2_000;
const SECOND_MS = 1_000;
/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW_TASKS = 1;

type Part = Readiness['postgresql'];

const UNKNOWN: Part = { status: 'away', detail: 'not checked yet' };

export class Health implements HealthPort {
  private postgresql = UNKNOWN;
  private temporal = UNKNOWN;
  private workers = UNKNOWN;
  private stalls: readonly ChainStall[] = [];
  private draining = false;
  private checking: Promise<void> | null = null;
  private readonly presence: WorkerPresence;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly platform: Pick<Platform, 'clock' | 'store' | 'temporal' | 'settings'>,
    private readonly venues: () => readonly VenueState[],
    private readonly stores: StoreWatch,
  ) {
    const { clock, store } = platform;
    this.presence = new WorkerPresence({ pollers: () => this.pollers(), leases: (scope) => store.seats.leases(scope), nowMs: () => clock.nowMs(), elapsedMs: () => performance.now() });
    this.timer = setInterval(() => void this.check(), CHECK_INTERVAL_MS);
    this.timer.unref();
  }

  /** Asks all parts now. */
  check(): Promise<void> {
    this.checking ??= Promise.all([this.checkPostgresql(), this.checkTemporal(), this.checkWorkers(), this.checkChains()]).then(() => {
      this.checking = null;
    });
    return this.checking;
  }

  async readiness(): Promise<Readiness> {
    if (this.postgresql === UNKNOWN) await this.check();
    const { postgresql, temporal, workers } = this;
    const ready = !this.draining && [postgresql, temporal, workers].every((part) => part.status === 'ok');
    return { status: ready ? 'ready' : 'notReady', postgresql, temporal, workers, entries: this.entries(), chains: this.chains(), venues: this.venues().map(({ name, status }) => ({ name, status })) };
  }

  /** By name, of the chains where deposits arrive; 0 where nothing keeps them from being counted. */
  async chainStalledSeconds(): Promise<ReadonlyMap<string, number>> {
    const nowMs = this.platform.clock.nowMs();
    return new Map(this.chains().map(({ name, since }) => [name, since === null ? 0 : Math.max(0, (nowMs - Date.parse(since)) / SECOND_MS)]));
  }

  postgresqlAway(): boolean {
    return this.postgresql !== UNKNOWN && this.postgresql.status === 'away';
  }

  entriesHeld(accountId: string): string | null {
    return this.stores.held(accountId);
  }

  /** Reported, never deciding: cancels, exits and reads pass, so a balancer must go on sending. */
  private entries(): Readiness['entries'] {
    const held = this.stores.held(null);
    return held === null ? { status: 'open', detail: null } : { status: 'held', detail: held };
  }

  /** The same: who deposits is not kept from trading. */
  private chains(): Readiness['chains'] {
    const { chains, depositDestination } = this.platform.settings;
    return chains.filter(({ id }) => id === depositDestination).map(({ id, name }) => {
      const stall = this.stalls.find(({ chainId }) => chainId === id);
      return stall === undefined ? { name, status: 'ok', detail: null, since: null } : { name, status: 'stalled', detail: stall.words, since: stall.since };
    });
  }

  /** From now on /readyz says 503, so that a balancer sends no more. */
  drain(): void {
    this.draining = true;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async checkPostgresql(): Promise<void> {
    this.postgresql = await outcomeOf(this.platform.store.ping());
  }

  private async checkTemporal(): Promise<void> {
    this.temporal = await outcomeOf(this.platform.temporal.ping(CHECK_TIMEOUT_MS));
  }

  /** While PostgreSQL is away, as it was last seen: its own line says that. */
  private async checkChains(): Promise<void> {
    if (this.platform.settings.chains.length > 0) this.stalls = await this.platform.store.chainStalls.all().catch(() => this.stalls);
  }

  /** A worker lives that takes the tasks of orders. */
  private async checkWorkers(): Promise<void> {
    this.workers = await outcomeOf(
      this.presence.isThere().then((isThere) => {
        if (!isThere) throw new Error('no worker polls the orders queue');
      }),
    );
  }

  private async pollers(): Promise<readonly Poller[]> {
    const { client } = this.platform.temporal;
    const { pollers } = await client.withDeadline(Date.now() + CHECK_TIMEOUT_MS, () =>
      client.workflowService.describeTaskQueue({ namespace: this.platform.settings.temporalNamespace, taskQueue: { name: TASK_QUEUES.orders }, taskQueueType: WORKFLOW_TASKS }),
    );
    return (pollers ?? []).map(({ identity, lastAccessTime }) => ({ identity: identity ?? '', askedAtMs: Number(lastAccessTime?.seconds ?? 0) * SECOND_MS }));
  }
}

async function outcomeOf(check: Promise<unknown>): Promise<Part> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check, late]);
    return { status: 'ok', detail: null };
  } catch (error) {
    return { status: 'away', detail: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
