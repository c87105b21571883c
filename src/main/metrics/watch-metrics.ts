/** What the watchers' audits find. */
import { Counter, type Registry } from 'prom-client';
import type { Mismatch } from '../../activities/account-ports';
import { METRIC_NAMES } from './names';

const KINDS: readonly Mismatch[] = ['order', 'fill', 'position'];

export class WatchMetrics {
  private readonly mismatches: Counter<'kind'>;

  constructor(registry: Registry) {
    this.mismatches = new Counter({ name: METRIC_NAMES.mismatches, help: 'Orders, fills and positions that an audit found and the stream had not brought.', labelNames: ['kind'], registers: [registry] });
    for (const kind of KINDS) this.mismatches.inc({ kind }, 0);
  }

  mismatch(kind: Mismatch, count: number): void {
    this.mismatches.inc({ kind }, count);
  }
}
