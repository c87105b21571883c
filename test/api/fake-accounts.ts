/** Changes of accounts in memory, by the rules of the store. */
import type { AccountsPort } from '../../src/api/ports';
import type { Account } from '../../src/domain/account';
import { DomainError } from '../../src/domain/errors';
import type { FakeBackend } from './fake-backend';

type Changes = Pick<AccountsPort, 'change' | 'remove' | 'setLeverage' | 'changed' | 'removed'>;

export class FakeAccountChanges implements Changes {
  /** What was told to watchers, and what the venue was asked to set. */
  readonly told: string[] = [];
  readonly leverages: string[] = [];
  readonly keys = new Map<string, unknown>();

  constructor(private readonly backend: FakeBackend) {}

  readonly change: Changes['change'] = async (id, userId, wanted, actor) => {
    const before = this.own(id, userId);
    if ([...this.backend.accounts.values()].some((other) => other.id !== id && other.userId === userId && other.name === wanted.name)) throw new DomainError('CONFLICT', `you have an account named ${wanted.name} already`);
    if (wanted.credential !== undefined) this.keys.set(id, wanted.credential);
    const after: Account = { ...before, name: wanted.name ?? before.name, ...(wanted.status === undefined ? {} : { status: wanted.status.status, statusReason: wanted.status.reason }) };
    this.backend.accounts.set(id, after);
    this.told.push(`by ${actor}`);
    return after;
  };

  readonly deleted = new Map<string, Account>();

  readonly remove: Changes['remove'] = async (id, userId) => {
    const account = this.own(id, userId);
    if ([...this.backend.orders.values()].some((order) => order.accountId === id && order.closedAt === null)) throw new DomainError('CONFLICT', 'the account has 1 open orders and 0 positions; cancel and close them first');
    this.backend.accounts.delete(id);
    this.deleted.set(id, account);
    return account;
  };

  readonly setLeverage: Changes['setLeverage'] = async (account, { symbol, leverage, marginMode }) => {
    this.leverages.push(`${account.id} ${symbol} ${leverage} ${marginMode}`);
  };

  readonly changed: Changes['changed'] = async (account, { keyReplaced }) => this.tell(`${account.id} ${account.status}${keyReplaced ? ' key' : ''}`);

  readonly removed: Changes['removed'] = async (account) => this.tell(`${account.id} deleted`);

  private async tell(words: string): Promise<void> {
    if (this.backend.temporalAway) throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer', { outcome: 'unknown' });
    this.told.push(words);
  }

  private own(id: string, userId: string): Account {
    const account = this.backend.accounts.get(id);
    if (account === undefined || account.userId !== userId) throw new DomainError('NOT_FOUND', 'no such account');
    return account;
  }
}
