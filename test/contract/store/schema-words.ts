/** What prisma/schema.prisma says of tables, in PostgreSQL's words: columns with type and nullability, and index columns. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  String: 'text', BigInt: 'bigint', Int: 'integer', Float: 'double precision', Boolean: 'boolean', DateTime: 'timestamp with time zone', Json: 'jsonb', Bytes: 'bytea', Decimal: 'numeric',
};
const NATIVE_TYPES: Readonly<Record<string, string>> = { '@db.Json': 'json', '@db.Date': 'date' };

export interface SchemaWords {
  /** `table.column type` and ` null` where it may be. */
  readonly columns: readonly string[];
  /** `table(column, column)`. */
  readonly indexes: readonly string[];
}

export function wordsOfSchema(): SchemaWords {
  const schema = readFileSync(path.resolve(__dirname, '../../../prisma/schema.prisma'), 'utf8');
  const models = [...schema.matchAll(/^model (\w+) \{([\s\S]*?)^\}/gm)].map(([, name = '', body = '']) => ({ name, body }));
  const names = new Set(models.map(({ name }) => name));
  const columns: string[] = [];
  const indexes: string[] = [];
  for (const { body } of models) {
    const table = /@@map\("(\w+)"\)/.exec(body)?.[1] ?? '';
    const columnOf = new Map<string, string>();
    for (const [, field = '', type = '', suffix = '', rest = ''] of body.matchAll(/^ {2}(\w+)\s+(\w+)(\[\]|\?)?(.*)$/gm)) {
      if (names.has(type)) continue;
      const column = /@map\("(\w+)"\)/.exec(rest)?.[1] ?? field;
      columnOf.set(field, column);
      const native = Object.entries(NATIVE_TYPES).find(([word]) => rest.includes(word))?.[1];
      // A list without elements and one that is absent are the same to Prisma: its column may be null.
      columns.push(`${table}.${column} ${suffix === '[]' ? 'ARRAY' : (native ?? TYPES[type] ?? type)}${suffix === '' ? '' : ' null'}`);
      if (/@id\b|@unique\b/.test(rest)) indexes.push(`${table}(${column})`);
    }
    for (const [, list = ''] of body.matchAll(/@@(?:id|unique|index)\(\[([^\]]*)\]/g)) {
      const fields = list.replace(/\(sort: \w+\)/g, '').split(',').map((field) => field.trim());
      indexes.push(`${table}(${fields.map((field) => columnOf.get(field) ?? field).join(', ')})`);
    }
  }
  return { columns: columns.sort(), indexes: indexes.sort() };
}

/** Gives the same words of the database that `query` reads. */
export async function wordsOfDatabase(query: (sql: string) => Promise<readonly Record<string, unknown>[]>): Promise<SchemaWords> {
  const columns = await query(
    `SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END AS word FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'`,
  );
  // Partial indexes are what Prisma's schema cannot say.
  const indexes = await query(
    `SELECT c.relname || '(' || string_agg(a.attname, ', ' ORDER BY k.position) || ')' AS word
       FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(number, position)
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
      WHERE n.nspname = 'public' AND i.indpred IS NULL AND c.relname <> '_prisma_migrations' GROUP BY c.relname, i.indexrelid`,
  );
  const sorted = (rows: readonly Record<string, unknown>[]): string[] => rows.map((row) => String(row['word'])).sort();
  return { columns: sorted(columns), indexes: sorted(indexes) };
}
