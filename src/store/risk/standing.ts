/**
 * What accounts have gained since the beginning, and from which peaks: read together with their figures in one statement, so that a fill that is
 * booked meanwhile counts on both sides or on none. The gain is the ledger's and the positions', never the venue's balance: a balance moves
 * with a deposit that nobody has recognised as one yet.
 */
import { decimal, decimalText, sum } from '../../domain/decimal';
import type { AccountFigures } from '../../risk/figures';
import type { UserStanding } from '../../risk/user-limits';
import type { Queryable } from '../database/database';
import { dayOf, FIGURES_SQL, figuresFrom, type PriceSource } from './figures';
import type { LockedAccount } from '../database/locks';

/** Over ($1 account ids). A gain is a credit in these books. */
const STANDING_SQL = `
  (SELECT json_agg(json_build_object('of', l.account_id, 'amount', l.amount)) FROM (SELECT b.account_id, trim_scale(-sum(b.amount))::text AS amount FROM ledger_balances b JOIN accounts a ON a.id = b.account_id
     WHERE b.account_id = ANY($1::text[]) AND b.book IN ('realizedProfit', 'fees', 'funding') AND EXISTS (SELECT 1 FROM markets m WHERE m.venue = a.venue AND m.quote = b.asset) GROUP BY b.account_id) l) AS booked,
  (SELECT json_agg(json_build_object('of', p.account_id, 'amount', trim_scale(p.peak)::text)) FROM equity_peaks p WHERE p.account_id = ANY($1::text[])) AS peaks,
  (SELECT json_agg(json_build_object('of', p.user_id, 'amount', trim_scale(p.peak)::text)) FROM user_equity_peaks p WHERE p.user_id IN (SELECT a.user_id FROM accounts a WHERE a.id = ANY($1::text[]))) AS "userPeaks"`;

type Amounts = readonly { readonly of: string; readonly amount: string }[] | null;

export interface Standings {
  readonly figures: ReadonlyMap<string, AccountFigures>;
  /** Of one account. null: a price of what it holds is missing. */
  profitOf(accountId: string): string | null;
  /** null: none was kept. */
  peakOf(accountId: string): string | null;
  /** Of a user of whom all accounts were read. */
  ofUser(userId: string): UserStanding;
}

export async function loadStandings(tx: Queryable, accounts: readonly LockedAccount[], nowMs: number, prices: PriceSource): Promise<Standings> {
  const [row] = await tx.rows(`SELECT ${FIGURES_SQL}, ${STANDING_SQL}`, accounts.map(({ id }) => id), dayOf(nowMs), '[]');
  const figures = figuresFrom(row, accounts, [], prices);
  const { booked, peaks, userPeaks } = row as unknown as { readonly booked: Amounts; readonly peaks: Amounts; readonly userPeaks: Amounts };
  const amountOf = (amounts: Amounts, of: string): string | null => amounts?.find((each) => each.of === of)?.amount ?? null;
  const profitOf = (accountId: string): string | null => {
    const unrealized = figures.get(accountId)?.unrealizedPnl ?? null;
    return unrealized === null ? null : decimalText(decimal(unrealized).plus(decimal(amountOf(booked, accountId) ?? '0')));
  };
  return {
    figures,
    profitOf,
    peakOf: (accountId) => amountOf(peaks, accountId),
    ofUser: (userId) => {
      const profits = accounts.filter((account) => account.userId === userId).map(({ id }) => profitOf(id));
      const known = profits.filter((profit) => profit !== null);
      return { profit: known.length < profits.length ? null : decimalText(sum(known.map((profit) => decimal(profit)))), peak: amountOf(userPeaks, userId) };
    },
  };
}
