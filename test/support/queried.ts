import { Client, type QueryResultRow } from 'pg';

/** The rows of one statement, over a connection of its own. */
export async function queried<Row extends QueryResultRow>(url: string, sql: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, [...values])).rows;
  } finally {
    await client.end();
  }
}
