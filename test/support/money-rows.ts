/** Rows of a user's money outside of venues, written as they are: where no chain is configured nothing makes them. */
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { suspenseIdOf } from '../../src/domain/suspense';
import { depositSample, transferSample } from '../unit/domain/deposit-samples';
import { moveSample } from '../unit/domain/move-samples';
import { withdrawalSample } from '../unit/domain/withdrawal-samples';

/** Of the account's owner: a deposit that waits to be signed, a transfer in suspense, a withdrawal that waits for its approval, an address it may go to, a move of collateral. */
export async function newMoney(databaseUrl: string, accountId: string): Promise<Readonly<Record<'depositId' | 'suspenseId' | 'withdrawalId' | 'withdrawalAddressId' | 'collateralMoveId', string>>> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ userId: string }>('SELECT a.user_id AS "userId" FROM accounts a WHERE a.id = $1', [accountId]);
    const userId = rows[0]?.userId ?? '';
    const deposit = depositSample({ id: randomUUID(), userId, state: 'AWAITING_SIGNATURE' });
    await client.query("INSERT INTO deposits(id, user_id, kind, state, to_chain_id, to_address, data, steps, created_at, updated_at) VALUES ($1, $2, 'bridge', $3, $4, $5, $6, 0, $7, $7)", [deposit.id, userId, deposit.state, deposit.to.chainId, deposit.toAddress, JSON.stringify(deposit), deposit.createdAt]);
    const held = transferSample();
    await client.query("INSERT INTO chain_transfers(chain_id, tx_hash, log_index, block_hash, block_number, user_id, token, asset, from_address, to_address, amount, state, why, seen_at, final_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'unclaimed', 'paid twice', $12, $12, $12)", [held.chainId, held.txHash, held.logIndex, held.blockHash, held.blockNumber, userId, held.token, held.asset, held.from, held.to, held.amount, deposit.createdAt]);
    const withdrawal = withdrawalSample({ id: randomUUID(), userId, requestedBy: 'key:another' });
    await client.query('INSERT INTO withdrawals(id, user_id, state, asset, amount, data, steps, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)', [withdrawal.id, userId, withdrawal.state, held.asset, withdrawal.amount, JSON.stringify(withdrawal), withdrawal.createdAt]);
    const withdrawalAddressId = randomUUID();
    await client.query("INSERT INTO withdrawal_addresses(id, user_id, address, label, created_at, usable_at) VALUES ($1, $2, $3, 'own', $4, $4)", [withdrawalAddressId, userId, withdrawal.toAddress, withdrawal.createdAt]);
    const move = moveSample({ id: randomUUID(), userId, accountId, state: 'APPLIED', requestedBy: 'key:another' });
    await client.query("INSERT INTO collateral_moves(id, user_id, account_id, state, data, send_until_ms, basis, key_id, wrapped_key, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, 0, '{}', 'none', '', $6, $6)", [move.id, userId, accountId, move.state, JSON.stringify(move), move.createdAt]);
    return { depositId: deposit.id, suspenseId: suspenseIdOf(held), withdrawalId: withdrawal.id, withdrawalAddressId, collateralMoveId: move.id };
  } finally {
    await client.end();
  }
}
