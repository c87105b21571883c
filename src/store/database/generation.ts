/**
 * Which life of the database this is: `<system identifier>-<timeline>-<marker>`. It changes when the cluster is another one,
 * when it was recovered to an earlier point (a new timeline), and when a dump was loaded (the tables have new object ids).
 */
import { randomBytes } from 'node:crypto';
import { sqlStateOf, type Queryable } from './database';

const MARKER_KEY = 'generation-marker';
const MARKER_BYTES = 8;
const MARKER_SQL = `((SELECT value #>> '{}' FROM settings WHERE key = '${MARKER_KEY}') || '.' || 'events'::regclass::oid)`;
const TIMELINE_SQL = `substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`;
const IDENTIFIER_SQL = '(SELECT system_identifier::text FROM pg_control_system())';
const INSUFFICIENT_PRIVILEGE = '42501';

/** Ends a generation by hand: for a copy of the database that looks like the one it was copied from. */
export async function newGenerationMarker(database: Queryable): Promise<void> {
  await database.rows(`UPDATE settings SET value = to_jsonb($2::text), updated_at = now() WHERE key = $1 RETURNING key`, MARKER_KEY, newMarker());
}

function newMarker(): string {
  return randomBytes(MARKER_BYTES).toString('hex');
}

export class Generation {
  private constructor(
    private readonly database: Queryable,
    /** A scalar expression, for statements that read it beside other things. */
    readonly sql: string,
    private last: string,
  ) {}

  static async open(database: Queryable): Promise<Generation> {
    await database.rows(`INSERT INTO settings(key, value) VALUES ($1, to_jsonb($2::text)) ON CONFLICT (key) DO NOTHING RETURNING key`, MARKER_KEY, newMarker());
    const full = `(${IDENTIFIER_SQL} || '-' || ${TIMELINE_SQL} || '-' || ${MARKER_SQL})`;
    try {
      return await Generation.reading(database, full);
    } catch (error) {
      if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE) throw error;
      // Hosted databases may keep the cluster's identity to themselves: the marker and the object ids remain.
      return Generation.reading(database, `('hosted-0-' || ${MARKER_SQL})`);
    }
  }

  private static async reading(database: Queryable, sql: string): Promise<Generation> {
    const generation = new Generation(database, sql, '');
    await generation.read();
    return generation;
  }

  async read(): Promise<string> {
    const [row] = await this.database.rows<{ generation: string | null }>(`SELECT ${this.sql} AS generation`);
    if (typeof row?.generation !== 'string') throw new Error('the database has lost its generation marker');
    this.last = row.generation;
    return this.last;
  }

  /** As last read, without asking. */
  lastRead(): string {
    return this.last;
  }

  note(generation: string): void {
    this.last = generation;
  }
}
