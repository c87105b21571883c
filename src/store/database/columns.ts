/**
 * A table's columns, once, and the SQL made of them. Many rows travel as one JSON text parameter and become rows again by
 * `json_to_recordset`: one statement whatever their number.
 */
import type { Row, Value } from './database';

/** How a column is written and read: numerics as canonical text, bytes as base64, bigint as a JavaScript number. */
export type ColumnKind = 'text' | 'numeric' | 'boolean' | 'integer' | 'bigint' | 'float8' | 'timestamptz' | 'jsonb' | 'json' | 'bytea';

/** Field name (camelCase) to its kind; the column's name is the field's in snake_case. */
export type Columns = Readonly<Record<string, ColumnKind>>;

export function columnName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `"o"."client_order_id" AS "clientOrderId", …`; with a prefix, `AS "<prefix>clientOrderId"`. */
export function selectList(columns: Columns, alias: string, prefix = ''): string {
  return Object.entries(columns)
    .map(([field, kind]) => `${readExpression(`${alias}.${columnName(field)}`, kind)} AS "${prefix}${field}"`)
    .join(', ');
}

function readExpression(column: string, kind: ColumnKind): string {
  if (kind === 'numeric') return `trim_scale(${column})::text`;
  if (kind === 'bigint') return `${column}::float8`;
  if (kind === 'bytea') return `encode(${column}, 'base64')`;
  return column;
}

/** `json_to_recordset($n::json) AS r("id" text, …)`: the rows of a JSON parameter. */
export function recordset(columns: Columns, parameter: number, alias = 'r'): string {
  const list = Object.entries(columns).map(([field, kind]) => `"${field}" ${kind === 'bytea' ? 'text' : kind}`);
  return `json_to_recordset($${parameter}::json) AS ${alias}(${list.join(', ')})`;
}

function writeExpression(field: string, kind: ColumnKind, alias: string): string {
  if (kind === 'bytea') return `decode(${alias}."${field}", 'base64')`;
  return `${alias}."${field}"`;
}

/** Made once for each table and place: a hundred columns of text for every transaction are not free. */
const written = new Map<string, string>();

function once(name: string, make: () => string): string {
  const known = written.get(name);
  if (known !== undefined) return known;
  const made = make();
  written.set(name, made);
  return made;
}

/** `INSERT INTO t(a, b) SELECT r."a", r."b" FROM json_to_recordset($n)`. */
export function insertRows(table: string, columns: Columns, parameter: number): string {
  return once(`insert ${table} ${parameter}`, () => {
    const names = Object.keys(columns).map(columnName).join(', ');
    const values = Object.entries(columns).map(([field, kind]) => writeExpression(field, kind, 'r')).join(', ');
    return `INSERT INTO ${table}(${names}) SELECT ${values} FROM ${recordset(columns, parameter)}`;
  });
}

/** `UPDATE t SET a = r."a", … FROM json_to_recordset($n) WHERE t.key = r."key"`. */
export function updateRows(table: string, columns: Columns, keys: readonly string[], parameter: number): string {
  return once(`update ${table} ${Object.keys(columns).join()} ${parameter}`, () => {
    const set = Object.entries(columns)
      .filter(([field]) => !keys.includes(field))
      .map(([field, kind]) => `${columnName(field)} = ${writeExpression(field, kind, 'r')}`);
    const where = keys.map((key) => `${table}.${columnName(key)} = r."${key}"`);
    return `UPDATE ${table} SET ${set.join(', ')} FROM ${recordset(columns, parameter)} WHERE ${where.join(' AND ')}`;
  });
}

/** A row with its times as ISO text; everything else as it came. */
export function plainRow(row: Row): Readonly<Record<string, Value>> {
  return fieldsOf(row, Object.keys(row));
}

/** Only these fields of it. */
export function fieldsOf(row: Row, fields: readonly string[]): Readonly<Record<string, Value>> {
  const plain: Record<string, Value> = {};
  for (const field of fields) {
    const value = row[field] as Value;
    plain[field] = value instanceof Date ? value.toISOString() : value;
  }
  return plain;
}

/** Only the fields of a table, from an object that may have more; what it lacks from the second one. Merging two large objects first costs ten times as much. */
export function pick(columns: Columns, source: object, more: object = {}): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const field of Object.keys(columns)) picked[field] = (source as Record<string, unknown>)[field] ?? (more as Record<string, unknown>)[field] ?? null;
  return picked;
}

/** Of a change, without the fields that are absent. */
export function given<T extends object>(change: T): { [Field in keyof T]: Exclude<T[Field], undefined> } {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as { [Field in keyof T]: Exclude<T[Field], undefined> };
}
