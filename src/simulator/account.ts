import { Decimal, ZERO, decimalText, maxOf, minOf } from '../domain/decimal';
import type { FundingPayment } from './funding';
import { COLLATERAL, DEFAULT_LEVERAGE, type PaperMarket } from './market';
import { AVERAGE_DECIMALS, type Fill, type Order, type Side, averageOf } from './order';

/** An account's net position, open exposure and leverage in one perpetual. */
export interface Holding {
  readonly market: PaperMarket;
  /** Signed: positive is long. */
  quantity: Decimal;
  /** Signed quantity times average entry, kept exactly so that cash is conserved to the last digit. */
  cost: Decimal;
  realizedPnl: Decimal;
  /** What the present position paid in funding so far; negative when it received more. */
  fundingPaid: Decimal;
  leverage: number;
  /** Margined by what was set aside for it alone: neither its profit nor its ruin touches the rest of the account. */
  isolated: boolean;
  /** Of an isolated position, beside its initial margin. */
  addedMargin: Decimal;
  /** Leaves of open orders that may increase the position (reduce-only ones are exempt). */
  openBuyQuantity: Decimal;
  openBuyNotional: Decimal;
  openSellQuantity: Decimal;
  openSellNotional: Decimal;
  /** Open reduce-only orders, resting or armed: they end with the position. */
  readonly reduceOnly: Set<Order>;
}

/** Quantity and notional that are about to be added to one side. */
export interface Exposure {
  readonly side: Side;
  readonly quantity: Decimal;
  readonly notional: Decimal;
}

export type MarkOf = (symbol: string) => Decimal | null;

/**
 * One customer of the paper venue. Changed only by the exchange, inside one synchronous step. Its history is kept whole: "a
 * client id is refused for ever" and "fills since a time" are promises without an end, and a paper venue lives in memory.
 */
export class Account {
  readonly balances = new Map<string, Decimal>();
  /** What open spot orders hold, by asset. */
  readonly spotLocked = new Map<string, Decimal>();
  readonly holdings = new Map<string, Holding>();
  /** Every order ever accepted, by client id: the proof against duplicates. */
  readonly orders = new Map<string, Order>();
  readonly open = new Set<Order>();
  readonly closed: Order[] = [];
  readonly fills: Fill[] = [];
  readonly fundingPayments: FundingPayment[] = [];
  /** The answers already given to amends, by amend id (JSON text). */
  readonly amends = new Map<string, string>();
  /** Of the private stream: gap-free. */
  sequence = 0;
  /** Venue time at which all open orders are canceled, or null. */
  deadManAt: number | null = null;
  /**
   * The mark at which the account is liquidated, kept while it holds one market and nothing of it changes; null: not known.
   * Spares the sum over all positions at every price.
   */
  guard: { readonly symbol: string; readonly price: Decimal | null } | null = null;

  constructor(readonly name: string) {}

  balance(asset: string): Decimal {
    return this.balances.get(asset) ?? ZERO;
  }

  add(asset: string, amount: Decimal): void {
    this.balances.set(asset, this.balance(asset).plus(amount));
  }

  lockSpot(asset: string, amount: Decimal): void {
    this.spotLocked.set(asset, (this.spotLocked.get(asset) ?? ZERO).plus(amount));
  }

  holding(market: PaperMarket): Holding {
    const found = this.holdings.get(market.symbol);
    if (found !== undefined) return found;
    const holding: Holding = {
      market,
      quantity: ZERO,
      cost: ZERO,
      realizedPnl: ZERO,
      fundingPaid: ZERO,
      leverage: Math.min(DEFAULT_LEVERAGE, market.maxLeverage),
      isolated: market.onlyIsolated === true,
      addedMargin: ZERO,
      openBuyQuantity: ZERO,
      openBuyNotional: ZERO,
      openSellQuantity: ZERO,
      openSellNotional: ZERO,
      reduceOnly: new Set(),
    };
    this.holdings.set(market.symbol, holding);
    return holding;
  }

  position(symbol: string): Decimal {
    return this.holdings.get(symbol)?.quantity ?? ZERO;
  }

  unrealizedPnl(markOf: MarkOf): Decimal {
    let total = ZERO;
    for (const holding of this.holdings.values()) total = total.plus(unrealizedPnl(holding, markOf));
    return total;
  }

  /** Initial margin held by all positions and open orders, in the collateral. */
  usedMargin(): Decimal {
    let total = ZERO;
    for (const holding of this.holdings.values()) total = total.plus(marginOf(holding));
    return total;
  }

  locked(asset: string): Decimal {
    const spot = this.spotLocked.get(asset) ?? ZERO;
    return asset === COLLATERAL ? spot.plus(this.usedMargin()) : spot;
  }

  /** What new orders may use: never negative. */
  available(asset: string, markOf: MarkOf): Decimal {
    let profit = ZERO;
    if (asset === COLLATERAL) for (const holding of this.holdings.values()) if (!holding.isolated) profit = profit.plus(unrealizedPnl(holding, markOf));
    return maxOf(ZERO, this.balance(asset).plus(profit).minus(this.locked(asset)));
  }
}

/** Position times mark less its cost; zero before the first mark. */
export function unrealizedPnl(holding: Holding, markOf: MarkOf): Decimal {
  if (holding.quantity.isZero()) return ZERO;
  const mark = markOf(holding.market.symbol);
  return mark === null ? ZERO : holding.quantity.times(mark).minus(holding.cost);
}

/**
 * Initial margin of a market: the worst of what the position and its open orders could become, divided by leverage. Orders
 * against the position first reduce it, so only what exceeds it counts.
 */
export function marginOf(holding: Holding, extra?: Exposure): Decimal {
  let buyQuantity = holding.openBuyQuantity;
  let buyNotional = holding.openBuyNotional;
  let sellQuantity = holding.openSellQuantity;
  let sellNotional = holding.openSellNotional;
  if (extra?.side === 'buy') {
    buyQuantity = buyQuantity.plus(extra.quantity);
    buyNotional = buyNotional.plus(extra.notional);
  } else if (extra !== undefined) {
    sellQuantity = sellQuantity.plus(extra.quantity);
    sellNotional = sellNotional.plus(extra.notional);
  }
  const held = holding.cost.abs();
  const size = holding.quantity.abs();
  const isLong = holding.quantity.greaterThan(0);
  const isShort = holding.quantity.lessThan(0);
  const long = isShort ? beyond(buyQuantity, buyNotional, size) : held.plus(buyNotional);
  const short = isLong ? beyond(sellQuantity, sellNotional, size) : held.plus(sellNotional);
  const worst = maxOf(held, maxOf(long, short));
  return worst.isZero() ? ZERO : worst.dividedBy(holding.leverage).plus(holding.addedMargin);
}

/** What is set aside for an isolated position as it stands. */
export function isolatedMargin(holding: Holding): Decimal {
  return holding.cost.abs().dividedBy(holding.leverage).plus(holding.addedMargin);
}

function beyond(quantity: Decimal, notional: Decimal, size: Decimal): Decimal {
  return quantity.greaterThan(size) ? notional.times(quantity.minus(size)).dividedBy(quantity) : ZERO;
}

/** Applies one fill to a position by the average-entry rule; returns the profit it realised (before fees). */
export function applyToPosition(holding: Holding, side: Side, price: Decimal, quantity: Decimal): Decimal {
  const signed = side === 'buy' ? quantity : quantity.negated();
  const before = holding.quantity;
  const increases = before.isZero() || before.isPositive() === signed.isPositive();
  if (before.isZero()) holding.fundingPaid = ZERO;
  if (increases) {
    holding.quantity = before.plus(signed);
    holding.cost = holding.cost.plus(signed.times(price));
    return ZERO;
  }
  const closing = minOf(quantity, before.abs());
  const all = closing.equals(before.abs());
  const released = all ? holding.cost : holding.cost.times(closing).dividedBy(before.abs()).toDecimalPlaces(AVERAGE_DECIMALS);
  const closedSigned = side === 'buy' ? closing : closing.negated();
  const realized = closedSigned.times(price).plus(released).negated();
  const opened = signed.minus(closedSigned);
  if (!opened.isZero()) holding.fundingPaid = ZERO;
  // A position that is gone, or another one by now, gives back what was added to it.
  if (all) holding.addedMargin = ZERO;
  holding.quantity = before.plus(signed);
  holding.cost = holding.cost.minus(released).plus(opened.times(price));
  holding.realizedPnl = holding.realizedPnl.plus(realized);
  return realized;
}

/** A position as the wire shows it; a flat one has quantity "0". `liquidatedAt`: maintenance.ts knows it. */
export function positionView(holding: Holding, markOf: MarkOf, liquidatedAt: Decimal | null = null): Record<string, string | null> {
  const flat = holding.quantity.isZero();
  const mark = markOf(holding.market.symbol);
  return {
    symbol: holding.market.symbol,
    side: holding.quantity.lessThan(0) ? 'short' : 'long',
    quantity: decimalText(holding.quantity.abs()),
    entryPrice: flat ? '0' : averageOf(holding.cost, holding.quantity).toFixed(),
    markPrice: mark === null ? '0' : mark.toFixed(),
    leverage: String(holding.leverage),
    margin: decimalText(holding.cost.abs().dividedBy(holding.leverage).toDecimalPlaces(AVERAGE_DECIMALS)),
    liquidationPrice: liquidatedAt === null ? null : decimalText(liquidatedAt.toDecimalPlaces(AVERAGE_DECIMALS)),
    unrealizedPnl: decimalText(unrealizedPnl(holding, markOf)),
    realizedPnl: decimalText(holding.realizedPnl),
    fundingPaid: decimalText(holding.fundingPaid),
  };
}

export function balanceView(account: Account, asset: string, markOf: MarkOf): Record<string, string> {
  return {
    asset,
    total: decimalText(account.balance(asset)),
    available: decimalText(account.available(asset, markOf).toDecimalPlaces(AVERAGE_DECIMALS)),
    locked: decimalText(account.locked(asset).toDecimalPlaces(AVERAGE_DECIMALS)),
  };
}
