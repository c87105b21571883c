/**
 * Transactions of ours on chains: which nonce each has, and what was signed for it, sealed before it leaves. Everything about a signer
 * happens under the lock of its row, so that no two processes give one nonce twice.
 */
import { blockingNonce, FILLER_PREFIX, freeNonce, type ChainCall, type ChainSend, type ChainSendState, type SignedTransaction, type SignedVersion, type UnsignedTransaction } from '../../domain/chain-send';
import { isoTime } from '../../domain/clock';
import type { Hex } from '../../domain/deposit';
import { isBeingReadBack } from '../../domain/store-state';
import type { SealContext } from '../../domain/key-provider';
import type { StoreCore } from '../core';
import type { Queryable, Row, Transaction, Value } from '../database/database';
import { open, seal, sealedOf, sealedText } from '../keys/envelope';
import { readingOf, STORE_STATE_SQL } from '../store-states';

export interface SendRequest {
  /** Names it for ever: asked for again, it is the same transaction. */
  readonly id: string;
  readonly userId: string;
  readonly call: ChainCall;
  /** What it is sent for: it gets a nonce only while that still wants it. null: a filler of a gap. */
  readonly purpose: { readonly table: 'withdrawals'; readonly id: string; readonly state: string } | null;
  /** The only nonce that it is of use with. Absent: whichever is free. */
  readonly nonce?: number;
}

/** What became of it in a final block. */
export interface SendOutcome {
  readonly state: Extract<ChainSendState, 'succeeded' | 'reverted' | 'displaced'>;
  readonly minedHash: Hex;
  readonly blockNumber: number | null;
  readonly gasFee: string | null;
}

const SELECT = `s.id, s.user_id AS "userId", s.chain_id::float8 AS "chainId", s.signer, s.nonce::float8 AS nonce, s.state, s.to_address AS "to", s.data, trim_scale(s.value)::text AS value, s.block_number::float8 AS "blockNumber", s.mined_hash AS "minedHash", trim_scale(s.gas_fee)::text AS "gasFee",
  (SELECT coalesce(json_agg(json_build_object('version', v.version, 'hash', v.hash, 'maxFeePerGas', trim_scale(v.max_fee)::text, 'maxPriorityFeePerGas', trim_scale(v.max_tip)::text, 'signedAt', to_char(v.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) ORDER BY v.version), '[]'::json) FROM chain_send_versions v WHERE v.send_id = s.id) AS versions`;

export class ChainSends {
  constructor(private readonly core: StoreCore) {}

  async byId(id: string): Promise<ChainSend | null> {
    return read(this.core.database, id);
  }

  /**
   * Gives it the lowest free nonce of its signer; what has one keeps it. `usedByChain`: transactions of the signer that blocks hold.
   * One that was released is given a nonce anew. null: its purpose was given up, or the only nonce
   * that it wants is taken. `restored`: the database was restored since its purpose came to
   * be, and what was signed for that may be lost with it: another nonce would pay a second time. Throws where the id stands for another call.
   */
  async allocate({ id, userId, call, purpose, nonce: wanted }: SendRequest, usedByChain: number): Promise<ChainSend | 'restored' | null> {
    return this.core.database.transaction(async (tx) => {
      if (purpose !== null && !(await isWanted(tx, purpose))) return null;
      await this.lockSigner(tx, call);
      const known = await read(tx, id);
      if (known !== null && known.state !== 'released') {
        if (JSON.stringify(known.call) !== JSON.stringify(call)) throw new Error(`${id} was another transaction before`);
        return known;
      }
      if (purpose !== null && (await mayHaveBeenSigned(tx, purpose))) return 'restored';
      const nonce = freeNonce(usedByChain, await this.taken(tx, call, usedByChain));
      if (wanted !== undefined && nonce !== wanted) return null;
      await tx.rows(
        `INSERT INTO chain_sends(id, user_id, chain_id, signer, nonce, state, to_address, data, value, created_at, updated_at) VALUES ($1, $2, $3::bigint, $4, $5::bigint, 'allocated', $6, $7, $8::numeric, $9::timestamptz, $9::timestamptz)
         ON CONFLICT (id) DO UPDATE SET nonce = excluded.nonce, state = 'allocated', to_address = excluded.to_address, data = excluded.data, value = excluded.value, updated_at = excluded.updated_at`,
        id, userId, call.chainId, call.from, nonce, call.to, call.data, call.value, this.now(),
      );
      return { id, userId, call, nonce, state: 'allocated', versions: [], blockNumber: null, minedHash: null, gasFee: null };
    });
  }

  /** A nonce that nobody has and that stops this transaction; null: none. */
  async blockedBy(send: ChainSend, usedByChain: number): Promise<number | null> {
    return blockingNonce(send.nonce, usedByChain, await this.taken(this.core.database, send.call, usedByChain));
  }

  /** Fillers that stop this transaction, lowest first: no workflow is at them, so whoever is stopped sees to them. */
  async fillersBelow({ nonce, call: { chainId, from } }: ChainSend, usedByChain: number): Promise<readonly ChainSend[]> {
    const rows = await this.core.database.rows(
      `SELECT ${SELECT} FROM chain_sends s WHERE s.chain_id = $1::bigint AND s.signer = $2 AND s.nonce >= $3::bigint AND s.nonce < $4::bigint AND s.state IN ('allocated', 'signed') AND starts_with(s.id, $5) ORDER BY s.nonce`,
      chainId, from, usedByChain, nonce, FILLER_PREFIX,
    );
    return rows.map(sendOf);
  }

  /**
   * Keeps what was signed, before any of it leaves: the version that is kept, which is another where a process was faster. null: it was
   * released or has ended meanwhile, and these bytes must never be sent.
   */
  async keep(id: string, version: number, transaction: UnsignedTransaction, signed: SignedTransaction): Promise<SignedVersion | null> {
    const sealed = sealedText(await seal(this.core.keys, Buffer.from(signed.bytes, 'utf8'), versionContext(id, version)));
    return this.core.database.transaction(async (tx) => {
      const [row] = await tx.rows<{ state: ChainSendState; nonce: number; userId: string }>('SELECT s.state, s.nonce::float8 AS nonce, s.user_id AS "userId" FROM chain_sends s WHERE s.id = $1 FOR UPDATE', id);
      if (row === undefined || !(row.state === 'allocated' || row.state === 'signed') || row.nonce !== transaction.nonce) return null;
      const at = this.now();
      await tx.rows(
        `INSERT INTO chain_send_versions(send_id, version, user_id, hash, max_fee, max_tip, key_id, wrapped_key, signed, signed_at)
           VALUES ($1, $2::int, $3, $4, $5::numeric, $6::numeric, $7, decode($8, 'base64'), decode($9, 'base64'), $10::timestamptz) ON CONFLICT (send_id, version) DO NOTHING`,
        id, version, row.userId, signed.hash, transaction.maxFeePerGas, transaction.maxPriorityFeePerGas, sealed.keyId, sealed.wrappedKey, sealed.data, at,
      );
      await tx.rows("UPDATE chain_sends SET state = 'signed', updated_at = $2::timestamptz WHERE id = $1", id, at);
      return (await read(tx, id))?.versions.find((each) => each.version === version) ?? null;
    });
  }

  /** The bytes of one version, as they were signed. null: never signed, or purged after its end. */
  async bytesOf(id: string, version: number): Promise<Hex | null> {
    const [row] = await this.core.database.rows<{ keyId: string; wrappedKey: string; data: string | null }>(`SELECT v.key_id AS "keyId", encode(v.wrapped_key, 'base64') AS "wrappedKey", encode(v.signed, 'base64') AS data FROM chain_send_versions v WHERE v.send_id = $1 AND v.version = $2::int`, id, version);
    if (row === undefined || row.data === null) return null;
    return (await open(this.core.keys, sealedOf({ ...row, data: row.data }), versionContext(id, version))).toString('utf8') as Hex;
  }

  /** What a final block says; the bytes are not needed any more. The first word stands. */
  async end(id: string, { state, minedHash, blockNumber, gasFee }: SendOutcome): Promise<ChainSend> {
    return this.core.database.transaction(async (tx) => {
      const ended = await tx.rows("UPDATE chain_sends s SET state = $2, mined_hash = $3, block_number = $4::bigint, gas_fee = $5::numeric, updated_at = $6::timestamptz WHERE s.id = $1 AND s.state IN ('allocated', 'signed') RETURNING true AS done", id, state, minedHash, blockNumber, gasFee, this.now());
      if (ended.length > 0) await tx.rows('UPDATE chain_send_versions SET signed = NULL WHERE send_id = $1', id);
      return must(await read(tx, id), id);
    });
  }

  private async lockSigner(tx: Transaction, { chainId, from }: ChainCall): Promise<void> {
    await tx.rows('INSERT INTO chain_signers(chain_id, address) VALUES ($1::bigint, $2) ON CONFLICT (chain_id, address) DO UPDATE SET address = excluded.address RETURNING address', chainId, from);
  }

  private async taken(from: Queryable, { chainId, from: signer }: ChainCall, since: number): Promise<readonly number[]> {
    return (await from.rows<{ nonce: number }>("SELECT s.nonce::float8 AS nonce FROM chain_sends s WHERE s.chain_id = $1::bigint AND s.signer = $2 AND s.state <> 'released' AND s.nonce >= $3::bigint", chainId, signer, since)).map((row) => row.nonce);
  }

  private now(): string {
    return isoTime(this.core.clock.nowMs());
  }
}

/** Locks the row it is for: whoever gives that up does so before, and is seen here, or after, and finds the nonce that was given. */
async function isWanted(tx: Queryable, { table, id, state }: NonNullable<SendRequest['purpose']>): Promise<boolean> {
  const [row] = await tx.rows<{ state: string }>(`SELECT p.state FROM ${table} p WHERE p.id = $1 FOR UPDATE`, id);
  return row?.state === state;
}

/** Whether it is from before a restore of the database, or that is not known yet. */
async function mayHaveBeenSigned(tx: Queryable, { table, id }: NonNullable<SendRequest['purpose']>): Promise<boolean> {
  const [row] = await tx.rows<{ createdAt: Date; gate: Value }>(`SELECT p.created_at AS "createdAt", ${STORE_STATE_SQL} AS gate FROM ${table} p WHERE p.id = $1`, id);
  if (row === undefined) return true;
  const reading = readingOf(row.gate);
  return isBeingReadBack(reading) || (reading.state.lostBeforeMs !== null && row.createdAt.getTime() < reading.state.lostBeforeMs);
}

/** Gives its nonce back, inside a transaction that ends what it was for. False: something is signed, and it goes on. */
export async function releaseSend(tx: Queryable, id: string, at: string): Promise<boolean> {
  const [row] = await tx.rows<{ state: ChainSendState }>('SELECT s.state FROM chain_sends s WHERE s.id = $1 FOR UPDATE', id);
  if (row === undefined || row.state === 'released') return true;
  if (row.state !== 'allocated') return false;
  await tx.rows("UPDATE chain_sends SET state = 'released', updated_at = $2::timestamptz WHERE id = $1", id, at);
  return true;
}

function versionContext(id: string, version: number): SealContext {
  return { table: 'chain_send_versions', row: `${id}/${version}`, field: 'signed' };
}

async function read(from: Queryable, id: string): Promise<ChainSend | null> {
  const [row] = await from.rows(`SELECT ${SELECT} FROM chain_sends s WHERE s.id = $1`, id);
  return row === undefined ? null : sendOf(row);
}

function sendOf(row: Row): ChainSend {
  const { chainId, signer, to, data, value, ...rest } = row;
  return { ...(rest as unknown as Omit<ChainSend, 'call'>), call: { chainId, from: signer, to, data, value } as ChainCall };
}

function must(send: ChainSend | null, id: string): ChainSend {
  if (send === null) throw new Error(`there is no transaction ${id}`);
  return send;
}
