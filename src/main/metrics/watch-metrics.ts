/** What the watchers' audits find, and how late their triggers are. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { Mismatch } from '../../activities/account-ports';
import { METRIC_NAMES } from './names';

/** From a signal at once to an outage. */
const LAG_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600];

const KINDS: readonly Mismatch[] = ['order', 'fill', 'position'];

export class WatchMetrics {
  private readonly mismatches: Counter<'kind'>;
  private readonly lag: Histogram<'venue'>;
  private readonly unread: Counter<'venue'>;

  constructor(registry: Registry) {
    this.mismatches = new Counter({ name: METRIC_NAMES.mismatches, help: 'Orders, fills and positions that an audit found and the stream had not brought.', labelNames: ['kind'], registers: [registry] });
    this.lag = new Histogram({ name: METRIC_NAMES.triggerLagSeconds, help: 'From the price that fired a trigger, as it was heard, to the signal that its workflow has.', labelNames: ['venue'], buckets: LAG_BUCKETS_SECONDS, registers: [registry] });
    this.unread = new Counter({ name: METRIC_NAMES.triggerPastUnread, help: 'Markets whose past a venue did not tell to triggers that missed prices: they are asked for again.', labelNames: ['venue'], registers: [registry] });
    for (const kind of KINDS) this.mismatches.inc({ kind }, 0);
  }

  triggerTold(venue: string, lagMs: number): void {
    this.lag.observe({ venue }, Math.max(0, lagMs) / 1_000);
  }

  pastUnread(venue: string): void {
    this.unread.inc({ venue });
  }

  mismatch(kind: Mismatch, count: number): void {
    this.mismatches.inc({ kind }, count);
  }
}
