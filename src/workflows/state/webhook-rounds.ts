/** What the workflow of a webhook endpoint remembers of its rounds, and how it reads to an operator. */
import type { DeliveryRound } from '../../activities/webhook-deliverer';
import { SendingRounds } from './sending-rounds';

export class WebhookRounds extends SendingRounds<DeliveryRound> {
  get isDeleted(): boolean {
    return this.last?.state === 'deleted';
  }

  details(): string {
    const { last } = this;
    if (last === null) return 'begins';
    const counts = this.countsWith(last);
    if (last.state === 'deleted') return `deleted; ${counts}`;
    if (last.state === 'disabled') return `**disabled** (${last.disabledReason ?? 'by its owner'}): ${last.url}; ${counts}`;
    return `${last.url}: ${counts}${last.breakerOpenUntil === null ? '' : `; left alone until ${last.breakerOpenUntil} after failures in a row`}`;
  }
}
