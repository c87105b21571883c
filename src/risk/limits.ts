/** A user's limits over an account's: which of the two binds, and whether an account's are within. */
import type { RiskLimits, UserRiskLimits } from '../domain/account';
import { decimal, decimalText, minOf } from '../domain/decimal';
import { DomainError } from '../domain/errors';

/** What the account is judged by: the tighter of the two, field by field. */
export function withinUser(account: RiskLimits, user: UserRiskLimits | null): RiskLimits {
  if (user === null) return account;
  return {
    maxOrderNotional: tighter(account.maxOrderNotional, user.maxOrderNotional),
    maxPositionNotional: tighter(account.maxPositionNotional, user.maxPositionNotional),
    maxOpenOrders: user.maxOpenOrders === null ? account.maxOpenOrders : Math.min(account.maxOpenOrders, user.maxOpenOrders),
    maxDailyLoss: tighter(account.maxDailyLoss, user.maxDailyLoss),
    ...drawdownOf(account.maxDrawdown ?? null, user.maxDrawdown ?? null),
    priceBandPercent: account.priceBandPercent === null ? user.priceBandPercent : tighter(account.priceBandPercent, user.priceBandPercent),
    allowedSymbols: allowedByBoth(account.allowedSymbols, user.allowedSymbols),
  };
}

/** The account's fields that are wider than the user's; empty when it is within. */
export function widerThanUser(account: RiskLimits, user: UserRiskLimits | null): (keyof RiskLimits)[] {
  const bound = withinUser(account, user);
  return (Object.keys(bound) as (keyof RiskLimits)[]).filter((field) => !sameLimit(account[field] ?? null, bound[field] ?? null));
}

/** Throws RISK_LIMITS_TOO_WIDE with the fields, what was asked and what would be within. */
export function assertWithinUser(limits: RiskLimits, user: UserRiskLimits | null): void {
  const wider = widerThanUser(limits, user);
  if (wider.length === 0) return;
  const bound = withinUser(limits, user);
  throw new DomainError('RISK_LIMITS_TOO_WIDE', `${wider.join(', ')} of the account would be wider than its user's`, {
    details: { fields: Object.fromEntries(wider.map((field) => [field, { asked: limits[field], within: bound[field] }])) },
  });
}

/** Absent where neither has one: limits that were stored before there was one stay as they are. */
function drawdownOf(account: string | null, user: string | null): { readonly maxDrawdown?: string | null } {
  if (account === null && user === null) return {};
  return { maxDrawdown: account === null ? user : tighter(account, user) };
}

function tighter(account: string, user: string | null): string {
  return user === null ? account : decimalText(minOf(decimal(account), decimal(user)));
}

function allowedByBoth(account: readonly string[] | null, user: readonly string[] | null): readonly string[] | null {
  if (account === null || user === null) return account ?? user;
  return account.filter((symbol) => user.includes(symbol));
}

function sameLimit(a: RiskLimits[keyof RiskLimits] | undefined, b: RiskLimits[keyof RiskLimits] | undefined): boolean {
  if (typeof a === 'string' && typeof b === 'string') return decimal(a).equals(decimal(b));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length;
  return a === b;
}
