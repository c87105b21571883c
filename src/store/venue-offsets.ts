/**
 * How far each venue's clock is from ours, for the deadline inside a signed request. A transaction may not wait for a venue,
 * so the last measured offset is used and a new one is fetched beside it; our own clock where none is known yet.
 */
import type { Clock } from '../domain/clock';
import type { Venue } from '../domain/venue';

/** Clocks drift by milliseconds an hour; a step is noticed after this. */
const REFRESH_AFTER_MS = 30_000;
/** A venue that does not answer is asked again no sooner. */
const ASK_TIMEOUT_MS = 2_000;

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

  /** Asks the venue, at most once at a time. Never rejects. */
  async refresh(name: string): Promise<void> {
    const venue = this.venues.get(name);
    if (venue === undefined || this.asking.has(name)) return;
    this.asking.add(name);
    try {
      const venueMs = await venue.venueTimeMs({ signal: AbortSignal.timeout(ASK_TIMEOUT_MS), priority: 'read' });
      const nowMs = this.clock.nowMs();
      this.known.set(name, { offsetMs: Math.round(venueMs - nowMs), atMs: nowMs });
    } catch (error) {
      this.onError(name, error);
    } finally {
      this.asking.delete(name);
    }
  }
}
