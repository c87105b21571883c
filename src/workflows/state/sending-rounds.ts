/** What a workflow that sends in rounds remembers of them: how the last one ended, what this run came to, and whether somebody hinted. */

/** What of a round concerns every sender. */
export interface SentRound {
  readonly delivered: number;
  readonly failed: number;
  readonly waiting: number;
  /** ms until the next round, unless hinted. */
  readonly waitMs: number;
}

export class SendingRounds<Round extends SentRound> {
  protected last: Round | null = null;
  private delivered = 0;
  private failed = 0;
  private hinted = false;

  hint(): void {
    this.hinted = true;
  }

  /** Before a round: what is hinted from now on is for the next one. */
  begin(): void {
    this.hinted = false;
  }

  end(round: Round): void {
    this.last = round;
    this.delivered += round.delivered;
    this.failed += round.failed;
  }

  get isHinted(): boolean {
    return this.hinted;
  }

  /** ms until the next round, unless hinted. */
  get waitMs(): number {
    return this.last?.waitMs ?? 0;
  }

  /** For operators. */
  protected countsWith({ waiting }: Round): string {
    return `${this.delivered} delivered and ${this.failed} attempts failed in this run; ${waiting} wait`;
  }
}
