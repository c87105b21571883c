/** What is to be done with a deposit's money at its venue, at the boundary: a bracket, as POST /api/v1/order-lists has it. */
import { z } from 'zod';
import { FUNDED_ORDER_STATES, ON_REFUSED } from '../domain/funded-order';
import { decimalSchema, timeSchema, uuidSchema } from './fields';
import { orderListRequestSchema } from './order-lists';

const { symbol, legs, expireTime, timeLimitMs, breakEvenAfter } = orderListRequestSchema.shape;

export const thenOrderSchema = z
  .strictObject({
    symbol,
    legs: legs.meta({ description: 'One entry, take-profits, one stop: the legs of a BRACKET, on the account of the destination.' }),
    expireTime: expireTime.meta({ description: 'Nothing is entered after it: an order whose money comes later is refused.' }),
    timeLimitMs,
    breakEvenAfter,
    onRefused: z.enum(ON_REFUSED).default('keep').meta({ description: 'Where the order is refused (by us, by risk or by the venue) and nothing of it filled. keep: the money stays in the account. return: it comes back to your wallet as USDC, less the venue\'s fee. An order that you cancel, or that rests, leaves the money where it is.' }),
  })
  .meta({
    id: 'ThenOrder',
    examples: [{ symbol: 'BTC-PERP', legs: [{ role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000' }, { role: 'stop', type: 'stopMarket', triggerPrice: '48000', triggerPriceType: 'mark' }], onRefused: 'return' }],
  });

export type ThenOrderRequest = z.output<typeof thenOrderSchema>;

/** What became of it. */
export const fundedOrderSchema = z
  .strictObject({
    state: z.enum(FUNDED_ORDER_STATES),
    reason: z.string().nullable(),
    orderListId: uuidSchema.meta({ description: 'The order list; it exists once the state is PLACED.' }),
    credited: z.strictObject({ amount: decimalSchema, at: timeSchema }).nullable().meta({ description: 'What the venue\'s ledger shows of the money.' }),
    entry: z.strictObject({ filledQuantity: decimalSchema, avgPrice: decimalSchema.nullable() }).nullable().meta({ description: 'The first fill that was seen; the order list tells the rest.' }),
    back: z.strictObject({ amount: decimalSchema, fee: decimalSchema, txHash: z.string().regex(/^0x[0-9a-f]*$/).nullable() }).nullable().meta({ description: 'What the venue was asked to pay back, the fee that it keeps of it, and the transfer that brought the rest.' }),
  })
  .meta({ id: 'FundedOrder' });
