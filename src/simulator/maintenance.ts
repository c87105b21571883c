/** Maintenance margin and the price at which positions are liquidated. Cross: all share one collateral; isolated: each has its own. */
import { Decimal, ZERO, decimal } from '../domain/decimal';
import { type Account, type Holding, type MarkOf, isolatedMargin, unrealizedPnl } from './account';
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
  const free = holding.isolated ? isolatedMargin(holding) : crossFree(account, markOf, holding);
  // free + quantity x price - cost = |quantity| x price x rate, solved for the price.
  const rate = maintenanceRate(holding.market);
  const slope = holding.quantity.minus(holding.quantity.abs().times(rate));
  const price = holding.cost.minus(free).dividedBy(slope);
  return price.greaterThan(0) ? price : null;
}

/** The collateral that cross positions share, after what all of them but `apart` would bring and need. */
function crossFree(account: Account, markOf: MarkOf, apart: Holding | null): Decimal {
  let free = account.balance(COLLATERAL);
  for (const holding of account.holdings.values()) {
    if (holding === apart) continue;
    free = holding.isolated ? free.minus(isolatedMargin(holding)) : free.plus(unrealizedPnl(holding, markOf)).minus(maintenanceMarginOf(holding, markOf));
  }
  return free;
}

/** True when what margins a position no longer exceeds what it needs. */
export function isLiquidatable(account: Account, markOf: MarkOf): boolean {
  if (account.name === INSURANCE_FUND) return false;
  const guard = guardOf(account, markOf);
  if (guard !== null) {
    const mark = markOf(guard.symbol);
    if (mark === null || guard.price === null) return false;
    return account.position(guard.symbol).isPositive() ? mark.lessThanOrEqualTo(guard.price) : mark.greaterThanOrEqualTo(guard.price);
  }
  return ruined(account, markOf).length > 0;
}

/** The positions to be closed now: isolated ones that used up their margin, and all cross ones once what they share is used up. */
export function ruined(account: Account, markOf: MarkOf): Holding[] {
  const held = [...account.holdings.values()].filter(({ quantity }) => !quantity.isZero());
  const alone = held.filter((holding) => holding.isolated && maintenanceMarginOf(holding, markOf).greaterThan(0) && isolatedMargin(holding).plus(unrealizedPnl(holding, markOf)).lessThanOrEqualTo(maintenanceMarginOf(holding, markOf)));
  if (alone.length > 0) return alone;
  const cross = held.filter(({ isolated }) => !isolated);
  const needed = cross.some((holding) => maintenanceMarginOf(holding, markOf).greaterThan(0));
  return needed && crossFree(account, markOf, null).lessThanOrEqualTo(0) ? cross : [];
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
