/** What attempts to deliver webhooks came to, counted once it is committed. */
import { Counter, type Registry } from 'prom-client';
import { ATTEMPT_ENDS, type AttemptEnd } from '../../domain/webhook';
import { METRIC_NAMES } from './names';

export class WebhookMetrics {
  private readonly deliveries: Counter<'outcome'>;

  constructor(registry: Registry) {
    this.deliveries = new Counter({
      name: METRIC_NAMES.webhookDeliveries,
      help: 'Attempts to deliver a webhook: delivered, retried (failed, due again later), exhausted (failed for the last time), interrupted (cut by our own end, due again at once).',
      labelNames: ['outcome'],
      registers: [registry],
    });
    for (const outcome of ATTEMPT_ENDS) this.deliveries.inc({ outcome }, 0);
  }

  readonly onEnd = (outcome: AttemptEnd): void => this.deliveries.inc({ outcome });
}
