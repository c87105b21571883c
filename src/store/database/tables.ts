/** The columns of the tables that are written in bulk (prisma/schema.prisma says what each means). */
import type { Columns } from './columns';

/** What the API shows of an order: the fields of domain/order.ts. */
export const ORDER_COLUMNS = {
  id: 'text',
  clientOrderId: 'text',
  venueClientId: 'text',
  venueOrderId: 'text',
  userId: 'text',
  accountId: 'text',
  venue: 'text',
  symbol: 'text',
  venueSymbol: 'text',
  side: 'text',
  type: 'text',
  timeInForce: 'text',
  quantity: 'numeric',
  limitPrice: 'numeric',
  postOnly: 'boolean',
  reduceOnly: 'boolean',
  filledQuantity: 'numeric',
  leavesQuantity: 'numeric',
  avgPrice: 'numeric',
  fee: 'numeric',
  feeAsset: 'text',
  state: 'text',
  reasonCode: 'text',
  reasonMessage: 'text',
  pendingCancel: 'boolean',
  pendingReplace: 'boolean',
  origin: 'text',
  parentOrderId: 'text',
  orderListId: 'text',
  strategyId: 'text',
  contingencyType: 'text',
  supervisorWorkflowId: 'text',
  grouping: 'text',
  groupId: 'text',
  execution: 'text',
  triggerPrice: 'numeric',
  triggerPriceType: 'text',
  trailingOffset: 'numeric',
  trailingOffsetType: 'text',
  activationPrice: 'numeric',
  gapPolicy: 'text',
  escalation: 'jsonb',
  startAt: 'timestamptz',
  expireTime: 'timestamptz',
  revision: 'integer',
  ownerWorkflowId: 'text',
  venueSeenAtMs: 'bigint',
  createdAt: 'timestamptz',
  submittedAt: 'timestamptz',
  acknowledgedAt: 'timestamptz',
  triggeredAt: 'timestamptz',
  filledAt: 'timestamptz',
  canceledAt: 'timestamptz',
  closedAt: 'timestamptz',
  updatedAt: 'timestamptz',
} as const satisfies Columns;

/** What the store keeps of an order besides. */
export const ORDER_STATE_COLUMNS = {
  fillsQuantity: 'numeric',
  fillsValue: 'numeric',
  fillsMissing: 'numeric',
  valuationPrice: 'numeric',
  amendQuantity: 'numeric',
  amendValuation: 'numeric',
} as const satisfies Columns;

export const ORDER_INSERT_COLUMNS = { ...ORDER_COLUMNS, ...ORDER_STATE_COLUMNS, placeBefore: 'timestamptz', fence: 'integer', riskFigures: 'jsonb' } as const satisfies Columns;

/** Fields that evidence can change. */
export const ORDER_UPDATE_COLUMNS = {
  id: 'text',
  venueOrderId: 'text',
  quantity: 'numeric',
  limitPrice: 'numeric',
  triggerPrice: 'numeric',
  trailingOffset: 'numeric',
  activationPrice: 'numeric',
  filledQuantity: 'numeric',
  leavesQuantity: 'numeric',
  avgPrice: 'numeric',
  fee: 'numeric',
  feeAsset: 'text',
  state: 'text',
  reasonCode: 'text',
  reasonMessage: 'text',
  pendingCancel: 'boolean',
  pendingReplace: 'boolean',
  revision: 'integer',
  venueSeenAtMs: 'bigint',
  submittedAt: 'timestamptz',
  acknowledgedAt: 'timestamptz',
  triggeredAt: 'timestamptz',
  filledAt: 'timestamptz',
  canceledAt: 'timestamptz',
  closedAt: 'timestamptz',
  updatedAt: 'timestamptz',
  ...ORDER_STATE_COLUMNS,
} as const satisfies Columns;

export const EVIDENCE_COLUMNS = { orderId: 'text', key: 'text', userId: 'text', accountId: 'text', kind: 'text', data: 'json', at: 'timestamptz' } as const satisfies Columns;

export const ATTEMPT_COLUMNS = {
  id: 'text',
  userId: 'text',
  accountId: 'text',
  venue: 'text',
  kind: 'text',
  mutationId: 'text',
  resendOf: 'text',
  isExit: 'boolean',
  fence: 'integer',
  nonce: 'numeric',
  keyId: 'text',
  wrappedKey: 'bytea',
  data: 'bytea',
  sendBefore: 'timestamptz',
  venueDeadlineMs: 'bigint',
  preparedAt: 'timestamptz',
} as const satisfies Columns;

export const ATTEMPT_ORDER_COLUMNS = { attemptId: 'text', orderId: 'text', userId: 'text', position: 'integer' } as const satisfies Columns;

export const IDEMPOTENCY_COLUMNS = { userId: 'text', key: 'text', route: 'text', bodyHash: 'text', orderId: 'text' } as const satisfies Columns;

export const EXPOSURE_FIGURES = {
  openOrders: 'integer',
  openBuyQuantity: 'numeric',
  openSellQuantity: 'numeric',
  openBuyNotional: 'numeric',
  openSellNotional: 'numeric',
  reduceOnlyBuyQuantity: 'numeric',
  reduceOnlySellQuantity: 'numeric',
} as const satisfies Columns;
export const EXPOSURE_COLUMNS = { accountId: 'text', symbol: 'text', userId: 'text', ...EXPOSURE_FIGURES } as const satisfies Columns;

export const FILL_COLUMNS = {
  id: 'text',
  userId: 'text',
  accountId: 'text',
  orderId: 'text',
  venue: 'text',
  symbol: 'text',
  venueSymbol: 'text',
  venueOrderId: 'text',
  venueFillId: 'text',
  side: 'text',
  price: 'numeric',
  quantity: 'numeric',
  fee: 'numeric',
  feeAsset: 'text',
  liquidity: 'text',
  realizedPnl: 'numeric',
  at: 'timestamptz',
} as const satisfies Columns;

export const POSITION_COLUMNS = {
  id: 'text',
  userId: 'text',
  accountId: 'text',
  venue: 'text',
  symbol: 'text',
  venueSymbol: 'text',
  quantity: 'numeric',
  entryPrice: 'numeric',
  realizedPnl: 'numeric',
  openedAt: 'timestamptz',
  closedAt: 'timestamptz',
  updatedAt: 'timestamptz',
  venueQuantity: 'numeric',
  venueEntryPrice: 'numeric',
  markPrice: 'numeric',
  leverage: 'numeric',
  marginMode: 'text',
  margin: 'numeric',
  liquidationPrice: 'numeric',
  unrealizedPnl: 'numeric',
  venueAtMs: 'bigint',
  tradeId: 'text',
} as const satisfies Columns;

export const TRADE_COLUMNS = {
  id: 'text',
  userId: 'text',
  accountId: 'text',
  venue: 'text',
  symbol: 'text',
  venueSymbol: 'text',
  side: 'text',
  asset: 'text',
  entryQuantity: 'numeric',
  entryValue: 'numeric',
  exitQuantity: 'numeric',
  exitValue: 'numeric',
  realizedPnl: 'numeric',
  fees: 'numeric',
  funding: 'numeric',
  carriedIn: 'boolean',
  openedAt: 'timestamptz',
  closedAt: 'timestamptz',
  updatedAt: 'timestamptz',
} as const satisfies Columns;

export const FUNDING_COLUMNS = {
  accountId: 'text',
  venueSymbol: 'text',
  venuePaymentId: 'text',
  userId: 'text',
  venue: 'text',
  symbol: 'text',
  tradeId: 'text',
  amount: 'numeric',
  asset: 'text',
  rate: 'numeric',
  quantity: 'numeric',
  markPrice: 'numeric',
  at: 'timestamptz',
} as const satisfies Columns;

/** `number` is the database's. */
export const LEDGER_COLUMNS = { accountId: 'text', fact: 'text', book: 'text', asset: 'text', userId: 'text', kind: 'text', symbol: 'text', amount: 'numeric', at: 'timestamptz' } as const satisfies Columns;

export const LEDGER_BALANCE_COLUMNS = { accountId: 'text', book: 'text', asset: 'text', userId: 'text', amount: 'numeric' } as const satisfies Columns;

export const BALANCE_COLUMNS = { accountId: 'text', asset: 'text', userId: 'text', total: 'numeric', available: 'numeric', locked: 'numeric', atMs: 'bigint', updatedAt: 'timestamptz' } as const satisfies Columns;

export const DAILY_PROFIT_COLUMNS = { accountId: 'text', day: 'text', userId: 'text', profit: 'numeric' } as const satisfies Columns;

export const EVENT_COLUMNS = { stream: 'text', sequence: 'bigint', userId: 'text', accountId: 'text', type: 'text', at: 'timestamptz', orderId: 'text', data: 'json' } as const satisfies Columns;

export const MUTATION_COLUMNS = {
  id: 'text',
  userId: 'text',
  accountId: 'text',
  venue: 'text',
  orderId: 'text',
  kind: 'text',
  revision: 'integer',
  limitPrice: 'numeric',
  quantity: 'numeric',
  triggerPrice: 'numeric',
  state: 'text',
  reasonCode: 'text',
  ownerWorkflowId: 'text',
  sendBefore: 'timestamptz',
  createdAt: 'timestamptz',
  settledAt: 'timestamptz',
} as const satisfies Columns;

export const MARKET_COLUMNS = {
  venue: 'text',
  symbol: 'text',
  venueSymbol: 'text',
  assetClass: 'text',
  base: 'text',
  quote: 'text',
  kind: 'text',
  tickRule: 'jsonb',
  lot: 'numeric',
  minQuantity: 'numeric',
  minNotional: 'numeric',
  maxLeverage: 'numeric',
  makerFeeRate: 'numeric',
  takerFeeRate: 'numeric',
  sessionHours: 'text',
  status: 'text',
} as const satisfies Columns;
