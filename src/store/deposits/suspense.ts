/** What is held in suspense, and an operator's word on it: the user's, or a deposit's. Ledger, rows, event and audit commit together. */
import { isoTime } from '../../domain/clock';
import type { ChainToken, ChainTransfer, Deposit } from '../../domain/deposit';
import { DomainError } from '../../domain/errors';
import { suspenseIdOf, transferKeyOf, type SuspenseEntry } from '../../domain/suspense';
import { releasedFromSuspense, unannounced } from '../../domain/wallet-ledger';
import { appendAct } from '../audit/audit';
import type { StoreCore } from '../core';
import { andOlder, cursorOf } from '../database/cursor';
import type { Parameter, Row, Transaction } from '../database/database';
import { insertDeposit, lockDeposit, recordUnderLock } from './deposits';
import { directDeposit, KEY, keyOf, reversalsOf, SELECT, settle, storedOf } from './transfer-rows';
import { changeUser, type UserChanges } from '../user-changes';

export interface SuspensePage {
  readonly entries: readonly SuspenseEntry[];
  readonly nextCursor: string | null;
}

export interface SuspenseDecision {
  readonly id: string;
  readonly userId: string;
  readonly note: string;
  readonly actor: string;
}

export interface SuspenseListQuery {
  readonly userId: string;
  readonly cursor: string | null;
  readonly limit: number;
}

const ID = `t.chain_id || '-' || t.tx_hash || '-' || t.log_index`;

/** The statement alone, for the test that reads its plan. */
export function suspenseStatement({ userId, cursor, limit }: SuspenseListQuery): { readonly sql: string; readonly parameters: readonly Parameter[] } {
  const parameters: Parameter[] = [userId, limit + 1];
  const given = (value: Parameter): string => `$${parameters.push(value)}`;
  const after = andOlder('suspense', cursor, `t.final_at, ${ID}`, given);
  return { sql: `SELECT ${SELECT}, t.why FROM chain_transfers t WHERE t.user_id = $1 AND t.state = 'unclaimed' ${after} ORDER BY t.final_at DESC, ${ID} DESC LIMIT $2::int`, parameters };
}

export class Suspense {
  constructor(private readonly core: StoreCore) {}

  /** Newest first. Throws VALIDATION on a foreign cursor. */
  async list(query: SuspenseListQuery): Promise<SuspensePage> {
    const { sql, parameters } = suspenseStatement(query);
    const rows = await this.core.database.rows(sql, ...parameters);
    const entries = rows.slice(0, query.limit).map(entryOf);
    const last = entries.at(-1);
    return { entries, nextCursor: rows.length > query.limit && last !== undefined ? cursorOf('suspense', { at: last.at, id: last.id }) : null };
  }

  /** null where this user has no such transfer in suspense. */
  async get(id: string, userId: string): Promise<SuspenseEntry | null> {
    const key = transferKeyOf(id);
    if (key === null) return null;
    const [row] = await this.core.database.rows(`SELECT ${SELECT}, t.why FROM chain_transfers t WHERE ${KEY} AND t.user_id = $4 AND t.state = 'unclaimed'`, key.chainId, key.txHash, key.logIndex, userId);
    return row === undefined ? null : entryOf(row);
  }

  /** It is the user's, as if it had come unannounced. Throws NOT_FOUND where it is not held, or not any more. */
  release(decision: SuspenseDecision, token: ChainToken): Promise<Deposit> {
    return this.decided(decision, 'release', async (tx, changes, transfer, reversals, at) => {
      const deposit = directDeposit(transfer, decision.userId, token, at);
      changes.insertLedger(unannounced(transfer, 'direct', reversals), at);
      insertDeposit(tx, deposit, changes, 'deposit.credited', { transfer });
      await settle(tx, transfer, 'direct', { depositId: deposit.id, at });
      return deposit;
    });
  }

  /** It is what this deposit was to bring. Throws NOT_FOUND as `release` does; CONFLICT where the deposit was paid, or never sent. */
  assign(decision: SuspenseDecision, depositId: string): Promise<Deposit> {
    return this.decided(decision, 'assign', async (tx, changes, transfer, reversals, at) => {
      const known = (await lockDeposit(tx, depositId))?.deposit;
      if (known?.userId !== decision.userId) throw new DomainError('NOT_FOUND', 'no such deposit');
      if (known.toAddress !== transfer.to) throw new DomainError('CONFLICT', 'the transfer came to another address than this deposit\'s', { details: { depositId } });
      const after = await recordUnderLock(tx, changes, depositId, { kind: 'destinationFinal', transfer }, at, reversals);
      if (after.revision === known.revision) throw new DomainError('CONFLICT', `a deposit in ${known.state} takes no transfer: it was paid before, or was never sent`, { details: { depositId, state: known.state } });
      await settle(tx, transfer, 'deposit', { depositId, at });
      return after;
    });
  }

  private decided(decision: SuspenseDecision, verb: 'release' | 'assign', book: (tx: Transaction, changes: UserChanges, transfer: ChainTransfer, reversals: number, at: string) => Promise<Deposit>): Promise<Deposit> {
    const { id, userId, note, actor } = decision;
    const key = transferKeyOf(id);
    return changeUser(this.core, userId, async (tx, changes) => {
      const [row] = key === null ? [] : await tx.rows(`SELECT ${SELECT} FROM chain_transfers t WHERE ${KEY} AND t.user_id = $4 AND t.state = 'unclaimed' FOR UPDATE`, key.chainId, key.txHash, key.logIndex, userId);
      if (row === undefined) throw new DomainError('NOT_FOUND', 'no such transfer is held in suspense');
      const { transfer } = storedOf(row);
      const at = isoTime(this.core.clock.nowMs());
      const reversals = await reversalsOf(tx, transfer);
      changes.insertLedger(releasedFromSuspense(transfer, reversals), at);
      await tx.rows(`UPDATE chain_transfers t SET reversals = $5::int WHERE ${KEY} AND t.block_hash = $4`, ...keyOf(transfer), transfer.blockHash, reversals + 1);
      const deposit = await book(tx, changes, transfer, reversals + 1, at);
      await appendAct(tx, { userId, actor, act: 'operator.decided', subject: `transfer:${id}`, data: { decision: verb, note, depositId: deposit.id, asset: transfer.asset, amount: transfer.amount }, at });
      return deposit;
    });
  }
}

function entryOf(row: Row): SuspenseEntry {
  const { why, ...rest } = row;
  const { transfer, userId } = storedOf(rest);
  return { ...transfer, id: suspenseIdOf(transfer), userId, why: (why as string | null) ?? '', at: isoTime((row['finalAt'] as Date).getTime()) };
}
