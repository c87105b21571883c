/** What a process knows of whether PostgreSQL and Temporal agree: read again and again, so that a request never waits for it. */
import { entriesHeld, type StoreReading } from '../domain/store-state';

/** How soon a process notices that PostgreSQL was started anew, or that entries pass again. One read of one row. */
const LOOK_INTERVAL_MS = 250;

export interface StoreWatchOptions {
  read(): Promise<StoreReading>;
  /** PostgreSQL is not the one that was compared last; called at each look until it is. */
  onDoubt?(reason: string): void;
}

export class StoreWatch {
  private last: StoreReading | null = null;
  private looking: Promise<void> | null = null;
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly options: StoreWatchOptions) {
    this.timer = setInterval(() => void this.look(), LOOK_INTERVAL_MS);
    this.timer.unref();
  }

  /** Reads now. What cannot be read leaves the last word standing: that PostgreSQL is away is told by others. */
  look(): Promise<void> {
    this.looking ??= this.options
      .read()
      .then(
        (reading) => {
          this.last = reading;
          if (reading.state.instance !== reading.instance) this.options.onDoubt?.(`PostgreSQL is ${reading.instance}, ${reading.state.instance === '' ? 'and was never compared' : `last compared was ${reading.state.instance}`}`);
        },
        () => undefined,
      )
      .finally(() => (this.looking = null));
    return this.looking;
  }

  /** Why the account's entries are held back; null: they are not. Without an account: why any are. */
  held(accountId: string | null): string | null {
    return this.last === null ? 'PostgreSQL has not been compared with Temporal yet' : entriesHeld(this.last, accountId);
  }

  close(): void {
    clearInterval(this.timer);
  }
}
