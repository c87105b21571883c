/** What attempts to send alerts to people came to, counted once it is committed. */
import { Counter, type Registry } from 'prom-client';
import type { SendOutcome } from '../../domain/alert-delivery';
import { METRIC_NAMES } from './names';

const OUTCOMES: readonly SendOutcome['kind'][] = ['delivered', 'retry', 'paused', 'refused', 'disable', 'moved', 'interrupted'];

export class AlertMetrics {
  private readonly messages: Counter<'outcome'>;

  constructor(registry: Registry) {
    this.messages = new Counter({
      name: METRIC_NAMES.alertMessages,
      help: 'Attempts to send alerts to Telegram and by e-mail: delivered, retry (failed, due again later), paused (asked for a pause), refused (never taken), disable (the channel is shut), moved (the chat has another id), interrupted (cut by our own end).',
      labelNames: ['outcome'],
      registers: [registry],
    });
    for (const outcome of OUTCOMES) this.messages.inc({ outcome }, 0);
  }

  readonly onEnd = (outcome: SendOutcome['kind']): void => this.messages.inc({ outcome });
}
