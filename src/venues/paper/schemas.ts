/** The paper venue's wire. Unknown fields are ignored: a newer server may add some. */
import { z } from 'zod';
import { isPlainDecimal } from '../../domain/decimal';

const decimalString = z.string().refine(isPlainDecimal, 'not a plain decimal');
const timeMs = z.number().int().nonnegative();
const side = z.enum(['buy', 'sell']);

export const errorSchema = z.object({ code: z.string().min(1), message: z.string() });
export const errorBodySchema = z.object({ error: errorSchema });

export const orderSchema = z.object({
  orderId: z.string().min(1),
  clientId: z.string().nullable(),
  symbol: z.string().min(1),
  side,
  type: z.enum(['market', 'limit', 'stopMarket', 'stopLimit', 'takeProfitMarket', 'takeProfitLimit']),
  timeInForce: z.enum(['GTC', 'GTD', 'IOC', 'FOK']),
  price: decimalString.nullable(),
  quantity: decimalString,
  filledQuantity: decimalString,
  avgPrice: decimalString.nullable(),
  status: z.enum(['open', 'filled', 'canceled', 'expired']),
  cancelReason: z.string().nullable(),
  postOnly: z.boolean(),
  reduceOnly: z.boolean(),
  // Absent at a server from before there were triggers.
  expireAt: timeMs.nullish(),
  triggerPrice: decimalString.nullish(),
  triggeredAt: timeMs.nullish(),
  revision: z.number().int(),
  createdAt: timeMs,
  updatedAt: timeMs,
});
export type PaperOrder = z.infer<typeof orderSchema>;

export const fillSchema = z.object({
  fillId: z.string().min(1),
  orderId: z.string().min(1),
  clientId: z.string().nullable(),
  symbol: z.string().min(1),
  side,
  price: decimalString,
  quantity: decimalString,
  fee: decimalString,
  feeAsset: z.string().min(1),
  liquidity: z.enum(['maker', 'taker']),
  realizedPnl: decimalString.nullable(),
  time: timeMs,
});
export type PaperFill = z.infer<typeof fillSchema>;

export const fundingPaymentSchema = z.object({
  id: z.string().min(1),
  symbol: z.string().min(1),
  quantity: decimalString,
  markPrice: decimalString,
  rate: decimalString,
  amount: decimalString,
  asset: z.string().min(1),
  time: timeMs,
});
export type PaperFundingPayment = z.infer<typeof fundingPaymentSchema>;

export const positionSchema = z.object({
  symbol: z.string().min(1),
  side: z.enum(['long', 'short', 'flat']),
  quantity: decimalString,
  entryPrice: decimalString,
  markPrice: decimalString.nullable(),
  leverage: decimalString.nullable(),
  margin: decimalString.nullable(),
  liquidationPrice: decimalString.nullable(),
  unrealizedPnl: decimalString.nullable(),
  realizedPnl: decimalString.nullable(),
});
export type PaperPosition = z.infer<typeof positionSchema>;

export const balanceSchema = z.object({ asset: z.string().min(1), total: decimalString, available: decimalString, locked: decimalString });
export type PaperBalance = z.infer<typeof balanceSchema>;

const refusedItem = z.object({ ok: z.literal(false), error: errorSchema });
const placedItem = z.discriminatedUnion('ok', [
  z.object({ clientId: z.string(), ok: z.literal(true), order: orderSchema }),
  refusedItem.extend({ clientId: z.string() }),
]);
export const placeAnswerSchema = z.object({ results: z.array(placedItem) });
export const cancelAnswerSchema = z.object({ results: z.array(z.discriminatedUnion('ok', [z.object({ ok: z.literal(true), order: orderSchema }), refusedItem])) });
export const amendAnswerSchema = z.union([z.object({ order: orderSchema }), errorBodySchema]);

export const ordersSchema = z.object({ orders: z.array(orderSchema), next: z.string().nullish() });
/** `truncatedBefore`: fills older than this are hidden. */
export const fillsSchema = z.object({ fills: z.array(fillSchema), next: z.string().nullish(), truncatedBefore: timeMs.nullish() });
export const fundingPaymentsSchema = z.object({ payments: z.array(fundingPaymentSchema), next: z.string().nullish() });
export const positionsSchema = z.object({ positions: z.array(positionSchema) });
export const balancesSchema = z.object({ balances: z.array(balanceSchema) });
export const leverageSchema = z.object({ symbol: z.string(), leverage: decimalString });
export const deadManSchema = z.object({ at: timeMs.nullable() });
export const timeSchema = z.object({ time: timeMs });

export const marketSchema = z.object({
  symbol: z.string().min(1),
  base: z.string().min(1),
  quote: z.string().min(1),
  kind: z.enum(['perpetual', 'spot']),
  assetClass: z.enum(['crypto', 'equity', 'index', 'forex', 'commodity']),
  tickSize: decimalString,
  lotSize: decimalString,
  minQuantity: decimalString,
  minNotional: decimalString,
  maxLeverage: decimalString,
  makerFeeRate: decimalString,
  takerFeeRate: decimalString,
  status: z.enum(['open', 'closed']),
});
export type PaperMarket = z.infer<typeof marketSchema>;
export const marketsSchema = z.object({ markets: z.array(marketSchema) });

const level = z.tuple([decimalString, decimalString]);
export const bookSchema = z.object({ symbol: z.string(), bids: z.array(level), asks: z.array(level), sequence: z.number().int(), time: timeMs });
export const tickerSchema = z.object({
  symbol: z.string().min(1),
  bid: decimalString.nullable(),
  ask: decimalString.nullable(),
  last: decimalString.nullable(),
  mark: decimalString.nullable(),
  time: timeMs,
});
export type PaperTicker = z.infer<typeof tickerSchema>;
export const tickersSchema = z.object({ tickers: z.array(tickerSchema) });
export const tradeSchema = z.object({ id: z.string().min(1), price: decimalString, quantity: decimalString, side, time: timeMs });
export type PaperTrade = z.infer<typeof tradeSchema>;
export const tradesSchema = z.object({ trades: z.array(tradeSchema) });
export const candlesSchema = z.object({
  candles: z.array(z.object({ time: timeMs, open: decimalString, high: decimalString, low: decimalString, close: decimalString, volume: decimalString })),
});
export const fundingRatesSchema = z.object({ symbol: z.string(), rates: z.array(z.object({ time: timeMs, rate: decimalString })) });
export const fundingSchema = z.object({ symbol: z.string(), rate: decimalString, nextFundingTime: timeMs.nullable(), time: timeMs });

const sequenced = { sequence: z.number().int(), previousSequence: z.number().int(), time: timeMs };
export const streamSchema = z.union([
  z.object({
    channel: z.literal('account'),
    ...sequenced,
    event: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('order'), order: orderSchema }),
      z.object({ kind: z.literal('fill'), fill: fillSchema }),
      z.object({ kind: z.literal('balance'), balance: balanceSchema }),
      z.object({ kind: z.literal('position'), position: positionSchema }),
      z.object({ kind: z.literal('funding'), funding: fundingPaymentSchema }),
      z.object({ kind: z.literal('keyRevoked') }),
    ]),
  }),
  z.object({ channel: z.literal('ticker'), ...sequenced, ...tickerSchema.shape }),
  z.object({ channel: z.literal('book'), symbol: z.string(), type: z.enum(['snapshot', 'delta']), ...sequenced, bids: z.array(level), asks: z.array(level) }),
  z.object({ channel: z.literal('trades'), symbol: z.string(), ...sequenced, trades: z.array(tradeSchema) }),
  z.object({ op: z.literal('auth'), ok: z.boolean(), error: z.union([z.string(), errorSchema]).optional() }),
  z.object({ op: z.literal('subscribed'), channel: z.enum(['account', 'ticker', 'book', 'trades']), symbol: z.string().nullish(), sequence: z.number().int().nullish() }),
  z.object({ op: z.literal('pong') }),
  z.object({ op: z.literal('error'), error: z.union([z.string(), errorSchema]) }),
]);
export type PaperStreamFrame = z.infer<typeof streamSchema>;

export const credentialsSchema = z.object({ key: z.string().min(1).max(256) });

export const optionsSchema = z.object({
  /** Two reads at least so long after the deadline must miss an order before it is called never placed. */
  absenceFinalAfterMs: z.number().int().min(0).default(120_000),
  /** Requests in the bucket, and refilled each second: the server beside us sets no limit of its own. */
  budgetCapacity: z.number().positive().default(2_000),
  budgetRefillPerSecond: z.number().positive().default(2_000),
  readTimeoutMs: z.number().int().positive().optional(),
  /** Orders or fills a page. */
  pageSize: z.number().int().min(1).max(1_000).default(500),
});
export type PaperOptions = z.input<typeof optionsSchema>;
