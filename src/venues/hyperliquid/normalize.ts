/** Hyperliquid's words in ours, and ours in its. */
import { Decimal, decimal, decimalText, sum, ZERO } from '../../domain/decimal';
import { priceAtOrAbove, priceAtOrBelow } from '../../domain/grid';
import type { Market, PublicTrade, TickRule } from '../../domain/market';
import type { OrderType, TimeInForce } from '../../domain/order';
import type { RefusalCode, VenueBalance, VenueFill, VenueOrder, VenueOrderStatus, VenuePosition } from '../../domain/venue';
import type { Clearinghouse, HyperliquidFill, HyperliquidOrder, HyperliquidOrderState, Meta } from './schemas';

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
/** What builder-deployed dexes list beside stocks. */
const ASSET_CLASSES: Readonly<Record<string, Market['assetClass']>> = { XYZ100: 'index', GOLD: 'commodity', SILVER: 'commodity', CL: 'commodity', COPPER: 'commodity', NATGAS: 'commodity', EUR: 'forex', JPY: 'forex' };

export interface Asset {
  readonly coin: string;
  readonly id: number;
  readonly szDecimals: number;
  readonly tickRule: TickRule;
  readonly market: Market;
}

/** Nearly every number of the venue is one of these; parsing the others costs ten times as much. */
const CANONICAL = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/;
const WHOLE = /^(?:0|[1-9]\d*)\.0$/;

/** The venue's number in our plain notation: "97000.0" is "97000". */
export function canonical(text: string): string {
  if (CANONICAL.test(text)) return text;
  return WHOLE.test(text) ? text.slice(0, -2) : decimalText(text);
}

/** Prices: 5 significant figures, 6 (spot 8) less the size's decimals, integers always. */
export function tickRule(szDecimals: number, kind: Market['kind'] = 'perpetual'): TickRule {
  return { kind: 'significant', figures: SIGNIFICANT_FIGURES, maxDecimals: (kind === 'spot' ? SPOT_DECIMALS : PERPETUAL_DECIMALS) - szDecimals, integersAlwaysValid: true };
}

/** The assets of one dex; `dexIndex` is its place in perpDexs, 0 the venue's own. */
export function assetsOf(venue: string, meta: Meta, dexIndex: number): Asset[] {
  const factor = dexIndex === 0 ? 1 : HIP3_FEE_FACTOR;
  return meta.universe.map(({ name, szDecimals, maxLeverage, isDelisted }, index) => {
    const base = name.replace(/^.*:/, '');
    const lot = szDecimals === 0 ? '1' : `0.${'0'.repeat(szDecimals - 1)}1`;
    const rule = tickRule(szDecimals);
    const market: Market = {
      venue, symbol: `${name}-PERP`, venueSymbol: name, base, quote: 'USDC', kind: 'perpetual', tickRule: rule, lot, minQuantity: lot, minNotional: MIN_NOTIONAL,
      assetClass: dexIndex === 0 ? 'crypto' : (ASSET_CLASSES[base] ?? 'equity'),
      maxLeverage: String(maxLeverage), makerFeeRate: decimalText(FEES.maker.times(factor)), takerFeeRate: decimalText(FEES.taker.times(factor)),
      sessionHours: null, status: isDelisted === true ? 'closed' : 'open',
    };
    return { coin: name, id: dexIndex === 0 ? index : FIRST_HIP3_ASSET + dexIndex * ASSETS_PER_DEX + index, szDecimals, tickRule: rule, market };
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

export function fromCloid(cloid: string | null | undefined): string | null {
  return cloid === null || cloid === undefined ? null : cloid.replace(/^0x/, '').toLowerCase();
}

const REFUSALS: readonly (readonly [RegExp, RefusalCode])[] = [
  [/API Wallet .* does not exist|Must deposit before|Vault not registered/i, 'unauthorized'],
  // The nonce was used: by these very bytes, most likely. Never a final answer.
  [/invalid nonce|duplicate nonce|nonce too low/i, 'duplicateClientId'],
  [/expire/i, 'expiredRequest'],
  [/insufficient (margin|balance|spot balance)/i, 'insufficientMargin'],
  [/tick size|80% away|too far from|invalid TP\/SL price|oracle/i, 'invalidPrice'],
  [/minimum value|invalid size|zero size/i, 'invalidQuantity'],
  [/post only/i, 'postOnlyWouldCross'],
  [/reduce only/i, 'reduceOnlyWouldIncrease'],
  [/immediately match|no liquidity/i, 'noLiquidity'],
  [/never placed, already canceled, or filled/i, 'notFound'],
  [/cannot modify canceled or filled/i, 'alreadyClosed'],
  [/invalid asset|delisted|trading is halted/i, 'marketClosed'],
];

export function refusalCode(words: string): RefusalCode {
  return REFUSALS.find(([pattern]) => pattern.test(words))?.[1] ?? 'other';
}

/** Null for a word this adapter does not know. */
export function toStatus(status: string, filled: Decimal): VenueOrderStatus | null {
  if (status === 'open' || status === 'triggered') return 'open';
  if (status === 'filled') return 'filled';
  if (status === 'iocCancelRejected') return 'canceled';
  if (status === 'rejected' || status.endsWith('Rejected')) return filled.isZero() ? 'rejected' : 'canceled';
  return status === 'canceled' || status === 'scheduledCancel' || status === 'internalCancel' || status.endsWith('Canceled') ? 'canceled' : null;
}

const TYPES: Readonly<Record<string, OrderType>> = { Market: 'market', 'Stop Market': 'stopMarket', 'Stop Limit': 'stopLimit', 'Take Profit Market': 'takeProfitMarket', 'Take Profit Limit': 'takeProfitLimit' };

/** Throws RangeError on a status the adapter does not know. `restingOnly`: of openOrders, which say no status. */
export function toOrder({ order, status, statusTimestamp }: HyperliquidOrderState): VenueOrder {
  const quantity = decimal(order.origSz);
  // A filled order's size is what is left of it: nothing.
  const filled = status === 'filled' ? quantity : quantity.minus(order.sz);
  const known = toStatus(status, filled);
  if (known === null) throw new RangeError(`unknown order status ${status}`);
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
    updatedAtMs: statusTimestamp,
    ...(type === 'limit' || type === 'market' ? {} : { triggerPrice: decimalText(order.triggerPx ?? '0'), triggeredAtMs: status === 'triggered' || status === 'filled' ? statusTimestamp : null }),
  };
}

export function openOrder(order: HyperliquidOrder): VenueOrder {
  return toOrder({ order, status: 'open', statusTimestamp: order.timestamp });
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

/** One balance over all dexes: the collateral without open profit, and what of it may be used. */
export function toBalance(states: readonly Clearinghouse[]): VenueBalance {
  const total = sum(states.map(({ marginSummary, assetPositions }) => decimal(marginSummary.accountValue).minus(sum(assetPositions.map(({ position }) => position.unrealizedPnl)))));
  const available = sum(states.map(({ withdrawable }) => withdrawable));
  const locked = total.minus(available);
  return { asset: 'USDC', total: decimalText(total), available: decimalText(available), locked: decimalText(locked.isNegative() ? ZERO : locked) };
}

export function toTrade(trade: { tid: number; px: string; sz: string; side: 'A' | 'B'; time: number }): PublicTrade {
  return { id: String(trade.tid), price: decimalText(trade.px), quantity: decimalText(trade.sz), side: trade.side === 'B' ? 'buy' : 'sell', at: trade.time };
}
