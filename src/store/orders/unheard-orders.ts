/**
 * Orders that may have been sent in a life of the database that is lost: they become rows that are UNKNOWN from the start, with
 * an attempt of which nothing is left but that it may have been sent. Nobody has its bytes, so nobody can send them again; the
 * venue is asked, as after any answer that was not heard.
 */
import { randomUUID } from 'node:crypto';
import { isoTime } from '../../domain/clock';
import type { RecordedCall } from '../../domain/order-store';
import { foldOrder } from './apply-evidence';
import type { ChangeSet } from '../change-set';
import { recordset } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { FillBook } from './fill-rows';
import type { Candidate } from './placing';

const WORDS = 'it may have been sent before the database was restored';

const UNHEARD = { id: 'text', userId: 'text', accountId: 'text', venue: 'text', isExit: 'boolean', sendBefore: 'timestamptz', venueDeadlineMs: 'bigint', at: 'timestamptz', orderId: 'text' } as const;

/** The attempt is reported and has no bytes: takeSend gives it to nobody. */
const INSERT_SQL = `
WITH r AS (SELECT * FROM ${recordset(UNHEARD, 1)}),
attempt AS (
  INSERT INTO attempts(id, user_id, account_id, venue, kind, is_exit, fence, key_id, wrapped_key, send_before, venue_deadline_ms, prepared_at, taken_at, reported_at, outcome, raw_answer)
  SELECT r."id", r."userId", r."accountId", r."venue", 'place', r."isExit", 1, '', ''::bytea, r."sendBefore", r."venueDeadlineMs", r."at", r."at", r."at", 'unknown', '${WORDS}' FROM r)
INSERT INTO attempt_orders(attempt_id, order_id, user_id, position) SELECT r."id", r."orderId", r."userId", 0 FROM r`;

/** Calls of orders that were just added, each of one order: sending such a call sends nothing. `sendBeforeMs`: no request of a lost life can arrive later. */
export async function recordUnheard(core: StoreCore, tx: Queryable, changes: ChangeSet, candidates: readonly Candidate[], sendBeforeMs: number): Promise<readonly RecordedCall[]> {
  if (candidates.length === 0) return [];
  const at = isoTime(core.clock.nowMs());
  const fillBook = new FillBook(changes);
  const calls: (RecordedCall & { readonly row: Readonly<Record<string, unknown>> })[] = [];
  for (const candidate of candidates) {
    const { account, order, books, intent } = candidate;
    if (order.state === 'DENIED') continue;
    foldOrder(account, { order, books }, [{ kind: 'outcomeUnknown', key: 'unknown/lostLife', message: WORDS, at }], changes, fillBook, core.markOf);
    const attemptId = randomUUID();
    const lastMs = Math.min(sendBeforeMs, Date.parse(intent.placeBefore));
    const venueDeadlineMs = Math.round(core.offsets.nowMs(intent.venue) + (lastMs - core.clock.nowMs()));
    const row = { id: attemptId, userId: account.userId, accountId: account.id, venue: intent.venue, isExit: order.reduceOnly, sendBefore: isoTime(lastMs), venueDeadlineMs, at, orderId: order.id };
    calls.push({ attemptId, venue: intent.venue, accountId: account.id, orderIds: [order.id], exit: order.reduceOnly, row });
  }
  if (calls.length > 0) await tx.rows(INSERT_SQL, JSON.stringify(calls.map(({ row }) => row)));
  return calls.map(({ row: _row, ...call }) => call);
}
