/** What every order needs and rarely changes: the caller's accounts, the markets' rules, what a venue can do. */
import type { Account } from '../domain/account';
import { DomainError } from '../domain/errors';
import type { Market } from '../domain/market';
import type { VenueCapabilities } from '../domain/venue';
import { notFound } from './errors';
import { ExpiringCache } from './expiring-cache';
import { ACCOUNT_CACHE_SIZE, MARKET_CACHE_SIZE, MARKET_MAX_AGE_MS } from './limits';
import type { ApiPorts } from './ports';

export class Directory {
  private readonly accounts: ExpiringCache<Account>;
  private readonly markets: ExpiringCache<Market>;
  /** Of each venue that was asked about: a program's venues and what they can do stay as they are. */
  private readonly abilities = new Map<string, VenueCapabilities>();
  private readonly unfollow: () => void;

  constructor(
    private readonly ports: Pick<ApiPorts, 'accounts' | 'configurationNews' | 'markets' | 'venues' | 'clock'>,
    configurationMs: number,
  ) {
    this.accounts = new ExpiringCache({ maxAgeMs: configurationMs, maxEntries: ACCOUNT_CACHE_SIZE, clock: ports.clock });
    this.markets = new ExpiringCache({ maxAgeMs: MARKET_MAX_AGE_MS, maxEntries: MARKET_CACHE_SIZE, clock: ports.clock });
    this.unfollow = ports.configurationNews.onTold((accountId, userId) => this.accounts.forget(keyOf(accountId, userId)));
  }

  /** The caller's account, for what never changes of it (owner, venue). Its status may be old: risk reads that under a lock. */
  account(accountId: string, userId: string): Promise<Account | null> {
    return this.accounts.get(keyOf(accountId, userId), () => this.ports.accounts.get(accountId, userId));
  }

  /** After a change of it is committed: here at once, in every other process as soon as it hears of it. */
  forgetAccount(accountId: string, userId: string): void {
    this.accounts.forget(keyOf(accountId, userId));
    this.ports.configurationNews.tell(accountId, userId);
  }

  close(): void {
    this.unfollow();
  }

  /** For reads: throws NOT_FOUND unless the account is the caller's, or was until it was deleted. null, no account, passes. */
  async assertOwned(accountId: string | null, userId: string): Promise<void> {
    if (accountId === null || (await this.account(accountId, userId)) !== null) return;
    if (!(await this.ports.accounts.owns(accountId, userId))) throw notFound('account');
  }

  market(venue: string, symbolOrAlias: string): Promise<Market | null> {
    return this.markets.get(JSON.stringify([venue, symbolOrAlias]), () => this.ports.markets.get(venue, symbolOrAlias));
  }

  /**
   * The unified symbol of what is named by symbol or alias, on the named venue or on all. A name that no market has stays as it is: rows of
   * a market that is gone are kept under theirs. Throws VALIDATION where venues mean different markets by an alias.
   */
  async unifiedSymbol(symbolOrAlias: string, venue: string | null): Promise<string> {
    const symbols = [...new Set((await this.marketsNamed(symbolOrAlias, venue)).map(({ symbol }) => symbol))];
    const [only, another] = symbols;
    if (only === undefined || symbols.includes(symbolOrAlias)) return symbolOrAlias;
    if (another === undefined) return only;
    const message = `${symbolOrAlias} is ${symbols.join(' at one venue, and at another ')}: name the one that is meant`;
    throw new DomainError('VALIDATION', message, { details: { issues: [{ path: 'symbol', message }], symbols } });
  }

  /** The market, by symbol or alias, on the named venue or on the only one that has it. Throws NOT_FOUND, or VALIDATION when several have it. */
  async findMarket(symbolOrAlias: string, venue: string | null): Promise<Market> {
    const found = await this.marketsNamed(symbolOrAlias, venue);
    const [first, second] = found;
    if (first === undefined) throw notFound('market');
    if (second === undefined) return first;
    const venues = found.map((market) => market.venue);
    const message = `${symbolOrAlias} is traded on ${venues.join(', ')}; name one as ?venue=`;
    throw new DomainError('VALIDATION', message, { details: { issues: [{ path: 'query.venue', message }], venues } });
  }

  private async marketsNamed(symbolOrAlias: string, venue: string | null): Promise<readonly Market[]> {
    const names = venue === null ? this.ports.venues.list().map((state) => state.name) : [venue];
    return (await Promise.all(names.map((name) => this.market(name, symbolOrAlias)))).filter((market) => market !== null);
  }

  capabilities(venue: string): VenueCapabilities | null {
    const known = this.abilities.get(venue);
    if (known !== undefined) return known;
    const found = this.ports.venues.list().find((state) => state.name === venue)?.capabilities ?? null;
    if (found !== null) this.abilities.set(venue, found);
    return found;
  }
}

function keyOf(accountId: string, userId: string): string {
  return JSON.stringify([userId, accountId]);
}
