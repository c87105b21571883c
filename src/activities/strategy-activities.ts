/** What a strategy's workflow reads and writes: local activities, each one transaction. Types only for workflows. */
import type { Account } from '../domain/account';
import { DomainError } from '../domain/errors';
import type { Market } from '../domain/market';
import type { BestPrices, Strategy, StrategyChild } from '../domain/strategy';
import type { StrategyAdvance } from '../domain/strategy-commands';
import type { QuantityRules } from '../domain/quantise';
import { ordersThatMatter } from '../domain/strategies/orders-that-matter';
import { strategyNamed } from '../domain/strategies/registry';

export interface StrategyFacts {
  readonly strategy: Strategy;
  /** In the order of their numbers; of a chase those that matter. */
  readonly children: readonly StrategyChild[];
  readonly rules: QuantityRules;
  readonly prices: BestPrices | null;
  readonly signerId: string;
}

export interface StrategyActivities {
  /** What the database lost when it was restored, as it was seen last. False: it has lost nothing, or cannot have it back. */
  readBackStrategy(input: { readonly strategy: Strategy; readonly children: readonly StrategyChild[] }): Promise<boolean>;
  /** null: it does not exist any more. */
  lookAtStrategy(input: { readonly strategyId: string }): Promise<StrategyFacts | null>;
  /** null: the facts have moved on since it was decided. */
  advanceStrategy(input: { readonly strategyId: string; readonly advance: StrategyAdvance }): Promise<{ readonly strategy: Strategy; readonly children: readonly StrategyChild[] } | null>;
}

export interface StrategyPorts {
  readBack(strategy: Strategy, children: readonly StrategyChild[]): Promise<boolean>;
  /** Whether the database may lack orders that a workflow knows. */
  isBeingReadBack(): Promise<boolean>;
  readonly strategies: {
    byId(id: string): Promise<Strategy | null>;
    children(id: string): Promise<readonly StrategyChild[]>;
    advance(id: string, advance: StrategyAdvance): Promise<{ readonly strategy: Strategy; readonly children: readonly StrategyChild[] } | null>;
  };
  market(venue: string, symbol: string): Promise<Market | null>;
  account(accountId: string): Promise<Account | null>;
  markOf(venue: string, symbol: string): string | null;
  quoteOf(venue: string, symbol: string): { readonly bid: string | null; readonly ask: string | null } | null;
}

export function createStrategyActivities(ports: StrategyPorts): StrategyActivities {
  return {
    readBackStrategy: ({ strategy, children }) => ports.readBack(strategy, children),
    async lookAtStrategy({ strategyId }) {
      const strategy = await ports.strategies.byId(strategyId);
      if (strategy === null) return null;
      const { venue, symbol, accountId } = strategy;
      const [children, market, account] = await Promise.all([childrenFor(ports, strategy), ports.market(venue, symbol), ports.account(accountId)]);
      if (market === null) throw new DomainError('NOT_FOUND', `${venue} has no market ${symbol}`);
      if (account === null) return null;
      const { tickRule, lot, minQuantity, minNotional } = market;
      return { strategy, children, rules: { tickRule, lot, minQuantity, minNotional }, prices: freshPrices(ports, venue, symbol), signerId: account.signerId };
    },
    advanceStrategy: ({ strategyId, advance }) => ports.strategies.advance(strategyId, advance),
  };
}

/** Of one that follows the price those that matter: it makes them without end, where the others' terms bound how many they make. */
async function childrenFor(ports: Pick<StrategyPorts, 'isBeingReadBack' | 'strategies'>, { id, type, run }: Strategy): Promise<readonly StrategyChild[]> {
  const children = await ports.strategies.children(id);
  if (!strategyNamed(type).followsPrice) return children;
  // Asked after they were read: what a restored database told is known to be of one.
  return ordersThatMatter(children, run, (await ports.isBeingReadBack()) ? 'without spare' : 'with spare');
}

/** Without a fresh mark the venue's market data is down, and its quotes are not believed either. */
function freshPrices(ports: Pick<StrategyPorts, 'markOf' | 'quoteOf'>, venue: string, symbol: string): BestPrices | null {
  const mark = ports.markOf(venue, symbol);
  if (mark === null) return null;
  const quote = ports.quoteOf(venue, symbol);
  return { mark, bid: quote?.bid ?? null, ask: quote?.ask ?? null };
}
