/** The venue's clock: the machine's, plus an offset that tests set and skews that faults add. Milliseconds since 1970. */
export class VenueClock {
  /** Set through the control API; survives a restart through the journal. */
  offsetMs = 0;
  /** Sum of the armed skewClock faults. */
  skewMs = 0;

  constructor(private readonly realNow: () => number) {}

  /** What the venue says the time is. */
  now(): number {
    return this.realNow() + this.offsetMs + this.skewMs;
  }

  /** Sets the clock so that it shows `nowMs` and goes on from there. */
  setNow(nowMs: number): void {
    this.offsetMs = nowMs - this.realNow();
  }
}
