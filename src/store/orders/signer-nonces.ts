/**
 * Signers whose venue takes nonces only one after the other. The newest request holds its signer (attempt-builder.ts)
 * until its nonce is known used or free: by its own answer, in the transaction that commits it, or by the venue's count.
 */
import { isoTime } from '../../domain/clock';
import type { NonceFate, OpenNonce } from '../../domain/nonce';
import type { AttemptReport } from '../../domain/order-store';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';

/** The request that holds a signer. */
export interface SignerHold extends OpenNonce {
  readonly signerId: string;
  readonly attemptId: string;
}

/**
 * What an answer proves of its nonce, under the account's lock. That the bytes never left is proof only from the newest
 * fence of their first attempt: of bytes sent again, the earlier ones may have left. A free nonce is the signer's next
 * again: where nonces are strict a gap would stop it for ever.
 */
export async function settleReported(tx: Queryable, signerId: string, report: Pick<AttemptReport, 'attemptId' | 'fence'>, fate: Exclude<NonceFate, 'open'>): Promise<void> {
  await tx.rows(
    `UPDATE signers SET open_attempt_id = NULL, last_nonce = last_nonce - CASE WHEN $4 THEN 1 ELSE 0 END
      WHERE id = $1 AND open_attempt_id = $2
        AND (NOT $4 OR EXISTS (SELECT 1 FROM attempts t WHERE t.id = $2 AND t.fence = $3::int AND t.resend_of IS NULL AND t.reported_at IS NULL AND t.superseded_at IS NULL))`,
    signerId, report.attemptId, report.fence, fate === 'free',
  );
}

/** The same bytes may have gone in several attempts, each of the same orders. */
const SAME_ORDERS = (attemptId: string): string => `SELECT other.attempt_id FROM attempt_orders own JOIN attempt_orders other ON other.order_id = own.order_id WHERE own.attempt_id = ${attemptId}`;

export class SignerNonces {
  constructor(private readonly core: StoreCore) {}

  /** The request that holds the account's signer, or null. */
  async holdOf(accountId: string): Promise<SignerHold | null> {
    const [row] = await this.core.database.rows<{ signerId: string; attemptId: string; nonce: string; isOver: boolean; venueDeadlineMs: number | null }>(
      `SELECT s.id AS "signerId", t.id AS "attemptId", t.nonce::text AS nonce, t.venue_deadline_ms::float8 AS "venueDeadlineMs",
              NOT EXISTS (SELECT 1 FROM attempts x WHERE x.id IN (${SAME_ORDERS('t.id')}) AND x.nonce = t.nonce AND (x.outcome IS NULL OR x.outcome = 'unknown')) AS "isOver"
         FROM accounts a JOIN signers s ON s.id = a.signer_id JOIN attempts t ON t.id = s.open_attempt_id WHERE a.id = $1`,
      accountId,
    );
    if (row === undefined) return null;
    return { ...row, nonce: BigInt(row.nonce) };
  }

  /**
   * Ends a hold. `venueNext`: the nonce the venue expects next; the signer goes on from there. The bytes of a free nonce are
   * recorded as never sent, and nobody may send them any more. Does nothing when another request holds the signer by now.
   */
  async settle(hold: SignerHold, fate: Exclude<NonceFate, 'open'>, venueNext: bigint): Promise<void> {
    await this.core.database.transaction(async (tx) => {
      const ended = await tx.rows('UPDATE signers SET open_attempt_id = NULL, last_nonce = $3::numeric WHERE id = $1 AND open_attempt_id = $2 RETURNING true AS ended', hold.signerId, hold.attemptId, String(venueNext - 1n));
      if (ended.length === 0 || fate === 'used') return;
      await tx.rows(
        `UPDATE attempts SET outcome = 'notSent', fence = fence + 1, superseded_at = coalesce(superseded_at, $2::timestamptz), reported_at = coalesce(reported_at, $2::timestamptz)
          WHERE id IN (${SAME_ORDERS('$1')}) AND nonce = $3::numeric AND (outcome IS NULL OR outcome = 'unknown')`,
        hold.attemptId, isoTime(this.core.clock.nowMs()), String(hold.nonce),
      );
    });
  }
}
