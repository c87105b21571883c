/** The right to send an attempt, and the report of what came of it. */
import { isoTime } from '../../domain/clock';
import type { AppliedOrder, AttemptReport, OrderEvidence, SendRight } from '../../domain/order-store';
import { applyToLocked, lockForEvidence } from './apply-evidence';
import { plainRow } from '../database/columns';
import { change, type StoreCore } from '../core';
import type { Parameter, Queryable } from '../database/database';
import { FenceChecks } from './fence-checks';
import { lockAccountOfAttempt, orderOf, ORDER_SELECT, type LockedAccount } from '../database/locks';
import { settleReported } from './signer-nonces';
import type { SendRights } from './send-rights';

/** Evidence that says "no" or "I do not know": only the newest fence may give it. What the venue shows is evidence from anyone. */
const OF_NEWEST_FENCE_ONLY: ReadonlySet<OrderEvidence['evidence']['kind']> = new Set(['refused', 'notSent', 'outcomeUnknown', 'neverPlaced', 'cancelRefused', 'amendRefused']);

/** Writes how an attempt ended, if the reporter holds its newest fence; parameters from $n on. */
function writeOutcome(n: number): string {
  return `UPDATE attempts SET reported_at = coalesce(reported_at, $${n + 2}::timestamptz), outcome = $${n + 3}, latency_ms = $${n + 4}::float8, venue_time_ms = $${n + 5}::bigint, raw_answer = $${n + 6}, taken_at = coalesce(taken_at, $${n + 7}::timestamptz)
           WHERE id = $${n} AND fence = $${n + 1}::int AND superseded_at IS NULL RETURNING true AS newest`;
}

interface TakenRow {
  readonly fence: number;
  readonly venue: string;
  readonly accountId: string;
  readonly sendBefore: string;
}

export class Sending {
  private readonly fences: FenceChecks;

  constructor(
    private readonly core: StoreCore,
    private readonly rights: SendRights,
  ) {
    this.fences = new FenceChecks(core.database);
  }

  /** null: already reported, a newer attempt took its place, or a restored database lost it. `maybeSent`: someone else may have sent its bytes, which stay sealed: also where nobody can open them any more, the venue can be asked. */
  async takeSend(attemptId: string): Promise<SendRight | null> {
    const first = this.rights.take(attemptId);
    if (first !== null) return first;
    const taken = await this.core.database.transaction(async (tx) => {
      // Of a life of the database that is lost: it may have been sent then, so its order is asked about.
      if ((await lockAccountOfAttempt(tx, attemptId)) === null) return null;
      const [row] = await tx.rows(
        `UPDATE attempts SET fence = fence + 1, taken_at = $2::timestamptz WHERE id = $1 AND reported_at IS NULL AND superseded_at IS NULL
         RETURNING fence, venue, account_id AS "accountId", send_before AS "sendBefore"`,
        attemptId,
        isoTime(this.core.clock.nowMs()),
      );
      if (row === undefined) return null;
      const orders = await tx.rows(
        `WITH raised AS (UPDATE orders SET fence = fence + 1 WHERE id IN (SELECT m.order_id FROM attempt_orders m WHERE m.attempt_id = $1) RETURNING id)
         SELECT ${ORDER_SELECT} FROM orders o JOIN attempt_orders m ON m.order_id = o.id WHERE m.attempt_id = $1 ORDER BY m.position`,
        attemptId,
      );
      return { row: plainRow(row) as unknown as TakenRow, orders: orders.map(orderOf) };
    });
    if (taken === null) return null;
    const { row, orders } = taken;
    return { attemptId, fence: row.fence, venue: row.venue, accountId: row.accountId, orders, sendBeforeMs: Date.parse(row.sendBefore), maybeSent: true };
  }

  /** One indexed read, immediately before the socket write. */
  holdsFence(attemptId: string, fence: number): Promise<boolean> {
    return this.fences.holds(attemptId, fence);
  }

  /** Commits how the send ended, its evidence and its events. */
  async report(report: AttemptReport): Promise<readonly AppliedOrder[]> {
    this.rights.drop(report.attemptId);
    const taken = this.rights.wasTaken(report.attemptId);
    return change(this.core, taken === null ? [] : [taken.accountId], async (tx, changes) => {
      const locking = lockAccountOfAttempt(tx, report.attemptId);
      // A signer is locked between account and orders.
      if (report.nonce !== undefined) await this.settleNonce(tx, await locking, report, report.nonce);
      const answer = report.answer;
      const outcome: Parameter[] = [report.attemptId, report.fence, isoTime(this.core.clock.nowMs()), report.outcome, answer?.latencyMs ?? null, answer?.venueTimeMs ?? null, answer?.raw ?? null, taken === null ? null : isoTime(taken.atMs)];
      // Sent together, done in this order: account first, then orders.
      const [account, locked] = await Promise.all([
        locking,
        report.evidence.length === 0 ? tx.rows(writeOutcome(1), ...outcome).then(() => null) : lockForEvidence(tx, report.evidence, { with: `held AS (${writeOutcome(3)})`, column: '(SELECT true FROM held) AS newest', parameters: outcome }),
      ]);
      if (account === null) throw new Error(`attempt ${report.attemptId} is not recorded`);
      if (locked === null) return [];
      const evidence = locked.first?.['newest'] === true ? report.evidence : report.evidence.filter((item) => !OF_NEWEST_FENCE_ONLY.has(item.evidence.kind));
      return applyToLocked(tx, new Map([[account.id, account]]), locked, evidence, changes, this.core.markOf);
    });
  }

  private async settleNonce(tx: Queryable, account: LockedAccount | null, report: AttemptReport, fate: NonNullable<AttemptReport['nonce']>): Promise<void> {
    if (account !== null && this.core.venues.get(account.venue)?.capabilities.strictNonces === true) await settleReported(tx, account.signerId, report, fate);
  }
}
