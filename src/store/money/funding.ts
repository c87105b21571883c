/** Funding payments and transfers: booked once each, with their ledger lines, their round trip and their events. */
import { isoTime } from '../../domain/clock';
import { decimal, decimalText } from '../../domain/decimal';
import { fundingPostings, transferPostings, type LedgerKind } from '../../domain/ledger';
import type { VenueFundingPayment } from '../../domain/venue';
import { symbolsOf } from '../orders/adoption';
import type { ChangeSet } from '../change-set';
import { recordset } from '../database/columns';
import type { StoreCore } from '../core';
import type { Queryable } from '../database/database';
import { positionOf, positionRowOf, POSITION_FROM, POSITION_SELECT } from '../orders/fill-rows';
import { dayOf } from '../risk/figures';
import type { LockedAccount } from '../database/locks';
import { putTrip, tradeRowOf, TRADE_SELECT, withFunding, type TradeRow } from './trade-rows';

interface Booking {
  readonly core: StoreCore;
  readonly tx: Queryable;
  readonly changes: ChangeSet;
  readonly account: LockedAccount;
}

/** A payment's name in the ledger. */
export function fundingFact(payment: Pick<VenueFundingPayment, 'venueSymbol' | 'venuePaymentId'>): string {
  return ['funding', payment.venueSymbol, payment.venuePaymentId].join('/');
}

/** Books the payments that are not known yet; answers how many. Under the account's lock. */
export async function bookFunding({ core, tx, changes, account }: Booking, payments: readonly VenueFundingPayment[]): Promise<number> {
  const fresh = await unknownOf(tx, account.id, payments);
  if (fresh.length === 0) return 0;
  const at = isoTime(core.clock.nowMs());
  const symbolOf = await symbolsOf(tx, account.venue, fresh.map((payment) => payment.venueSymbol));
  const trades = new TradesAt(await tradesAround(tx, account.id, fresh));
  for (const payment of fresh) {
    const symbol = symbolOf(payment.venueSymbol);
    const paidAt = isoTime(payment.atMs);
    const amount = decimalText(payment.amount);
    const trade = trades.addTo(payment);
    const { venueSymbol, venuePaymentId, asset, rate, quantity, markPrice } = payment;
    const shown = { venuePaymentId, symbol, amount, asset, rate, quantity, markPrice, tradeId: trade?.id ?? null, at: paidAt };
    changes.insertFunding({ ...shown, venueSymbol, accountId: account.id, userId: account.userId, venue: account.venue });
    changes.insertLedger(account, { fact: fundingFact(payment), kind: 'funding', symbol, at: paidAt, postings: fundingPostings(asset, amount) });
    changes.addProfit(account, dayOf(payment.atMs), amount);
    changes.addEvent(account, { type: 'account.funding', orderId: null, data: { payment: { ...shown, accountId: account.id, venue: account.venue } } }, at);
  }
  const changed = trades.changed().map(({ before, after }) => putTrip(changes, account, before, after, after, null, at));
  await tellPositions(tx, changes, account, changed, at);
  return fresh.length;
}

/**
 * Books what the venue's balance has beyond the ledger's cash as a transfer: a deposit, or a withdrawal where it is negative.
 * False, and nothing booked, when the ledger moved since `cash` was read. Under the account's lock.
 */
export async function bookTransfer({ core, tx, changes, account }: Booking, transfer: { readonly asset: string; readonly amount: string; readonly cash: string; readonly atMs: number }): Promise<boolean> {
  const { asset, amount, cash, atMs } = transfer;
  if (!decimal((await cashOf(tx, account.id)).get(asset) ?? '0').equals(decimal(cash))) return false;
  const kind: LedgerKind = decimal(amount).isNegative() ? 'withdrawal' : 'deposit';
  const at = isoTime(atMs);
  changes.insertLedger(account, { fact: ['transfer', asset, atMs].join('/'), kind, symbol: null, at, postings: transferPostings(asset, amount) });
  changes.addEvent(account, { type: 'account.transfer', orderId: null, data: { transfer: { accountId: account.id, kind, asset, amount: decimalText(amount), at } } }, isoTime(core.clock.nowMs()));
  return true;
}

/** What the ledger says is held, by asset. */
export async function cashOf(database: Queryable, accountId: string): Promise<ReadonlyMap<string, string>> {
  const rows = await database.rows<{ asset: string; amount: string }>(`SELECT b.asset, trim_scale(b.amount)::text AS amount FROM ledger_balances b WHERE b.account_id = $1 AND b.book = 'cash'`, accountId);
  return new Map(rows.map((row) => [row.asset, row.amount]));
}

async function unknownOf(tx: Queryable, accountId: string, payments: readonly VenueFundingPayment[]): Promise<VenueFundingPayment[]> {
  if (payments.length === 0) return [];
  const rows = await tx.rows<{ venueSymbol: string; venuePaymentId: string }>(
    `SELECT f.venue_symbol AS "venueSymbol", f.venue_payment_id AS "venuePaymentId" FROM funding_payments f JOIN ${recordset({ venueSymbol: 'text', venuePaymentId: 'text' }, 2)}
       ON f.account_id = $1 AND f.venue_symbol = r."venueSymbol" AND f.venue_payment_id = r."venuePaymentId"`,
    accountId,
    JSON.stringify(payments.map(({ venueSymbol, venuePaymentId }) => ({ venueSymbol, venuePaymentId }))),
  );
  const known = new Set(rows.map(fundingFact));
  return payments.filter((payment) => {
    const fact = fundingFact(payment);
    return !known.has(fact) && known.add(fact);
  });
}

/** Of each payment's market, the newest round trip that had begun by then. */
async function tradesAround(tx: Queryable, accountId: string, payments: readonly VenueFundingPayment[]): Promise<readonly TradeRow[]> {
  const rows = await tx.rows(
    `SELECT ${TRADE_SELECT} FROM ${recordset({ venueSymbol: 'text', at: 'timestamptz' }, 2)} CROSS JOIN LATERAL (
       SELECT * FROM trades x WHERE x.account_id = $1 AND x.symbol = coalesce((SELECT m.symbol FROM markets m JOIN accounts a ON a.venue = m.venue WHERE a.id = $1 AND m.venue_symbol = r."venueSymbol"), r."venueSymbol")
          AND x.opened_at <= r."at" ORDER BY x.opened_at DESC, x.id DESC LIMIT 1) t`,
    accountId,
    JSON.stringify(payments.map(({ venueSymbol, atMs }) => ({ venueSymbol, at: isoTime(atMs) }))),
  );
  return [...new Map(rows.map(tradeRowOf).map((trade) => [trade.id, trade])).values()];
}

/** Round trips, and what payments make of them. */
class TradesAt {
  private readonly now = new Map<string, TradeRow>();

  constructor(private readonly before: readonly TradeRow[]) {
    for (const trade of before) this.now.set(trade.id, trade);
  }

  /** The round trip that was held when the payment fell due, with the payment added. */
  addTo(payment: VenueFundingPayment): TradeRow | null {
    const begun = [...this.now.values()].filter((trade) => trade.venueSymbol === payment.venueSymbol && Date.parse(trade.openedAt) <= payment.atMs);
    const newest = begun.sort((a, b) => Date.parse(b.openedAt) - Date.parse(a.openedAt))[0];
    if (newest === undefined) return null;
    const paid = withFunding(newest, payment.amount);
    this.now.set(paid.id, paid);
    return paid;
  }

  changed(): { readonly before: TradeRow; readonly after: TradeRow }[] {
    return this.before.flatMap((before) => {
      const after = this.now.get(before.id);
      return after === undefined || after === before ? [] : [{ before, after }];
    });
  }
}

/** Positions show their round trip's funding, so they changed too. */
async function tellPositions(tx: Queryable, changes: ChangeSet, account: LockedAccount, trades: readonly TradeRow[], at: string): Promise<void> {
  if (trades.length === 0) return;
  const byId = new Map(trades.map((trade) => [trade.id, trade]));
  const rows = await tx.rows(`SELECT ${POSITION_SELECT} FROM ${POSITION_FROM} WHERE p.account_id = $1 AND p.symbol = ANY($2::text[])`, account.id, trades.map((trade) => trade.symbol));
  for (const row of rows.map(positionRowOf)) {
    const trade = byId.get(row.tradeId ?? '');
    if (trade !== undefined) changes.addEvent(account, { type: 'position.updated', orderId: null, data: { position: positionOf({ ...row, trade }) } }, at);
  }
}
