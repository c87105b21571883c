/** Figures of the HTTP edge. The registry is given in: other rooms register theirs in the same one. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** From a read answered from memory to the longest wait for an order. */
const DURATION_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface Observation {
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
  readonly errorCode: string | null;
}

export class ApiMetrics {
  private readonly durations: Histogram<'method' | 'route' | 'status'>;
  private readonly errors: Counter<'code' | 'route'>;

  constructor(readonly registry: Registry, waiting: () => number) {
    const registers = [registry];
    this.durations = new Histogram({ name: 'surefill_http_request_duration_seconds', help: 'Time from a request\'s arrival to the end of its answer.', labelNames: ['method', 'route', 'status'], buckets: DURATION_BUCKETS_SECONDS, registers });
    this.errors = new Counter({ name: 'surefill_http_errors_total', help: 'Errors answered, by the code of the error catalogue.', labelNames: ['code', 'route'], registers });
    new Gauge({
      name: 'surefill_http_waiting_orders',
      help: 'Requests that wait for their order\'s outcome.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  observe(observation: Observation): void {
    const { method, route, status, seconds, errorCode } = observation;
    this.durations.observe({ method, route, status: String(status) }, seconds);
    if (errorCode !== null) this.errors.inc({ code: errorCode, route });
  }
}
