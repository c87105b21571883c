/** What PostgreSQL reads for a statement, by the plan that the store's connections keep. */
import { Client } from 'pg';
import { PLANNER_OPTIONS, type Parameter } from '../../../src/store/database/database';

export interface ListStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

export interface ScanRead {
  readonly relation: string;
  readonly index: string;
  readonly read: number;
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
}

export class Plans {
  private constructor(readonly sql: Client) {}

  static async open(databaseUrl: string): Promise<Plans> {
    const sql = new Client({ connectionString: databaseUrl, options: PLANNER_OPTIONS });
    await sql.connect();
    return new Plans(sql);
  }

  close(): Promise<void> {
    return this.sql.end();
  }

  /** Runs the statement by a plan that does not depend on the parameters. */
  async scansOf({ sql, parameters }: ListStatement): Promise<readonly ScanRead[]> {
    await this.sql.query(`PREPARE listed AS ${sql}`);
    try {
      const values = parameters.map((value) => (typeof value === 'number' ? String(value) : this.sql.escapeLiteral(String(value)))).join(', ');
      const { rows } = await this.sql.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE listed${values === '' ? '' : `(${values})`}`);
      const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
      return nodes((rows[0] as { 'QUERY PLAN': [{ Plan: PlanNode }] })['QUERY PLAN'][0].Plan)
        .filter((node) => node['Node Type'].includes('Scan') && node['Node Type'] !== 'Subquery Scan')
        .map((node) => ({ relation: node['Relation Name'] ?? '', index: node['Index Name'] ?? node['Node Type'], read: (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'] }));
    } finally {
      await this.sql.query('DEALLOCATE listed');
    }
  }
}
