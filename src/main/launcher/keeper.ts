import type { ManagedProcess } from './managed-process';
import type { ManagedServer } from './managed-server';

/** Wait before the next start, by deaths in a row: never above 1 s for the first five, then slower, so that a process that
 * cannot live does not take the machine. */
const DELAYS_MS = [0, 100, 250, 500, 1_000, 2_000, 5_000, 10_000] as const;
const LONGEST_DELAY_MS = 10_000;
/** A process that lived this long died of something new. */
const STEADY_AFTER_MS = 60_000;

/** How long to wait before start number `deaths` in a row. */
export function restartDelayMs(deaths: number): number {
  return DELAYS_MS[Math.max(0, deaths - 1)] ?? LONGEST_DELAY_MS;
}

/** Keeps one server or role running: starts it again whenever it ends, until stopped. */
export class Keeper {
  private deaths = 0;
  private stopping = false;
  private startedAtMs = 0;
  private loop: Promise<void> | undefined;
  private firstStart: Promise<void> | undefined;
  private interrupt: () => void = () => undefined;

  constructor(
    readonly server: ManagedServer,
    private readonly say: (text: string) => void,
  ) {}

  get name(): string {
    return this.server.plan.name;
  }

  /** The first start. @throws Error with the reason: a start that never worked is not tried for ever. */
  async start(): Promise<void> {
    this.firstStart = this.server.start();
    await this.firstStart;
    this.keep();
  }

  /** Begins to keep a process that runs already (adopted). */
  keep(): void {
    if (this.stopping) return;
    this.startedAtMs = performance.now();
    this.loop ??= this.run();
  }

  /** Stops keeping and stops the process. */
  async stop(graceMs?: number): Promise<void> {
    this.stopping = true;
    this.interrupt();
    await this.server.stop(graceMs);
    // A start under way is cut short by that, and whoever waits for it is told why.
    await this.firstStart?.catch(() => undefined);
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const present: ManagedProcess = this.server.current();
      const { code, signal } = await present.exited;
      if (this.stopping) return;
      const how = signal ?? (code === null ? 'an unknown reason' : `exit code ${code}`);
      this.countDeath();
      this.say(`${this.name} ended with ${how}, starting it again`);
      await this.startAgain();
    }
  }

  private countDeath(): void {
    if (performance.now() - this.startedAtMs > STEADY_AFTER_MS) this.deaths = 0;
    this.deaths += 1;
  }

  private async startAgain(): Promise<void> {
    while (!this.stopping) {
      await this.delay(restartDelayMs(this.deaths));
      if (this.stopping) return;
      this.startedAtMs = performance.now();
      try {
        await this.server.start();
        this.say(`${this.name} runs again`);
        return;
      } catch (error) {
        if (this.stopping) return;
        this.countDeath();
        this.say(error instanceof Error ? error.message : String(error));
      }
    }
  }

  private delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delayMs);
      this.interrupt = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
