/** Hyperliquid's wire, as far as it is read. A field or word that is new is told as drift (client.ts) and stops nothing. */
import { z } from 'zod';
import { isPlainDecimal } from '../../domain/decimal';

const number = z.string().regex(/^-?\d{1,40}(\.\d{1,40})?$/, 'not a plain decimal');
const timeMs = z.number().int().nonnegative();
const side = z.enum(['A', 'B']);

export const metaSchema = z.object({
  universe: z.array(z.object({ name: z.string().min(1), szDecimals: z.number().int().min(0).max(8), maxLeverage: z.number().int().positive(), isDelisted: z.boolean().optional() })),
});
export type Meta = z.infer<typeof metaSchema>;
export const perpDexsSchema = z.array(z.object({ name: z.string().min(1) }).nullable());
export const assetContextSchema = z.object({ funding: number, markPx: number, midPx: number.nullable() });
export const metaAndContextsSchema = z.tuple([metaSchema, z.array(assetContextSchema)]);
export const midsSchema = z.record(z.string(), number);
export const statusSchema = z.object({ time: timeMs });

const level = z.object({ px: number, sz: number });
export const bookSchema = z.object({ coin: z.string(), time: timeMs, levels: z.tuple([z.array(level), z.array(level)]) });
export const tradeSchema = z.object({ coin: z.string(), side, px: number, sz: number, time: timeMs, tid: z.number().int() });
export const tradesSchema = z.array(tradeSchema);
export const candlesSchema = z.array(z.object({ t: timeMs, o: number, c: number, h: number, l: number, v: number }));
export const fundingsSchema = z.array(z.object({ coin: z.string(), fundingRate: number, time: timeMs }));

/** openOrders, and the order inside orderUpdates. */
export const orderSchema = z.object({
  coin: z.string().min(1),
  side,
  limitPx: number,
  sz: number,
  oid: z.number().int(),
  timestamp: timeMs,
  origSz: number,
  cloid: z.string().nullish(),
  reduceOnly: z.boolean().optional(),
  orderType: z.string().optional(),
  tif: z.string().nullish(),
  triggerPx: number.optional(),
  triggerCondition: z.string().optional(),
  isTrigger: z.boolean().optional(),
  isPositionTpsl: z.boolean().optional(),
  children: z.array(z.unknown()).optional(),
});
export type HyperliquidOrder = z.infer<typeof orderSchema>;
export const ordersSchema = z.array(orderSchema);
export const orderStateSchema = z.object({ order: orderSchema, status: z.string(), statusTimestamp: timeMs });
export type HyperliquidOrderState = z.infer<typeof orderStateSchema>;
export const orderStatesSchema = z.array(orderStateSchema);
export const orderStatusSchema = z.union([z.object({ status: z.literal('order'), order: orderStateSchema }), z.object({ status: z.literal('unknownOid') })]);

export const fillSchema = z.object({
  coin: z.string().min(1),
  px: number,
  sz: number,
  side,
  time: timeMs,
  closedPnl: number,
  oid: z.number().int(),
  crossed: z.boolean(),
  fee: number,
  tid: z.number().int(),
  feeToken: z.string().min(1),
  cloid: z.string().nullish(),
});
export type HyperliquidFill = z.infer<typeof fillSchema>;
export const fillsSchema = z.array(fillSchema);

export const clearinghouseSchema = z.object({
  marginSummary: z.object({ accountValue: number, totalMarginUsed: number }),
  withdrawable: number,
  time: timeMs,
  assetPositions: z.array(
    z.object({
      position: z.object({
        coin: z.string().min(1),
        szi: number,
        entryPx: number.nullable(),
        positionValue: number,
        unrealizedPnl: number,
        liquidationPx: number.nullable(),
        marginUsed: number,
        leverage: z.object({ type: z.string(), value: z.number() }),
      }),
    }),
  ),
});
export type Clearinghouse = z.infer<typeof clearinghouseSchema>;
export const roleSchema = z.object({ role: z.string(), data: z.object({ user: z.string().optional() }).optional() });

const placed = z.object({ oid: z.number().int() });
export const itemStatusSchema = z.union([
  z.string(),
  z.object({ error: z.string() }),
  z.object({ resting: placed }),
  z.object({ filled: placed.extend({ totalSz: number, avgPx: number }) }),
]);
export type ItemStatus = z.infer<typeof itemStatusSchema>;
export const exchangeAnswerSchema = z.union([
  z.object({ status: z.literal('err'), response: z.string() }),
  z.object({ status: z.literal('ok'), response: z.object({ type: z.string(), data: z.object({ statuses: z.array(itemStatusSchema) }).optional() }) }),
]);

export const streamSchema = z.object({ channel: z.string(), data: z.unknown().optional() });
export const subscribedSchema = z.object({ method: z.string(), subscription: z.object({ type: z.string(), coin: z.string().optional(), user: z.string().optional(), dex: z.string().optional() }) });
export const userFillsSchema = z.object({ isSnapshot: z.boolean().optional(), user: z.string(), fills: fillsSchema });
export const streamClearinghouseSchema = z.object({ dex: z.string(), user: z.string(), clearinghouseState: clearinghouseSchema });
export const bboSchema = z.object({ coin: z.string(), time: timeMs, bbo: z.tuple([level.nullable(), level.nullable()]) });
export const streamContextSchema = z.object({ coin: z.string(), ctx: assetContextSchema });
export const streamMidsSchema = z.object({ mids: midsSchema });
export const postedSchema = z.object({ id: z.number(), response: z.object({ type: z.string(), payload: z.unknown() }) });
export const postedRoleSchema = z.object({ type: z.literal('userRole'), data: roleSchema });

const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'must be 0x and 40 hexadecimal digits').transform((text) => text.toLowerCase() as `0x${string}`);
/** `agentKey` signs; `address` is the account it signs for. Transfers and withdrawals need the account's own key, which is never asked for. */
export const credentialsSchema = z.strictObject({
  agentKey: z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be 64 hexadecimal digits'),
  address,
  vaultAddress: address.optional(),
});

export const optionsSchema = z.object({
  network: z.enum(['mainnet', 'testnet']).default('testnet'),
  /** HIP-3 dexes to trade beside the venue's own, by name. */
  dexes: z.array(z.string().regex(/^[a-z0-9]{1,16}$/)).default([]),
  absenceFinalAfterMs: z.number().int().min(0).default(120_000),
  /** A market order is an IOC limit this far from the middle at most, as a fraction. */
  slippage: z.string().refine(isPlainDecimal).default('0.05'),
  /** How often a private stream asks whether its agent wallet is still approved. */
  agentCheckEveryMs: z.number().int().min(100).default(60_000),
  readTimeoutMs: z.number().int().positive().optional(),
  /** Only tests have another: the venue sends at most so many fills at once. */
  fillsPerPage: z.number().int().min(2).default(2_000),
});
export type HyperliquidOptions = z.output<typeof optionsSchema>;
