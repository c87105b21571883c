/** Hyperliquid's words in ours, and ours in its. */
import { Decimal, decimal, decimalText, sum, ZERO } from '../../domain/decimal';
import { priceAtOrAbove, priceAtOrBelow } from '../../domain/grid';
import type { Market, PublicTrade, Ticker, TickRule } from '../../domain/market';
import type { OrderType, TimeInForce } from '../../domain/order';
import type { VenueBalance, VenueFill, VenueFundingPayment, VenueOrder, VenueOrderStatus, VenuePosition } from '../../domain/venue';
import { fromCloid, numberOf } from './hot-messages';
import type { AssetContext, Clearinghouse, HyperliquidFill, HyperliquidOrder, HyperliquidOrderState, Meta } from './schemas';

const PERPETUAL_DECIMALS = 6;
const SPOT_DECIMALS = 8;
const SIGNIFICANT_FIGURES = 5;
const FIRST_HIP3_ASSET = 100_000;
const ASSETS_PER_DEX = 10_000;
/** The venue's documented minimum of an order, in USD. */
const MIN_NOTIONAL = '10';
/** Base tier; HIP-3 markets cost twice that (deployerFeeScale 1). */
const FEES = { maker: decimal('0.00015'), taker: decimal('0.00045') };
const HIP3_FEE_FACTOR = 2;
/** What builder-deployed dexes list beside stocks; the venue's metadata does not say it. */
const ASSET_CLASSES: Readonly<Record<string, Market['assetClass']>> = { XYZ100: 'index', SP500: 'index', JP225: 'index', KR200: 'index', GOLD: 'commodity', SILVER: 'commodity', CL: 'commodity', COPPER: 'commodity', NATGAS: 'commodity', PLATINUM: 'commodity', PALLADIUM: 'commodity', BRENTOIL: 'commodity', EUR: 'forex', JPY: 'forex', GBP: 'forex', DXY: 'index' };
/** When the underlying itself trades. The venue's books stay open around the clock: outside these hours its oracle stands still or follows the book. */
const SESSION_HOURS: Readonly<Record<Market['assetClass'], string | null>> = {
  crypto: null,
  equity: 'Mon-Fri 09:30-16:00 America/New_York',
  index: 'Mon-Fri 09:30-16:00 America/New_York',
  commodity: 'Sun-Fri 18:00-17:00 America/New_York',
  forex: 'Sun-Fri 17:00-17:00 America/New_York',
};

export interface Asset {
  readonly coin: string;
  readonly id: number;
  readonly szDecimals: number;
  readonly onlyIsolated: boolean;
  readonly tickRule: TickRule;
  readonly market: Market;
}

/** The venue's number in our plain notation: "97000.0" is "97000". */
export function canonical(text: string): string {
  return numberOf(text, 'number');
}

/** null where the venue names none for the market. */
export function indexPriceOf({ oraclePx }: { readonly oraclePx?: string | undefined }): string | null {
  return oraclePx === undefined ? null : canonical(oraclePx);
}

/** Its marks; best prices come with the book, and what was traded last with the trades: the venue's summary has only the book's middle, which is no trade. */
export function toTicker(venue: string, symbol: string, context: AssetContext, at: number): Ticker {
  return { venue, symbol, bid: null, ask: null, last: null, mark: canonical(context.markPx), index: indexPriceOf(context), at };
}

/** Prices: 5 significant figures, 6 (spot 8) less the size's decimals, integers always. */
export function tickRule(szDecimals: number, kind: Market['kind'] = 'perpetual'): TickRule {
  return { kind: 'significant', figures: SIGNIFICANT_FIGURES, maxDecimals: (kind === 'spot' ? SPOT_DECIMALS : PERPETUAL_DECIMALS) - szDecimals, integersAlwaysValid: true };
}

/** The assets of one dex; `dexIndex` is its place in perpDexs, 0 the venue's own; `collateral` the token that margins it. */
export function assetsOf(venue: string, meta: Meta, dexIndex: number, collateral = 'USDC'): Asset[] {
  const factor = dexIndex === 0 ? 1 : HIP3_FEE_FACTOR;
  return meta.universe.map(({ name, szDecimals, maxLeverage, isDelisted, onlyIsolated }, index) => {
    const base = name.replace(/^.*:/, '');
    const lot = szDecimals === 0 ? '1' : `0.${'0'.repeat(szDecimals - 1)}1`;
    const rule = tickRule(szDecimals);
    const assetClass = dexIndex === 0 ? 'crypto' : (ASSET_CLASSES[base] ?? 'equity');
    const market: Market = {
      venue, symbol: `${name}-PERP`, venueSymbol: name, base, quote: collateral, kind: 'perpetual', tickRule: rule, lot, minQuantity: lot, minNotional: MIN_NOTIONAL,
      assetClass,
      maxLeverage: String(maxLeverage), makerFeeRate: decimalText(FEES.maker.times(factor)), takerFeeRate: decimalText(FEES.taker.times(factor)),
      sessionHours: SESSION_HOURS[assetClass], status: isDelisted === true ? 'closed' : 'open',
    };
    return { coin: name, id: dexIndex === 0 ? index : FIRST_HIP3_ASSET + dexIndex * ASSETS_PER_DEX + index, szDecimals, onlyIsolated: onlyIsolated === true, tickRule: rule, market };
  });
}

/** The worst price of a market order: `slippage` beyond the middle, snapped so that it stays inside the limit. */
export function slippagePrice(rule: TickRule, middle: string, side: 'buy' | 'sell', slippage: string): string {
  const factor = side === 'buy' ? new Decimal(1).plus(slippage) : new Decimal(1).minus(slippage);
  const limit = decimal(middle).times(factor);
  return decimalText(side === 'buy' ? priceAtOrBelow(rule, limit) : priceAtOrAbove(rule, limit));
}

/** 32 hex digits as the venue's cloid, and back; other texts are no client id of ours. */
export function toCloid(venueClientId: string): string | null {
  return /^[0-9a-f]{32}$/.test(venueClientId) ? `0x${venueClientId}` : null;
}

/** Null for a word this adapter does not know. */
export function toStatus(status: string, filled: Decimal): VenueOrderStatus | null {
  // The last two are of exits that wait for their entry, or for their trigger.
  if (status === 'open' || status === 'triggered' || status === 'waitingForFill' || status === 'waitingForTrigger') return 'open';
  if (status === 'filled') return 'filled';
  if (status === 'iocCancelRejected') return 'canceled';
  if (status === 'rejected' || status.endsWith('Rejected')) return filled.isZero() ? 'rejected' : 'canceled';
  return status === 'canceled' || status === 'scheduledCancel' || status === 'internalCancel' || status.endsWith('Canceled') ? 'canceled' : null;
}

const TYPES: Readonly<Record<string, OrderType>> = { Market: 'market', 'Stop Market': 'stopMarket', 'Stop Limit': 'stopLimit', 'Take Profit Market': 'takeProfitMarket', 'Take Profit Limit': 'takeProfitLimit' };

/** The venue said a word of a closed list that this adapter does not know: nothing is concluded from it. */
export class UnknownWord extends Error {}

/** Throws UnknownWord on a status the adapter does not know. */
export function toOrder({ order, status, statusTimestamp }: HyperliquidOrderState): VenueOrder {
  const quantity = decimal(order.origSz);
  const wholePosition = order.isPositionTpsl === true;
  // A filled order's size is what is left of it: nothing. Sizes of an exit of the whole position follow the position: only its fills tell.
  const filled = wholePosition ? ZERO : status === 'filled' ? quantity : quantity.minus(order.sz);
  const known = toStatus(status, filled);
  if (known === null) throw new UnknownWord(`unknown order status ${status}`);
  const type = TYPES[order.orderType ?? ''] ?? 'limit';
  const timeInForce: TimeInForce = order.tif === 'Ioc' || order.tif === 'FrontendMarket' || type.endsWith('Market') ? 'IOC' : 'GTC';
  return {
    venueOrderId: String(order.oid),
    venueClientId: fromCloid(order.cloid),
    venueSymbol: order.coin,
    side: order.side === 'B' ? 'buy' : 'sell',
    type,
    timeInForce,
    quantity: decimalText(quantity),
    limitPrice: type.endsWith('arket') ? null : decimalText(order.limitPx),
    filledQuantity: decimalText(filled),
    avgPrice: null,
    status: known,
    reasonCode: known === 'open' || known === 'filled' ? null : status,
    postOnly: order.tif === 'Alo',
    reduceOnly: order.reduceOnly ?? false,
    revision: null,
    ...(wholePosition ? { wholePosition } : {}),
    updatedAtMs: statusTimestamp,
    ...(type === 'limit' || type === 'market' ? {} : { triggerPrice: decimalText(order.triggerPx ?? '0'), triggeredAtMs: status === 'triggered' || status === 'filled' ? statusTimestamp : null }),
  };
}

/**
 * The orders of frontendOpenOrders. Exits that wait for their entry are listed inside it and nowhere else: neither by their
 * client id nor among the others, until they live.
 */
export function openOrders(orders: readonly HyperliquidOrder[]): VenueOrder[] {
  const all = orders.flatMap((order) => [order, ...(order.children ?? [])]);
  return [...new Map(all.map((order) => [order.oid, toOrder({ order, status: 'open', statusTimestamp: order.timestamp })])).values()];
}

export function toFill(fill: HyperliquidFill): VenueFill {
  return {
    venueFillId: String(fill.tid),
    venueOrderId: String(fill.oid),
    venueClientId: fromCloid(fill.cloid),
    venueSymbol: fill.coin,
    side: fill.side === 'B' ? 'buy' : 'sell',
    price: canonical(fill.px),
    quantity: canonical(fill.sz),
    fee: canonical(fill.fee),
    feeAsset: fill.feeToken,
    liquidity: fill.crossed ? 'taker' : 'maker',
    realizedPnl: canonical(fill.closedPnl),
    atMs: fill.time,
  };
}

export function toPositions(state: Clearinghouse): VenuePosition[] {
  return state.assetPositions.flatMap(({ position }) => {
    const size = decimal(position.szi);
    if (size.isZero()) return [];
    const value = decimal(position.positionValue);
    return [{
      venueSymbol: position.coin,
      side: size.isPositive() ? ('long' as const) : ('short' as const),
      quantity: decimalText(size.abs()),
      entryPrice: decimalText(position.entryPx ?? '0'),
      markPrice: decimalText(value.dividedBy(size.abs()).toDecimalPlaces(PERPETUAL_DECIMALS)),
      leverage: String(position.leverage.value),
      margin: decimalText(position.marginUsed),
      liquidationPrice: position.liquidationPx === null ? null : decimalText(position.liquidationPx),
      unrealizedPnl: decimalText(position.unrealizedPnl),
      realizedPnl: null,
    }];
  });
}

/** One balance for each token that margins a dex: the collateral without open profit, and what of it may be used. */
export function toBalances(dexes: readonly { readonly asset: string; readonly state: Clearinghouse }[]): VenueBalance[] {
  return [...new Set(dexes.map(({ asset }) => asset))].map((asset) => {
    const states = dexes.filter((dex) => dex.asset === asset).map(({ state }) => state);
    const total = sum(states.map(({ marginSummary, assetPositions }) => decimal(marginSummary.accountValue).minus(sum(assetPositions.map(({ position }) => position.unrealizedPnl)))));
    const available = sum(states.map(({ withdrawable }) => withdrawable));
    const locked = total.minus(available);
    return { asset, total: decimalText(total), available: decimalText(available), locked: decimalText(locked.isNegative() ? ZERO : locked) };
  });
}

/** The dex of a coin, '' for the venue's own: `xyz:TSLA` is on `xyz`. */
export function dexOf(coin: string): string {
  const colon = coin.indexOf(':');
  return colon === -1 ? '' : coin.slice(0, colon);
}

/**
 * Whether what the venue tells of a coin belongs to the account here: perpetuals of its own dex and of those that are named. An
 * account's orders and fills are told for spot pairs (`@107`, `PURR/USDC`), other markets (`#12`, `+3`) and every dex alike, and dust that
 * the venue sells by itself as well; taken for perpetuals they would be positions that nobody holds.
 */
export function isTraded(coin: string, dexes: readonly string[]): boolean {
  if (/^[@#+]|\//.test(coin)) return false;
  const dex = dexOf(coin);
  return dex === '' || dexes.includes(dex);
}

/** A position pays once at each funding time, so time and coin name the payment; the hash of the venue's ledger is all zeros. */
export function fundingPayment(delta: { readonly coin: string; readonly usdc: string; readonly szi: string; readonly fundingRate: string; readonly time: number }, collateralOf: (dex: string) => string): VenueFundingPayment {
  const { coin, usdc, szi, fundingRate, time } = delta;
  return { venuePaymentId: `${coin}/${time}`, venueSymbol: coin, amount: canonical(usdc), asset: collateralOf(dexOf(coin)), rate: canonical(fundingRate), quantity: canonical(szi), markPrice: null, atMs: time };
}

export function toTrade(trade: { tid: number; px: string; sz: string; side: 'A' | 'B'; time: number }): PublicTrade {
  return { id: String(trade.tid), price: decimalText(trade.px), quantity: decimalText(trade.sz), side: trade.side === 'B' ? 'buy' : 'sell', at: trade.time };
}
