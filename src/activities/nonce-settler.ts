/**
 * Finds out what became of the nonce that holds a signer. Only where nonces are strict: there every request of the signer
 * waits until the one before it is known to have used its nonce, or never to use it.
 */
import { nonceFate, type NonceFate, type OpenNonce } from '../domain/nonce';
import type { Venue, VenueCredentials } from '../domain/venue';
import { VenueError } from '../domain/venue-errors';

export interface NonceHold extends OpenNonce {
  readonly signerId: string;
  readonly attemptId: string;
}

export interface NonceSettlerPorts {
  readonly nonces: {
    holdOf(accountId: string): Promise<NonceHold | null>;
    settle(hold: NonceHold, fate: Exclude<NonceFate, 'open'>, venueNext: bigint): Promise<void>;
  };
  credentials(accountId: string): Promise<VenueCredentials>;
}

/** Two reads: with what comes after them they fit into the activity's 10 s. */
const ASK_TIMEOUT_MS = 3_000;

export class NonceSettler {
  constructor(private readonly ports: NonceSettlerPorts) {}

  /** Settles as far as the venue's count allows; the hold stays when it tells nothing yet, or cannot be read. */
  async settle(venue: Venue, accountId: string, signal: AbortSignal): Promise<void> {
    if (!venue.capabilities.strictNonces) return;
    const hold = await this.ports.nonces.holdOf(accountId);
    if (hold === null) return;
    const session = venue.session(await this.ports.credentials(accountId));
    if (session.nextNonce === undefined) throw new Error(`the adapter of ${venue.name} says its nonces are strict but has no nextNonce: they can never be settled`);
    const options = { signal: AbortSignal.any([signal, AbortSignal.timeout(ASK_TIMEOUT_MS)]), priority: 'exit' } as const;
    try {
      // The clock first: what is used afterwards was used after it.
      const venueTimeMs = await venue.venueTimeMs(options);
      const venueNext = await session.nextNonce(options);
      const fate = nonceFate(hold, venueNext, venueTimeMs, venue.capabilities.absenceFinalAfterMs);
      if (fate !== 'open') await this.ports.nonces.settle(hold, fate, venueNext);
    } catch (error) {
      if (!(error instanceof VenueError)) throw error;
    }
  }
}
