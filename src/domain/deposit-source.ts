/** Whether the transaction a chain shows is the one the user was asked to sign. */
import type { ChainTransaction } from './chain';
import type { Deposit, DepositQuote } from './deposit';

/** A quote older than this is not signed any more: prices have moved. */
export const QUOTE_LIFE_MS = 60_000;

/** Why it is another; null: it is one of those that were asked for. Earlier quotes count: a wallet may have signed before a requote. */
export function faultOfSource(transaction: ChainTransaction, deposit: Pick<Deposit, 'fromAddress'>, quotes: readonly Pick<DepositQuote, 'transaction'>[]): string | null {
  if (transaction.from !== deposit.fromAddress) return 'OTHER_SENDER';
  const asked = quotes.map((quote) => quote.transaction);
  if (!asked.some(({ to }) => to === transaction.to)) return 'OTHER_TARGET';
  if (!asked.some(({ data }) => data === transaction.data)) return 'OTHER_DATA';
  return asked.some(({ value, data }) => data === transaction.data && value === transaction.value) ? null : 'OTHER_VALUE';
}
