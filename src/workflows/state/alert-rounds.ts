/** What the workflows of alerts remember of their rounds, and how it reads to an operator. */
import type { ChannelRound } from '../../activities/alert-deliverer';
import type { JudgingRound } from '../../activities/alert-judge';
import { SendingRounds } from './sending-rounds';

/** A user's rules: events are judged in rounds; what fired since the last one is looked at in the next. */
export class JudgingRounds {
  private last: JudgingRound | null = null;
  private raised = 0;
  private hinted = false;
  private readonly fired = new Set<string>();

  hint(): void {
    this.hinted = true;
  }

  crossed(triggerId: string): void {
    this.fired.add(triggerId);
    this.hinted = true;
  }

  /** Before a round: what is hinted from now on is for the next one. Answers what fired. */
  begin(): readonly string[] {
    this.hinted = false;
    const fired = [...this.fired];
    this.fired.clear();
    return fired;
  }

  end(round: JudgingRound): void {
    this.last = round;
    this.raised += round.raised;
  }

  get isHinted(): boolean {
    return this.hinted;
  }

  /** No rule is enabled, and nobody said that this changed. */
  get isOver(): boolean {
    return this.last?.rules === 0 && !this.hinted;
  }

  get waitMs(): number {
    return this.last?.waitMs ?? 0;
  }

  details(): string {
    return this.last === null ? 'begins' : `${this.last.rules} rules; ${this.raised} alerts raised in this run`;
  }
}

/** A channel: what waits is sent in rounds. */
export class ChannelRounds extends SendingRounds<ChannelRound> {
  /** Nothing waits, or nothing may be sent: whoever changes that hints, and so starts it again. */
  get isOver(): boolean {
    return this.last !== null && this.last.state !== 'waiting' && !this.isHinted;
  }

  details(): string {
    const { last } = this;
    if (last === null) return 'begins';
    const counts = this.countsWith(last);
    if (last.state === 'deleted') return `deleted; ${counts}`;
    return last.state === 'disabled' ? `**disabled** (${last.disabledReason ?? 'by its owner'}): ${last.name}; ${counts}` : `${last.name}: ${counts}`;
  }
}
