/** The row that says whether PostgreSQL and Temporal agree (domain/store-state.ts): read in every placing transaction, written by the store guard. */
import { randomBytes } from 'node:crypto';
import { DomainError } from '../domain/errors';
import { entriesHeld, isBeingReadBack, type StoreMark, type StoreReading, type StoreState } from '../domain/store-state';
import type { StoreCore } from './core';
import type { Database, Queryable, Value } from './database/database';
import { newGenerationMarker, type Generation } from './database/generation';

const KEY = 'store-state';
const TOKEN_BYTES = 8;
/** Clocks of our hosts and of Temporal's may differ by this; an intent this close to the instant counts as before it. */
const CLOCK_MARGIN_MS = 2_000;

/**
 * Which server process and which tables: another one after every start of PostgreSQL, after a fail-over, and after a dump was
 * loaded. Cheap enough for every placing transaction, and allowed to every role.
 */
const INSTANCE_SQL = `(extract(epoch FROM pg_postmaster_start_time())::text || '/' || 'events'::regclass::oid::text)`;

/** A scalar expression: the row with the instance of this moment, null where it is missing. */
export const STORE_STATE_SQL = `(SELECT s.value || jsonb_build_object('current', ${INSTANCE_SQL}) FROM settings s WHERE s.key = '${KEY}')`;

const NEVER_COMPARED: Omit<StoreState, 'token'> = { instance: '', generation: '', phase: 'open', beat: 0, beatAtMs: 0, lostBeforeMs: null, unread: [], reason: null, noticedAtMs: null };

/** Throws where the row is gone: nothing may be recorded without it. */
export function readingOf(value: unknown): Pick<StoreReading, 'state' | 'instance'> {
  if (typeof value !== 'object' || value === null || !('current' in value) || typeof value.current !== 'string') throw new Error(`setting ${KEY} is missing: start a role, which makes it`);
  const { current, ...state } = value;
  return { state: state as unknown as StoreState, instance: current };
}

/** Whether what is foreign may be an order that is about to be read back from Temporal. */
export async function mayBeReadBack(tx: Queryable): Promise<boolean> {
  const [row] = await tx.rows(`SELECT ${STORE_STATE_SQL} AS gate`);
  return isBeingReadBack(readingOf(row?.['gate']));
}

/** Throws SERVICE_UNAVAILABLE while what its caller means may be there and not read back yet: made anew, it would be there twice. */
export async function assertReadBack(tx: Queryable): Promise<void> {
  if (!(await mayBeReadBack(tx))) return;
  throw new DomainError('SERVICE_UNAVAILABLE', 'the database is being compared with Temporal, which may know this one already: send the same again', { outcome: 'unknown', retryAfterSeconds: 1, details: { entries: 'held' } });
}

/** Why entries of the account are held back at this moment; null: they are not. */
export async function heldBackNow(tx: Queryable, accountId: string): Promise<string | null> {
  const [row] = await tx.rows(`SELECT ${STORE_STATE_SQL} AS gate`);
  return entriesHeld(readingOf(row?.['gate']), accountId);
}

export class StoreStates {
  constructor(
    private readonly core: StoreCore,
    private readonly generation: Generation,
  ) {}

  /** Makes the row of a new database: compared with nothing yet, so nothing is recorded before the guard has looked. */
  static async prepare(database: Database): Promise<void> {
    const first: StoreState = { ...NEVER_COMPARED, token: newToken() };
    await database.rows('INSERT INTO settings(key, value) VALUES ($1, $2::jsonb) ON CONFLICT (key) DO NOTHING RETURNING key', KEY, JSON.stringify(first));
  }

  async read(): Promise<StoreReading> {
    const [row] = await this.core.database.rows(`SELECT ${STORE_STATE_SQL} AS gate, ${this.generation.sql} AS generation`);
    return { ...readingOf(row?.['gate']), generation: String(row?.['generation']) };
  }

  /** The next beat after `mark`, of the database as it is now. Repeating it gives the same. */
  async beat(mark: StoreMark | null): Promise<StoreMark> {
    const { state, instance, generation } = await this.read();
    const next = (mark?.beat ?? 0) + 1;
    const after: StoreMark = state.beat === next ? { beat: next, token: state.token } : { beat: next, token: newToken() };
    await this.write({ ...after, instance, generation, beatAtMs: this.core.clock.nowMs() });
    return after;
  }

  /**
   * Entries wait from here on. Where PostgreSQL lost something it gets a new generation, so that no client goes on with a
   * sequence of the lost life; a repeat keeps what the first try wrote.
   */
  async begin(why: { readonly lost: 'postgresql' | 'temporal'; readonly reason: string; readonly accountIds: readonly string[] }): Promise<void> {
    const nowMs = this.core.clock.nowMs();
    const { instance } = await this.read();
    if (why.lost === 'postgresql') await newGenerationMarker(this.core.database);
    const lost = why.lost === 'postgresql' ? { lostBeforeMs: nowMs + CLOCK_MARGIN_MS } : {};
    await this.write({ instance, phase: 'replaying', reason: why.reason, noticedAtMs: nowMs, unread: [...why.accountIds], ...lost });
  }

  /** Every order is back: what remains is to look at these accounts. */
  async reading(accountIds: readonly string[]): Promise<void> {
    await this.write({ phase: 'reading', unread: [...accountIds] });
  }

  /** Entries pass again. false: PostgreSQL was started anew meanwhile, so that it must be compared once more. */
  async open(mark: StoreMark | null): Promise<StoreMark | null> {
    const { state, instance, generation } = await this.read();
    if (state.instance !== instance) return null;
    const after: StoreMark = { beat: Math.max(state.beat, mark?.beat ?? 0) + 1, token: newToken() };
    await this.write({ ...after, generation, phase: 'open', unread: [], beatAtMs: this.core.clock.nowMs() });
    return after;
  }

  private async write(changes: { readonly [Field in keyof StoreState]?: Value }): Promise<void> {
    await this.core.database.rows('UPDATE settings SET value = value || $2::jsonb, updated_at = now() WHERE key = $1 RETURNING key', KEY, JSON.stringify(changes));
  }
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('hex');
}
