/** A user's limits over all of the user's accounts together: open orders, the day's loss, the drawdown, and what one market can come to. Pure. */
import type { UserRiskLimits } from '../domain/account';
import { decimal, decimalText, sum } from '../domain/decimal';
import type { ErrorCode } from '../domain/errors';
import { peakAfter } from '../domain/loss-limits';
import { isPriced, onlyShrinks, worstNotional, type AccountFigures, type RiskOrder, type SymbolFigures } from './figures';

export interface UserFigures {
  readonly limits: UserRiskLimits;
  /** The user's other accounts, of the same moment. */
  readonly others: readonly AccountFigures[];
  /** Needed where the drawdown is bounded. */
  readonly standing?: UserStanding;
}

/** Of all accounts of a user together. */
export interface UserStanding {
  /** Since the beginning, realized and not, transfers not counted; null while a held market has no fresh mark. */
  readonly profit: string | null;
  /** Highest profit that was seen; null: none yet. */
  readonly peak: string | null;
}

export interface LimitBreach {
  readonly code: ErrorCode;
  readonly message: string;
  readonly shown: Readonly<Record<string, string | number | null>>;
}

/** Whether a limit counts what all accounts have: then none of them can be judged alone. */
export function spansAccounts(limits: UserRiskLimits | null): limits is UserRiskLimits {
  return limits !== null && (limits.maxOpenOrders !== null || limits.maxDailyLoss !== null || limits.maxPositionNotional !== null || (limits.maxDrawdown ?? null) !== null);
}

/**
 * null: within. `after`: the account's figures once the order is open. A position of another account sets nothing off: two venues do
 * not net. A profit of another account does set a loss off: the day is the user's.
 */
export function judgeOverAccounts(order: RiskOrder, after: AccountFigures, { limits, others, standing }: UserFigures): LimitBreach | null {
  const all = [after, ...others];
  const openOrders = all.reduce((count, each) => count + each.openOrders, 0);
  if (limits.maxOpenOrders !== null && openOrders > limits.maxOpenOrders) {
    return { code: 'RISK_OPEN_ORDERS', message: `your accounts have ${openOrders - 1} open orders together`, shown: { openOrdersOfUser: openOrders - 1, maxOpenOrdersOfUser: limits.maxOpenOrders } };
  }
  if (limits.maxDailyLoss !== null) {
    const profits = all.map((each) => each.dailyProfit);
    if (profits.includes(null)) return { code: 'RISK_PRICE_UNKNOWN', message: 'the day\'s profit of one of your accounts is not known: a price of what it holds is missing', shown: { dailyProfitOfUser: null, maxDailyLossOfUser: limits.maxDailyLoss } };
    const profit = sum(profits.map((each) => decimal(each ?? '0')));
    if (profit.negated().greaterThanOrEqualTo(decimal(limits.maxDailyLoss))) return { code: 'RISK_DAILY_LOSS', message: 'the daily loss limit over your accounts is reached', shown: { dailyProfitOfUser: decimalText(profit), maxDailyLossOfUser: limits.maxDailyLoss } };
  }
  const drawdown = judgeDrawdown(limits.maxDrawdown ?? null, standing);
  if (drawdown !== null) return drawdown;
  return limits.maxPositionNotional === null ? null : judgePosition(order, after, others, limits.maxPositionNotional);
}

/** Before the watchers have HALTed the accounts, too: between a loss and their next look nothing more is opened. */
function judgeDrawdown(maxDrawdown: string | null, standing: UserStanding | undefined): LimitBreach | null {
  if (maxDrawdown === null) return null;
  if (standing === undefined) throw new RangeError('the drawdown of a user is bounded, and what the accounts gained was not read');
  const { profit, peak } = standing;
  if (profit === null) return { code: 'RISK_PRICE_UNKNOWN', message: 'the drawdown over your accounts is not known: a price of what one of them holds is missing', shown: { drawdownOfUser: null, maxDrawdownOfUser: maxDrawdown } };
  const drawdown = decimal(peakAfter(peak, profit)).minus(decimal(profit));
  if (drawdown.lessThan(decimal(maxDrawdown))) return null;
  return { code: 'RISK_DRAWDOWN', message: `your accounts together are ${decimalText(drawdown)} below their peak, of ${maxDrawdown} allowed`, shown: { drawdownOfUser: decimalText(drawdown), maxDrawdownOfUser: maxDrawdown } };
}

function judgePosition(order: RiskOrder, after: AccountFigures, others: readonly AccountFigures[], maxPositionNotional: string): LimitBreach | null {
  const own = after.symbols[order.symbol];
  if (own === undefined) throw new RangeError(`no figures for ${order.symbol}`);
  const elsewhere = others.map((each) => each.symbols[order.symbol]).filter((market) => market !== undefined);
  if (elsewhere.some(isOfUnknownWorth)) return { code: 'RISK_PRICE_UNKNOWN', message: `no fresh price of ${order.symbol} where another of your accounts has it`, shown: { maxPositionNotionalOfUser: maxPositionNotional } };
  const worst = sum([own, ...elsewhere].map((market) => worstNotional(market, order.side)));
  if (worst.lessThanOrEqualTo(decimal(maxPositionNotional)) || onlyShrinks(own, order.side)) return null;
  return {
    code: 'RISK_POSITION_NOTIONAL',
    message: `position notional over your accounts could reach ${decimalText(worst)}, above ${maxPositionNotional}`,
    shown: { positionNotionalOfUser: decimalText(worst), maxPositionNotionalOfUser: maxPositionNotional },
  };
}

/** Something is held, or may come to be, and nobody knows what it is worth. */
function isOfUnknownWorth(market: SymbolFigures): boolean {
  return !isPriced(market) || (market.markPrice === null && (!decimal(market.openBuyQuantity).isZero() || !decimal(market.openSellQuantity).isZero()));
}
