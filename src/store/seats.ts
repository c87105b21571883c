/**
 * Seats of all processes (domain/seats.ts). A row of `seats` is a seat taken, until its holder gives it back or is forgotten; so a count of
 * rows is the truth, and whoever takes one holds a lock of its scope meanwhile. Times are the database's: the processes' clocks need not agree.
 *
 * No client waits for the disk: a crash of PostgreSQL may forget the seats of its last moments, which then are not counted while they last.
 */
import type { Seat, SeatHolder, SeatRequest, SeatStore } from '../domain/seats';
import { seatKey } from '../domain/seats';
import type { Database, Queryable } from './database/database';

/** Of the lock of a scope, so that its number is none of another lock's. */
const SCOPE_LOCKS = 7_328_001;

/** In the order of their names: who wants two scopes does not wait for another who wants the same. */
const LOCK_SQL = `SELECT pg_advisory_xact_lock(hashtextextended(w.scope, ${SCOPE_LOCKS}))::text AS held FROM (SELECT DISTINCT scope FROM json_to_recordset($1::json) AS r(scope text) ORDER BY scope) w`;

const GIVE_BACK_SQL = 'DELETE FROM seats s USING json_to_recordset($2::json) AS g(scope text, name text) WHERE s.holder_id = $1 AND s.scope = g.scope AND s.name = g.name RETURNING s.name';

/** A name that sits there already, in whichever process, takes no more room. */
const TAKE_SQL = `WITH wanted AS MATERIALIZED (SELECT r.n, r.scope, r.name, r.max, EXISTS (SELECT 1 FROM seats s WHERE s.scope = r.scope AND s.name = r.name) AS shared FROM json_to_recordset($2::json) AS r(n integer, scope text, name text, max integer)),
    taken AS MATERIALIZED (SELECT w.scope, (SELECT count(DISTINCT s.name) FROM seats s WHERE s.scope = w.scope) AS seats FROM (SELECT DISTINCT scope FROM wanted) w),
    placed AS (SELECT w.scope, w.name, w.shared OR t.seats + row_number() OVER (PARTITION BY w.scope, w.shared ORDER BY w.n) <= w.max AS fits FROM wanted w JOIN taken t ON t.scope = w.scope)
  INSERT INTO seats(scope, name, holder_id) SELECT p.scope, p.name, h.id FROM placed p JOIN seat_holders h ON h.id = $1 WHERE p.fits ON CONFLICT DO NOTHING RETURNING scope, name`;

const NOT_WAITING_SQL = "SELECT set_config('synchronous_commit', 'off', true) AS set";

const RENEW_SQL = "UPDATE seat_holders SET expires_at = now() + $2::int * interval '1 millisecond' WHERE id = $1 RETURNING id";

const LEASES_SQL = 'SELECT s.name, ceil(extract(epoch FROM h.expires_at - now()) * 1000)::int AS left_ms FROM seats s JOIN seat_holders h ON h.id = s.holder_id WHERE s.scope = $1 AND h.expires_at > now()';

export class SharedSeats implements SeatStore {
  constructor(private readonly database: Database) {}

  async enter({ id, place, leaseMs }: SeatHolder, seats: readonly Seat[], isFirst: boolean): Promise<void> {
    await this.database.transaction(async (tx) => {
      if (isFirst && place !== null) await tx.rows('DELETE FROM seat_holders WHERE place = $1 AND id <> $2 RETURNING id', place, id);
      await tx.rows(
        "INSERT INTO seat_holders(id, place, expires_at) VALUES ($1, $2, now() + $3::int * interval '1 millisecond') ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at RETURNING id",
        id, place, leaseMs,
      );
      if (seats.length > 0) await tx.rows('INSERT INTO seats(scope, name, holder_id) SELECT r.scope, r.name, $1 FROM json_to_recordset($2::json) AS r(scope text, name text) ON CONFLICT DO NOTHING RETURNING name', id, JSON.stringify(seats));
    });
  }

  async beat({ id, leaseMs }: SeatHolder, forgetLapsed: boolean): Promise<boolean> {
    // Its own first: it may have lapsed, too.
    const known = await this.database.rows(RENEW_SQL, id, leaseMs);
    if (forgetLapsed) await this.database.rows('DELETE FROM seat_holders WHERE expires_at < now() RETURNING id');
    return known.length > 0;
  }

  change(holder: SeatHolder, given: readonly Seat[], wanted: readonly SeatRequest[]): Promise<readonly boolean[] | null> {
    return this.database.transaction(async (tx) => {
      // Not awaited one by one: they leave in one packet. The holder's row is locked, so nobody forgets it before this is committed.
      const [, , known, , taken] = await Promise.all([
        tx.rows(NOT_WAITING_SQL),
        wanted.length > 0 ? tx.rows(LOCK_SQL, JSON.stringify(wanted)) : [],
        tx.rows(RENEW_SQL, holder.id, holder.leaseMs),
        given.length > 0 ? tx.rows(GIVE_BACK_SQL, holder.id, JSON.stringify(given)) : [],
        wanted.length > 0 ? this.take(tx, holder, wanted) : [],
      ]);
      if (known.length === 0) return null;
      const keys = new Set(taken.map(seatKey));
      return wanted.map((request) => keys.has(seatKey(request)));
    });
  }

  async leave({ id }: SeatHolder): Promise<void> {
    await this.database.rows('DELETE FROM seat_holders WHERE id = $1 RETURNING id', id);
  }

  /** Who sits in the scope with a lease that has not ended, and for how many ms more it lasts. */
  async leases(scope: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.database.rows(LEASES_SQL, scope);
    return new Map(rows.map((row) => [String(row['name']), Number(row['left_ms'])]));
  }

  private take(tx: Queryable, { id }: SeatHolder, wanted: readonly SeatRequest[]): Promise<readonly { readonly scope: string; readonly name: string }[]> {
    return tx.rows(TAKE_SQL, id, JSON.stringify(wanted.map((request, n) => ({ ...request, n }))));
  }
}
