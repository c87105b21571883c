/** The ids of master keys that an operator called lost for good. */
import type { Queryable } from '../database/database';

/** The setting that names them, each with the time it was said. */
export const LOST_KEYS_SETTING = 'lost-master-keys';
export const LOST_KEYS_SQL = 'SELECT jsonb_object_keys(s.value) AS id FROM settings s WHERE s.key = $1';

export async function lostKeyIds(database: Queryable): Promise<ReadonlySet<string>> {
  return new Set((await database.rows<{ id: string }>(LOST_KEYS_SQL, LOST_KEYS_SETTING)).map(({ id }) => id));
}
