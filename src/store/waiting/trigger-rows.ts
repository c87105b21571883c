/** A trigger's row: how it is made, read and changed by whoever holds it. An order that waits is accepted and amended together with it. */
import { isoTime } from '../../domain/clock';
import { carriedExtreme, orderTriggerId, sameParameters, type Trigger, type TriggerIntent, type TriggerParameters } from '../../domain/trigger';
import { columnName, pick, plainRow, recordset, selectList, type Columns } from '../database/columns';
import type { Queryable, Row } from '../database/database';

const PARAMETER_COLUMNS = {
  kind: 'text', priceType: 'text', direction: 'text', triggerPrice: 'numeric', trailingOffset: 'numeric', trailingOffsetType: 'text', activationPrice: 'numeric', gapPolicy: 'text',
} as const satisfies Columns;

export const TRIGGER_COLUMNS = {
  id: 'text', userId: 'text', accountId: 'text', workflowId: 'text', venue: 'text', symbol: 'text', ...PARAMETER_COLUMNS,
  revision: 'integer', status: 'text', extreme: 'numeric', armedAtMs: 'bigint', checkpointAtMs: 'bigint', evidence: 'jsonb', acknowledged: 'boolean', changedAt: 'timestamptz',
} as const satisfies Columns;

export const TRIGGER_SELECT = selectList(TRIGGER_COLUMNS, 't');

/** What is told on EVENT_CHANNEL of a venue's triggers: `<this> <revision>`. */
export function triggerNotice(venue: string): string {
  return `triggers:${venue}`;
}

/** As it is inserted. `sinceMs`: from when on prices count for it; a time to come counts as now. */
export function newTriggerRow({ parameters, ...names }: TriggerIntent, nowMs: number, sinceMs: number = nowMs, revision = 1): Readonly<Record<string, unknown>> {
  return pick(TRIGGER_COLUMNS, { ...names, ...parameters, revision, status: 'ARMED', extreme: null, armedAtMs: nowMs, checkpointAtMs: Math.min(sinceMs, nowMs), evidence: null, acknowledged: false, changedAt: isoTime(nowMs) });
}

export async function lockTrigger(tx: Queryable, id: string): Promise<Trigger | null> {
  const [row] = await tx.rows(`SELECT ${TRIGGER_SELECT} FROM triggers t WHERE t.id = $1 FOR UPDATE`, id);
  return row === undefined ? null : triggerOfRow(row);
}

/** Of an order that waits: another trigger follows only where what fired one did not hold. */
export async function lockNewestTrigger(tx: Queryable, orderId: string): Promise<Trigger | null> {
  let newest: Trigger | null = null;
  for (let n = 0; newest?.status !== 'ARMED'; n += 1) {
    const next = await lockTrigger(tx, orderTriggerId(orderId, n));
    if (next === null) break;
    newest = next;
  }
  return newest;
}

/** Those that exist, locked by id, as a watcher that stores their marks does. */
export async function lockTriggers(tx: Queryable, ids: readonly string[]): Promise<readonly Trigger[]> {
  return (await tx.rows(`SELECT ${TRIGGER_SELECT} FROM triggers t WHERE t.id = ANY($1::text[]) ORDER BY t.id FOR UPDATE`, ids)).map(triggerOfRow);
}

/**
 * An armed one with new terms. Prices of before `sinceMs` say nothing of them: whoever reads back after an outage begins there, unless they are
 * the old ones.
 */
export function amendedTrigger(before: Trigger, revision: number, parameters: TriggerParameters, sinceMs: number): Trigger {
  const checkpointAtMs = sameParameters(before.parameters, parameters) ? before.checkpointAtMs : sinceMs;
  return { ...before, parameters, revision, extreme: carriedExtreme(before.parameters, parameters, before.extreme), checkpointAtMs };
}

/** Everything of it that can change. */
export async function writeTrigger(tx: Queryable, { id, parameters, ...rest }: Trigger, nowMs: number): Promise<void> {
  const set = { ...PARAMETER_COLUMNS, revision: 'integer', status: 'text', extreme: 'numeric', checkpointAtMs: 'bigint', evidence: 'jsonb', acknowledged: 'boolean', changedAt: 'timestamptz' } as const;
  const assignments = Object.keys(set).map((field) => `${columnName(field)} = r."${field}"`).join(', ');
  const row = pick({ id: 'text', ...set }, { id, ...parameters, ...rest, changedAt: isoTime(nowMs) });
  await tx.rows(`UPDATE triggers t SET ${assignments} FROM ${recordset({ id: 'text', ...set }, 1)} WHERE t.id = r."id" RETURNING t.id`, JSON.stringify([row]));
}

export function triggerOfRow(row: Row): Trigger {
  const plain = plainRow(row) as Record<string, unknown>;
  const { id, userId, accountId, workflowId, venue, symbol, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged } = plain;
  const parameters = pick(PARAMETER_COLUMNS, plain);
  return { id, userId, accountId, workflowId, venue, symbol, parameters, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged } as unknown as Trigger;
}
