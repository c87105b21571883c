/** What a venue's clock shows, learned from the time stamps of its answers. */
import type { Clock } from '../domain/clock';

/** One answer: our clock before the request and after the answer, and the venue's stamp in between, all ms. */
export interface ClockSample {
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
  readonly venueTimeMs: number;
}

export class VenueClock {
  private offsetMs: number | null = null;

  constructor(private readonly clock: Clock) {}

  /**
   * The stamp was made between sending and receiving, so the true offset lies between `venue - received` and
   * `venue - sent`. An estimate inside that interval is kept (a slow answer tells nothing better); one outside moves to
   * its edge, so that a changed clock is followed at once.
   */
  observe(sample: ClockSample): void {
    const low = sample.venueTimeMs - sample.receivedAtMs;
    const high = sample.venueTimeMs - sample.sentAtMs;
    this.offsetMs = this.offsetMs === null ? (low + high) / 2 : Math.min(Math.max(this.offsetMs, low), high);
  }

  get measured(): boolean {
    return this.offsetMs !== null;
  }

  /** The venue's time now, ms. Throws RangeError before the first sample. */
  nowMs(): number {
    if (this.offsetMs === null) throw new RangeError('the venue clock was never measured: ask the venue for its time first');
    return Math.round(this.clock.nowMs() + this.offsetMs);
  }
}
