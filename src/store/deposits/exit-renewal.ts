/** A withdrawal from a venue that certainly had no effect is asked anew, under the next nonce of its credit: of the one before nothing can leave any more. */
import { isoTime } from '../../domain/clock';
import type { Deposit } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import { EXIT_TRIES, exitNonces } from '../../domain/venue-bridge';
import type { Queryable } from '../database/database';

/**
 * How long its bytes are sent: longer than a venue is ever away. The venue takes a nonce for two days, and one is at most a day old when it is
 * given, so that in all this time they are one withdrawal.
 */
export const EXIT_LIFE_MS = 72_000_000;

/**
 * Inside a transaction that holds the deposit's lock. What may have left, or was never begun, stays as it is. Throws CONFLICT where it was asked
 * too often: its nonces are used up.
 */
export async function renewExit(tx: Queryable, { id, destination }: Deposit, { atMs, venueTimeMs }: { readonly atMs: number; readonly venueTimeMs: (venue: string) => number }): Promise<void> {
  const [dead] = await tx.rows<{ tries: number }>(`SELECT x.tries FROM venue_exits x WHERE x.deposit_id = $1 AND (x.state = 'REFUSED' OR x.key_id IS NULL AND NOT x.doubted) FOR UPDATE`, id);
  if (dead === undefined) return;
  if (dead.tries >= EXIT_TRIES) throw new DomainError('CONFLICT', `it was asked ${EXIT_TRIES} times and refused: withdraw at the venue with the wallet that it belongs to`, { details: { tries: dead.tries } });
  const order = destination?.order ?? null;
  if (order?.credited == null) throw new Error(`deposit ${id} was asked back though its venue never credited it`);
  const nowMs = Math.trunc(venueTimeMs(order.list.venue));
  const { next } = exitNonces(order.credited, nowMs);
  // The count of sends goes on: what is told late of an earlier one is not of this.
  await tx.rows(
    `UPDATE venue_exits SET state = 'SENDING', tries = tries + 1, nonce = $4::numeric + tries, reason_code = NULL, reason_message = NULL, doubted = false, absences = 0, unclears = 0, key_id = NULL, wrapped_key = NULL, sealed = NULL,
       send_until_ms = $2::bigint, updated_at = $3::timestamptz WHERE deposit_id = $1`,
    id, nowMs + EXIT_LIFE_MS, isoTime(atMs), next,
  );
}
