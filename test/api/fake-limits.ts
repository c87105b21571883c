/** Risk limits behind the API, in memory. */
import { DEFAULT_RISK_LIMITS, NO_USER_LIMITS, type Account, type RiskLimitsView, type UserRiskLimits } from '../../src/domain/account';
import { DomainError } from '../../src/domain/errors';
import { emptySymbol, type AccountFigures } from '../../src/risk/figures';
import { assertWithinUser, withinUser } from '../../src/risk/limits';
import type { RiskLimitsPort } from '../../src/api/ports';
import { FakeConfigurationNews } from './fake-news';

export class FakeLimits implements RiskLimitsPort {
  readonly ofUser = new Map<string, UserRiskLimits>();
  /** Who set what, as the audit log would have it. */
  readonly acts: { readonly actor: string; readonly subject: string }[] = [];

  /** What the processes tell each other of changed configuration. */
  readonly news = new FakeConfigurationNews();

  constructor(private readonly accounts: Map<string, Account>) {}

  /** Of an account that holds nothing, at a mark of 50,000. */
  figures(accountId: string, symbol: string): AccountFigures {
    return { accountId, status: 'ACTIVE', limits: this.accounts.get(accountId)?.limits ?? DEFAULT_RISK_LIMITS, equity: '10000', openOrders: 0, dailyProfit: '0', unrealizedPnl: '0', symbols: { [symbol]: emptySymbol(symbol, '50000', '10') } };
  }

  async get(userId: string, accountId: string | null): Promise<RiskLimitsView | null> {
    const user = this.ofUser.get(userId) ?? NO_USER_LIMITS;
    if (accountId === null) return { accountId, user, account: null, effective: null };
    const account = this.accounts.get(accountId);
    return account?.userId === userId ? { accountId, user, account: account.limits, effective: withinUser(account.limits, user) } : null;
  }

  async setOfUser(userId: string, limits: UserRiskLimits, actor: string): Promise<RiskLimitsView> {
    this.ofUser.set(userId, limits);
    this.acts.push({ actor, subject: `user:${userId}` });
    return { accountId: null, user: limits, account: null, effective: null };
  }

  async setOfAccount(userId: string, accountId: string, limits: Account['limits'], actor: string): Promise<RiskLimitsView> {
    const account = this.accounts.get(accountId);
    if (account?.userId !== userId) throw new DomainError('NOT_FOUND', `account ${accountId} does not exist`);
    const user = this.ofUser.get(userId) ?? NO_USER_LIMITS;
    assertWithinUser(limits, user);
    this.accounts.set(accountId, { ...account, limits });
    this.acts.push({ actor, subject: `account:${accountId}` });
    return { accountId, user, account: limits, effective: withinUser(limits, user) };
  }
}
