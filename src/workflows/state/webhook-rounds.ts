/** What the workflow of a webhook endpoint remembers of its rounds, and how it reads to an operator. */
import type { DeliveryRound } from '../../activities/webhook-deliverer';

export class WebhookRounds {
  private delivered = 0;
  private failed = 0;
  private last: DeliveryRound | null = null;
  private hinted = false;

  hint(): void {
    this.hinted = true;
  }

  /** Before a round: what is hinted from now on is for the next one. */
  begin(): void {
    this.hinted = false;
  }

  end(round: DeliveryRound): void {
    this.last = round;
    this.delivered += round.delivered;
    this.failed += round.failed;
  }

  get isHinted(): boolean {
    return this.hinted;
  }

  get isDeleted(): boolean {
    return this.last?.state === 'deleted';
  }

  /** ms until the next round, unless hinted. */
  get waitMs(): number {
    return this.last?.waitMs ?? 0;
  }

  details(): string {
    const { last } = this;
    if (last === null) return 'begins';
    const counts = `${this.delivered} delivered and ${this.failed} attempts failed in this run; ${last.waiting} wait`;
    if (last.state === 'deleted') return `deleted; ${counts}`;
    if (last.state === 'disabled') return `**disabled** (${last.disabledReason ?? 'by its owner'}): ${last.url}; ${counts}`;
    return `${last.url}: ${counts}${last.breakerOpenUntil === null ? '' : `; left alone until ${last.breakerOpenUntil} after failures in a row`}`;
  }
}
