/** How a strategy changes: by its owner's commands and by its workflow's notes. Pure; the store applies it under the account's lock. */
import { decimal, decimalText, maxOf, sum, ZERO, type Decimal } from './decimal';
import { DomainError } from './errors';
import type { EventType } from './events';
import { hasEnded, isOpenChild, type ChildPlan, type Strategy, type StrategyChild, type StrategyState } from './strategy';
import type { Parameters } from './strategies/form';

export type StrategyCommand =
  | { readonly kind: 'pause' | 'resume' | 'cancel'; readonly reason: string | null }
  /** Against the revision its caller saw. */
  | { readonly kind: 'amend'; readonly expectedRevision: number; readonly quantity: string; readonly parameters: Parameters; readonly expireAt: string | null };

export interface StrategyAdvance {
  readonly revision: number;
  /** The last child's number it was decided on; 0 without one. */
  readonly afterN: number;
  readonly note: { readonly state: StrategyState; readonly reason: string | null; readonly newRun: boolean; readonly filledQuantity: string; readonly avgPrice: string | null } | null;
  readonly place: readonly ChildPlan[];
}

/** The last guard: whoever decided, and on whatever, what may fill of its children stays within the quantity. */
export function fits(strategy: Strategy, children: readonly StrategyChild[], place: readonly ChildPlan[]): boolean {
  return place.reduce<Decimal>((total, plan) => total.plus(decimal(plan.quantity)), claimed(children)).lessThanOrEqualTo(decimal(strategy.quantity));
}

function claimed(children: readonly StrategyChild[]): Decimal {
  return children.reduce<Decimal>((total, child) => total.plus(isOpenChild(child) ? maxOf(decimal(child.quantity), decimal(child.filledQuantity)) : decimal(child.filledQuantity)), ZERO);
}

export interface Commanded {
  readonly change: Partial<Strategy>;
  readonly type: EventType;
  readonly data: Readonly<Record<string, unknown>>;
}

/** null: it is so already. Throws CONFLICT where its state forbids it. */
export function commandedTo(before: Strategy, { kind, reason }: Extract<StrategyCommand, { kind: 'pause' | 'resume' | 'cancel' }>, at: string): Commanded | null {
  if (hasEnded(before.state)) {
    if (kind === 'cancel') return null;
    throw new DomainError('CONFLICT', `the strategy is ${before.state}`);
  }
  if (kind === 'cancel') return before.pendingCancel ? null : { change: { pendingCancel: true, reason }, type: 'strategy.cancelRequested', data: { reason } };
  if (before.pendingCancel) throw new DomainError('CONFLICT', 'the strategy is being canceled');
  if (kind === 'pause') return before.state === 'PAUSED' ? null : { change: { state: 'PAUSED', reason, pausedAt: at }, type: 'strategy.paused', data: { reason } };
  if (before.state !== 'PAUSED') return null;
  const resumed: Partial<Strategy> = { ...ofNewRun(before, at), state: before.startedAt === null ? 'SCHEDULED' : 'RUNNING', reason: null };
  return { change: resumed, type: 'strategy.resumed', data: {} };
}

/** Throws CONFLICT for another revision, an ended strategy, or a quantity below what is filled and open. */
export function amended(before: Strategy, command: Extract<StrategyCommand, { kind: 'amend' }>, children: readonly StrategyChild[], at: string): Commanded {
  if (before.revision !== command.expectedRevision) throw new DomainError('CONFLICT', `the strategy has revision ${before.revision}, not ${command.expectedRevision}`, { details: { revision: before.revision } });
  if (hasEnded(before.state) || before.pendingCancel) throw new DomainError('CONFLICT', `the strategy is ${before.pendingCancel ? 'being canceled' : before.state}`);
  const least = claimed(children);
  if (decimal(command.quantity).lessThan(least)) throw tooLittle(least, sum(children.map((child) => decimal(child.filledQuantity))));
  // While it is paused the run begins with the resume.
  const run = before.state === 'RUNNING' ? { run: before.run + 1, runStartedAt: at } : {};
  const previous = { quantity: before.quantity, parameters: before.parameters, expireAt: before.expireAt };
  return { change: { quantity: command.quantity, parameters: command.parameters, expireAt: command.expireAt, ...run }, type: 'strategy.amended', data: { previous } };
}

function tooLittle(least: Decimal, filled: Decimal): DomainError {
  const [needed, done, open] = [decimalText(least), decimalText(filled), decimalText(least.minus(filled))];
  const words = filled.equals(least) ? `${done} of it is filled already: take at least that` : `${done} of it is filled already, and ${open} is open: take at least ${needed}, or pause it first`;
  return new DomainError('CONFLICT', words, { details: { claimed: needed, filled: done } });
}

function ofNewRun(before: Strategy, at: string): Partial<Strategy> {
  const pausedForMs = before.pausedAt === null || before.startedAt === null ? 0 : Date.parse(at) - Date.parse(before.pausedAt);
  return { run: before.run + 1, runStartedAt: at, pausedMs: before.pausedMs + pausedForMs, pausedAt: null };
}

/** The row after what its workflow noted. */
export function noted(before: Strategy, { newRun, ...note }: NonNullable<StrategyAdvance['note']>, at: string): Strategy {
  const moved = note.state !== before.state;
  return {
    ...before,
    ...note,
    ...(newRun ? { ...ofNewRun(before, at), startedAt: before.startedAt ?? at } : {}),
    ...(note.state === 'PAUSED' && moved ? { pausedAt: at } : {}),
    revision: before.revision + (moved ? 1 : 0),
    updatedAt: moved ? at : before.updatedAt,
    endedAt: hasEnded(note.state) ? at : null,
  };
}

const TYPE_OF_STATE: Record<StrategyState, EventType> = {
  SCHEDULED: 'strategy.progressed', RUNNING: 'strategy.started', PAUSED: 'strategy.paused', PAUSED_VENUE_DOWN: 'strategy.venueDown',
  COMPLETED: 'strategy.completed', CANCELED: 'strategy.canceled', FAILED: 'strategy.failed', EXPIRED: 'strategy.expired',
};

export function typeOf(before: StrategyState, after: Strategy): EventType {
  if (before === after.state) return 'strategy.progressed';
  return before === 'PAUSED_VENUE_DOWN' && after.state === 'RUNNING' ? 'strategy.venueBack' : TYPE_OF_STATE[after.state];
}
