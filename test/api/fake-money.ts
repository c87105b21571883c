/** Fills, trades and ledger lines of the fake backend. */
import type { Account } from '../../src/domain/account';
import type { ApiPorts } from '../../src/api/ports';
import type { LedgerEntry } from '../../src/domain/ledger';
import type { Fill } from '../../src/domain/order';
import type { Trade } from '../../src/domain/trade';
import { page } from './fake-rows';

export class FakeMoney {
  readonly kept: { readonly fills: Fill[]; readonly trades: Trade[]; readonly entries: LedgerEntry[] } = { fills: [], trades: [], entries: [] };

  constructor(private readonly accounts: ReadonlyMap<string, Account>) {}

  readonly ports: Pick<ApiPorts, 'fills' | 'trades' | 'ledger'> = {
    fills: { list: async (query) => page(this.kept.fills.filter((fill) => this.isOwn(fill, query.userId) && (query.orderId === null || fill.orderId === query.orderId)), query, 'fills') },
    trades: { list: async (query) => page(this.kept.trades.filter((trade) => this.isOwn(trade, query.userId) && (query.status === 'all' || query.status === trade.status)), query, 'trades') },
    ledger: { list: async (query) => page(this.kept.entries.filter((entry) => entry.accountId === query.accountId), query, 'entries') },
  };

  private isOwn({ accountId }: { readonly accountId: string }, userId: string): boolean {
    return this.accounts.get(accountId)?.userId === userId;
  }
}
