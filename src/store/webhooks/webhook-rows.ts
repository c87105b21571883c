/** What delivering reads and writes of an endpoint: its row under its lock, and attempts as they ended. */
import { accountStream, userStream } from '../../domain/events';
import type { AttemptEnd, AttemptOutcome, WebhookEndpoint } from '../../domain/webhook';
import { plainRow, selectList, updateRows } from '../database/columns';
import type { Row, Transaction } from '../database/database';
import { EVENT_COLUMNS } from '../database/tables';
import { WEBHOOK_SELECT } from './webhooks';

export interface ClaimedDelivery {
  readonly id: string;
  readonly number: number;
  readonly eventType: string;
  readonly body: string;
}

export interface SettledAttempt {
  readonly id: string;
  /** Of the attempt. */
  readonly number: number;
  readonly outcome: AttemptOutcome;
}

/** How things stand with an endpoint; `deleted`: it is no more. */
export interface EndpointState {
  readonly state: 'enabled' | 'disabled' | 'deleted';
  readonly url: string;
  readonly waiting: number;
  readonly breakerOpenUntil: string | null;
  readonly disabledReason: string | null;
}

export interface DeliveryStep extends EndpointState {
  readonly claims: readonly ClaimedDelivery[];
  /** What the attempts that were written came to. */
  readonly ends: readonly AttemptEnd[];
  /** When the next attempt is due, ms since the epoch; null: nothing waits. */
  readonly nextDueAtMs: number | null;
}

export interface LockedEndpoint extends WebhookEndpoint {
  readonly waiting: number;
  readonly lastNumber: number;
  readonly failuresInARow: number;
  readonly breakerTrips: number;
  readonly rateTokens: number | null;
  readonly rateAt: string | null;
  readonly toldFailingAt: string | null;
  readonly toldExhaustedAt: string | null;
}

const LOCK_SQL = `SELECT ${WEBHOOK_SELECT}, w.last_number::float8 AS "lastNumber", w.failures_in_a_row AS "failuresInARow", w.breaker_trips AS "breakerTrips", w.rate_tokens AS "rateTokens", w.rate_at AS "rateAt", w.told_failing_at AS "toldFailingAt", w.told_exhausted_at AS "toldExhaustedAt" FROM webhook_endpoints w WHERE w.id = $1 AND w.deleted_at IS NULL FOR UPDATE`;
const ATTEMPT_SETTLE = { deliveryId: 'text', number: 'integer', code: 'integer', latencyMs: 'float8', errorClass: 'text', answer: 'text' } as const;

/** What the streams of user $1 have beyond endpoint $2's cursors, $3 rows at most. */
export const UNREAD_SQL = (generation: string): string => `SELECT x.*, ${generation} AS generation
  FROM (SELECT '${accountStream('')}' || a.id AS stream FROM accounts a WHERE a.user_id = $1 UNION ALL SELECT '${userStream('')}' || $1) s
  LEFT JOIN webhook_cursors c ON c.endpoint_id = $2 AND c.stream = s.stream
  CROSS JOIN LATERAL (SELECT ${selectList(EVENT_COLUMNS, 'e')} FROM events e WHERE e.stream = s.stream AND e.sequence > coalesce(c.sequence, 0) ORDER BY e.sequence LIMIT $3::int) x
  LIMIT $3::int`;

export async function lockEndpoint(tx: Transaction, endpointId: string): Promise<LockedEndpoint | null> {
  const [row] = await tx.rows<Row>(LOCK_SQL, endpointId);
  return row === undefined ? null : (plainRow(row) as unknown as LockedEndpoint);
}

export async function settleAttempts(tx: Transaction, settled: readonly SettledAttempt[]): Promise<void> {
  const rows = settled.map(({ id, number, outcome: { code, latencyMs, errorClass, answer } }) => ({ deliveryId: id, number, code, latencyMs, errorClass, answer }));
  if (rows.length > 0) await tx.rows(updateRows('webhook_attempts', ATTEMPT_SETTLE, ['deliveryId', 'number'], 1), JSON.stringify(rows));
}
