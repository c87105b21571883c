/** Judges an account's losses by the figures of this moment, and restricts it where a limit is reached: status, event, alert and audit in one transaction. */
import { SYSTEM_ACTOR } from '../domain/audit';
import { isoTime } from '../domain/clock';
import { decimal, decimalText } from '../domain/decimal';
import { lossTripOf, peakAfter, type LossFigures, type LossTrip } from '../domain/loss-limits';
import type { WriterEpoch } from '../domain/order-store';
import { appendAct } from './audit';
import { change, holdEpoch, type StoreCore } from './core';
import type { Queryable } from './database';
import { loadFigures } from './figures';
import { lockAccounts, readAccounts, type LockedAccount } from './locks';

export class LossLimits {
  constructor(private readonly core: StoreCore) {}

  /** What tripped; null: nothing. Throws EpochLost for a watcher whose successor works. */
  async check(writer: WriterEpoch, accountId: string): Promise<LossTrip | null> {
    const account = (await readAccounts(this.core.database, [accountId])).get(accountId);
    if (account === undefined || account.status === 'HALTED') return null;
    const figures = await this.figures(this.core.database, account);
    const peak = figures.profit === null || figures.maxDrawdown === null ? null : peakAfter(figures.peak, figures.profit);
    const risen = peak !== null && peak !== figures.peak;
    if (!risen && lossTripOf(figures) === null) return null;
    return change(this.core, [accountId], async (tx, changes) => {
      await holdEpoch(tx, writer);
      const locked = (await lockAccounts(tx, [accountId])).get(accountId);
      if (locked === undefined) return null;
      const at = isoTime(this.core.clock.nowMs());
      if (risen) await putPeak(tx, locked, peak, at);
      // Judged again under the lock: its limits or its status may have been set meanwhile.
      const trip = lossTripOf(await this.figures(tx, locked));
      if (trip === null) return null;
      await tx.rows('UPDATE accounts SET status = $2, status_reason = $3, updated_at = $4::timestamptz WHERE id = $1 RETURNING id', accountId, trip.status, trip.reason, at);
      // Whoever releases the account begins with a new peak.
      if (trip.kind === 'drawdownLimit') await tx.rows('DELETE FROM equity_peaks WHERE account_id = $1 RETURNING account_id', accountId);
      const data = { status: trip.status, reason: trip.reason, previousStatus: locked.status };
      changes.addEvent(locked, { type: 'account.statusChanged', orderId: null, data }, at);
      changes.addEvent(locked, { type: 'account.alert', orderId: null, data: { ...trip } }, at);
      await appendAct(tx, { userId: locked.userId, actor: SYSTEM_ACTOR, act: 'account.statusChanged', subject: `account:${accountId}`, data: { ...data, previousReason: locked.statusReason, figures: trip.figures }, at });
      return trip;
    });
  }

  private async figures(tx: Queryable, account: LockedAccount): Promise<LossFigures> {
    const figures = (await loadFigures(tx, [account], [], this.core.clock.nowMs(), this.core)).get(account.id);
    if (figures === undefined) throw new Error(`no figures of account ${account.id}`);
    const maxDrawdown = account.limits.maxDrawdown ?? null;
    const { status, dailyProfit, equity, limits, symbols } = figures;
    const restricted = { status, dailyProfit, maxDailyLoss: limits.maxDailyLoss, maxDrawdown };
    // Equity falls back on the venue's older words where a mark is missing: nothing is judged by those.
    const isPriced = Object.values(symbols).every((symbol) => symbol.markPrice !== null || decimal(symbol.positionQuantity).isZero());
    if (maxDrawdown === null || equity === null || !isPriced) return { ...restricted, profit: null, peak: null };
    const [row] = await tx.rows<{ peak: string | null; transfers: string }>(
      `SELECT (SELECT trim_scale(p.peak)::text FROM equity_peaks p WHERE p.account_id = $1) AS peak,
              (SELECT trim_scale(coalesce(sum(b.amount), 0))::text FROM ledger_balances b WHERE b.account_id = $1 AND b.book = 'transfers' AND EXISTS (SELECT 1 FROM markets m WHERE m.venue = $2 AND m.quote = b.asset)) AS transfers`,
      account.id, account.venue,
    );
    // What came from outside is a credit: negative in its book.
    return { ...restricted, profit: decimalText(decimal(equity).plus(decimal(row?.transfers ?? '0'))), peak: row?.peak ?? null };
  }
}

async function putPeak(tx: Queryable, account: LockedAccount, peak: string, at: string): Promise<void> {
  await tx.rows(
    `INSERT INTO equity_peaks(account_id, user_id, peak, peak_at) VALUES ($1, $2, $3::numeric, $4::timestamptz)
     ON CONFLICT (account_id) DO UPDATE SET peak = greatest(equity_peaks.peak, excluded.peak), peak_at = excluded.peak_at RETURNING account_id`,
    account.id, account.userId, peak, at,
  );
}
