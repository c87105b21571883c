/**
 * Triggers: what fires when a price reaches a level, fixed or trailing. Pure and exact: the watcher, the workflow that checks its
 * evidence again and the tests all decide by these functions. Decimals are plain strings, times ms since the epoch.
 */
import type { GapPolicy, OrderCondition, PriceType, TrailingOffsetType } from './condition';
import { decimal, sameDecimal, decimalText, ZERO, type Decimal } from './decimal';
import type { OrderSide, OrderType } from './order';

/** On which side of its level the price fires it. */
export type TriggerDirection = 'atOrAbove' | 'atOrBelow';

export interface TriggerParameters {
  readonly kind: 'level' | 'trailing';
  readonly priceType: PriceType;
  readonly direction: TriggerDirection;
  /** Of a level; null of a trailing one. */
  readonly triggerPrice: string | null;
  /** Of a trailing one: how far the price may come back from its extreme; null of a level. */
  readonly trailingOffset: string | null;
  readonly trailingOffsetType: TrailingOffsetType | null;
  /** A trailing one follows the price from the first that is at least as good as this; null: from the beginning. */
  readonly activationPrice: string | null;
  readonly gapPolicy: GapPolicy;
}

/** What a workflow arms. Its id is a function of the workflow's own names, so that arming twice is arming once. */
export interface TriggerIntent {
  readonly id: string;
  readonly userId: string;
  /** null: a price that a person waits for. */
  readonly accountId: string | null;
  /** Who is told. */
  readonly workflowId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly parameters: TriggerParameters;
}

/** ARMED -> FIRED | DISARMED. Nothing leads back: arming anew takes a new id. */
export type TriggerStatus = 'ARMED' | 'FIRED' | 'DISARMED';

/** How the price that fired it became known: heard live, or found after an outage. */
export type PriceOrigin = 'stream' | 'trades' | 'candles';

/** Why a trigger fired: enough to check it again. Stored in its row before anybody is told. */
export interface TriggerEvidence {
  readonly triggerId: string;
  /** Of the parameters that were evaluated. */
  readonly revision: number;
  readonly price: string;
  readonly priceType: PriceType;
  /** The venue that said the price: the trigger's own, or the backup named for its market. */
  readonly source: string;
  /** True where `source` is the backup, because the market's own venue was silent. */
  readonly backup: boolean;
  readonly origin: PriceOrigin;
  /** The extreme the level was made from; null of a fixed level. */
  readonly extreme: string | null;
  /** The level that was reached. */
  readonly level: string;
  /** The source's time of the price. */
  readonly atMs: number;
  /** Our clock when it was seen. */
  readonly observedAtMs: number;
  /** Counts the prices of this market in this watcher. */
  readonly sequence: number;
  /** The watcher that saw it. */
  readonly scope: string;
  readonly epoch: number;
}

/** As PostgreSQL keeps it. */
export interface Trigger extends TriggerIntent {
  /** Rises by one with each amendment. */
  readonly revision: number;
  readonly status: TriggerStatus;
  /** The best price a trailing one has seen since it was armed, or activated; null: it follows nothing yet. */
  readonly extreme: string | null;
  readonly armedAtMs: number;
  /** Up to here every price is in `extreme`. */
  readonly checkpointAtMs: number;
  readonly evidence: TriggerEvidence | null;
  /** The workflow knows that it fired: it is told no more. */
  readonly acknowledged: boolean;
}

/** Exits of a long sell, stops below and profits above; those of a short mirror them, and so do entries. */
export function directionOf(type: OrderType, side: OrderSide): TriggerDirection {
  const isProfit = type === 'takeProfitMarket' || type === 'takeProfitLimit';
  return (side === 'sell') === isProfit ? 'atOrAbove' : 'atOrBelow';
}

/** The trigger of an order that waits for a price; null where it waits for none. */
export function triggerOf(order: { readonly type: OrderType; readonly side: OrderSide; readonly condition: Pick<OrderCondition, 'triggerPrice' | 'triggerPriceType' | 'trailingOffset' | 'trailingOffsetType' | 'activationPrice' | 'gapPolicy'> }): TriggerParameters | null {
  const { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy } = order.condition;
  const shared = { priceType: triggerPriceType ?? 'last', direction: directionOf(order.type, order.side), gapPolicy: gapPolicy ?? 'traded' } as const;
  if (trailingOffset !== null && trailingOffsetType !== null) return { kind: 'trailing', ...shared, triggerPrice: null, trailingOffset, trailingOffsetType, activationPrice };
  return triggerPrice === null ? null : { kind: 'level', ...shared, triggerPrice, trailingOffset: null, trailingOffsetType: null, activationPrice: null };
}

/** Trigger ids of an order that waits are functions of it and of how many it used up: arming twice is arming once. */
export function orderTriggerId(orderId: string, n: number): string {
  return `${orderId}/${n}`;
}

/** Equal in every term; a number may be written as its user did, or as it is stored. */
export function sameParameters(a: TriggerParameters, b: TriggerParameters): boolean {
  const { kind, priceType, direction, triggerPrice, trailingOffset, trailingOffsetType, activationPrice, gapPolicy } = a;
  return (
    kind === b.kind && priceType === b.priceType && direction === b.direction && sameDecimal(triggerPrice, b.triggerPrice) && sameDecimal(trailingOffset, b.trailingOffset) &&
    trailingOffsetType === b.trailingOffsetType && sameDecimal(activationPrice, b.activationPrice) && gapPolicy === b.gapPolicy
  );
}

/**
 * Why a firing is none of what its owner wants now: a restored database watched, and fired, terms of before they were amended. null: it is of
 * these terms, or of later ones than the owner knows (it lost its own last commits).
 */
export function outdated({ revision, parameters }: Pick<Trigger, 'revision' | 'parameters'>, wanted: Pick<Trigger, 'revision' | 'parameters'>): string | null {
  if (revision >= wanted.revision || sameParameters(parameters, wanted.parameters)) return null;
  return `it was watched by terms of revision ${revision}, and was amended to revision ${wanted.revision} before`;
}

/** Why parameters cannot be armed; null where they can. */
export function triggerProblem(parameters: TriggerParameters): string | null {
  const { kind, triggerPrice, trailingOffset, trailingOffsetType, activationPrice } = parameters;
  if (kind === 'level') return triggerPrice !== null && decimal(triggerPrice).greaterThan(ZERO) ? null : 'a level needs a triggerPrice above 0';
  if (trailingOffset === null || trailingOffsetType === null || !decimal(trailingOffset).greaterThan(ZERO)) return 'a trailing trigger needs a trailingOffset above 0 and its trailingOffsetType';
  if (trailingOffsetType !== 'price' && decimal(trailingOffset).greaterThanOrEqualTo(WHOLE[trailingOffsetType])) return `a trailingOffset of ${trailingOffset} ${trailingOffsetType} is the whole price`;
  return activationPrice === null || decimal(activationPrice).greaterThan(ZERO) ? null : 'activationPrice must be above 0';
}

/** What the whole price is in each unit. */
const WHOLE = { bps: decimal('10000'), percent: decimal('100') } as const;

/** An offset as the part of the extreme it is: exact. */
export function offsetRatio(offset: Decimal, type: 'bps' | 'percent'): Decimal {
  return offset.dividedBy(WHOLE[type]);
}

/** The level of a trailing trigger whose price has been at `extreme`: exact, never rounded to a tick. */
export function trailingLevel(parameters: TriggerParameters, extreme: Decimal): Decimal {
  const { trailingOffset, trailingOffsetType, direction } = parameters;
  if (trailingOffset === null || trailingOffsetType === null) throw new RangeError('only a trailing trigger has a trailing level');
  const offset = decimal(trailingOffset);
  const distance = trailingOffsetType === 'price' ? offset : extreme.times(offsetRatio(offset, trailingOffsetType));
  return direction === 'atOrBelow' ? extreme.minus(distance) : extreme.plus(distance);
}

/** Whether the price has reached the level. */
export function reaches(direction: TriggerDirection, price: Decimal, level: Decimal): boolean {
  return direction === 'atOrBelow' ? price.lessThanOrEqualTo(level) : price.greaterThanOrEqualTo(level);
}

/** Whether `price` is better for the holder of a trailing trigger than `than`: higher where it fires below. */
export function isBetter(direction: TriggerDirection, price: Decimal, than: Decimal): boolean {
  return direction === 'atOrBelow' ? price.greaterThan(than) : price.lessThan(than);
}

export interface Evaluation {
  readonly extreme: string | null;
  /** Reached; null: not. */
  readonly reached: { readonly level: string; readonly extreme: string | null } | null;
}

/** One price after the other, in their order; `extreme` as the price before left it. The price that activates is the first extreme. */
export function evaluate(parameters: TriggerParameters, extreme: string | null, priceText: string): Evaluation {
  const { kind, direction, triggerPrice } = parameters;
  const price = decimal(priceText);
  if (kind === 'level') {
    const level = decimal(triggerPrice ?? '');
    return { extreme, reached: reaches(direction, price, level) ? { level: decimalText(level), extreme: null } : null };
  }
  if (extreme === null) return { extreme: isActivatedBy(parameters, price) ? decimalText(price) : null, reached: null };
  const best = decimal(extreme);
  if (isBetter(direction, price, best)) return { extreme: decimalText(price), reached: null };
  const level = trailingLevel(parameters, best);
  return { extreme, reached: reaches(direction, price, level) ? { level: decimalText(level), extreme } : null };
}

/** Whether a trailing trigger follows the price from this one on. */
export function isActivatedBy({ direction, activationPrice }: TriggerParameters, price: Decimal): boolean {
  return activationPrice === null || !isBetter(direction, decimal(activationPrice), price);
}

/** What an amended trigger keeps of what it saw: the extreme, where it still means the same. */
export function carriedExtreme(before: TriggerParameters, after: TriggerParameters, extreme: string | null): string | null {
  if (extreme === null || after.kind !== 'trailing' || before.kind !== 'trailing') return null;
  if (before.direction !== after.direction || before.priceType !== after.priceType) return null;
  return isActivatedBy(after, decimal(extreme)) ? extreme : null;
}

/**
 * The workflow's own check of what it was told: null where the arithmetic holds, otherwise what does not. A trailing extreme must
 * have been allowed to count (activation) and the level must follow from it.
 */
export function disproof(trigger: Pick<TriggerIntent, 'id' | 'parameters'> & { readonly revision: number }, evidence: TriggerEvidence): string | null {
  const { parameters } = trigger;
  if (evidence.triggerId !== trigger.id) return `the evidence is of trigger ${evidence.triggerId}`;
  if (evidence.revision !== trigger.revision) return `the evidence is of revision ${evidence.revision}, the trigger has ${trigger.revision}`;
  if (evidence.priceType !== parameters.priceType) return `the trigger looks at ${parameters.priceType}, the evidence is of ${evidence.priceType}`;
  const price = decimal(evidence.price);
  if (!price.greaterThan(ZERO)) return `a price of ${evidence.price} is none`;
  const level = expectedLevel(parameters, evidence.extreme);
  if (typeof level === 'string') return level;
  if (!level.equals(decimal(evidence.level))) return `the level is ${decimalText(level)}, the evidence says ${evidence.level}`;
  return reaches(parameters.direction, price, level) ? null : `${evidence.price} has not reached ${evidence.level}`;
}

function expectedLevel(parameters: TriggerParameters, extremeText: string | null): Decimal | string {
  if (parameters.kind === 'level') return decimal(parameters.triggerPrice ?? '');
  if (extremeText === null) return 'a trailing trigger fires from an extreme';
  const extreme = decimal(extremeText);
  if (!isActivatedBy(parameters, extreme)) return `an extreme of ${extremeText} is before the activation at ${parameters.activationPrice ?? ''}`;
  return trailingLevel(parameters, extreme);
}
