/** Judges an account's limits and the stops of its lists beside its stream: after every fill, and as marks and time move. What it cannot read or write ends the watcher. */
import type { WriterEpoch } from '../domain/order-store';
import type { AccountWatcherPorts } from './account-ports';

export class AccountJudge {
  private wake: () => void = () => undefined;
  private due = false;

  constructor(
    private readonly judged: AccountWatcherPorts['judged'],
    private readonly accountId: string,
    private readonly epoch: WriterEpoch,
  ) {}

  /** Something filled: judged at once. */
  filled(): void {
    this.due = true;
    this.wake();
  }

  /** Until told to stop; `onFault` is told of what ended it before. */
  async run(stop: AbortSignal, onFault: (error: unknown) => void): Promise<void> {
    try {
      while (!stop.aborted) {
        this.due = false;
        await this.judged.check(this.epoch, this.accountId);
        if (!this.due) await this.rest(stop);
      }
    } catch (error) {
      onFault(error);
    }
  }

  private rest(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        stop.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, this.judged.everyMs);
      this.wake = done;
      stop.addEventListener('abort', done, { once: true });
      if (stop.aborted) done();
    });
  }
}
