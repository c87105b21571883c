/** Figures and orders to judge in tests. */
import type { RiskLimits } from '../../../src/domain/account';
import { emptySymbol, type AccountFigures, type RiskOrder, type SymbolFigures } from '../../../src/risk/figures';

export const WIDE_LIMITS: RiskLimits = { maxOrderNotional: '1000000', maxPositionNotional: '1000000', maxOpenOrders: 200, maxDailyLoss: '5000', priceBandPercent: null, allowedSymbols: null };

export function symbolFigures(overrides: Partial<SymbolFigures> = {}): SymbolFigures {
  return { ...emptySymbol('BTC-PERP', '100', '10'), ...overrides };
}

/** An ACTIVE account with 1,000 of equity, the given markets (BTC-PERP at 100, leverage 10) and wide limits. */
export function accountFigures(overrides: Partial<Omit<AccountFigures, 'symbols' | 'limits'>> = {}, markets: readonly SymbolFigures[] = [symbolFigures()], limits: Partial<RiskLimits> = {}): AccountFigures {
  return {
    accountId: 'a1',
    status: 'ACTIVE',
    limits: { ...WIDE_LIMITS, ...limits },
    equity: '1000',
    openOrders: 0,
    dailyProfit: '0',
    unrealizedPnl: '0',
    symbols: Object.fromEntries(markets.map((market) => [market.symbol, market])),
    ...overrides,
  };
}

export function riskOrder(overrides: Partial<RiskOrder> = {}): RiskOrder {
  return { symbol: 'BTC-PERP', side: 'buy', quantity: '1', limitPrice: '100', reduceOnly: false, ...overrides };
}
