/** What a list of a user's rows is narrowed to, the same for every list. */
import type { Directory } from './directory';
import type { OrderListQuery } from './order-list-ports';

interface Asked {
  readonly accountId?: string | undefined;
  readonly symbol?: string | undefined;
  readonly venue?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

export type ListFilters = Omit<OrderListQuery, 'status'>;

/** Throws NOT_FOUND for an account that is not the caller's, and VALIDATION where venues mean different markets by the symbol. */
export async function listFilters(directory: Directory, asked: Asked, userId: string): Promise<ListFilters> {
  const { accountId = null, venue = null, cursor = null, limit } = asked;
  await directory.assertOwned(accountId, userId);
  const account = accountId === null ? null : await directory.account(accountId, userId);
  // Rows are kept under unified symbols: of a market that is named as its venue spells it, that one is meant.
  const symbol = asked.symbol === undefined ? null : await directory.unifiedSymbol(asked.symbol, account?.venue ?? venue);
  return { userId, accountId, symbol, venue, cursor, limit };
}
