/**
 * Limits that trip by themselves, on fills and marks, not only when the next order comes. The day's loss puts an account into
 * REDUCING, because the next day is another; a drawdown from the peak HALTs it, because it does not pass by itself.
 *
 * The peak is of profit, not of money: what the ledger has realized, fees and funding off, and what is not realized yet. So a deposit makes
 * no peak and a withdrawal no loss, also before they are known to be one. A user's limits count all of the user's accounts together.
 */
import type { AccountStatus } from './account';
import { decimal, decimalText, maxOf } from './decimal';

export interface LossFigures {
  readonly status: AccountStatus;
  /** null: not known, because a price of what is held is missing; then nothing trips. */
  readonly dailyProfit: string | null;
  /** null: none is set. */
  readonly maxDailyLoss: string | null;
  /** Since the beginning, transfers not counted; null: not known. */
  readonly profit: string | null;
  /** null: none is set. */
  readonly maxDrawdown: string | null;
  /** Highest profit so far; null: none was kept. */
  readonly peak: string | null;
}

export interface LossTrip {
  readonly kind: 'dailyLossLimit' | 'drawdownLimit';
  readonly status: 'REDUCING' | 'HALTED';
  readonly reason: string;
  readonly figures: Readonly<Record<string, string>>;
  readonly release: string;
}

/** null: no limit is reached, or the account is as restricted already. */
export function lossTripOf({ status, dailyProfit, maxDailyLoss, profit, maxDrawdown, peak }: LossFigures): LossTrip | null {
  if (status === 'HALTED') return null;
  if (maxDrawdown !== null && profit !== null && peak !== null) {
    const drawdown = decimal(peak).minus(decimal(profit));
    if (drawdown.greaterThanOrEqualTo(decimal(maxDrawdown))) {
      return {
        kind: 'drawdownLimit', status: 'HALTED', reason: `drawdown limit: ${decimalText(drawdown)} below the peak, of ${maxDrawdown} allowed`,
        figures: { drawdown: decimalText(drawdown), maxDrawdown, peak, profit },
        release: 'Set the account\'s status to ACTIVE (PATCH /api/v1/accounts/{id}): the peak is counted anew from then on.',
      };
    }
  }
  if (status === 'ACTIVE' && dailyProfit !== null && maxDailyLoss !== null && decimal(dailyProfit).negated().greaterThanOrEqualTo(decimal(maxDailyLoss))) {
    return {
      kind: 'dailyLossLimit', status: 'REDUCING', reason: `daily loss limit: ${decimalText(decimal(dailyProfit).negated())} lost today, of ${maxDailyLoss} allowed`,
      figures: { dailyProfit, maxDailyLoss },
      release: 'Set the account\'s status to ACTIVE (PATCH /api/v1/accounts/{id}) on the next UTC day, or after raising maxDailyLoss: before, it trips again.',
    };
  }
  return null;
}

/** The same of all accounts of a user together. `status`: of the freest of them. */
export function userLossTripOf(figures: LossFigures): LossTrip | null {
  const trip = lossTripOf(figures);
  if (trip === null) return null;
  return {
    ...trip,
    reason: `over all accounts, ${trip.reason}`,
    figures: Object.fromEntries(Object.entries(trip.figures).map(([name, value]) => [`${name}OfUser`, value])),
    release: trip.kind === 'drawdownLimit'
      ? 'Set the status of your accounts to ACTIVE (PATCH /api/v1/accounts/{id}): the peak over all of them is counted anew from then on.'
      : 'Set the status of your accounts to ACTIVE (PATCH /api/v1/accounts/{id}) on the next UTC day, or after raising your maxDailyLoss: before, it trips again.',
  };
}

/** The freest of these: what a limit could still restrict. */
export function freestOf(statuses: readonly AccountStatus[]): AccountStatus {
  return (['ACTIVE', 'REDUCING'] as const).find((status) => statuses.includes(status)) ?? 'HALTED';
}

/** The peak after this profit. */
export function peakAfter(peak: string | null, profit: string): string {
  return peak === null ? profit : decimalText(maxOf(decimal(peak), decimal(profit)));
}
