/** Rows of chain_transfers as the store reads and settles them, inside a transaction that holds their user's lock. */
import { randomUUID } from 'node:crypto';
import type { TransferState } from '../../domain/chain-transfers';
import type { ChainToken, ChainTransfer, Deposit } from '../../domain/deposit';
import type { Row, Transaction } from '../database/database';
import { lockDeposit } from './deposits';

export interface SeenTransfer {
  readonly userId: string;
  /** The deposit that claims it; null: nobody yet. */
  readonly depositId: string | null;
  readonly transfer: ChainTransfer;
}

export interface StoredTransfer extends SeenTransfer {
  readonly state: TransferState;
}

export const SELECT =
  't.chain_id::float8 AS "chainId", t.tx_hash AS "txHash", t.log_index AS "logIndex", t.block_hash AS "blockHash", t.block_number::float8 AS "blockNumber", t.user_id AS "userId", t.token, t.asset, t.from_address AS "from", t.to_address AS "to", trim_scale(t.amount)::text AS amount, t.state, t.deposit_id AS "depositId", t.final_at AS "finalAt"';
export const KEY = 't.chain_id = $1::bigint AND t.tx_hash = $2 AND t.log_index = $3::int';

export interface LockedTransfer extends StoredTransfer {
  readonly finalAt: Date | null;
}

export async function lockTransfer(tx: Transaction, transfer: ChainTransfer): Promise<LockedTransfer | null> {
  const [row] = await tx.rows(`SELECT ${SELECT} FROM chain_transfers t WHERE ${KEY} AND t.block_hash = $4 FOR UPDATE`, ...keyOf(transfer), transfer.blockHash);
  return row === undefined ? null : { ...storedOf(row), finalAt: row['finalAt'] as Date | null };
}

/** Whether it went back to where the deposit came from. */
export async function isRefund(tx: Transaction, depositId: string, transfer: ChainTransfer): Promise<boolean> {
  const known = await lockDeposit(tx, depositId);
  return known !== null && transfer.to !== known.deposit.toAddress && transfer.to === known.deposit.fromAddress && transfer.chainId === known.deposit.from.chainId;
}

/** How often a chain took this transfer back after it was counted: it names the next counting. */
export async function reversalsOf(tx: Transaction, transfer: ChainTransfer): Promise<number> {
  const [row] = await tx.rows<{ times: number }>(`SELECT coalesce(max(t.reversals), 0)::int AS times FROM chain_transfers t WHERE ${KEY}`, ...keyOf(transfer));
  return row?.times ?? 0;
}

export function keyOf({ chainId, txHash, logIndex }: ChainTransfer): readonly [number, string, number] {
  return [chainId, txHash, logIndex];
}

export function storedOf(row: Row): StoredTransfer {
  const { userId, depositId, state, finalAt: _finalAt, ...transfer } = row;
  return { userId: userId as string, depositId: depositId as string | null, state: state as TransferState, transfer: transfer as unknown as ChainTransfer };
}

/** What came unannounced in the token that is taken. */
export function directDeposit(transfer: ChainTransfer, userId: string, taken: ChainToken, at: string): Deposit {
  return {
    id: randomUUID(), userId, kind: 'direct', state: 'CREDITED', reason: null, from: taken, amount: transfer.amount, fromAddress: transfer.from, to: taken, toAddress: transfer.to, quote: null, source: null, bridge: null,
    received: [{ asset: transfer.asset, amount: transfer.amount, txHash: transfer.txHash }], refunds: [], sourceOutcome: null, writtenOff: false, revision: 1, createdAt: at, updatedAt: at,
  };
}

/** `why`: of what goes to suspense. */
export async function settle(tx: Transaction, transfer: ChainTransfer, state: TransferState, { depositId, at, why = null }: { readonly depositId: string | null; readonly at: string; readonly why?: string | null }): Promise<void> {
  await tx.rows(`UPDATE chain_transfers t SET state = $5, deposit_id = $6, why = $8, final_at = coalesce(t.final_at, $7::timestamptz), updated_at = $7::timestamptz WHERE ${KEY} AND t.block_hash = $4`, ...keyOf(transfer), transfer.blockHash, state, depositId, at, why);
}
