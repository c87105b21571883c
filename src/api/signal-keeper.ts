/** Places what was taken and is not placed: its process died, or something was away. Every API process looks; one has each signal. */
import type { Logger } from 'pino';
import type { ApiPorts } from './ports';
import { LEASE_MS, type SignalDesk } from './signal-desk';

/** An index of what is taken answers: mostly nothing. */
const LOOK_EVERY_MS = 1_000;
/** Of one look: as many as are placed side by side. */
const AT_ONCE = 20;

export class SignalKeeper {
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;

  constructor(
    private readonly ports: Pick<ApiPorts, 'signals' | 'health'>,
    private readonly desk: Pick<SignalDesk, 'place'>,
    private readonly log: Pick<Logger, 'warn'>,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.looking ??= this.look().finally(() => {
        this.looking = null;
      });
    }, LOOK_EVERY_MS);
  }

  /** What it is at is left to the next process. */
  close(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  async look(): Promise<void> {
    if (this.ports.health.postgresqlAway()) return;
    try {
      const due = await this.ports.signals.due(AT_ONCE, LEASE_MS);
      await Promise.all(due.map((signal) => this.desk.place(signal).catch((error: unknown) => this.log.warn({ err: error, signalId: signal.id }, 'a signal is left for later'))));
    } catch (error) {
      this.log.warn({ err: error }, 'signals could not be looked after');
    }
  }
}
