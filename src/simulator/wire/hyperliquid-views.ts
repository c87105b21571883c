/** The simulated Hyperliquid's JSON: orders, fills, positions, books as the venue writes them. Decimals are strings with a point. */
import { Decimal, ZERO, decimalText } from '../../domain/decimal';
import { type Account, isolatedMargin, unrealizedPnl } from '../account';
import type { ExchangeState } from '../exchange-state';
import { equity, liquidationPrice, maintenanceMargin } from '../maintenance';
import { type Fill, type Order, type Trade, averageOf, isArmed } from '../order';
import type { PaperVenue } from '../paper-venue';
import { assetsOf } from './hyperliquid-universe';

/** Each replacement of an order has an id of its own at the venue; an order of the core is replaced at most so often. */
const GENERATIONS = 1_000;
const FIRST_OID = 77_000_000_000;
/** Digits the venue shows of what a division made. */
const SHOWN_DECIMALS = 6;
/** Decimals of any number of the wire. */
const MAX_DECIMALS = 8;
const BOOK_LEVELS = 20;

/** "97000.0": the venue's numbers always have a point. */
export function wireText(value: Decimal): string {
  const text = decimalText(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** What an order filled at, rounded as far as the venue's numbers go. */
export function averageText({ filledNotional, filled }: Order): string {
  return wireText(filledNotional.dividedBy(filled).toDecimalPlaces(MAX_DECIMALS));
}

const rounded = (value: Decimal): string => wireText(value.toDecimalPlaces(SHOWN_DECIMALS));

/** How often the order was replaced. The core counts its trigger too, which is no replacement. */
export function generationOf(order: Order): number {
  return order.revision - (order.triggeredAt === null ? 0 : 1);
}

/** The venue's id of an order as it is now; an amendment gives it the next one. */
export function oidOf(order: Order): number {
  return FIRST_OID + Number(order.orderId) * GENERATIONS + generationOf(order);
}

/** The core's order id, and which of its generations an id of the venue means; null for an id never given. */
export function readOid(oid: number): { orderId: string; generation: number } | null {
  const number = oid - FIRST_OID;
  return number < GENERATIONS ? null : { orderId: String(Math.floor(number / GENERATIONS)), generation: number % GENERATIONS };
}

/** The client id the order was given, null for none. The core's own carries a counter where one was used again. */
export function cloidOf(clientId: string): string | null {
  return clientId.startsWith('0x') ? (clientId.split('#')[0] ?? null) : null;
}

export function sideOf(side: 'buy' | 'sell'): 'A' | 'B' {
  return side === 'buy' ? 'B' : 'A';
}

function orderTypeOf(order: Order): string {
  const trigger = order.type.startsWith('stop') ? 'Stop' : order.type.startsWith('takeProfit') ? 'Take Profit' : '';
  return `${trigger} ${order.type === 'market' || order.type.endsWith('Market') ? 'Market' : 'Limit'}`.trim();
}

function conditionOf(order: Order): string {
  if (order.triggerPrice === null) return 'N/A';
  const above = order.type.startsWith('stop') === (order.side === 'buy');
  return `Price ${above ? 'above' : 'below'} ${decimalText(order.triggerPrice)}`;
}

/** What was filled of an order before its present generation, by order: known since the start of this process. */
export const filledBefore = new WeakMap<Order, Decimal>();

/** An order as openOrders shows it. */
export function orderView(order: Order): Record<string, unknown> {
  const before = filledBefore.get(order) ?? ZERO;
  const cloid = cloidOf(order.clientId);
  return {
    coin: order.symbol,
    side: sideOf(order.side),
    limitPx: wireText(order.price ?? order.triggerPrice ?? ZERO),
    sz: wireText(order.leaves),
    oid: oidOf(order),
    timestamp: order.createdAt,
    origSz: wireText(order.quantity.minus(before)),
    ...(order.reduceOnly ? { reduceOnly: true } : {}),
    ...(cloid === null ? {} : { cloid }),
  };
}

/** An order as frontendOpenOrders, orderStatus and historicalOrders show it. */
export function frontendOrderView(order: Order): Record<string, unknown> {
  return {
    ...orderView(order),
    triggerCondition: conditionOf(order),
    isTrigger: isArmed(order),
    triggerPx: order.triggerPrice === null ? '0.0' : wireText(order.triggerPrice),
    children: [],
    isPositionTpsl: order.wholePosition,
    reduceOnly: order.reduceOnly,
    orderType: orderTypeOf(order),
    tif: order.triggerPrice !== null ? null : order.postOnly ? 'Alo' : order.timeInForce === 'GTC' ? 'Gtc' : 'Ioc',
    cloid: cloidOf(order.clientId),
  };
}

const CANCEL_STATUS: Readonly<Record<string, string>> = {
  REDUCE_ONLY: 'reduceOnlyCanceled',
  DEAD_MAN: 'scheduledCancel',
  LIQUIDATION: 'liquidatedCanceled',
  INSUFFICIENT_MARGIN: 'marginCanceled',
  SIBLING_FILLED: 'siblingFilledCanceled',
};

export function statusOf(order: Order): string {
  if (order.status === 'open') return order.triggeredAt === null ? 'open' : 'triggered';
  if (order.status === 'filled') return 'filled';
  if (order.cancelReason === 'NO_LIQUIDITY' && order.filled.isZero()) return 'iocCancelRejected';
  return CANCEL_STATUS[order.cancelReason ?? ''] ?? 'canceled';
}

/** Facts about fills that the core does not keep: noted when they happen, so they are as the venue would have said then. */
export class FillNotes {
  private readonly notes = new WeakMap<Fill, { oid: number; startPosition: Decimal }>();
  private readonly positions = new Map<string, Decimal>();
  private readonly counted = new Map<string, number>();

  /** Counts the account's fills that were not counted yet. */
  note(account: Account, orders: ReadonlyMap<string, Order>): void {
    for (let index = this.counted.get(account.name) ?? 0; index < account.fills.length; index += 1) {
      const fill = account.fills[index] as Fill;
      const key = `${account.name} ${fill.symbol}`;
      const startPosition = this.positions.get(key) ?? ZERO;
      this.positions.set(key, fill.side === 'buy' ? startPosition.plus(fill.quantity) : startPosition.minus(fill.quantity));
      const order = orders.get(fill.orderId);
      this.notes.set(fill, { oid: order === undefined ? 0 : oidOf(order), startPosition });
    }
    this.counted.set(account.name, account.fills.length);
  }

  view(fill: Fill): Record<string, unknown> {
    const { oid, startPosition } = this.notes.get(fill) ?? { oid: 0, startPosition: ZERO };
    const cloid = cloidOf(fill.clientId);
    return {
      coin: fill.symbol,
      px: wireText(fill.price),
      sz: wireText(fill.quantity),
      side: sideOf(fill.side),
      time: fill.time,
      startPosition: wireText(startPosition),
      dir: directionOf(fill, startPosition),
      closedPnl: wireText(fill.realizedPnl),
      hash: `0x${BigInt(fill.index + 1).toString(16).padStart(64, '0')}`,
      oid,
      crossed: fill.liquidity === 'taker',
      fee: wireText(fill.fee),
      tid: Number(fill.fillId),
      feeToken: fill.feeAsset,
      twapId: null,
      ...(cloid === null ? {} : { cloid }),
    };
  }
}

function directionOf(fill: Fill, start: Decimal): string {
  const after = fill.side === 'buy' ? start.plus(fill.quantity) : start.minus(fill.quantity);
  if (start.isZero() || start.isPositive() === (fill.side === 'buy')) return `Open ${fill.side === 'buy' ? 'Long' : 'Short'}`;
  if (!after.isZero() && after.isPositive() !== start.isPositive()) return start.isPositive() ? 'Long > Short' : 'Short > Long';
  return `Close ${start.isPositive() ? 'Long' : 'Short'}`;
}

/** The two sides of a trade, whom the core does not keep. */
const SOMEBODY = '0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a';

export function tradeView(trade: Trade): Record<string, unknown> {
  const tid = Number(trade.id);
  return { coin: trade.symbol, side: sideOf(trade.side), px: wireText(trade.price), sz: wireText(trade.quantity), time: trade.time, hash: `0x${BigInt(tid).toString(16).padStart(64, '0')}`, tid, users: [SOMEBODY, SOMEBODY] };
}

export function bookView(state: ExchangeState, coin: string, time: number): Record<string, unknown> {
  const { book } = state.venue(coin);
  const levels = (['buy', 'sell'] as const).map((side) => book.view(side, BOOK_LEVELS).map(([px, sz]) => ({ px: wireText(new Decimal(px)), sz: wireText(new Decimal(sz)), n: 1 })));
  return { coin, time, levels };
}

/** clearinghouseState of one dex. */
export function clearinghouseView(venue: PaperVenue, account: Account | null, time: number): Record<string, unknown> {
  const { markOf } = venue.exchange.state;
  const zero = { accountValue: '0.0', totalNtlPos: '0.0', totalRawUsd: '0.0', totalMarginUsed: '0.0' };
  if (account === null) return { marginSummary: zero, crossMarginSummary: zero, crossMaintenanceMarginUsed: '0.0', withdrawable: '0.0', assetPositions: [], time };
  let notional = ZERO;
  let margin = ZERO;
  let signed = ZERO;
  let crossNotional = ZERO;
  let crossMargin = ZERO;
  let apart = ZERO;
  const assetPositions: unknown[] = [];
  for (const holding of account.holdings.values()) {
    if (holding.quantity.isZero()) continue;
    const value = holding.quantity.abs().times(markOf(holding.market.symbol) ?? ZERO);
    const pnl = unrealizedPnl(holding, markOf);
    // What margins an isolated position is its own money and its profit.
    const used = holding.isolated ? isolatedMargin(holding).plus(pnl) : value.dividedBy(holding.leverage);
    if (!holding.isolated) {
      crossNotional = crossNotional.plus(value);
      crossMargin = crossMargin.plus(used);
    } else {
      apart = apart.plus(used);
    }
    notional = notional.plus(value);
    signed = signed.plus(holding.quantity.isPositive() ? value : value.negated());
    margin = margin.plus(used);
    const liquidation = liquidationPrice(account, holding, markOf);
    const paid = wireText(holding.fundingPaid);
    assetPositions.push({
      type: 'oneWay',
      position: {
        coin: holding.market.symbol,
        szi: wireText(holding.quantity),
        leverage: holding.isolated ? { type: 'isolated', value: holding.leverage, rawUsd: rounded(isolatedMargin(holding).minus(holding.cost)) } : { type: 'cross', value: holding.leverage },
        entryPx: wireText(averageOf(holding.cost, holding.quantity)),
        positionValue: rounded(value),
        unrealizedPnl: rounded(pnl),
        returnOnEquity: rounded(used.isZero() ? ZERO : pnl.dividedBy(used)),
        liquidationPx: liquidation === null ? null : rounded(liquidation),
        marginUsed: rounded(used),
        maxLeverage: holding.market.maxLeverage,
        cumFunding: { allTime: paid, sinceOpen: paid, sinceChange: paid },
      },
    });
  }
  const value = equity(account, markOf);
  const summary = { accountValue: wireText(value), totalNtlPos: rounded(notional), totalRawUsd: wireText(value.minus(signed)), totalMarginUsed: rounded(margin) };
  return {
    marginSummary: summary,
    crossMarginSummary: { accountValue: wireText(value.minus(apart)), totalNtlPos: rounded(crossNotional), totalRawUsd: summary.totalRawUsd, totalMarginUsed: rounded(crossMargin) },
    crossMaintenanceMarginUsed: rounded(maintenanceMargin(account, markOf)),
    withdrawable: rounded(account.available('USDC', markOf)),
    assetPositions,
    time,
  };
}

export function assetContexts(venue: PaperVenue, dex: string): unknown[] {
  return assetsOf(dex).filter(({ coin }) => venue.exchange.state.venues.has(coin)).map(({ coin }) => assetContext(venue, coin));
}

export function assetContext(venue: PaperVenue, coin: string): Record<string, unknown> {
  const { book, funding } = venue.exchange.state.venue(coin);
  const mark = book.mark();
  const text = mark === null ? null : wireText(mark);
  return { funding: wireText(funding.rate), openInterest: '0.0', prevDayPx: text ?? '0.0', dayNtlVlm: '0.0', premium: '0.0', oraclePx: text ?? '0.0', markPx: text ?? '0.0', midPx: text, impactPxs: text === null ? null : [text, text], dayBaseVlm: '0.0' };
}

export function midsView(venue: PaperVenue, dex: string): Record<string, string> {
  const entries = assetsOf(dex).flatMap(({ coin }): [string, string][] => {
    const mark = venue.exchange.state.venues.get(coin)?.book.mark();
    return mark === null || mark === undefined ? [] : [[coin, wireText(mark)]];
  });
  return Object.fromEntries(entries);
}

export { ZERO };
export type Price = Decimal;
