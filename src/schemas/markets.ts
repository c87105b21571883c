/** Venues, markets, order books and prices at the boundary. */
import { z } from 'zod';
import { decimalSchema, timeSchema, venueNameSchema } from './fields';
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
    orderTypes: z.array(orderTypeSchema),
    timesInForce: z.array(timeInForceSchema),
    postOnly: z.boolean(),
    reduceOnly: z.boolean(),
    amend: z.enum(['inPlace', 'cancelReplace', 'none']),
    acknowledgement: z.enum(['sync', 'async', 'onChain']),
    resendSafety: z.enum(['sameBytes', 'uniqueClientId', 'venueDeadline', 'none']),
    maxBatchSize: z.int(),
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

export const priceListSchema = z
  .strictObject({ prices: z.array(priceSchema), missing: z.array(z.string()).meta({ description: 'Symbols that were asked for and have no price now.' }) })
  .meta({ id: 'PriceList' });
