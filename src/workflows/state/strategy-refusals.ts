/** What refusals of a strategy's orders say of it, by their reasons. */
import { decimal } from '../../domain/decimal';
import { REASON } from '../../domain/errors';
import type { StrategyChild } from '../../domain/strategy';

/** The venue was not reached: nothing is wrong with the order. */
export const VENUE_DOWN_REASONS: ReadonlySet<string> = new Set([REASON.notSent, REASON.rateLimited, 'VENUE_UNAVAILABLE', 'SERVICE_UNAVAILABLE']);
/** Entries of the account are stopped: by a person, a limit or the kill switch. */
export const STOPPED_REASONS: ReadonlySet<string> = new Set(['RISK_ACCOUNT_HALTED', 'RISK_ACCOUNT_REDUCING', 'RISK_DAILY_LOSS', 'RISK_DRAWDOWN']);

export function isRefused(child: StrategyChild): boolean {
  return (child.state === 'DENIED' || child.state === 'REJECTED') && decimal(child.filledQuantity).isZero();
}

/** Those after the last that was taken. */
export function refusalsInRow(children: readonly StrategyChild[]): readonly StrategyChild[] {
  const accepted = children.findLastIndex((child) => !isRefused(child));
  return children.slice(accepted + 1);
}

export function wouldHaveTaken(child: StrategyChild): boolean {
  return child.reasonCode === REASON.postOnlyWouldCross;
}

export function wordsOf(child: StrategyChild | undefined): string {
  return `${child?.reasonCode ?? 'no code'} (${child?.reasonMessage ?? 'no words'})`;
}
