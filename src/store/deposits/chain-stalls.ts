/** Chains whose endpoints keep what arrives from being counted: one setting for each, which its watcher writes and every process reads. */
import { afterChainRead, type ChainStall } from '../../domain/chain-stall';
import { isoTime } from '../../domain/clock';
import type { StoreCore } from '../core';
import { appendUserEvent } from '../user-changes';

const PREFIX = 'chain-stall/';

export class ChainStalls {
  constructor(private readonly core: StoreCore) {}

  /** Those of now. */
  async all(): Promise<readonly ChainStall[]> {
    const rows = await this.core.database.rows<{ value: string }>('SELECT s.value::text AS value FROM settings s WHERE starts_with(s.key, $1) ORDER BY s.key', PREFIX);
    return rows.map(stallOf);
  }

  /** Of one read of the chain: what kept it from a conclusion, null where nothing did. Owners of the installation hear of it in the same transaction. */
  async note(chainId: number, chain: string, words: string | null): Promise<void> {
    const key = `${PREFIX}${chainId}`;
    const [seen] = await this.core.database.rows('SELECT true AS there FROM settings s WHERE s.key = $1', key);
    // As nearly every read is.
    if (seen === undefined && words === null) return;
    await this.core.database.transaction(async (tx) => {
      const [row] = await tx.rows<{ value: string }>('SELECT s.value::text AS value FROM settings s WHERE s.key = $1 FOR UPDATE', key);
      const known = row === undefined ? null : stallOf(row);
      const nowMs = this.core.clock.nowMs();
      const { stall, tell } = afterChainRead(known, { chainId, chain, words }, nowMs);
      if (stall === null) await tx.rows('DELETE FROM settings s WHERE s.key = $1 RETURNING s.key', key);
      else await tx.rows('INSERT INTO settings(key, value) VALUES ($1, $2::jsonb) ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now() RETURNING key', key, JSON.stringify(stall));
      const told = stall ?? known;
      if (tell === null || told === null) return;
      const owners = await tx.rows<{ id: string }>(`SELECT u.id FROM users u WHERE u.role = 'owner' ORDER BY u.id`);
      for (const { id } of owners) await appendUserEvent(tx, id, { type: 'account.alert', orderId: null, data: { kind: tell, chainId, chain, reason: told.words, since: told.since } }, isoTime(nowMs));
    });
  }
}

function stallOf({ value }: { readonly value: string }): ChainStall {
  return JSON.parse(value) as ChainStall;
}
