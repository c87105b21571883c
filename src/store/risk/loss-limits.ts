/**
 * Judges losses by the figures of this moment, of an account and of all accounts of its user together, and restricts where a limit is
 * reached: status, event, alert and audit of every account concerned in one transaction.
 */
import { SYSTEM_ACTOR } from '../../domain/audit';
import { isoTime } from '../../domain/clock';
import { decimal, sum, decimalText } from '../../domain/decimal';
import { freestOf, lossTripOf, peakAfter, userLossTripOf, type LossFigures, type LossTrip } from '../../domain/loss-limits';
import type { WriterEpoch } from '../../domain/order-store';
import { appendAct } from '../audit/audit';
import type { ChangeSet } from '../change-set';
import { change, holdEpoch, type StoreCore } from '../core';
import type { Transaction } from '../database/database';
import { lockAccounts, readAccounts, type LockedAccount } from '../database/locks';
import { loadStandings, type Standings } from './standing';
import { accountsOf, type Companions, type UserLimitChanges } from './user-figures';

export class LossLimits {
  constructor(
    private readonly core: StoreCore,
    private readonly userLimits: UserLimitChanges,
  ) {}

  /** What tripped; null: nothing. Throws EpochLost for a watcher whose successor works. */
  async check(writer: WriterEpoch, accountId: string): Promise<LossTrip | null> {
    const account = (await readAccounts(this.core.database, [accountId])).get(accountId);
    if (account === undefined || account.status === 'HALTED') return null;
    return (await this.checkUser(writer, account)) ?? this.checkAccount(writer, account);
  }

  private async checkAccount(writer: WriterEpoch, account: LockedAccount): Promise<LossTrip | null> {
    const { id } = account;
    const seen = figuresOf(account, await loadStandings(this.core.database, [account], this.core.clock.nowMs(), this.core));
    if (!hasRisen(seen) && lossTripOf(seen) === null) return null;
    return change(this.core, [id], async (tx, changes) => {
      await holdEpoch(tx, writer);
      const locked = (await lockAccounts(tx, [id])).get(id);
      if (locked === undefined) return null;
      const at = isoTime(this.core.clock.nowMs());
      // Judged again under the lock: its limits or its status may have been set meanwhile.
      const figures = figuresOf(locked, await loadStandings(tx, [locked], this.core.clock.nowMs(), this.core));
      if (hasRisen(figures)) await putPeak(tx, locked, figures.profit, at);
      const trip = lossTripOf(figures);
      if (trip === null) return null;
      await restrict(tx, changes, [locked], trip, at);
      // Whoever releases the account begins with a new peak.
      if (trip.kind === 'drawdownLimit') await tx.rows('DELETE FROM equity_peaks WHERE account_id = $1 RETURNING account_id', id);
      return trip;
    });
  }

  private async checkUser(writer: WriterEpoch, account: LockedAccount): Promise<LossTrip | null> {
    const { userId, userLimits: limits } = account;
    if (limits === null || (limits.maxDailyLoss === null && (limits.maxDrawdown ?? null) === null)) return null;
    const { database, clock } = this.core;
    const accounts = [...(await readAccounts(database, await accountsOf(database, [userId]))).values()];
    const standings = await loadStandings(database, accounts, clock.nowMs(), this.core);
    const seen = userFiguresOf(account, { accounts, figures: standings.figures, standings });
    if (hasRisen(seen)) await putUserPeak(database, userId, seen.profit, isoTime(clock.nowMs()));
    if (userLossTripOf(seen) === null) return null;
    return this.userLimits.change([account.id], async (tx, changes, lockIds) => {
      await holdEpoch(tx, writer);
      const locked = await lockAccounts(tx, lockIds);
      const own = locked.get(account.id);
      if (own === undefined) return null;
      // Judged again under the locks of all of them.
      const trip = userLossTripOf(userFiguresOf(own, await this.userLimits.read(tx, locked, [own])));
      if (trip === null) return null;
      await restrict(tx, changes, [...locked.values()].filter((each) => each.userId === userId), trip, isoTime(clock.nowMs()));
      if (trip.kind === 'drawdownLimit') await tx.rows('DELETE FROM user_equity_peaks WHERE user_id = $1 RETURNING user_id', userId);
      return trip;
    });
  }
}

/** Whose status is freer than the limit lets it be, deleted accounts left out. */
async function restrict(tx: Transaction, changes: ChangeSet, accounts: readonly LockedAccount[], trip: LossTrip, at: string): Promise<void> {
  const freer = trip.status === 'HALTED' ? ['ACTIVE', 'REDUCING'] : ['ACTIVE'];
  const restricted = await tx.rows<{ id: string }>(
    'UPDATE accounts SET status = $2, status_reason = $3, updated_at = $4::timestamptz WHERE id = ANY($1::text[]) AND status = ANY($5::text[]) AND deleted_at IS NULL RETURNING id',
    accounts.map(({ id }) => id), trip.status, trip.reason, at, freer,
  );
  const ids = new Set(restricted.map(({ id }) => id));
  for (const account of accounts.filter(({ id }) => ids.has(id))) {
    const data = { status: trip.status, reason: trip.reason, previousStatus: account.status };
    // A kill switch that holds it HALTED goes on holding it.
    if (account.killSwitchId === null) changes.addEvent(account, { type: 'account.statusChanged', orderId: null, data }, at);
    changes.addEvent(account, { type: 'account.alert', orderId: null, data: { ...trip } }, at);
    await appendAct(tx, { userId: account.userId, actor: SYSTEM_ACTOR, act: 'account.statusChanged', subject: `account:${account.id}`, data: { ...data, previousReason: account.statusReason, figures: trip.figures }, at });
  }
}

function figuresOf(account: LockedAccount, standings: Standings): LossFigures {
  const figures = standings.figures.get(account.id);
  if (figures === undefined) throw new Error(`no figures of account ${account.id}`);
  const { status, dailyProfit, limits } = figures;
  return { status, dailyProfit, maxDailyLoss: limits.maxDailyLoss, maxDrawdown: limits.maxDrawdown ?? null, profit: standings.profitOf(account.id), peak: standings.peakOf(account.id) };
}

function userFiguresOf({ userId, userLimits }: LockedAccount, { accounts, figures, standings }: Companions): LossFigures {
  const own = accounts.filter((account) => account.userId === userId);
  const profits = own.map(({ id }) => figures.get(id)?.dailyProfit ?? null);
  const known = profits.filter((profit) => profit !== null);
  return {
    // A deleted account's loss counts, and nothing of it can be restricted.
    status: freestOf(own.filter(({ isDeleted }) => !isDeleted).map(({ status }) => status)),
    dailyProfit: known.length < profits.length ? null : decimalText(sum(known.map((profit) => decimal(profit)))),
    maxDailyLoss: userLimits?.maxDailyLoss ?? null,
    maxDrawdown: userLimits?.maxDrawdown ?? null,
    ...(standings?.ofUser(userId) ?? { profit: null, peak: null }),
  };
}

function hasRisen(figures: LossFigures): figures is LossFigures & { readonly profit: string } {
  return figures.maxDrawdown !== null && figures.profit !== null && peakAfter(figures.peak, figures.profit) !== figures.peak;
}

async function putPeak(tx: Transaction, account: LockedAccount, peak: string, at: string): Promise<void> {
  await tx.rows(
    `INSERT INTO equity_peaks(account_id, user_id, peak, peak_at) VALUES ($1, $2, $3::numeric, $4::timestamptz)
     ON CONFLICT (account_id) DO UPDATE SET peak = greatest(equity_peaks.peak, excluded.peak), peak_at = excluded.peak_at RETURNING account_id`,
    account.id, account.userId, peak, at,
  );
}

/** Without the accounts' locks: it was the profit of one moment. Not once the limit has HALTed them all: the next peak begins with the first that is released. */
async function putUserPeak(database: StoreCore['database'], userId: string, peak: string, at: string): Promise<void> {
  await database.rows(
    `INSERT INTO user_equity_peaks(user_id, peak, peak_at) SELECT u.id, $2::numeric, $3::timestamptz FROM users u WHERE u.id = $1 AND EXISTS (SELECT 1 FROM accounts a WHERE a.user_id = u.id AND a.status <> 'HALTED' AND a.deleted_at IS NULL)
     ON CONFLICT (user_id) DO UPDATE SET peak = greatest(user_equity_peaks.peak, excluded.peak), peak_at = excluded.peak_at RETURNING user_id`,
    userId, peak, at,
  );
}
