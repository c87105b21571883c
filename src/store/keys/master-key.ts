/** Whether the master key is the one that sealed what is stored: asked once, before anything starts that would need it. */
import { Client } from 'pg';
import { environmentKeyProvider } from './local-key-provider';
import { LOST_KEYS_SETTING, LOST_KEYS_SQL } from './lost-key-list';

/**
 * Throws where credentials are stored and this key sealed none of them: no account could be traded, nor watched. Answers how many it
 * cannot open where it opens others: those of an account that was made under another key must not stop the rest. Nor does what an
 * operator said to be lost, now (`lostKeyId`) or before (lost-key-list.ts).
 */
export async function checkMasterKey(databaseUrl: string, key: Uint8Array, lostKeyId?: string): Promise<number> {
  const { currentKeyId } = environmentKeyProvider([key]);
  if (lostKeyId === currentKeyId) throw new Error(`SUREFILL_LOST_MASTER_KEY names the master key that is here (${lostKeyId}): it is not lost; take the setting out again`);
  const client = new Client({ connectionString: databaseUrl, application_name: 'surefill-master-key' });
  client.on('error', () => undefined); // the query that was under way rejects with the same
  try {
    await client.connect();
    const { rows } = await client.query<{ keyId: string; count: number }>('SELECT key_id AS "keyId", count(*)::int AS count FROM credentials GROUP BY key_id ORDER BY count(*) DESC');
    const others = rows.filter(({ keyId }) => keyId !== currentKeyId);
    const lost = new Set([lostKeyId, ...(await client.query<{ id: string }>(LOST_KEYS_SQL, [LOST_KEYS_SETTING])).rows.map(({ id }) => id)]);
    if (others.length > 0 && others.length === rows.length && others.some(({ keyId }) => !lost.has(keyId))) {
      throw new Error(`the master key is not the one that sealed the credentials of this database (that has the id ${others.map(({ keyId }) => keyId).join(', ')}, this one ${currentKeyId}): give it back as SUREFILL_MASTER_KEY, or as master-key in SUREFILL_HOME; if it is lost for good, start once with SUREFILL_LOST_MASTER_KEY=${others[0]?.keyId}`);
    }
    return others.reduce((sum, { count }) => sum + count, 0);
  } finally {
    await client.end();
  }
}
