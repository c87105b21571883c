/**
 * How far each venue's clock is from ours, for the deadline inside a signed request. A transaction may not wait for a venue,
 * so the last measured offset is used and a new one is fetched beside it; our own clock where none is known yet.
 */
import type { Clock } from '../../domain/clock';
import type { Venue } from '../../domain/venue';

/** Clocks drift by milliseconds an hour; a step is noticed after this. */
const REFRESH_AFTER_MS = 30_000;
/** A venue that does not answer is asked again no sooner. */
const ASK_TIMEOUT_MS = 2_000;
/** What a request that is made anew may wait for it: below what its own activity has left to send in. */
const RESYNC_WITHIN_MS = 500;

export class VenueOffsets {
  private readonly known = new Map<string, { readonly offsetMs: number; readonly atMs: number }>();
  private readonly asking = new Set<string>();

  constructor(
    private readonly venues: ReadonlyMap<string, Venue>,
    private readonly clock: Clock,
    private readonly onError: (venue: string, error: unknown) => void,
  ) {}

  /** The venue's time now, ms, as best known without asking. */
  nowMs(venue: string): number {
    const known = this.known.get(venue);
    const nowMs = this.clock.nowMs();
    if (known === undefined || nowMs - known.atMs > REFRESH_AFTER_MS) void this.refresh(venue);
    return nowMs + (known?.offsetMs ?? 0);
  }

  /**
   * Before a request is made anew: the last one may have been refused because a clock had moved, and with the old offset so
   * would this one be. A venue that does not answer soon is not waited for.
   */
  async resync(name: string): Promise<void> {
    await this.refresh(name, RESYNC_WITHIN_MS);
  }

  /** Asks the venue, at most once at a time. Never rejects. */
  async refresh(name: string, timeoutMs = ASK_TIMEOUT_MS): Promise<void> {
    const venue = this.venues.get(name);
    if (venue === undefined || this.asking.has(name)) return;
    this.asking.add(name);
    try {
      const venueMs = await venue.venueTimeMs({ signal: AbortSignal.timeout(timeoutMs), priority: 'read' });
      const nowMs = this.clock.nowMs();
      this.known.set(name, { offsetMs: Math.round(venueMs - nowMs), atMs: nowMs });
    } catch (error) {
      this.onError(name, error);
    } finally {
      this.asking.delete(name);
    }
  }
}
