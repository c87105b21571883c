/** Triggers of order lists, armed and amended under the list's lock: what is watched is what the list says, whoever decided by an older look. */
import { DomainError } from '../../domain/errors';
import { breakEvenTrigger, breakEvenTriggerId, legHasEnded, legTrigger, legTriggerId, type OrderList, type OrderListLeg } from '../../domain/order-list';
import { disproof, type Trigger, type TriggerIntent, type TriggerParameters } from '../../domain/trigger';
import type { ChangeSet } from '../change-set';
import { insertRows } from '../database/columns';
import type { Queryable } from '../database/database';
import { amendedTrigger, lockTrigger, lockTriggers, newTriggerRow, TRIGGER_COLUMNS, writeTrigger } from './trigger-rows';

/**
 * The triggers of amended legs become what their legs are now. Throws CONFLICT where a price has reached one already, though its
 * workflow does not know yet; a firing that does not hold sets nothing off, and the next trigger takes the new terms.
 */
export async function amendLegTriggers(tx: Queryable, changes: ChangeSet, before: OrderList, after: OrderList, nowMs: number): Promise<void> {
  const amended = after.legs.filter((leg) => leg.version !== before.legs[leg.n]?.version && legTrigger(leg) !== null);
  if (amended.length === 0) return;
  const triggers = new Map((await lockTriggers(tx, amended.flatMap((leg) => [legTriggerId(after.id, leg), breakEvenTriggerId(after.id, leg)]))).map((trigger) => [trigger.id, trigger]));
  for (const leg of amended) {
    const own = triggers.get(legTriggerId(after.id, leg));
    const moved = triggers.get(breakEvenTriggerId(after.id, leg));
    if (own !== undefined) assertNotReached(leg, own);
    if (moved !== undefined) assertNotReached(leg, moved);
    const parameters = legTrigger(leg);
    if (own?.status !== 'ARMED' || parameters === null) continue;
    const next = amendedTrigger(own, revisionOf(leg), parameters, nowMs);
    await writeTrigger(tx, next, nowMs);
    changes.triggerChanged(next.venue, next.revision);
  }
}

/**
 * Of a list that its workflow gave back to a restored database: its triggers become what its legs are, since the list was changed last at the
 * latest. One that has fired by older terms is left to the workflow; what waits no more is given up.
 */
export async function restoreLegTriggers(tx: Queryable, changes: ChangeSet, list: OrderList, nowMs: number): Promise<void> {
  const triggers = await lockTriggers(tx, list.legs.flatMap((leg) => [legTriggerId(list.id, leg), breakEvenTriggerId(list.id, leg)]));
  for (const trigger of triggers) {
    if (trigger.status !== 'ARMED') continue;
    const wanted = wantedAs(list, trigger.id);
    const next: Trigger | null = wanted === null ? { ...trigger, status: 'DISARMED' } : trigger.revision < wanted.revision ? amendedTrigger(trigger, wanted.revision, wanted.parameters, Math.min(Date.parse(list.updatedAt), nowMs)) : null;
    if (next === null) continue;
    await writeTrigger(tx, next, nowMs);
    changes.triggerChanged(next.venue, next.revision);
  }
}

/**
 * Arms one trigger of a leg with the terms the leg has now; prices count from when the leg became due. What was armed before is answered
 * as it is. null: the leg waits for it no more.
 */
export async function armLegTrigger(tx: Queryable, changes: ChangeSet, list: OrderList, intent: TriggerIntent, nowMs: number): Promise<Trigger | null> {
  const wanted = wantedAs(list, intent.id);
  if (wanted === null) return null;
  const row = { ...newTriggerRow({ ...intent, parameters: wanted.parameters }, nowMs, (await sinceMs(tx, list, wanted)) ?? nowMs), revision: wanted.revision };
  const inserted = await tx.rows(`${insertRows('triggers', TRIGGER_COLUMNS, 1)} ON CONFLICT (id) DO NOTHING RETURNING id`, JSON.stringify([row]));
  if (inserted.length > 0) changes.triggerChanged(intent.venue, wanted.revision);
  return lockTrigger(tx, intent.id);
}

interface Wanted {
  readonly leg: OrderListLeg;
  readonly isBreakEven: boolean;
  readonly parameters: TriggerParameters;
  readonly revision: number;
}

function wantedAs(list: OrderList, triggerId: string): Wanted | null {
  if (list.endedAt !== null || list.pendingCancel) return null;
  for (const leg of list.legs) {
    if (leg.triggered !== null || legHasEnded(leg) || leg.state === 'FILLED') continue;
    const [own, moved] = [legTrigger(leg), breakEvenTrigger(leg)];
    if (own !== null && triggerId === legTriggerId(list.id, leg)) return { leg, isBreakEven: false, parameters: own, revision: revisionOf(leg) };
    if (moved !== null && triggerId === breakEvenTriggerId(list.id, leg)) return { leg, isBreakEven: true, parameters: moved, revision: 1 };
  }
  return null;
}

/** Its workflow counts them the same way (workflows/state/order-list-triggers.ts). */
function revisionOf({ version }: OrderListLeg): number {
  return version + 1;
}

/** By the venue's times; an order whose fills are not booked yet tells when it was heard of. */
const FIRST_FILLS_SQL = `SELECT c.leg, min(coalesce(f.at, o.filled_at, o.updated_at)) AS first, max(coalesce(f.at, o.filled_at, o.updated_at)) AS last
  FROM order_list_children c JOIN orders o ON o.id = c.order_id LEFT JOIN fills f ON f.order_id = o.id WHERE c.order_list_id = $1 AND o.filled_quantity > 0 GROUP BY c.leg`;

/** When its terms were changed, or it was given back as it had been changed; through the partial index events_order_list_idx. */
const AMENDED_SQL = `SELECT max(e.data -> 'orderList' ->> 'updatedAt') AS at FROM events e WHERE left(e.type, 10) = 'orderList.' AND (e.data -> 'orderList' ->> 'id') = $1 AND e.type IN ('orderList.amended', 'orderList.created')`;

/**
 * Since when the price concerns it, ms; of amended terms nothing from before they were taken. null: since now, because the trigger before
 * it heard what was before.
 */
async function sinceMs(tx: Queryable, list: OrderList, wanted: Wanted): Promise<number | null> {
  const { leg, isBreakEven } = wanted;
  if (isBreakEven) return dueMs(tx, list, wanted);
  if (leg.triggerNumber > 0 && (await wasWatched(tx, list, wanted))) return null;
  const due = await dueMs(tx, list, wanted);
  if (due === null || (leg.version === 0 && leg.triggerNumber === 0)) return due;
  const [amended] = await tx.rows<{ at: string | null }>(AMENDED_SQL, list.id);
  // Where nobody knows any more when that was, nothing is read back: what was traded since the leg is due may be from before it.
  return amended?.at == null ? null : Math.max(due, Date.parse(amended.at));
}

/** Whether the trigger before it watched the terms that the leg has: one of a restored database had those of the backup, or is gone. */
async function wasWatched(tx: Queryable, list: OrderList, { leg, revision }: Wanted): Promise<boolean> {
  const before = await lockTrigger(tx, legTriggerId(list.id, { ...leg, triggerNumber: leg.triggerNumber - 1 }));
  return before !== null && before.revision >= revision;
}

/** An exit is due since its entry filled first, a moved stop since the take-profit that moved it, any other since its list was taken. */
async function dueMs(tx: Queryable, list: OrderList, { leg, isBreakEven }: Wanted): Promise<number | null> {
  const waitsForEntry = (list.type === 'BRACKET' || list.type === 'OTO') && leg.n > 0;
  if (!waitsForEntry) return Date.parse(list.createdAt);
  const fills = await tx.rows<{ leg: number; first: Date; last: Date }>(FIRST_FILLS_SQL, list.id);
  if (!isBreakEven) return fills.find((each) => each.leg === 0)?.first.getTime() ?? null;
  const profits = fills.filter((each) => list.legs[each.leg]?.role === 'takeProfit').map(({ last }) => last.getTime()).sort((a, b) => a - b);
  return profits[(list.breakEvenAfter ?? profits.length) - 1] ?? profits.at(-1) ?? null;
}

function assertNotReached({ n }: OrderListLeg, trigger: Trigger): void {
  if (trigger.status !== 'FIRED' || trigger.evidence === null || disproof(trigger, trigger.evidence) !== null) return;
  throw new DomainError('CONFLICT', `the price of leg ${n} has come already: it cannot be amended`);
}
