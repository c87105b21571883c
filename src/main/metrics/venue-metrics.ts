/** What each venue's calls and streams come to, in the process that makes them. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { BreakerState } from '../../venues/circuit-breaker';
import type { SocketEvent } from '../../venues/socket';
import type { CallReport } from '../../venues/telemetry';
import { METRIC_NAMES } from './names';

/** From a venue beside us to the longest read; sends end at 1.5 s. */
const CALL_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2.5, 5, 10];

export class VenueMetrics {
  private readonly calls: Histogram<'venue' | 'call' | 'outcome'>;
  private readonly budget: Gauge<'venue'>;
  private readonly breaker: Gauge<'venue'>;
  private readonly gaps: Counter<'venue'>;
  private readonly drift: Counter<'venue'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.calls = new Histogram({
      name: METRIC_NAMES.venueCallSeconds,
      help: 'Time of each call of a venue, by its outcome (ok, refused, rateLimited, unavailable, unknown, error).',
      labelNames: ['venue', 'call', 'outcome'],
      buckets: CALL_BUCKETS_SECONDS,
      registers,
    });
    this.budget = new Gauge({ name: METRIC_NAMES.venueBudgetLeft, help: 'What is left of the venue\'s request budget, over all processes, after our latest call.', labelNames: ['venue'], registers });
    this.breaker = new Gauge({ name: METRIC_NAMES.venueBreaker, help: '1 while our circuit breaker keeps entries and reads from the venue, 0.5 while it tries one.', labelNames: ['venue'], registers });
    this.gaps = new Counter({ name: METRIC_NAMES.streamGaps, help: 'Times a venue\'s stream may have lost messages: what it is about is read again.', labelNames: ['venue'], registers });
    this.drift = new Counter({ name: METRIC_NAMES.schemaDrift, help: 'Messages and answers in which a venue said something its adapter does not know.', labelNames: ['venue'], registers });
  }

  /** Says 0 for a venue of which nothing happened yet: an alert on a rise needs a beginning. */
  begin(venues: Iterable<string>): void {
    for (const venue of venues) {
      this.gaps.inc({ venue }, 0);
      this.drift.inc({ venue }, 0);
      this.breaker.set({ venue }, 0);
    }
  }

  readonly onCall = ({ venue, call, outcome, latencyMs }: CallReport): void => this.calls.observe({ venue, call, outcome }, latencyMs / 1_000);

  readonly onBudget = (venue: string, remaining: number): void => this.budget.set({ venue }, remaining);

  readonly onBreakerChange = (venue: string, state: BreakerState): void => this.breaker.set({ venue }, state === 'open' ? 1 : state === 'closed' ? 0 : 0.5);

  readonly onDrift = (venue: string): void => this.drift.inc({ venue });

  readonly onSocketEvent = ({ kind, venue }: SocketEvent): void => {
    if (kind === 'gap') this.gaps.inc({ venue });
  };
}
