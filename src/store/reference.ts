/** Markets, settings and idempotency records: small tables with plain reads. */
import { isDeepStrictEqual } from 'node:util';
import type { Market } from '../domain/market';
import { isoTime } from '../domain/clock';
import { appendAct } from './audit/audit';
import { columnName, insertRows, pick, plainRow, selectList } from './database/columns';
import type { StoreCore } from './core';
import type { Value } from './database/database';
import { MARKET_COLUMNS } from './database/tables';
import { OWN_KEY_SQL } from './orders/placing-reads';

const MARKET_SELECT = selectList(MARKET_COLUMNS, 'm');
const marketsSql = (condition: string): string => `SELECT ${MARKET_SELECT} FROM markets m WHERE ${condition} ORDER BY m.venue, m.symbol`;
/** Two statements: a plan that serves both reads every venue's. */
export const MARKETS_SQL = { all: marketsSql('true'), ofVenue: marketsSql('m.venue = $1') } as const;
const MARKET_UPSERT = `${insertRows('markets', MARKET_COLUMNS, 1)} ON CONFLICT (venue, symbol) DO UPDATE SET updated_at = now(), ${Object.keys(MARKET_COLUMNS)
  .filter((field) => field !== 'venue' && field !== 'symbol')
  .map((field) => `${columnName(field)} = excluded.${columnName(field)}`)
  .join(', ')}`;

export class Markets {
  constructor(private readonly core: StoreCore) {}

  async upsert(markets: readonly Market[]): Promise<void> {
    if (markets.length === 0) return;
    // In key order, so that two processes that load the same venue do not wait for each other in a circle.
    const rows = [...markets].sort((a, b) => (`${a.venue} ${a.symbol}` < `${b.venue} ${b.symbol}` ? -1 : 1)).map((market) => pick(MARKET_COLUMNS, market));
    await this.core.database.transaction((tx) => tx.rows(MARKET_UPSERT, JSON.stringify(rows)));
  }

  async list(venue?: string | null): Promise<readonly Market[]> {
    const rows = await (venue == null ? this.core.database.rows(MARKETS_SQL.all) : this.core.database.rows(MARKETS_SQL.ofVenue, venue));
    return rows.map((row) => plainRow(row) as unknown as Market);
  }

  /** By our symbol, or by the venue's own spelling. */
  async get(venue: string, symbolOrAlias: string): Promise<Market | null> {
    const [row] = await this.core.database.rows(`SELECT ${MARKET_SELECT} FROM markets m WHERE m.venue = $1 AND (m.symbol = $2 OR m.venue_symbol = $2) ORDER BY (m.symbol = $2) DESC LIMIT 1`, venue, symbolOrAlias);
    return row === undefined ? null : (plainRow(row) as unknown as Market);
  }
}

export class StoredSettings {
  constructor(private readonly core: StoreCore) {}

  /** null when it was never set. */
  async get(key: string): Promise<Value> {
    const [row] = await this.core.database.rows('SELECT value FROM settings WHERE key = $1', key);
    return row?.['value'] ?? null;
  }

  /** An administrative act of `by`, in that user's chain. What is set to what it is already is no act. */
  async set(key: string, value: Value, by: { readonly userId: string; readonly actor: string }): Promise<void> {
    await this.core.database.transaction(async (tx) => {
      const [before] = await tx.rows('SELECT value FROM settings WHERE key = $1 FOR UPDATE', key);
      const previous = before?.['value'] ?? null;
      if (before !== undefined && isDeepStrictEqual(previous, value)) return;
      await tx.rows('INSERT INTO settings(key, value) VALUES ($1, $2::jsonb) ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = now() RETURNING key', key, JSON.stringify(value));
      await appendAct(tx, { ...by, act: 'setting.changed', subject: `setting:${key}`, data: { previous, value }, at: isoTime(this.core.clock.nowMs()) });
    });
  }
}

export interface IdempotencyRecord {
  readonly route: string;
  readonly bodyHash: string;
  readonly orderId: string | null;
  /** The order was made under this key; otherwise it was there before, and may have other terms. */
  readonly isOwn: boolean;
}

export class Idempotency {
  constructor(private readonly core: StoreCore) {}

  async find(userId: string, key: string): Promise<IdempotencyRecord | null> {
    const [row] = await this.core.database.rows<{ route: string; bodyHash: string; orderId: string | null; isOwn: boolean }>(
      `SELECT k.route, k.body_hash AS "bodyHash", k.order_id AS "orderId", ${OWN_KEY_SQL} AS "isOwn" FROM idempotency_keys k WHERE k.user_id = $1 AND k.key = $2 AND k.created_at >= $3::timestamptz`,
      userId,
      key,
      isoTime(this.core.clock.nowMs() - this.core.retention.idempotencyMs),
    );
    return row === undefined ? null : { ...row };
  }
}
