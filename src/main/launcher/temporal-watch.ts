import { Connection } from '@temporalio/client';

const PROBE_INTERVAL_MS = 500;
const PROBE_TIMEOUT_MS = 1_000;
/** After an absence this long, pollers wait longer between attempts than a new worker takes to start. */
const LONG_ABSENCE_MS = 3_000;

/** Watches a Temporal server and reports when it answers again after a long absence. */
export class TemporalWatch {
  private stopping = false;
  private connection: Connection | undefined;
  private loop: Promise<void> | undefined;
  private wake: () => void = () => undefined;

  constructor(
    private readonly address: string,
    /** `awaySinceMs` by performance.now(): the last answer before the absence. */
    private readonly onReturn: (awaySinceMs: number) => void,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wake();
    await this.loop;
    await this.connection?.close();
  }

  private async run(): Promise<void> {
    let lastAnswerMs = performance.now();
    while (!this.stopping) {
      const askedAtMs = performance.now();
      if (await this.answers()) {
        if (performance.now() - lastAnswerMs > LONG_ABSENCE_MS) this.onReturn(lastAnswerMs);
        lastAnswerMs = performance.now();
      }
      await this.pause(Math.max(0, PROBE_INTERVAL_MS - (performance.now() - askedAtMs)));
    }
  }

  /** A connection is kept while it works; after a failure a new one is made, which does not wait for an old one's back-off. */
  private async answers(): Promise<boolean> {
    try {
      this.connection ??= await Connection.connect({ address: this.address, connectTimeout: PROBE_TIMEOUT_MS });
      const { connection } = this;
      await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () => connection.workflowService.getSystemInfo({}));
      return true;
    } catch {
      const broken = this.connection;
      this.connection = undefined;
      await broken?.close();
      return false; // the absence itself is what is reported, when it ends
    }
  }

  private pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
