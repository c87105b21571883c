/** Rows of amends and cancels. */
import type { Mutation } from '../../domain/order-store';
import { plainRow, selectList } from '../database/columns';
import type { Queryable, Row } from '../database/database';
import { MUTATION_COLUMNS } from '../database/tables';

export interface MutationRow extends Mutation {
  readonly userId: string;
  readonly venue: string;
  readonly ownerWorkflowId: string;
  readonly sendBefore: string;
  readonly settledAt: string | null;
}

const MUTATION_SELECT = selectList(MUTATION_COLUMNS, 'u');

export function mutationOf({ id, orderId, accountId, kind, revision, state, limitPrice, quantity, triggerPrice, reasonCode, createdAt }: MutationRow): Mutation {
  return { id, orderId, accountId, kind, revision, state, limitPrice, quantity, triggerPrice: triggerPrice ?? null, reasonCode, createdAt };
}

export async function mutationById(tx: Queryable, id: string): Promise<MutationRow | null> {
  const [row] = await tx.rows(`SELECT ${MUTATION_SELECT} FROM mutations u WHERE u.id = $1`, id);
  return row === undefined ? null : rowOf(row);
}

/** Oldest first. */
export async function mutationsOf(tx: Queryable, orderId: string): Promise<readonly MutationRow[]> {
  return (await tx.rows(`SELECT ${MUTATION_SELECT} FROM mutations u WHERE u.order_id = $1 ORDER BY u.created_at, u.revision, u.id`, orderId)).map(rowOf);
}

export async function latestAttemptOf(tx: Queryable, mutationId: string): Promise<string | null> {
  const [row] = await tx.rows<{ id: string }>('SELECT id FROM attempts WHERE mutation_id = $1 ORDER BY prepared_at DESC, id LIMIT 1', mutationId);
  return row?.id ?? null;
}

/** Takes the right to send from every attempt of these mutations that was not reported: nobody may write it any more. */
export async function supersedeMutationAttempts(tx: Queryable, mutationIds: readonly string[], at: string): Promise<void> {
  if (mutationIds.length === 0) return;
  await tx.rows('UPDATE attempts SET fence = fence + 1, superseded_at = $2::timestamptz WHERE mutation_id = ANY($1::text[]) AND reported_at IS NULL AND superseded_at IS NULL', mutationIds, at);
}

function rowOf(row: Row): MutationRow {
  return plainRow(row) as unknown as MutationRow;
}
