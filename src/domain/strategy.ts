/** The words of a strategy: what a caller asks for, what it is, and what a definition decides. Decimals are strings, times ISO 8601. */
import type { Parameters } from './strategies/form';
import type { OrderSide, OrderState } from './order';
import type { QuantityRules } from './quantise';

/** SCHEDULED -> RUNNING <-> PAUSED | PAUSED_VENUE_DOWN -> COMPLETED | CANCELED | FAILED | EXPIRED. */
export const STRATEGY_STATES = ['SCHEDULED', 'RUNNING', 'PAUSED', 'PAUSED_VENUE_DOWN', 'COMPLETED', 'CANCELED', 'FAILED', 'EXPIRED'] as const;
export type StrategyState = (typeof STRATEGY_STATES)[number];

export const ENDED_STRATEGY_STATES: ReadonlySet<StrategyState> = new Set(['COMPLETED', 'CANCELED', 'FAILED', 'EXPIRED']);

export function hasEnded(state: StrategyState): boolean {
  return ENDED_STRATEGY_STATES.has(state);
}

/** A strategy as the API shows it and the database keeps it. */
export interface Strategy {
  readonly id: string;
  readonly clientStrategyId: string;
  readonly userId: string;
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly venueSymbol: string;
  /** Names its definition: twap, chase, scale, iceberg. */
  readonly type: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly reduceOnly: boolean;
  readonly parameters: Parameters;
  readonly state: StrategyState;
  readonly reason: string | null;
  /** Somebody asked for its end; it is CANCELED once no order of it is open. */
  readonly pendingCancel: boolean;
  /** Of its children, filled. */
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  /** Rises with each change of its terms or its state, not with fills; the ETag. */
  readonly revision: number;
  /** Rises when it begins anew: by an edit, a resume, a venue that is back. Its children name the run they are of. */
  readonly run: number;
  readonly startAt: string | null;
  /** When what is open of it is canceled and it ends; null: never by the clock. */
  readonly expireAt: string | null;
  readonly startedAt: string | null;
  /** When its present run began. */
  readonly runStartedAt: string | null;
  /** Since when it is paused; null while it is not. */
  readonly pausedAt: string | null;
  /** How long it was paused by people in all, ms: its schedule waits meanwhile. */
  readonly pausedMs: number;
  readonly ownerWorkflowId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
}

/** One order of a strategy, as its rows tell. It is recorded before it is placed, and counts whole from then on. */
export interface StrategyChild {
  readonly n: number;
  readonly orderId: string;
  /** What it was for, e.g. `slice-3`. */
  readonly leg: string;
  readonly run: number;
  /** PENDING_RISK where the order has no row yet. */
  readonly state: OrderState;
  readonly isPlaced: boolean;
  readonly timeInForce: 'IOC' | 'GTC';
  readonly postOnly: boolean;
  readonly quantity: string;
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  readonly limitPrice: string | null;
  readonly reasonCode: string | null;
  readonly reasonMessage: string | null;
  readonly pendingCancel: boolean;
  readonly createdAtMs: number;
  readonly closedAtMs: number | null;
}

/** An order that a definition wants placed; the driver adds ids, account and market. */
export interface ChildPlan {
  readonly leg: string;
  readonly quantity: string;
  readonly limitPrice: string;
  readonly timeInForce: 'IOC' | 'GTC';
  readonly postOnly: boolean;
}

export interface BestPrices {
  readonly bid: string | null;
  readonly ask: string | null;
  readonly mark: string | null;
}

/** Everything a decision may depend on. */
export interface StrategyView<P> {
  readonly id: string;
  readonly side: OrderSide;
  readonly quantity: string;
  readonly parameters: P;
  readonly rules: QuantityRules;
  readonly run: number;
  /** ms since it started, without the time it was paused by people. */
  readonly elapsedMs: number;
  /** The same at the beginning of this run. */
  readonly runFromMs: number;
  /** In the order of their numbers. */
  readonly children: readonly StrategyChild[];
  readonly filled: string;
  /** What may still be placed: the quantity less what filled and what is open, UNKNOWN counted whole. Never negative. */
  readonly remaining: string;
  /** Fresh ones, or null. */
  readonly prices: BestPrices | null;
  /** An execution that began before parts kept to their share goes on as it began. */
  readonly partsAsBefore?: boolean;
}

export interface Decision {
  readonly place: readonly ChildPlan[];
  /** Order ids. */
  readonly cancel: readonly string[];
  /** When to decide again if nothing happens, on the clock of elapsedMs; null: only when something changes. */
  readonly wakeAtMs: number | null;
  /** It has nothing left to do. */
  readonly end: { readonly state: 'COMPLETED' | 'EXPIRED' | 'FAILED'; readonly reason: string | null } | null;
}

/** What a strategy would come to, before it exists. Randomness is that of the id it is given. */
export interface StrategyPreview {
  readonly children: number;
  readonly durationMs: number;
  readonly legs: readonly PreviewLeg[];
}

export interface PreviewLeg {
  readonly leg: string;
  readonly atMs: number;
  readonly quantity: string;
  readonly limitPrice: string | null;
  readonly postOnly: boolean;
}

export interface StrategyIssue {
  readonly field: string;
  readonly message: string;
}

export const WAIT: Decision = { place: [], cancel: [], wakeAtMs: null, end: null };

/** An open child may still fill whole: only evidence says that it does not. */
export function isOpenChild(child: Pick<StrategyChild, 'state'>): boolean {
  return !['DENIED', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'].includes(child.state);
}
