/** Collateral moves: recorded with their signed, sealed bytes in one transaction; each fact moves the row and the account's stream in one. */
import { isoTime } from '../../domain/clock';
import { ENDED_MOVE_STATES, venueMoveOf, type CollateralMove } from '../../domain/collateral-move';
import { advanceMove, takeMoveSend, type MoveFact, type MoveRecord } from '../../domain/collateral-move-state';
import { DomainError } from '../../domain/errors';
import type { SealContext } from '../../domain/key-provider';
import type { SignedRequest } from '../../domain/venue';
import { NonceBook } from '../orders/attempt-builder';
import { appendAct } from '../audit/audit';
import type { ChangeSet } from '../change-set';
import { change, type StoreCore } from '../core';
import type { Credentials } from '../accounts/credentials';
import { andOlder, cursorOf } from '../database/cursor';
import type { Parameter, Queryable, Row, Statement } from '../database/database';
import { open, seal, sealedOf, sealedText } from '../keys/envelope';
import { lockAccounts, type LockedAccount } from '../database/locks';

/** How long after it was recorded its bytes are sent, and, by the venue's own clock, taken. */
const MOVE_LIFE_MS = 20_000;
/** The last send has this long to arrive: late ones only cost the budget. */
const ARRIVAL_MS = 2_000;
/** Two processes' clocks are no further apart than this: what ended so shortly before the venue was read may not be in what it showed. */
const CLOCKS_APART_MS = 2_000;

/** What a move was decided by. */
export interface MoveGrounds {
  /** What the venue showed, and from when on (our clock) it was asked. */
  readonly basis: string;
  readonly readAtMs: number;
  /** Later nothing is recorded any more: its caller was told so. */
  readonly recordBeforeMs: number;
}

export interface MoveListQuery {
  readonly userId: string;
  readonly accountId: string | null;
  readonly cursor: string | null;
  readonly limit: number;
}

export interface KnownMove {
  readonly move: CollateralMove;
  readonly record: MoveRecord;
  readonly basis: string;
  readonly nonce: string | null;
}

const SELECT = 'm.data, m.sends, m.doubted, m.absences, m.unclears, m.venue_deadline_ms::float8 AS "venueDeadlineMs", m.send_until_ms::float8 AS "sendUntilMs", m.basis, m.nonce::text AS nonce';

export class CollateralMoves {
  constructor(
    private readonly core: StoreCore,
    private readonly credentials: Credentials,
  ) {}

  async find(id: string): Promise<KnownMove | null> {
    const [row] = await this.core.database.rows(`SELECT ${SELECT} FROM collateral_moves m WHERE m.id = $1`, id);
    return row === undefined ? null : knownOf(row);
  }

  async get(id: string, userId: string): Promise<CollateralMove | null> {
    const known = await this.find(id);
    return known?.move.userId === userId ? known.move : null;
  }

  /**
   * Takes a nonce, signs, and stores both with the move; the same id again changes nothing. Audited. Throws NOT_FOUND for an account that
   * is not the user's or is deleted, CONFLICT where it has no key and while other margin of the same position is under way, SERVICE_UNAVAILABLE where the
   * venue has to be read anew, and what signing throws: then nothing is left.
   */
  async record(move: CollateralMove, { basis, readAtMs, recordBeforeMs }: MoveGrounds): Promise<CollateralMove> {
    const { id, accountId, userId } = move;
    const credentials = await this.credentials.of(accountId);
    const venue = this.core.venues.get(move.venue);
    const moves = venue?.session(credentials).moves;
    if (venue === undefined || moves === undefined) throw new DomainError('UNPROCESSABLE', `${move.venue} moves no collateral`);
    return change(this.core, [accountId], async (tx, changes) => {
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      if (account?.userId !== userId || account.isDeleted) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
      const known = await lockMove(tx, id);
      if (known !== null) return known.move;
      if (this.core.clock.nowMs() > recordBeforeMs) throw new DomainError('SERVICE_UNAVAILABLE', 'it came too late to be recorded', { retryAfterSeconds: 1 });
      if (move.kind === 'margin') await assertAlone(tx, move, readAtMs);
      const nonces = new NonceBook(this.core, tx);
      await nonces.lock([account]);
      const nonce = nonces.peek(account);
      const at = isoTime(this.core.clock.nowMs());
      const venueTimeMs = this.core.offsets.nowMs(venue.name);
      const deadlineMs = venueTimeMs + MOVE_LIFE_MS;
      const request = moves.prepare(venueMoveOf(move), basis, { nonce, venueDeadlineMs: deadlineMs, venueTimeMs });
      nonces.take(account, nonce);
      await nonces.save();
      const sealed = sealedText(await seal(this.core.keys, Buffer.from(JSON.stringify(request), 'utf8'), moveContext(id)));
      const recorded: CollateralMove = { ...move, state: 'SENDING', sends: 0, createdAt: at, updatedAt: at };
      await tx.rows(
        `INSERT INTO collateral_moves(id, user_id, account_id, state, data, venue_deadline_ms, send_until_ms, basis, nonce, key_id, wrapped_key, sealed, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5::jsonb, $6::bigint, $7::bigint, $8, $9::numeric, $10, decode($11, 'base64'), decode($12, 'base64'), $13::timestamptz, $13::timestamptz)`,
        id, userId, accountId, recorded.state, JSON.stringify(recorded), request.venueDeadlineMs, Math.min(request.venueDeadlineMs ?? deadlineMs, deadlineMs) - ARRIVAL_MS, basis, request.nonce,
        sealed.keyId, sealed.wrappedKey, sealed.data, at,
      );
      tell(changes, account, recorded, at);
      const { kind, symbol, from, to, asset, amount } = move;
      await appendAct(tx, { userId, actor: move.requestedBy, act: 'collateral.moved', subject: `account:${accountId}`, data: { moveId: id, kind, symbol, from, to, asset, amount }, at });
      return recorded;
    }, { signing: true });
  }

  /** The right to send its bytes; from now on they may have left. null: it has ended. Throws NOT_FOUND. */
  async takeSend(id: string): Promise<{ readonly request: SignedRequest; readonly send: number; readonly doubtedBefore: boolean } | null> {
    const taken = await this.core.database.transaction(async (tx) => {
      const known = await lockMove(tx, id);
      if (known === null) throw new DomainError('NOT_FOUND', `collateral move ${id} does not exist`);
      if (ENDED_MOVE_STATES.has(known.record.state)) return null;
      const { sends } = takeMoveSend(known.record);
      const [row] = await tx.rows<{ keyId: string; wrappedKey: string; data: string }>(
        `UPDATE collateral_moves SET sends = $2::int, doubted = true WHERE id = $1 RETURNING key_id AS "keyId", encode(wrapped_key, 'base64') AS "wrappedKey", encode(sealed, 'base64') AS data`,
        id, sends,
      );
      return row === undefined ? null : { row, send: sends, doubtedBefore: known.record.doubted };
    });
    if (taken === null) return null;
    const { row, send, doubtedBefore } = taken;
    return { request: JSON.parse((await open(this.core.keys, sealedOf(row), moveContext(id))).toString('utf8')) as SignedRequest, send, doubtedBefore };
  }

  /** Applies a fact; one that says nothing new changes nothing. Throws NOT_FOUND. */
  async learn(id: string, fact: MoveFact): Promise<CollateralMove> {
    const found = await this.find(id);
    if (found === null) throw new DomainError('NOT_FOUND', `collateral move ${id} does not exist`);
    const { accountId } = found.move;
    return change(this.core, [accountId], async (tx, changes) => {
      const account = (await lockAccounts(tx, [accountId])).get(accountId);
      const known = await lockMove(tx, id);
      if (account === undefined || known === null) throw new DomainError('NOT_FOUND', `collateral move ${id} does not exist`);
      const { move, record } = known;
      const after = advanceMove(record, fact);
      if (after === null) return move;
      const at = isoTime(this.core.clock.nowMs());
      const { state, reasonCode, reasonMessage, sends, doubted, absences, unclears } = after;
      const shown: CollateralMove = { ...move, state, reasonCode, reasonMessage, sends, updatedAt: at };
      await tx.rows(
        `UPDATE collateral_moves SET state = $2, data = $3::jsonb, doubted = $4, absences = $5::int, unclears = $6::int, updated_at = $7::timestamptz, sealed = CASE WHEN $8 THEN NULL ELSE sealed END WHERE id = $1`,
        id, state, JSON.stringify(shown), doubted, absences, unclears, at, ENDED_MOVE_STATES.has(state),
      );
      if (state !== move.state) tell(changes, account, shown, at);
      return shown;
    });
  }

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: MoveListQuery): Promise<{ readonly moves: readonly CollateralMove[]; readonly nextCursor: string | null }> {
    const { sql, parameters } = movesStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const moves = rows.slice(0, query.limit).map((row) => row['data'] as unknown as CollateralMove);
    const last = moves.at(-1);
    return { moves, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf('collateral_moves', { at: last.createdAt, id: last.id }) : null };
  }

  /** Those whose outcome is open, quiet the longest first: somebody has to be at them. */
  async unended(limit: number): Promise<readonly CollateralMove[]> {
    const rows = await this.core.database.rows("SELECT m.data FROM collateral_moves m WHERE m.state IN ('SENDING', 'UNKNOWN') ORDER BY m.updated_at LIMIT $1::int", limit);
    return rows.map((row) => row['data'] as unknown as CollateralMove);
  }
}

/** One more than the page: whether there is a next. */
export function movesStatement({ userId, accountId, cursor, limit }: MoveListQuery): Statement {
  const parameters: Parameter[] = [userId];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const after = andOlder('collateral_moves', cursor, 'm.created_at, m.id', given);
  const ofAccount = accountId === null ? '' : `AND m.account_id = ${given(accountId)}`;
  return { sql: `SELECT m.data FROM collateral_moves m WHERE m.user_id = $1 ${after} ${ofAccount} ORDER BY m.created_at DESC, m.id DESC LIMIT ${given(limit + 1)}::int`, parameters };
}

/** What a position's own money tells of a move, it tells of one at a time: the basis holds every earlier one, and none is under way. */
async function assertAlone(tx: Queryable, { accountId, venueSymbol, symbol }: CollateralMove, readAtMs: number): Promise<void> {
  const [other] = await tx.rows<{ id: string; isOpen: boolean }>(
    `SELECT m.id, m.state IN ('SENDING', 'UNKNOWN') AS "isOpen" FROM collateral_moves m WHERE m.account_id = $1 AND m.data->>'kind' = 'margin' AND m.data->>'venueSymbol' = $2
       AND (m.state IN ('SENDING', 'UNKNOWN') OR m.updated_at >= $3::timestamptz) ORDER BY "isOpen" DESC LIMIT 1`,
    accountId, venueSymbol, isoTime(readAtMs - CLOCKS_APART_MS),
  );
  if (other === undefined) return;
  if (other.isOpen) throw new DomainError('CONFLICT', `margin of ${symbol} is under way already (${other.id}); ask again once it has ended`, { details: { moveId: other.id } });
  throw new DomainError('SERVICE_UNAVAILABLE', `margin of ${symbol} was moved meanwhile (${other.id}); the venue is read anew`, { retryAfterSeconds: 1 });
}

function moveContext(id: string): SealContext {
  return { table: 'collateral_moves', row: id, field: 'sealed' };
}

async function lockMove(tx: Queryable, id: string): Promise<KnownMove | null> {
  const [row] = await tx.rows(`SELECT ${SELECT} FROM collateral_moves m WHERE m.id = $1 FOR UPDATE`, id);
  return row === undefined ? null : knownOf(row);
}

function knownOf(row: Row): KnownMove {
  const { data, basis, nonce, ...figures } = row as unknown as Omit<MoveRecord, 'state' | 'reasonCode' | 'reasonMessage'> & { readonly data: CollateralMove; readonly basis: string; readonly nonce: string | null };
  const { state, reasonCode, reasonMessage } = data;
  return { move: { ...data, sends: figures.sends }, record: { ...figures, state, reasonCode, reasonMessage }, basis, nonce };
}

function tell(changes: ChangeSet, account: LockedAccount, move: CollateralMove, at: string): void {
  changes.addEvent(account, { type: 'account.collateralMoved', orderId: null, data: { move } }, at);
}
