/**
 * Triggers as workflows arm them and watchers fire them. Each call is one transaction that holds one trigger's row; a watcher's holds
 * its epoch row FOR SHARE first. After each change the venue's watcher is told to read again; a lost word costs a re-read's interval.
 */
import { isoTime } from '../domain/clock';
import { carriedExtreme, type Trigger, type TriggerEvidence, type TriggerIntent, type TriggerParameters } from '../domain/trigger';
import type { WriterEpoch } from '../domain/order-store';
import { columnName, insertRows, pick, plainRow, recordset, selectList, type Columns } from './columns';
import { EVENT_CHANNEL } from './commit-announcer';
import { holdEpoch, type StoreCore } from './core';
import type { Row, Statement, Transaction } from './database';

const PARAMETER_COLUMNS = {
  kind: 'text', priceType: 'text', direction: 'text', triggerPrice: 'numeric', trailingOffset: 'numeric', trailingOffsetType: 'text', activationPrice: 'numeric', gapPolicy: 'text',
} as const satisfies Columns;

const TRIGGER_COLUMNS = {
  id: 'text', userId: 'text', accountId: 'text', workflowId: 'text', venue: 'text', symbol: 'text', ...PARAMETER_COLUMNS,
  revision: 'integer', status: 'text', extreme: 'numeric', armedAtMs: 'bigint', checkpointAtMs: 'bigint', evidence: 'jsonb', acknowledged: 'boolean', changedAt: 'timestamptz',
} as const satisfies Columns;

const SELECT = selectList(TRIGGER_COLUMNS, 't');
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

/** What is told on EVENT_CHANNEL of a venue's triggers: `<this> <revision>`. */
export function triggerNotice(venue: string): string {
  return `triggers:${venue}`;
}

export class Triggers {
  constructor(private readonly core: StoreCore) {}

  /** Arming what was armed before changes nothing. Answers the row as it is: it may have fired already. */
  async arm(intent: TriggerIntent): Promise<Trigger> {
    return this.changing(async (tx) => {
      const nowMs = this.core.clock.nowMs();
      const { parameters, ...names } = intent;
      const row = { ...names, ...parameters, revision: 1, status: 'ARMED', extreme: null, armedAtMs: nowMs, checkpointAtMs: nowMs, evidence: null, acknowledged: false, changedAt: isoTime(nowMs) };
      const inserted = await tx.rows(`${insertRows('triggers', TRIGGER_COLUMNS, 1)} ON CONFLICT (id) DO NOTHING RETURNING id`, JSON.stringify([pick(TRIGGER_COLUMNS, row)]));
      const trigger = await this.lock(tx, intent.id);
      if (trigger === null) throw new Error(`trigger ${intent.id} was not stored`);
      return { answer: trigger, changed: inserted.length > 0 ? trigger : null };
    });
  }

  /** Makes it revision `revision`, once: a repeat, a fired and a disarmed one are answered as they are. null: there is none. */
  async amend(id: string, revision: number, parameters: TriggerParameters): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await this.lock(tx, id);
      if (before === null || before.status !== 'ARMED' || before.revision >= revision) return { answer: before, changed: null };
      // Prices of before say nothing of the new terms: whoever reads back after an outage begins here.
      const next: Trigger = { ...before, parameters, revision, extreme: carriedExtreme(before.parameters, parameters, before.extreme), checkpointAtMs: this.core.clock.nowMs() };
      await this.write(tx, next);
      return { answer: next, changed: next };
    });
  }

  /** A fired one stays fired, and counts as acknowledged: its workflow has ended with it. null: there is none. */
  async disarm(id: string): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await this.lock(tx, id);
      if (before === null || before.status === 'DISARMED' || before.acknowledged) return { answer: before, changed: null };
      const next: Trigger = before.status === 'ARMED' ? { ...before, status: 'DISARMED' } : { ...before, acknowledged: true };
      await this.write(tx, next);
      return { answer: next, changed: next };
    });
  }

  /** The workflow knows that it fired and acts on it: it is told no more. Answers the row, so that it acts on what is stored. */
  async acknowledge(id: string): Promise<Trigger | null> {
    return this.changing(async (tx) => {
      const before = await this.lock(tx, id);
      if (before === null || before.status !== 'FIRED' || before.acknowledged) return { answer: before, changed: null };
      const next: Trigger = { ...before, acknowledged: true };
      await this.write(tx, next);
      return { answer: next, changed: next };
    });
  }

  /** Throws EpochLost when the watcher was replaced: what it saw fires nothing then. */
  async fire(writer: WriterEpoch, evidence: TriggerEvidence): Promise<FireResult> {
    return this.changing<FireResult>(async (tx) => {
      const [, before] = await Promise.all([holdEpoch(tx, writer), this.lock(tx, evidence.triggerId)]);
      if (before?.status === 'FIRED') return { answer: { verdict: 'repeated', trigger: before }, changed: null };
      if (before === null || before.status !== 'ARMED' || before.revision !== evidence.revision) return { answer: { verdict: 'stale', trigger: before }, changed: null };
      const next: Trigger = { ...before, status: 'FIRED', evidence, extreme: evidence.extreme ?? before.extreme };
      await this.write(tx, next);
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
    return (await this.core.database.rows(`SELECT ${SELECT} FROM triggers t WHERE t.venue = $1 AND ${WAITING_SQL}`, venue)).map(triggerOfRow);
  }

  /** Whatever their status, those that changed at or after this time, ms. */
  async changedSince(venue: string, sinceMs: number): Promise<readonly Trigger[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM triggers t WHERE t.venue = $1 AND t.changed_at >= $2::timestamptz`, venue, isoTime(sinceMs))).map(triggerOfRow);
  }

  /** In no order; unknown ones are absent. */
  async byIds(ids: readonly string[]): Promise<readonly Trigger[]> {
    if (ids.length === 0) return [];
    return (await this.core.database.rows(`SELECT ${SELECT} FROM triggers t WHERE t.id = ANY($1::text[])`, ids)).map(triggerOfRow);
  }

  private changing<T>(work: (tx: Transaction) => Promise<{ readonly answer: T; readonly changed: Trigger | null }>): Promise<T> {
    return this.core.database.changing(async (tx) => {
      const { answer, changed } = await work(tx);
      return { answer, last: [], after: changed === null ? null : notice(changed) };
    });
  }

  private async lock(tx: Transaction, id: string): Promise<Trigger | null> {
    const [row] = await tx.rows(`SELECT ${SELECT} FROM triggers t WHERE t.id = $1 FOR UPDATE`, id);
    return row === undefined ? null : triggerOfRow(row);
  }

  private async write(tx: Transaction, { id, parameters, ...rest }: Trigger): Promise<void> {
    const set = { ...PARAMETER_COLUMNS, revision: 'integer', status: 'text', extreme: 'numeric', checkpointAtMs: 'bigint', evidence: 'jsonb', acknowledged: 'boolean', changedAt: 'timestamptz' } as const;
    const assignments = Object.keys(set).map((field) => `${columnName(field)} = r."${field}"`).join(', ');
    const row = pick({ id: 'text', ...set }, { id, ...parameters, ...rest, changedAt: isoTime(this.core.clock.nowMs()) });
    await tx.rows(`UPDATE triggers t SET ${assignments} FROM ${recordset({ id: 'text', ...set }, 1)} WHERE t.id = r."id" RETURNING t.id`, JSON.stringify([row]));
  }
}

function notice({ venue, revision }: Trigger): Statement {
  return { sql: `SELECT 1 AS told FROM pg_notify('${EVENT_CHANNEL}', $1)`, parameters: [`${triggerNotice(venue)} ${revision}`] };
}

function triggerOfRow(row: Row): Trigger {
  const plain = plainRow(row) as Record<string, unknown>;
  const { id, userId, accountId, workflowId, venue, symbol, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged } = plain;
  const parameters = pick(PARAMETER_COLUMNS, plain);
  return { id, userId, accountId, workflowId, venue, symbol, parameters, revision, status, extreme, armedAtMs, checkpointAtMs, evidence, acknowledged } as unknown as Trigger;
}
