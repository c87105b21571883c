/** When a transaction waits for a lock that a test holds: PostgreSQL tells nobody, so it is asked, and itself makes the pause between two questions. */
import type { Client } from 'pg';

/** Between two questions: short beside what a test takes anyway, long beside what a question costs. */
const PAUSE_SECONDS = 0.01;
/** A machine that starts a transaction later than this is broken. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Settles once a connection to the database of `sql` waits for a lock, or `until` has: what never waits then fails by what the test asserts
 * of it. `sql` may be in a transaction of its own, and may hold the lock.
 */
export async function someoneWaitsForALock(sql: Client, until: Promise<unknown> = new Promise(() => undefined)): Promise<void> {
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  until.then(over, over);
  for (const endMs = Date.now() + LONGEST_WAIT_MS; !isOver && !(await isWaitedFor(sql)); ) {
    if (Date.now() >= endMs) throw new Error(`no transaction waited for a lock within ${LONGEST_WAIT_MS} ms`);
    await sql.query('SELECT pg_sleep($1)', [PAUSE_SECONDS]);
  }
}

async function isWaitedFor(sql: Client): Promise<boolean> {
  // Within a transaction PostgreSQL goes on showing the connections that there were when it was first asked.
  await sql.query('SELECT pg_stat_clear_snapshot()');
  const { rows } = await sql.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' LIMIT 1`);
  return rows.length > 0;
}
