/** Accounts, positions, balances and the limits an account trades under. */

/** ACTIVE trades freely; REDUCING takes only orders that reduce; HALTED only cancels and reduce-only exits. */
export type AccountStatus = 'ACTIVE' | 'REDUCING' | 'HALTED';

export type MarginMode = 'cross' | 'isolated';

/** The reason of an account that is halted because its key is refused; its watcher leaves such an account alone. */
export const KEY_REFUSED = 'the venue refuses the account\'s key';
/** The same of one whose key nobody can open any more. */
export const KEY_LOST = 'the master key that sealed the account\'s key is lost: give the account a new key';
/** And the reason once it has a new key: it is watched again, and waits for a person to release it. */
export const KEY_REPLACED = 'the account has a new key: set its status to ACTIVE to trade again';

/** It has no key that its venue takes, or none that can be opened: until it has, nothing is asked there in its name. */
export function needsNewKey({ status, statusReason }: Pick<Account, 'status' | 'statusReason'>): boolean {
  return status === 'HALTED' && (statusReason === KEY_REFUSED || statusReason === KEY_LOST);
}

export interface RiskLimits {
  /** Largest notional of one order, in the account's quote currency. */
  readonly maxOrderNotional: string;
  /** Largest absolute notional of one market's position, open entries included. */
  readonly maxPositionNotional: string;
  readonly maxOpenOrders: number;
  /** Largest loss of a UTC day, realized and unrealized since its start, fees counted; reached, only exits are taken. */
  readonly maxDailyLoss: string;
  /** How far profit may fall below its peak, in the account's quote currency; reached, the account is HALTED. null or absent: any. */
  readonly maxDrawdown?: string | null;
  /** How far from the mark, in percent, an order may buy above it or sell below it; null: anywhere. */
  readonly priceBandPercent: string | null;
  /** null allows every symbol of the venue. */
  readonly allowedSymbols: readonly string[] | null;
}

/** A new account's limits: finite, so that a mistaken program cannot spend everything on its first day. */
export const DEFAULT_RISK_LIMITS: RiskLimits = {
  maxOrderNotional: '50000',
  maxPositionNotional: '50000',
  maxOpenOrders: 200,
  maxDailyLoss: '5000',
  priceBandPercent: '10',
  allowedSymbols: null,
};

/**
 * What a user's accounts must stay within; null bounds nothing beyond the account's own limit. Open orders, the day's loss, the drawdown
 * and the position of a market are counted over all accounts together (src/risk/user-limits.ts); the others bind each account.
 */
export interface UserRiskLimits {
  readonly maxOrderNotional: string | null;
  readonly maxPositionNotional: string | null;
  readonly maxOpenOrders: number | null;
  readonly maxDailyLoss: string | null;
  readonly maxDrawdown?: string | null;
  readonly priceBandPercent: string | null;
  readonly allowedSymbols: readonly string[] | null;
}

export const NO_USER_LIMITS: UserRiskLimits = { maxOrderNotional: null, maxPositionNotional: null, maxOpenOrders: null, maxDailyLoss: null, priceBandPercent: null, allowedSymbols: null };

/** Limits of a user and, where one was asked for, of an account. */
export interface RiskLimitsView {
  readonly accountId: string | null;
  readonly user: UserRiskLimits;
  readonly account: RiskLimits | null;
  /** What its orders are judged by: the tighter of the two. */
  readonly effective: RiskLimits | null;
}

export interface Account {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly venue: string;
  readonly status: AccountStatus;
  readonly statusReason: string | null;
  /** Nonces are per signer; venues without strict nonces use the account id. */
  readonly signerId: string;
  readonly credentialId: string | null;
  readonly limits: RiskLimits;
  readonly createdAt: string;
}

export interface Position {
  readonly id: string;
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: 'long' | 'short' | 'flat';
  /** Absolute. */
  readonly quantity: string;
  /** Average of its round trip; while flat, of the last one. null where nothing was ever held. */
  readonly entryPrice: string | null;
  /** Average of what its round trip gave back so far; null before the first exit. */
  readonly exitPrice: string | null;
  readonly markPrice: string | null;
  readonly notional: string | null;
  readonly leverage: string | null;
  readonly marginMode: MarginMode;
  readonly margin: string | null;
  readonly liquidationPrice: string | null;
  readonly unrealizedPnl: string | null;
  /** Of its round trip, like fees, fundingPaid and profit; while flat, of the last one. Fees and funding are not counted in it. */
  readonly realizedPnl: string;
  readonly fees: string;
  /** Negative was received. */
  readonly fundingPaid: string;
  /** realizedPnl less fees less fundingPaid. */
  readonly profit: string;
  /** Names the round trip, as GET trades shows it; null where none was kept. */
  readonly tradeId: string | null;
  readonly openedAt: string | null;
  readonly closedAt: string | null;
  readonly updatedAt: string;
}

export interface Balance {
  readonly accountId: string;
  readonly asset: string;
  readonly total: string;
  readonly available: string;
  readonly locked: string;
  readonly updatedAt: string;
}
