/** Entries wait while PostgreSQL and Temporal differ; cancels, exits and reads do not. */
import { DomainError } from '../domain/errors';
import type { HealthPort } from './ports';

/** A recovery takes seconds where nothing is far behind; asking each second finds its end. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Throws SERVICE_UNAVAILABLE. Its outcome is `unknown`: this may be the repeat of an order that was placed before, and whose row
 * is not back yet.
 */
export function assertEntriesPass(health: Pick<HealthPort, 'entriesHeld'>, accountId: string): void {
  const held = health.entriesHeld(accountId);
  if (held !== null) throw new DomainError('SERVICE_UNAVAILABLE', `entries are held back: ${held}`, { outcome: 'unknown', retryAfterSeconds: RETRY_AFTER_SECONDS, details: { entries: 'held' } });
}
