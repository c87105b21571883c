/**
 * Transfers that chains showed, and how far each chain was read. A transfer's row, what it is counted as, the deposit it belongs to
 * and the ledger's lines commit together under its user's lock; a key (chain, transaction, log) is counted once at a time.
 */
import { attribute, type Attribution, type TransferState } from '../../domain/chain-transfers';
import { isoTime } from '../../domain/clock';
import type { ChainToken, Deposit, Hex } from '../../domain/deposit';
import { unannounced, unannouncedReversed } from '../../domain/wallet-ledger';
import { recordset } from '../database/columns';
import type { StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { insertDeposit, lockDeposit, recordUnderLock } from './deposits';
import { directDeposit, isRefund, KEY, keyOf, lockTransfer, reversalsOf, SELECT, settle, storedOf, type LockedTransfer, type SeenTransfer, type StoredTransfer } from './transfer-rows';
import { changeUser, type UserChanges } from '../user-changes';

export interface ChainCursor {
  readonly nextBlock: number;
  /** Of the block before it. */
  readonly blockHash: Hex;
}

export interface CountingRules {
  readonly claimWithinMs: number;
  readonly taken: ChainToken;
}

const COLUMNS = { chainId: 'bigint', txHash: 'text', logIndex: 'integer', blockHash: 'text', blockNumber: 'bigint', userId: 'text', token: 'text', asset: 'text', from: 'text', to: 'text', amount: 'numeric', depositId: 'text' } as const;
/** Deposits that a transfer may still be for: those whose source is final, and those a person looks at. */
const OPEN = "('SOURCE_CONFIRMED', 'BRIDGING', 'DEST_SEEN', 'REFUND_PENDING', 'MANUAL_REVIEW')";
/** A sender who paid within this time and pays again may have paid twice. */
const PAYER_MEMORY = "interval '7 days'";

export class ChainTransfers {
  constructor(private readonly core: StoreCore) {}

  async cursor(chainId: number): Promise<ChainCursor | null> {
    const [row] = await this.core.database.rows<{ nextBlock: number; blockHash: Hex }>('SELECT next_block::float8 AS "nextBlock", block_hash AS "blockHash" FROM chain_cursors WHERE chain_id = $1::bigint', chainId);
    return row ?? null;
  }

  /** Keeps what was seen, and how far was read, in one transaction. What is known of the same block stays; what was voided in it is seen again. */
  async keep(chainId: number, seen: readonly SeenTransfer[], cursor: ChainCursor | null): Promise<void> {
    const at = isoTime(this.core.clock.nowMs());
    await this.core.database.transaction(async (tx) => {
      if (seen.length > 0) {
        const rows = seen.map(({ transfer, userId, depositId }) => ({ ...transfer, userId, depositId }));
        await tx.rows(
          `INSERT INTO chain_transfers(chain_id, tx_hash, log_index, block_hash, block_number, user_id, token, asset, from_address, to_address, amount, deposit_id, state, seen_at, updated_at)
             SELECT r."chainId", r."txHash", r."logIndex", r."blockHash", r."blockNumber", r."userId", r."token", r."asset", r."from", r."to", r."amount", r."depositId", 'seen', $2::timestamptz, $2::timestamptz FROM ${recordset(COLUMNS, 1)}
           ON CONFLICT (chain_id, tx_hash, log_index, block_hash) DO UPDATE SET deposit_id = coalesce(chain_transfers.deposit_id, excluded.deposit_id),
             state = CASE WHEN chain_transfers.state IN ('voided', 'reversed') THEN 'seen' ELSE chain_transfers.state END, updated_at = excluded.updated_at`,
          JSON.stringify(rows), at,
        );
      }
      if (cursor !== null) {
        await tx.rows(
          'INSERT INTO chain_cursors(chain_id, next_block, block_hash, updated_at) VALUES ($1::bigint, $2::bigint, $3, $4::timestamptz) ON CONFLICT (chain_id) DO UPDATE SET next_block = excluded.next_block, block_hash = excluded.block_hash, updated_at = excluded.updated_at',
          chainId, cursor.nextBlock, cursor.blockHash, at,
        );
      }
    });
  }

  /** What must be judged: everything not counted, and what was counted in a block not older than `sinceBlock`. */
  async toJudge(chainId: number, sinceBlock: number): Promise<readonly StoredTransfer[]> {
    const rows = await this.core.database.rows(`SELECT ${SELECT} FROM chain_transfers t WHERE t.chain_id = $1::bigint AND (t.state = 'seen' OR (t.state IN ('deposit', 'direct', 'unclaimed') AND t.block_number >= $2::bigint)) ORDER BY t.block_number, t.log_index`, chainId, sinceBlock);
    return rows.map(storedOf);
  }

  async ofDeposit(depositId: string, userId: string): Promise<readonly StoredTransfer[]> {
    return (await this.core.database.rows(`SELECT ${SELECT} FROM chain_transfers t WHERE t.user_id = $1 AND t.deposit_id = $2 ORDER BY t.block_number, t.log_index`, userId, depositId)).map(storedOf);
  }

  /** Its block is gone and it was not counted. */
  async voidSeen({ transfer, userId, depositId }: StoredTransfer): Promise<void> {
    await changeUser(this.core, userId, async (tx, changes) => {
      const voided = await tx.rows(`UPDATE chain_transfers t SET state = 'voided', final_at = NULL, updated_at = $5::timestamptz WHERE ${KEY} AND t.block_hash = $4 AND t.state = 'seen' RETURNING true AS done`, ...keyOf(transfer), transfer.blockHash, this.now());
      if (voided.length > 0 && depositId !== null) await recordUnderLock(tx, changes, depositId, { kind: 'destinationVoided', transfer }, this.now());
    });
  }

  /** Counts a final transfer: for the deposit it belongs to, for its user, or under a question mark. */
  async count({ transfer, userId }: StoredTransfer, rules: CountingRules): Promise<Attribution['kind'] | 'counted'> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const row = await lockTransfer(tx, transfer);
      if (row === null || row.state !== 'seen') return 'counted';
      const [before] = await tx.rows(`SELECT t.state, t.deposit_id AS "depositId", t.why FROM chain_transfers t WHERE ${KEY} AND t.state IN ('deposit', 'direct', 'unclaimed')`, ...keyOf(transfer));
      if (before !== undefined) {
        // The same log in another block: it is counted already, only its block is another.
        await tx.rows(`UPDATE chain_transfers t SET state = 'voided', updated_at = $4::timestamptz WHERE ${KEY} AND t.state IN ('deposit', 'direct', 'unclaimed')`, ...keyOf(transfer), this.now());
        await settle(tx, transfer, before['state'] as TransferState, { depositId: before['depositId'] as string | null, why: before['why'] as string | null, at: this.now() });
        return 'counted';
      }
      const whose = attribute(transfer, await this.facts(tx, row, rules));
      if (whose.kind === 'wait') {
        await tx.rows(`UPDATE chain_transfers t SET final_at = coalesce(t.final_at, $5::timestamptz) WHERE ${KEY} AND t.block_hash = $4`, ...keyOf(transfer), transfer.blockHash, this.now());
        return 'wait';
      }
      await this.book(tx, changes, row, whose, rules);
      return whose.kind;
    });
  }

  /** The chain took back what was counted: the ledger follows, and a person is told. */
  async reverse({ transfer, userId }: StoredTransfer): Promise<void> {
    await changeUser(this.core, userId, async (tx, changes) => {
      const row = await lockTransfer(tx, transfer);
      if (row === null || !['deposit', 'direct', 'unclaimed'].includes(row.state)) return;
      const reversals = await reversalsOf(tx, transfer);
      if (row.state === 'deposit' && row.depositId !== null) {
        await recordUnderLock(tx, changes, row.depositId, { kind: (await isRefund(tx, row.depositId, transfer)) ? 'refundReversed' : 'creditReversed', transfer }, this.now(), reversals);
      } else {
        changes.insertLedger(unannouncedReversed(transfer, row.state === 'direct' ? 'direct' : 'unclaimed', reversals), this.now());
        if (row.state === 'direct' && row.depositId !== null) await recordUnderLock(tx, changes, row.depositId, { kind: 'creditReversed', transfer }, this.now());
        else changes.addEvent({ type: 'deposit.reversed', orderId: null, data: { transfer } }, this.now());
      }
      // The deposit of what came unannounced was made of this counting: another makes another, and no claim of it is left.
      await tx.rows(`UPDATE chain_transfers t SET state = 'reversed', deposit_id = CASE WHEN t.state = 'direct' THEN NULL ELSE t.deposit_id END, reversals = $6::int, final_at = NULL, updated_at = $5::timestamptz WHERE ${KEY} AND t.block_hash = $4`, ...keyOf(transfer), transfer.blockHash, this.now(), reversals + 1);
    });
  }

  private async facts(tx: Transaction, { transfer, finalAt, depositId, userId }: LockedTransfer, { claimWithinMs, taken }: CountingRules) {
    const open = await tx.rows(`SELECT d.data FROM deposits d WHERE d.to_address = $1 AND d.state IN ${OPEN} ORDER BY d.created_at, d.id`, transfer.to);
    const [paid] = await tx.rows<{ depositId: string }>(
      `SELECT t.deposit_id AS "depositId" FROM chain_transfers t WHERE t.to_address = $1 AND t.chain_id = $2::bigint AND t.state = 'deposit' AND (t.tx_hash = $3 OR t.from_address = $4) AND t.updated_at > $5::timestamptz - ${PAYER_MEMORY} ORDER BY t.updated_at DESC LIMIT 1`,
      transfer.to, transfer.chainId, transfer.txHash, transfer.from, this.now(),
    );
    const claimedBy = depositId === null ? null : ((await lockDeposit(tx, depositId))?.deposit ?? null);
    const beside = await tx.rows(`SELECT ${SELECT} FROM chain_transfers t WHERE t.chain_id = $1::bigint AND t.tx_hash = $2 AND t.log_index <> $3::int AND t.block_hash = $4 AND t.to_address = $5 AND t.state NOT IN ('voided', 'reversed') ORDER BY t.log_index`, ...keyOf(transfer), transfer.blockHash, transfer.to);
    const [venue] = await tx.rows('SELECT true AS pays FROM venue_exits x WHERE x.user_id = $1 AND x.contract = $2 LIMIT 1', userId, transfer.from);
    const waitedMs = finalAt === null ? 0 : this.core.clock.nowMs() - finalAt.getTime();
    return { claimedBy, beside: beside.map((row) => storedOf(row).transfer), open: open.map((row) => row['data'] as unknown as Deposit), paidBefore: paid ?? null, isFromVenue: venue !== undefined, waitedMs, claimWithinMs, taken: taken.address };
  }

  private async book(tx: Transaction, changes: UserChanges, row: LockedTransfer, whose: Exclude<Attribution, { kind: 'wait' }>, rules: CountingRules): Promise<void> {
    const { transfer, userId } = row;
    const at = this.now();
    const reversals = await reversalsOf(tx, transfer);
    if (whose.kind === 'deposit') {
      const kind = (await isRefund(tx, whose.depositId, transfer)) ? 'refundFinal' : 'destinationFinal';
      const before = (await lockDeposit(tx, whose.depositId))?.deposit.revision;
      const after = await recordUnderLock(tx, changes, whose.depositId, { kind, transfer }, at, reversals);
      if (after.revision !== before) return settle(tx, transfer, 'deposit', { depositId: whose.depositId, at });
      // Its deposit cannot take it: money that is there is counted all the same.
      return this.book(tx, changes, { ...row, depositId: null }, { kind: 'unclaimed', why: `deposit ${whose.depositId} is ${after.state}` }, rules);
    }
    changes.insertLedger(unannounced(transfer, whose.kind, reversals), at);
    if (whose.kind === 'unclaimed') {
      changes.addEvent({ type: 'deposit.unclaimed', orderId: null, data: { transfer, why: whose.why } }, at);
      return settle(tx, transfer, 'unclaimed', { depositId: null, why: whose.why, at });
    }
    const deposit = directDeposit(transfer, userId, rules.taken, at);
    insertDeposit(tx, deposit, changes, 'deposit.credited', { transfer });
    return settle(tx, transfer, 'direct', { depositId: deposit.id, at });
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}
