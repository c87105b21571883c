import { ManagedProcess } from './managed-process';
import type { ManagedServer, ServerPlan } from './managed-server';
import { stopRecorded, type ProcessRecord, type ProcessRecords } from './process-records';

/** What an earlier supervisor that was killed left running, by its records. */
export class LeftOvers {
  private readonly records: Map<string, ProcessRecord>;

  constructor(
    running: readonly ProcessRecord[],
    private readonly say: (text: string) => void,
  ) {
    this.records = new Map(running.map((record) => [record.name, record]));
  }

  static of(records: ProcessRecords, say: (text: string) => void): LeftOvers {
    return new LeftOvers(records.running(), say);
  }

  /** The port that a left server listens on, to be asked for again. */
  portOf(name: string): number | undefined {
    return this.records.get(name)?.port;
  }

  /** Its second port. */
  uiPortOf(name: string): number | undefined {
    return this.records.get(name)?.uiPort;
  }

  /** Goes on with the left process of that plan if it is the same program with the same settings and serves; else stops it. */
  async adopt(server: ManagedServer): Promise<boolean> {
    const { plan } = server;
    const record = this.records.get(plan.name);
    if (!record) return false;
    const process = record.fingerprint === plan.fingerprint ? ManagedProcess.adopt(plan.name, record) : undefined;
    if (process && (await server.adopt(process))) {
      this.records.delete(plan.name);
      this.say(`${plan.name} still runs (pid ${record.pid}), it is taken over`);
      return true;
    }
    await this.stop(record, plan);
    return false;
  }

  /** Stops every left process whose name passes; those of one call side by side. */
  async stopAll(passes: (name: string) => boolean, graceMs: number): Promise<void> {
    const chosen = [...this.records.values()].filter(({ name }) => passes(name));
    await Promise.all(chosen.map((record) => this.stop(record, { stop: { signal: 'SIGTERM', graceMs } })));
  }

  private async stop(record: ProcessRecord, { stop }: Pick<ServerPlan, 'stop'>): Promise<void> {
    this.records.delete(record.name);
    this.say(`stopping ${record.name} (pid ${record.pid}), left by an earlier start`);
    await stopRecorded(record, stop.signal, stop.graceMs);
  }
}
