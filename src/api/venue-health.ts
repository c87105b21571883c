/** How a venue fares, as this server sees it: its market data as it arrives, and one public read. */
import { isoTime } from '../domain/clock';
import { DomainError } from '../domain/errors';
import { toDomainError } from './errors';
import { ExpiringCache } from './expiring-cache';
import { VENUE_HEALTH_CACHE_SIZE, VENUE_HEALTH_MAX_AGE_MS } from './limits';
import type { ApiPorts, VenueState } from './ports';

export interface VenueHealthReport {
  readonly venue: string;
  readonly status: VenueState['status'];
  readonly marketData: { readonly priced: number; readonly stale: number; readonly newestAgeMs: number | null };
  readonly request: { readonly status: 'ok' | 'failed'; readonly latencyMs: number; readonly error: string | null };
  readonly clockOffsetMs: number | null;
  readonly checkedAt: string;
}

type Probe = Pick<VenueHealthReport, 'request' | 'clockOffsetMs' | 'checkedAt'>;

export class VenueHealth {
  private readonly probes: ExpiringCache<Probe>;

  constructor(private readonly ports: Pick<ApiPorts, 'venues' | 'prices' | 'clock'>) {
    this.probes = new ExpiringCache({ maxAgeMs: VENUE_HEALTH_MAX_AGE_MS, maxEntries: VENUE_HEALTH_CACHE_SIZE, clock: ports.clock });
  }

  async of(state: VenueState): Promise<VenueHealthReport> {
    const prices = this.ports.prices.latest(state.name, null);
    const ages = prices.map(({ ageMs }) => ageMs);
    const probe = await this.probes.get(state.name, () => this.probe(state.name));
    if (probe === null) throw new Error('a probe always answers');
    const marketData = { priced: prices.length, stale: prices.filter(({ stale }) => stale).length, newestAgeMs: ages.length === 0 ? null : Math.min(...ages) };
    return { venue: state.name, status: state.status, marketData, ...probe };
  }

  /** A venue that is away is what was asked about, not a failure; an error of ours is. */
  private async probe(venue: string): Promise<Probe> {
    const { venues, clock } = this.ports;
    const startedAt = performance.now();
    const ended = (status: 'ok' | 'failed', error: string | null): Probe['request'] => ({ status, latencyMs: Math.round((performance.now() - startedAt) * 10) / 10, error });
    try {
      await venues.tickers(venue);
      const request = ended('ok', null);
      return { request, clockOffsetMs: Math.round((await venues.timeMs(venue)) - clock.nowMs()), checkedAt: isoTime(clock.nowMs()) };
    } catch (error) {
      const known: DomainError = toDomainError(error, false);
      if (known.code === 'INTERNAL') throw error;
      return { request: ended('failed', known.message), clockOffsetMs: null, checkedAt: isoTime(clock.nowMs()) };
    }
  }
}
