/** Maintenance margin and the price at which an account is liquidated. Cross margin: all positions share one collateral. */
import { Decimal, ZERO, decimal } from '../domain/decimal';
import { type Account, type Holding, type MarkOf, unrealizedPnl } from './account';
import { COLLATERAL, type PaperMarket } from './market';

/** The venue's own account: it takes over what the book cannot close, and pays what a liquidated account owes. */
export const INSURANCE_FUND = 'insurance-fund';

const ONE = decimal('1');
const TWO = decimal('2');

/** Half the initial margin at the market's maximum leverage. Source: Hyperliquid's documentation, "Liquidations". */
export function maintenanceRate(market: PaperMarket): Decimal {
  return ONE.dividedBy(TWO.times(market.maxLeverage));
}

/** What a position needs at the present mark; zero before the first mark. */
export function maintenanceMarginOf(holding: Holding, markOf: MarkOf): Decimal {
  const mark = markOf(holding.market.symbol);
  return mark === null ? ZERO : holding.quantity.abs().times(mark).times(maintenanceRate(holding.market));
}

export function maintenanceMargin(account: Account, markOf: MarkOf): Decimal {
  let total = ZERO;
  for (const holding of account.holdings.values()) total = total.plus(maintenanceMarginOf(holding, markOf));
  return total;
}

/** The collateral and what all positions would bring at their marks. */
export function equity(account: Account, markOf: MarkOf): Decimal {
  return account.balance(COLLATERAL).plus(account.unrealizedPnl(markOf));
}

/**
 * The mark of this market at which the account's equity is its maintenance margin, all other marks as they are. Null for a
 * flat position and for one that no price above zero can bring there.
 */
export function liquidationPrice(account: Account, holding: Holding, markOf: MarkOf): Decimal | null {
  if (holding.quantity.isZero()) return null;
  let free = account.balance(COLLATERAL);
  for (const other of account.holdings.values()) {
    if (other === holding) continue;
    free = free.plus(unrealizedPnl(other, markOf)).minus(maintenanceMarginOf(other, markOf));
  }
  // free + quantity x price - cost = |quantity| x price x rate, solved for the price.
  const rate = maintenanceRate(holding.market);
  const slope = holding.quantity.minus(holding.quantity.abs().times(rate));
  const price = holding.cost.minus(free).dividedBy(slope);
  return price.greaterThan(0) ? price : null;
}

/** True when the account's equity no longer exceeds the maintenance margin of its positions. */
export function isLiquidatable(account: Account, markOf: MarkOf): boolean {
  if (account.name === INSURANCE_FUND) return false;
  const guard = guardOf(account, markOf);
  if (guard !== null) {
    const mark = markOf(guard.symbol);
    if (mark === null || guard.price === null) return false;
    return account.position(guard.symbol).isPositive() ? mark.lessThanOrEqualTo(guard.price) : mark.greaterThanOrEqualTo(guard.price);
  }
  const needed = maintenanceMargin(account, markOf);
  return needed.greaterThan(0) && equity(account, markOf).lessThanOrEqualTo(needed);
}

/** The kept liquidation price of an account with one position; null for all others. */
function guardOf(account: Account, markOf: MarkOf): Account['guard'] {
  if (account.guard !== null) return account.guard;
  const held = [...account.holdings.values()].filter((holding) => !holding.quantity.isZero());
  const [only] = held;
  if (only === undefined || held.length > 1) return null;
  const price = liquidationPrice(account, only, markOf);
  // A long that no price reaches is safe at all of them; a short may as well be lost at all of them: that is summed up.
  if (price === null && only.quantity.isNegative()) return null;
  account.guard = { symbol: only.market.symbol, price };
  return account.guard;
}
