/** Stores what fired and tells its workflow, until that acknowledges it. A database or a Temporal that is away is asked again. */
import { EpochLost, type WriterEpoch } from '../../domain/order-store';
import type { Trigger, TriggerEvidence } from '../../domain/trigger';
import type { TriggerEngineOptions } from './trigger-engine';

/** Between two tries to store or to tell while the other side is away. */
const RETRY_MS = 250;
/**
 * A workflow that does not exist may be one that a starting Temporal does not know yet (asked for again soon, then ever less often), or one
 * that a restored Temporal has lost and that comes back: it is asked for now and then, for an hour.
 */
const GONE_RETRY_MS = 5_000;
const GONE_FOR_GOOD_MS = 3_600_000;
/** Told again after so long without an acknowledgement: a lost signal costs seconds. */
const REPEAT_MS = 2_000;

export class TriggerMessenger {
  private writer: WriterEpoch | null = null;
  /** Being stored: of each trigger every revision that fired by itself, since the former may wait for the database while the next fires. */
  private readonly storing = new Map<string, Promise<void>>();
  /** Stored, and not acknowledged. */
  private readonly untold = new Map<string, { readonly workflowId: string; readonly evidence: TriggerEvidence; gone: number; told: boolean }>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private closed = false;

  constructor(
    private readonly options: Pick<TriggerEngineOptions, 'rows' | 'signal' | 'clock' | 'onTrouble' | 'onTold'>,
    /** It was amended meanwhile: what it is now waits for the next price. */
    private readonly armAgain: (trigger: Trigger) => void,
  ) {}

  begin(writer: WriterEpoch): void {
    this.writer = writer;
    for (const id of this.untold.keys()) void this.say(id);
  }

  fire(trigger: Trigger, evidence: TriggerEvidence): void {
    const firing = firingOf(trigger);
    if (this.storing.has(firing)) return;
    const stored = this.store(evidence).finally(() => this.storing.delete(firing));
    this.storing.set(firing, stored);
  }

  /** Stored by whoever, and not acknowledged. */
  tell({ id, workflowId, evidence }: Trigger): void {
    if (evidence === null || this.untold.has(id)) return;
    this.untold.set(id, { workflowId, evidence, gone: 0, told: false });
    if (this.writer !== null) void this.say(id);
  }

  /** Acknowledged. */
  forget(id: string): void {
    this.untold.delete(id);
    clearTimeout(this.timers.get(id));
    this.timers.delete(id);
  }

  /** Once everything that fired is stored, or this watcher was replaced. */
  async settled(): Promise<void> {
    await Promise.all(this.storing.values());
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    await this.settled();
  }

  private async store(evidence: TriggerEvidence): Promise<void> {
    const { writer } = this;
    while (!this.closed && writer !== null) {
      try {
        const { verdict, trigger: row } = await this.options.rows.fire(writer, evidence);
        if (verdict === 'stale') {
          if (row?.status !== 'ARMED') return;
          this.armAgain(row);
          // A price that was heard meanwhile may have fired what it is now: whoever waits for this one waits for that. Only ever for a later one, so never for itself.
          if (row.revision > evidence.revision) await this.storing.get(firingOf(row));
        } else if (row !== null && !row.acknowledged) this.tell(row);
        return;
      } catch (error) {
        // The successor sees the same prices, and those it missed it reads back.
        if (error instanceof EpochLost) return;
        this.options.onTrouble(error);
        await new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private async say(id: string): Promise<void> {
    const message = this.untold.get(id);
    if (message === undefined || this.closed) return;
    let againMs = REPEAT_MS;
    try {
      const heard = await this.options.signal(message.workflowId, message.evidence);
      if (heard === 'told' && !message.told) {
        message.told = true;
        this.options.onTold?.(message.evidence, this.options.clock.nowMs() - message.evidence.observedAtMs);
      }
      if (heard === 'gone') againMs = Math.min(RETRY_MS * 2 ** message.gone++, GONE_RETRY_MS);
      if (heard === 'gone' && this.options.clock.nowMs() - message.evidence.observedAtMs > GONE_FOR_GOOD_MS) {
        await this.options.rows.acknowledge(id);
        this.forget(id);
      }
    } catch (error) {
      this.options.onTrouble(error);
      againMs = RETRY_MS;
    }
    if (this.untold.has(id) && !this.closed) this.timers.set(id, setTimeout(() => void this.say(id), againMs));
  }
}

function firingOf({ id, revision }: Pick<Trigger, 'id' | 'revision'>): string {
  return `${id} ${revision}`;
}
