/** What a person decides of a deposit that waits for one, or of its money that is held at a venue: under the user's lock, audited. */
import { isoTime } from '../../domain/clock';
import type { Deposit } from '../../domain/deposit';
import { advance, type DepositDecision, type DepositFact } from '../../domain/deposit-state';
import { DomainError } from '../../domain/errors';
import { appendAct } from '../audit/audit';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { lockDeposit, recordUnderLock } from './deposits';
import { renewExit } from './exit-renewal';
import { changeUser } from '../user-changes';

export interface DecidedDeposit {
  readonly id: string;
  readonly userId: string;
  readonly decision: DepositDecision;
  readonly note: string;
  readonly actor: string;
}

export async function decideDeposit(core: StoreCore, { id, userId, decision, note, actor }: DecidedDeposit): Promise<Deposit> {
  return changeUser(core, userId, async (tx, changes) => {
    const at = isoTime(core.clock.nowMs());
    const known = await lockDeposit(tx, id);
    if (known === null || known.deposit.userId !== userId) throw new DomainError('NOT_FOUND', 'no such deposit');
    const fact: DepositFact = { kind: 'decided', decision, note };
    if (advance(known.deposit, fact) === null) {
      // Said again, as by a worker whose predecessor died after the commit, it is done already.
      if (await isNewestStep(tx, id, known.steps, { decision, note })) return known.deposit;
      throw new DomainError('CONFLICT', `a deposit in ${known.deposit.state} cannot be decided so`, { details: { state: known.deposit.state, decision } });
    }
    if (known.deposit.destination?.order?.state === 'HELD') await renewExit(tx, known.deposit, { atMs: core.clock.nowMs(), venueTimeMs: (venue) => core.offsets.nowMs(venue) });
    const after = await recordUnderLock(tx, changes, id, fact, at);
    await appendAct(tx, { userId, actor, act: 'operator.decided', subject: `deposit:${id}`, data: { decision, note, from: stateOf(known.deposit), to: stateOf(after) }, at });
    return after;
  });
}

/** Whether nothing has happened since exactly this was decided. */
async function isNewestStep(tx: Queryable, id: string, number: number, { decision, note }: Pick<DecidedDeposit, 'decision' | 'note'>): Promise<boolean> {
  const said = await tx.rows("SELECT true AS is FROM deposit_steps s WHERE s.deposit_id = $1 AND s.number = $2::int AND s.fact = 'decided' AND s.data->>'decision' = $3 AND s.data->>'note' = $4", id, number, decision, note);
  return said.length > 0;
}

/** Where money is held at its venue, that is what is decided about. */
function stateOf({ state, destination }: Deposit): string {
  const order = destination?.order?.state;
  return order === undefined || order === 'WAITING' ? state : `${state}, order ${order}`;
}
