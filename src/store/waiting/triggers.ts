/**
 * Triggers as workflows arm them and watchers fire them. Each call is one transaction that holds one trigger's row; a watcher's holds
 * its epoch row FOR SHARE first. After each change the venue's watcher is told to read again; a lost word costs a re-read's interval.
 */
import { isoTime } from '../../domain/clock';
import type { Trigger, TriggerEvidence, TriggerIntent, TriggerParameters } from '../../domain/trigger';
import type { WriterEpoch } from '../../domain/order-store';
import { insertRows, recordset } from '../database/columns';
import { notification } from '../commit-announcer';
import { holdEpoch, type StoreCore } from '../core';
import type { Statement, Transaction } from '../database/database';
import { amendedTrigger, lockTrigger, newTriggerRow, TRIGGER_COLUMNS, TRIGGER_SELECT, triggerNotice, triggerOfRow, writeTrigger } from './trigger-rows';

/** Written as the partial index triggers_waiting_idx has it. */
const WAITING_SQL = `(t.status = 'ARMED' OR (t.status = 'FIRED' AND NOT t.acknowledged))`;

/** Where a trailing trigger has got to, for whoever watches it next. */
export interface TriggerMark {
  readonly id: string;
  readonly revision: number;
  readonly extreme: string;
  readonly checkpointAtMs: number;
}

/** `fired`: stored now; `repeated`: it was stored before; `stale`: amended, disarmed or gone, so nothing fires. */
export interface FireResult {
  readonly verdict: 'fired' | 'repeated' | 'stale';
  readonly trigger: Trigger | null;
}

export class Triggers {
  constructor(private readonly core: StoreCore) {}

  /**
   * Arming what was armed before changes nothing. Answers the row as it is: it may have fired already. `sinceMs`: from when on prices count
   * for it, where that was before it could be armed. `revision`: of its terms; absent: the first.
   */
  async arm(intent: TriggerIntent, sinceMs?: number, revision?: number): Promise<Trigger> {
    return this.changing(async (tx) => {
      const row = newTriggerRow(intent, this.core.clock.nowMs(), sinceMs, revision);
      const inserted = await tx.rows(`${insertRows('triggers', TRIGGER_COLUMNS, 1)} ON CONFLICT (id) DO NOTHING RETURNING id`, JSON.stringify([row]));
      const trigger = await lockTrigger(tx, intent.id);
      if (trigger === null) throw new Error(`trigger ${intent.id} was not stored`);
      return { answer: trigger, changed: inserted.length > 0 ? trigger : null };
    });
  }

  /**
   * Makes it revision `revision`, once: a repeat, a fired and a disarmed one are answered as they are. null: there is none. `sinceMs`: from when
   * on prices count for other terms than it had; without it, from now.
   */
  async amend(id: string, revision: number, parameters: TriggerParameters, sinceMs = Infinity): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await lockTrigger(tx, id);
      if (before === null || before.status !== 'ARMED' || before.revision >= revision) return { answer: before, changed: null };
      const nowMs = this.core.clock.nowMs();
      const next = amendedTrigger(before, revision, parameters, Math.min(sinceMs, nowMs));
      await writeTrigger(tx, next, nowMs);
      return { answer: next, changed: next };
    });
  }

  /** A fired one stays fired, and counts as acknowledged: its workflow has ended with it. null: there is none. */
  async disarm(id: string): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await lockTrigger(tx, id);
      if (before === null || before.status === 'DISARMED' || before.acknowledged) return { answer: before, changed: null };
      const next: Trigger = before.status === 'ARMED' ? { ...before, status: 'DISARMED' } : { ...before, acknowledged: true };
      await writeTrigger(tx, next, this.core.clock.nowMs());
      return { answer: next, changed: next };
    });
  }

  /** The workflow knows that it fired and acts on it: it is told no more. Answers the row, so that it acts on what is stored. */
  async acknowledge(id: string): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await lockTrigger(tx, id);
      if (before === null || before.status !== 'FIRED' || before.acknowledged) return { answer: before, changed: null };
      const next: Trigger = { ...before, acknowledged: true };
      await writeTrigger(tx, next, this.core.clock.nowMs());
      return { answer: next, changed: next };
    });
  }

  /** Throws EpochLost when the watcher was replaced: what it saw fires nothing then. */
  async fire(writer: WriterEpoch, evidence: TriggerEvidence): Promise<FireResult> {
    return this.changing<FireResult>(async (tx) => {
      const [, before] = await Promise.all([holdEpoch(tx, writer), lockTrigger(tx, evidence.triggerId)]);
      if (before?.status === 'FIRED') return { answer: { verdict: 'repeated', trigger: before }, changed: null };
      if (before === null || before.status !== 'ARMED' || before.revision !== evidence.revision) return { answer: { verdict: 'stale', trigger: before }, changed: null };
      const next: Trigger = { ...before, status: 'FIRED', evidence, extreme: evidence.extreme ?? before.extreme };
      await writeTrigger(tx, next, this.core.clock.nowMs());
      return { answer: { verdict: 'fired', trigger: next }, changed: null };
    });
  }

  /** One statement for all of them; marks of what was amended or has fired since are left out. Throws EpochLost. */
  async checkpoint(writer: WriterEpoch, marks: readonly TriggerMark[]): Promise<void> {
    if (marks.length === 0) return;
    await this.core.database.transaction(async (tx) => {
      const columns = { id: 'text', revision: 'integer', extreme: 'numeric', checkpointAtMs: 'bigint' } as const;
      await Promise.all([
        holdEpoch(tx, writer),
        tx.rows(
          `WITH held AS (SELECT t.id, r."extreme" AS extreme, r."checkpointAtMs" AS at_ms FROM ${recordset(columns, 1)} JOIN triggers t ON t.id = r."id" AND t.revision = r."revision" AND t.status = 'ARMED' ORDER BY t.id FOR UPDATE OF t)
           UPDATE triggers u SET extreme = held.extreme, checkpoint_at_ms = held.at_ms FROM held WHERE u.id = held.id RETURNING u.id`,
          JSON.stringify(marks),
        ),
      ]);
    });
  }

  /** All that a venue's watcher has to do with: armed, or fired and not known to its workflow. */
  async waiting(venue: string): Promise<readonly Trigger[]> {
    return (await this.core.database.rows(`SELECT ${TRIGGER_SELECT} FROM triggers t WHERE t.venue = $1 AND ${WAITING_SQL}`, venue)).map(triggerOfRow);
  }

  /** Whatever their status, those that changed at or after this time, ms. */
  async changedSince(venue: string, sinceMs: number): Promise<readonly Trigger[]> {
    return (await this.core.database.rows(`SELECT ${TRIGGER_SELECT} FROM triggers t WHERE t.venue = $1 AND t.changed_at >= $2::timestamptz`, venue, isoTime(sinceMs))).map(triggerOfRow);
  }

  /** In no order; unknown ones are absent. */
  async byIds(ids: readonly string[]): Promise<readonly Trigger[]> {
    if (ids.length === 0) return [];
    return (await this.core.database.rows(`SELECT ${TRIGGER_SELECT} FROM triggers t WHERE t.id = ANY($1::text[])`, ids)).map(triggerOfRow);
  }

  private changing<T>(work: (tx: Transaction) => Promise<{ readonly answer: T; readonly changed: Trigger | null }>): Promise<T> {
    return this.core.database.changing(async (tx) => {
      const { answer, changed } = await work(tx);
      return { answer, last: [], after: changed === null ? null : notice(changed) };
    });
  }
}

function notice({ venue, revision }: Trigger): Statement {
  return notification([`${triggerNotice(venue)} ${revision}`]);
}
