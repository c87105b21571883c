/** Events of a user's own stream: what belongs to no account. */
import { userStream, type EventDraft } from '../domain/events';
import { insertRows } from './columns';
import { EVENT_CHANNEL } from './commit-announcer';
import type { Transaction } from './database';
import { EVENT_COLUMNS } from './tables';

/** Locks the user's row until the transaction ends: call it after other locks are taken. Told to all processes by the commit. */
export async function appendUserEvent(tx: Transaction, userId: string, draft: EventDraft, at: string): Promise<void> {
  const [row] = await tx.rows<{ sequence: number }>('UPDATE users SET event_sequence = event_sequence + 1 WHERE id = $1 RETURNING event_sequence::float8 AS sequence', userId);
  if (row === undefined) throw new Error(`user ${userId} does not exist`);
  const stream = userStream(userId);
  await tx.rows(insertRows('events', EVENT_COLUMNS, 1), JSON.stringify([{ stream, userId, accountId: null, sequence: row.sequence, type: draft.type, at, orderId: draft.orderId, data: draft.data }]));
  await tx.rows('SELECT pg_notify($1, $2)::text AS told', EVENT_CHANNEL, `${stream} ${row.sequence}`);
}
