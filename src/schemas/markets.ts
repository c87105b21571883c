/** Venues, markets, order books and prices at the boundary. */
import { z } from 'zod';
import { MOVE_KINDS } from '../domain/collateral-move';
import { decimalSchema, queryInteger, queryTime, timeSchema, venueNameSchema } from './fields';
import { orderGroupingSchema } from './order-groups';
import { orderTypeSchema, timeInForceSchema } from './orders';

export const tickRuleSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('step'), step: decimalSchema }),
    z.strictObject({ kind: z.literal('significant'), figures: z.int(), maxDecimals: z.int(), integersAlwaysValid: z.boolean() }),
  ])
  .meta({ id: 'TickRule', description: 'How prices are spaced: by a step, or by significant figures with a cap on decimals.' });

export const marketSchema = z
  .strictObject({
    venue: venueNameSchema,
    symbol: z.string(),
    venueSymbol: z.string(),
    assetClass: z.enum(['crypto', 'equity', 'index', 'forex', 'commodity']),
    base: z.string(),
    quote: z.string(),
    kind: z.enum(['perpetual', 'spot']),
    tickRule: tickRuleSchema,
    lot: decimalSchema,
    minQuantity: decimalSchema,
    minNotional: decimalSchema,
    maxLeverage: decimalSchema,
    makerFeeRate: decimalSchema,
    takerFeeRate: decimalSchema,
    sessionHours: z.string().nullable(),
    status: z.enum(['open', 'closed']),
  })
  .meta({ id: 'Market' });

export const marketListSchema = z.strictObject({ markets: z.array(marketSchema) }).meta({ id: 'MarketList' });

export const venueSchema = z
  .strictObject({
    name: venueNameSchema,
    status: z.enum(['available', 'unavailable', 'unknown']).meta({ description: 'As last seen; unknown before the first contact.' }),
    orderTypes: z.array(orderTypeSchema).meta({ description: 'What the venue takes itself; the conditional ones as execution native.' }),
    durableOrderTypes: z.array(orderTypeSchema).meta({ description: 'Conditional types that POST orders takes for this venue as execution durable, whatever the venue has.' }),
    timesInForce: z.array(timeInForceSchema),
    postOnly: z.boolean(),
    reduceOnly: z.boolean(),
    amend: z.enum(['inPlace', 'cancelReplace', 'none']),
    acknowledgement: z.enum(['sync', 'async', 'onChain']),
    resendSafety: z.enum(['sameBytes', 'uniqueClientId', 'venueDeadline', 'none']),
    maxBatchSize: z.int(),
    collateralMoves: z.array(z.enum(MOVE_KINDS)).meta({ description: 'margin: to and from isolated positions. transfer: between its pools of collateral. Empty: neither.' }),
    groupings: z.array(orderGroupingSchema).meta({ description: 'What POST /orders/batch may name as `grouping` of orders for this venue. Empty: nothing.' }),
  })
  .meta({ id: 'Venue' });

export const venueListSchema = z.strictObject({ venues: z.array(venueSchema) }).meta({ id: 'VenueList' });

const bookLevelSchema = z.tuple([decimalSchema, decimalSchema]).meta({ id: 'BookLevel', description: '[price, quantity]', examples: [['50000', '0.5']] });

export const orderBookSchema = z
  .strictObject({ venue: venueNameSchema, symbol: z.string(), bids: z.array(bookLevelSchema), asks: z.array(bookLevelSchema), sequence: z.number(), at: timeSchema })
  .meta({ id: 'OrderBook', description: 'Levels from best to worst.' });

export const priceSchema = z
  .strictObject({
    venue: venueNameSchema,
    symbol: z.string(),
    bid: decimalSchema.nullable(),
    ask: decimalSchema.nullable(),
    last: decimalSchema.nullable(),
    mark: decimalSchema.nullable(),
    at: timeSchema.meta({ description: 'The venue\'s time of the price.' }),
  })
  .meta({ id: 'Price' });

export const priceDetailSchema = z
  .strictObject({
    ...priceSchema.shape,
    volume24h: decimalSchema.nullable().meta({ description: 'Traded in the last 24 hours, in the base asset, at most a minute old; null where the venue does not tell it now.' }),
    funding: z
      .strictObject({ rate: decimalSchema.meta({ description: 'A fraction per funding period.' }), nextAt: timeSchema.nullable() })
      .nullable()
      .meta({ description: 'null for a spot market, and where the venue does not tell it now.' }),
    source: z.enum(['stream', 'venue']).meta({ description: 'stream: what market data last brought. venue: asked for this answer.' }),
    ageMs: z.int().min(0).meta({ description: 'Since the price was last confirmed.' }),
    stale: z.boolean().meta({ description: 'No entry is judged by it: not confirmed for 10 s, or the venue\'s market data is down.' }),
  })
  .meta({ id: 'PriceDetail' });

export const publicTradeListSchema = z
  .strictObject({
    venue: venueNameSchema,
    symbol: z.string(),
    trades: z.array(z.strictObject({ id: z.string(), price: decimalSchema, quantity: decimalSchema, side: z.enum(['buy', 'sell']).meta({ description: 'The taker\'s.' }), at: timeSchema })),
  })
  .meta({ id: 'PublicTradeList' });

/** Lengths of candles, by the words venues use for them. */
export const CANDLE_INTERVALS_MS = { '1m': 60_000, '5m': 300_000, '15m': 900_000, '1h': 3_600_000, '4h': 14_400_000, '1d': 86_400_000 } as const;
type CandleInterval = keyof typeof CANDLE_INTERVALS_MS;
const candleIntervalSchema = z.enum(Object.keys(CANDLE_INTERVALS_MS) as [CandleInterval, ...CandleInterval[]]);

/** What one request of any known venue answers. */
export const MAX_CANDLES = 1_000;
const DEFAULT_CANDLES = 100;

export const candleQuery = {
  interval: candleIntervalSchema.default('1m'),
  from: queryTime('Where the candles begin. Absent: `limit` candles before `to`.'),
  to: queryTime('Before which they begin. Absent: now.'),
  limit: queryInteger({ min: 1, max: MAX_CANDLES, fallback: DEFAULT_CANDLES, description: 'Most candles; of more, the newest.' }),
};

export const candleListSchema = z
  .strictObject({
    venue: venueNameSchema,
    symbol: z.string(),
    interval: candleIntervalSchema,
    candles: z.array(z.strictObject({ at: timeSchema.meta({ description: 'Its beginning.' }), open: decimalSchema, high: decimalSchema, low: decimalSchema, close: decimalSchema, volume: decimalSchema })),
  })
  .meta({ id: 'CandleList', description: 'Oldest first; a candle without a trade may be absent.' });

export const fundingRateSchema = z
  .strictObject({
    venue: venueNameSchema,
    symbol: z.string(),
    rate: decimalSchema,
    predicted: decimalSchema.nullable().meta({ description: 'What the venue expects to charge at nextAt; null where it predicts nothing.' }),
    nextAt: timeSchema.nullable(),
    at: timeSchema,
  })
  .meta({ id: 'FundingRate' });

/** Of the venues known, the one that charges most often does so each hour: a month of it is two of its answers. */
export const MAX_FUNDING_SPAN_MS = 31 * 24 * 60 * 60 * 1000;
/** Where no beginning is named. */
export const DEFAULT_FUNDING_SPAN_MS = 7 * 24 * 60 * 60 * 1000;
const MAX_FUNDINGS = 1_000;
const DEFAULT_FUNDINGS = 100;

export const fundingHistoryQuery = {
  from: queryTime('From when on. Absent: a week before `to`.'),
  to: queryTime('Until when. Absent: now.'),
  limit: queryInteger({ min: 1, max: MAX_FUNDINGS, fallback: DEFAULT_FUNDINGS, description: 'Most rates; of more, the newest.' }),
};

export const fundingHistorySchema = z
  .strictObject({ venue: venueNameSchema, symbol: z.string(), rates: z.array(z.strictObject({ at: timeSchema.meta({ description: 'When it was charged.' }), rate: decimalSchema })) })
  .meta({ id: 'FundingHistory', description: 'Oldest first; a fraction per funding period, positive: longs paid.' });

export const venueHealthSchema = z
  .strictObject({
    venue: venueNameSchema,
    status: z.enum(['available', 'unavailable', 'unknown']).meta({ description: 'By its market data: fresh prices, only stale ones, none yet.' }),
    marketData: z.strictObject({ priced: z.int().min(0), stale: z.int().min(0), newestAgeMs: z.int().min(0).nullable() }).meta({ description: 'Markets that have a price, and those whose price is stale.' }),
    request: z
      .strictObject({ status: z.enum(['ok', 'failed']), latencyMs: z.number().min(0), error: z.string().nullable() })
      .meta({ description: 'A public read that this server made for the answer, or a second ago.' }),
    clockOffsetMs: z.int().nullable().meta({ description: 'The venue\'s clock ahead of ours; null where it could not be read.' }),
    checkedAt: timeSchema,
  })
  .meta({ id: 'VenueHealth' });

export const priceListSchema = z
  .strictObject({ prices: z.array(priceSchema), missing: z.array(z.string()).meta({ description: 'Symbols that were asked for and have no price now.' }) })
  .meta({ id: 'PriceList' });
