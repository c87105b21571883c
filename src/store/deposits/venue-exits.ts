/**
 * Money of deposits at their venue: which line of the venue's ledger was counted for which deposit, and what is asked back, with a nonce
 * that its credit fixed and bytes that are sealed before any of them leaves. What it means for the deposit is recorded in the same transaction.
 */
import { advanceMove, takeMoveSend, type MoveFact, type MoveRecord } from '../../domain/collateral-move-state';
import { ENDED_MOVE_STATES } from '../../domain/collateral-move';
import { isoTime } from '../../domain/clock';
import type { Deposit, Hex } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import type { SealContext } from '../../domain/key-provider';
import type { SignedRequest } from '../../domain/venue';
import type { VenueCredit, VenueExit } from '../../domain/venue-bridge';
import type { StoreCore } from '../core';
import type { Queryable, Row } from '../database/database';
import { lockDeposit, recordUnderLock } from './deposits';
import { open, seal, sealedOf, sealedText } from '../keys/envelope';
import { EXIT_LIFE_MS } from './exit-renewal';
import { lockSigner } from '../database/locks';
import { changeUser } from '../user-changes';

export interface ExitRequest {
  readonly depositId: string;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  /** Whose nonces the venue counts. */
  readonly signerId: string;
  /** A function of the venue's credit; `shown`: those of its credit under which the venue's ledger shows a withdrawal of this amount. */
  readonly nonce: string;
  readonly shown: readonly string[];
  /** Who will pay on the chain. */
  readonly contract: Hex;
  readonly amount: string;
}

export interface KnownExit {
  readonly exit: VenueExit;
  readonly contract: Hex;
  readonly isSigned: boolean;
  readonly record: MoveRecord;
}

/** The transfer that a venue's payout must be. */
export interface ExpectedArrival {
  readonly token: Hex;
  readonly from: Hex;
  readonly to: Hex;
  readonly amount: string;
}

const SELECT = `x.contract, x.state, trim_scale(x.amount)::text AS amount, x.nonce::text AS nonce, x.reason_code AS "reasonCode", x.reason_message AS "reasonMessage", x.sends, x.doubted, x.absences, x.unclears, NULL AS "venueDeadlineMs", x.send_until_ms::float8 AS "sendUntilMs", x.key_id IS NOT NULL AS "isSigned"`;

export class VenueExits {
  constructor(private readonly core: StoreCore) {}

  /** Counts the first of the lines that no other deposit has for this one. null: none is left for it. */
  async claimCredit(depositId: string, userId: string, credits: readonly VenueCredit[]): Promise<Deposit | null> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const known = await lockDeposit(tx, depositId);
      if (known?.deposit.destination?.order?.state !== 'WAITING') return known?.deposit ?? null;
      const at = this.now();
      // The chain's order is the ledger's: the transfer that was sent first has the first line, whoever looks first, and also once more after a restore.
      const [earlier] = await tx.rows(
        `SELECT true AS waits FROM withdrawals mine JOIN withdrawals w ON w.user_id = mine.user_id AND w.amount = mine.amount AND w.state = 'COMPLETED' AND (w.created_at, w.id) < (mine.created_at, mine.id)
           JOIN deposits d ON d.id = w.data->'funding'->>'depositId' AND d.data->'destination'->>'accountId' = $2 AND d.data->'destination'->'order'->>'state' = 'WAITING' WHERE mine.id = $1 LIMIT 1`,
        known.deposit.destination.fundingId, known.deposit.destination.accountId,
      );
      if (earlier !== undefined) return null;
      for (const { reference, amount, atMs, exitNonce } of credits) {
        const counted = await tx.rows('INSERT INTO venue_credits(reference, deposit_id, user_id, counted_at) VALUES ($1, $2, $3, $4::timestamptz) ON CONFLICT (reference) DO NOTHING RETURNING true AS done', reference, depositId, userId, at);
        if (counted.length > 0) return recordUnderLock(tx, changes, depositId, { kind: 'venueCredited', amount, at: isoTime(atMs), exitNonce }, at);
      }
      return null;
    });
  }

  async find(depositId: string): Promise<KnownExit | null> {
    return read(this.core.database, depositId);
  }

  /**
   * Gives it its nonce; what has one keeps it, whatever is asked for now. A withdrawal that the venue shows and that nothing here has is this one:
   * it was asked for before this database was restored, and is not asked for again. It began then, too: what it brought may have been seen already.
   */
  async begin({ depositId, userId, accountId, venue, signerId, nonce, shown, contract, amount }: ExitRequest): Promise<KnownExit> {
    return this.core.database.transaction(async (tx) => {
      await lockSigner(tx, { id: signerId, userId, venue });
      const known = await read(tx, depositId);
      if (known !== null) return known;
      const rows = await tx.rows<{ nonce: string }>('SELECT x.nonce::text AS nonce FROM venue_exits x WHERE x.user_id = $1', userId);
      const held = new Set(rows.map((row) => row.nonce));
      const before = shown.find((each) => !held.has(each));
      let free = BigInt(nonce);
      while (held.has(String(free))) free += 1n;
      await tx.rows(
        `INSERT INTO venue_exits(deposit_id, user_id, account_id, contract, state, amount, nonce, doubted, send_until_ms, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6::numeric, $7::numeric, $8, $9::bigint, CASE WHEN $8 THEN (SELECT d.created_at FROM deposits d WHERE d.id = $1) ELSE $10::timestamptz END, $10::timestamptz)`,
        depositId, userId, accountId, contract, before === undefined ? 'SENDING' : 'UNKNOWN', amount, before ?? String(free), before !== undefined, Math.trunc(this.core.offsets.nowMs(venue)) + EXIT_LIFE_MS, this.now(),
      );
      return must(await read(tx, depositId), depositId);
    });
  }

  /** Keeps what was signed before any of it leaves. What is kept already stays, and what was signed for an earlier nonce of it never leaves. */
  async keep(depositId: string, request: SignedRequest): Promise<KnownExit> {
    const sealed = sealedText(await seal(this.core.keys, Buffer.from(JSON.stringify(request), 'utf8'), exitContext(depositId)));
    await this.core.database.rows(
      `UPDATE venue_exits SET key_id = $2, wrapped_key = decode($3, 'base64'), sealed = decode($4, 'base64'), updated_at = $5::timestamptz WHERE deposit_id = $1 AND key_id IS NULL AND nonce = $6::numeric RETURNING true AS done`,
      depositId, sealed.keyId, sealed.wrappedKey, sealed.data, this.now(), request.nonce,
    );
    return must(await this.find(depositId), depositId);
  }

  /** The right to send its bytes; from now on they may have left. null: it has ended. */
  async takeSend(depositId: string): Promise<{ readonly request: SignedRequest; readonly send: number; readonly doubtedBefore: boolean } | null> {
    const taken = await this.core.database.transaction(async (tx) => {
      const { record } = await locked(tx, depositId);
      if (ENDED_MOVE_STATES.has(record.state)) return null;
      const { sends } = takeMoveSend(record);
      const [row] = await tx.rows<{ keyId: string; wrappedKey: string; data: string | null }>(
        `UPDATE venue_exits SET sends = $2::int, doubted = true, updated_at = $3::timestamptz WHERE deposit_id = $1 RETURNING key_id AS "keyId", encode(wrapped_key, 'base64') AS "wrappedKey", encode(sealed, 'base64') AS data`,
        depositId, sends, this.now(),
      );
      if (row === undefined || row.data === null) throw new Error(`the withdrawal of deposit ${depositId} from its venue is not signed`);
      return { sealed: { ...row, data: row.data }, send: sends, doubtedBefore: record.doubted };
    });
    if (taken === null) return null;
    const { sealed, send, doubtedBefore } = taken;
    const bytes = await open(this.core.keys, sealedOf(sealed), exitContext(depositId));
    return { request: JSON.parse(bytes.toString('utf8')) as SignedRequest, send, doubtedBefore };
  }

  /** Applies a fact; one that says nothing new changes nothing. */
  async learn(depositId: string, fact: MoveFact): Promise<MoveRecord> {
    return this.core.database.transaction(async (tx) => {
      const { record } = await locked(tx, depositId);
      const after = advanceMove(record, fact);
      if (after === null) return record;
      await tx.rows(
        `UPDATE venue_exits SET state = $2, reason_code = $3, reason_message = $4, doubted = $5, absences = $6::int, unclears = $7::int, updated_at = $8::timestamptz, sealed = CASE WHEN $9 THEN NULL ELSE sealed END WHERE deposit_id = $1`,
        depositId, after.state, after.reasonCode, after.reasonMessage, after.doubted, after.absences, after.unclears, this.now(), ENDED_MOVE_STATES.has(after.state),
      );
      return after;
    });
  }

  /** The counted transfer of exactly this that no other exit has brought: it ends the way back. null: there is none yet. */
  async claimArrival(depositId: string, userId: string, { token, from, to, amount }: ExpectedArrival): Promise<Deposit | null> {
    return changeUser(this.core, userId, async (tx, changes) => {
      const [found] = await tx.rows<{ arrival: string; txHash: Hex }>(
        `SELECT t.chain_id || '/' || t.tx_hash || '/' || t.log_index AS arrival, t.tx_hash AS "txHash" FROM chain_transfers t, venue_exits x
          WHERE x.deposit_id = $1 AND x.arrival IS NULL AND t.user_id = $2 AND t.to_address = $3 AND t.from_address = $4 AND t.token = $5 AND t.amount = $6::numeric AND t.state = 'direct' AND t.seen_at >= x.created_at
            AND NOT EXISTS (SELECT 1 FROM venue_exits other WHERE other.arrival = t.chain_id || '/' || t.tx_hash || '/' || t.log_index)
          ORDER BY t.block_number, t.log_index LIMIT 1`,
        depositId, userId, to, from, token, amount,
      );
      if (found === undefined) return null;
      const at = this.now();
      await tx.rows('UPDATE venue_exits SET arrival = $2, updated_at = $3::timestamptz WHERE deposit_id = $1', depositId, found.arrival, at);
      return recordUnderLock(tx, changes, depositId, { kind: 'returnArrived', txHash: found.txHash }, at);
    });
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

function exitContext(depositId: string): SealContext {
  return { table: 'venue_exits', row: depositId, field: 'sealed' };
}

async function read(from: Queryable, depositId: string): Promise<KnownExit | null> {
  const [row] = await from.rows(`SELECT ${SELECT} FROM venue_exits x WHERE x.deposit_id = $1`, depositId);
  return row === undefined ? null : knownOf(row);
}

async function locked(tx: Queryable, depositId: string): Promise<KnownExit> {
  const [row] = await tx.rows(`SELECT ${SELECT} FROM venue_exits x WHERE x.deposit_id = $1 FOR UPDATE`, depositId);
  return must(row === undefined ? null : knownOf(row), depositId);
}

function knownOf(row: Row): KnownExit {
  const { contract, amount, nonce, isSigned, ...record } = row as unknown as MoveRecord & { readonly contract: Hex; readonly amount: string; readonly nonce: string; readonly isSigned: boolean };
  return { exit: { amount, nonce }, contract, isSigned, record };
}

function must(known: KnownExit | null, depositId: string): KnownExit {
  if (known === null) throw new DomainError('NOT_FOUND', `nothing of deposit ${depositId} is asked back`);
  return known;
}
