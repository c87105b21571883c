/** Hyperliquid's wire, as far as it is read. A field or word that is new is told as drift (client.ts) and stops nothing. */
import { z } from 'zod';
import { isPlainDecimal } from '../../domain/decimal';
import { message } from './drift';
import { FILL_FIELDS_NOT_READ } from './hot-messages';

const number = z.string().regex(/^-?\d{1,40}(\.\d{1,40})?$/, 'not a plain decimal');
const timeMs = z.number().int().nonnegative();
const side = z.enum(['A', 'B']);

export const metaSchema = message({
  universe: z.array(
    message({ name: z.string().min(1), szDecimals: z.number().int().min(0).max(8), maxLeverage: z.number().int().positive(), isDelisted: z.boolean().optional(), onlyIsolated: z.boolean().optional(), growthMode: z.string().optional() }, ['marginTableId', 'marginMode', 'lastGrowthModeChangeTime']),
  ),
  /** Index of the token that margins and settles this dex; 0 is USDC. */
  collateralToken: z.number().int().nonnegative().optional(),
}, ['marginTables']);
export type Meta = z.infer<typeof metaSchema>;
export const perpDexsSchema = z.array(message({ name: z.string().min(1), deployerFeeScale: number.optional() }, ['fullName', 'deployer', 'oracleUpdater', 'feeRecipient', 'assetToStreamingOiCap', 'subDeployers', 'lastDeployerFeeScaleChangeTime', 'assetToFundingMultiplier', 'assetToFundingInterestRate', 'isListed']).nullable());
export const spotMetaSchema = message({ tokens: z.array(message({ name: z.string().min(1), index: z.number().int().nonnegative(), tokenId: z.string() }, ['szDecimals', 'weiDecimals', 'isCanonical', 'evmContract', 'fullName', 'deployerTradingFeeShare'])) }, ['universe']);
/** `oraclePx`: the price of the goods elsewhere, as validators report it. The middle is read from `allMids`: here a market without a book has none. */
export const assetContextSchema = message({ funding: number, markPx: number, oraclePx: number.optional() }, ['midPx', 'openInterest', 'prevDayPx', 'dayNtlVlm', 'premium', 'impactPxs', 'dayBaseVlm']);
export type AssetContext = z.infer<typeof assetContextSchema>;
export const metaAndContextsSchema = z.tuple([metaSchema, z.array(assetContextSchema)]);
export const midsSchema = z.record(z.string(), number);
export const statusSchema = message({ time: timeMs }, ['specialStatuses']);

const level = message({ px: number, sz: number }, ['n']);
export const bookSchema = message({ coin: z.string(), time: timeMs, levels: z.tuple([z.array(level), z.array(level)]) }, ['spread']);
export const tradeSchema = message({ coin: z.string(), side, px: number, sz: number, time: timeMs, tid: z.number().int() }, ['hash', 'users', 'liquidation']);
export const tradesSchema = z.array(tradeSchema);
export const candlesSchema = z.array(message({ t: timeMs, o: number, c: number, h: number, l: number, v: number }, ['T', 's', 'i', 'n']));
export const fundingsSchema = z.array(message({ coin: z.string(), fundingRate: number, time: timeMs }, ['premium']));
/** Per coin, what each exchange is expected to charge next; the venue itself is `HlPerp`. */
export const predictedFundingsSchema = z.array(z.tuple([z.string(), z.array(z.tuple([z.string(), message({ fundingRate: number, nextFundingTime: timeMs, fundingIntervalHours: z.number().positive().optional() }).nullable()]))]));
export const fundingDeltaSchema = message({ coin: z.string().min(1), usdc: number, szi: number, fundingRate: number }, ['type', 'nSamples']);
export const userFundingsSchema = z.array(message({ time: timeMs, hash: z.string(), delta: fundingDeltaSchema }));
export const streamFundingsSchema = message({ user: z.string(), isSnapshot: z.boolean().optional(), fundings: z.array(message({ time: timeMs, coin: z.string().min(1), usdc: number, szi: number, fundingRate: number }, ['nSamples'])) });
/** What moved of a user's money beside funding: of a transfer within the account, the nonce it was signed with. */
export const ledgerSchema = z.array(message({ time: timeMs, hash: z.string().optional(), delta: z.record(z.string(), z.unknown()) }));
export const rateLimitSchema = message({ cumVlm: number, nRequestsUsed: z.number().int().nonnegative(), nRequestsCap: z.number().int().nonnegative() }, ['nRequestsSurplus']);

/** openOrders, and the order inside orderUpdates. */
const orderFields = {
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
} as const;
/** Exits that wait for their entry have no exits of their own. */
export const orderSchema = message({ ...orderFields, children: z.array(message(orderFields, ['children'])).optional() });
export type HyperliquidOrder = z.infer<typeof orderSchema>;
export const ordersSchema = z.array(orderSchema);
export const orderStateSchema = message({ order: orderSchema, status: z.string(), statusTimestamp: timeMs });
export type HyperliquidOrderState = z.infer<typeof orderStateSchema>;
export const orderStatesSchema = z.array(orderStateSchema);
export const orderStatusSchema = z.union([message({ status: z.literal('order'), order: orderStateSchema }), message({ status: z.literal('unknownOid') })]);

export const fillSchema = message({
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
}, FILL_FIELDS_NOT_READ);
export type HyperliquidFill = z.infer<typeof fillSchema>;
export const fillsSchema = z.array(fillSchema);

export const clearinghouseSchema = message({
  marginSummary: message({ accountValue: number, totalMarginUsed: number }, ['totalNtlPos', 'totalRawUsd']),
  withdrawable: number,
  time: timeMs,
  assetPositions: z.array(
    message({
      position: message({
        coin: z.string().min(1),
        szi: number,
        entryPx: number.nullable(),
        positionValue: number,
        unrealizedPnl: number,
        liquidationPx: number.nullable(),
        marginUsed: number,
        leverage: message({ type: z.string(), value: z.number(), rawUsd: number.optional() }),
        cumFunding: message({ sinceOpen: number }, ['allTime', 'sinceChange']).optional(),
      }, ['returnOnEquity', 'maxLeverage']),
    }, ['type']),
  ),
}, ['crossMarginSummary', 'crossMaintenanceMarginUsed']);
export type Clearinghouse = z.infer<typeof clearinghouseSchema>;
export const roleSchema = message({ role: z.string(), data: message({ user: z.string().optional() }, ['master']).optional() });

const placed = message({ oid: z.number().int() }, ['cloid']);
export const itemStatusSchema = z.union([
  z.string(),
  message({ error: z.string() }),
  message({ resting: placed }),
  message({ filled: message({ oid: z.number().int(), totalSz: number, avgPx: number }, ['cloid']) }),
]);
export type ItemStatus = z.infer<typeof itemStatusSchema>;
export const exchangeAnswerSchema = z.union([
  message({ status: z.literal('err'), response: z.string() }),
  message({ status: z.literal('ok'), response: message({ type: z.string(), data: message({ statuses: z.array(itemStatusSchema) }).optional() }) }),
]);

export const subscribedSchema = message({ method: z.string(), subscription: message({ type: z.string(), coin: z.string().optional(), user: z.string().optional(), dex: z.string().optional() }, ['aggregateByTime', 'nSigFigs', 'mantissa', 'interval']) });
export const userFillsSchema = message({ isSnapshot: z.boolean().optional(), user: z.string(), fills: fillsSchema });
export const streamClearinghouseSchema = message({ dex: z.string(), user: z.string(), clearinghouseState: clearinghouseSchema });
export const bboSchema = message({ coin: z.string(), time: timeMs, bbo: z.tuple([level.nullable(), level.nullable()]) });
export const streamContextSchema = message({ coin: z.string(), ctx: assetContextSchema });
export const streamMidsSchema = message({ mids: midsSchema }, ['dex']);
/** The account's summary: read for the agent it names alone. */
export const webDataSchema = message({ userState: message({ agentAddress: z.string().nullable() }, ['agentValidUntil', 'cumLedger', 'serverTime', 'isVault', 'user', 'optOutOfSpotDusting', 'dexAbstractionEnabled', 'abstraction']) }, ['perpDexStates']);
export const postedSchema = message({ id: z.number(), response: message({ type: z.string(), payload: z.unknown() }) });
export const postedRoleSchema = message({ type: z.literal('userRole'), data: roleSchema });

/** Source: the venue's documentation, "Rate limits": weight an address of the network may ask for in a minute. */
export const WEIGHT_PER_MINUTE = 1_200;
/** The same source: unique users across user-specific subscriptions. */
export const STREAMED_USERS = 10;

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
  /** Of them, those whose orders carry no client id: some users saw orders with one ignored there (hyperliquid-python-sdk, issue 251). */
  dexesWithoutCloid: z.array(z.string().regex(/^[a-z0-9]{1,16}$/)).default([]),
  absenceFinalAfterMs: z.number().int().min(0).default(120_000),
  /** A market order is an IOC limit this far from the middle at most, as a fraction. */
  slippage: z.string().refine(isPlainDecimal).default('0.05'),
  /** How often a private stream asks whether its agent wallet is still approved. */
  agentCheckEveryMs: z.number().int().min(100).default(60_000),
  /** Users whose private streams one process opens; further ones are polled. */
  streamedUsers: z.number().int().min(1).max(STREAMED_USERS).default(STREAMED_USERS),
  /** Polls of such a user are at least so far apart. */
  pollEveryMs: z.number().int().min(50).default(10_000),
  /** Lower where other programs ask from the same address; higher only at a simulator. */
  weightPerMinute: z.number().int().min(200).default(WEIGHT_PER_MINUTE),
  /** What all polls together may weigh: half of the venue's 1,200. */
  pollWeightPerMinute: z.number().int().positive().default(600),
  readTimeoutMs: z.number().int().positive().optional(),
  /** Only tests have another: the venue sends at most so many fills at once. */
  fillsPerPage: z.number().int().min(2).default(2_000),
});
export type HyperliquidOptions = z.output<typeof optionsSchema>;
