/**
 * The words of an order list: several orders that hang together. Decimals are strings, times ISO 8601.
 *
 * - OCO: the first fill of one leg cancels the others.
 * - OUO: what fills of one leg reduces the others by as much; all legs have one quantity.
 * - OTO: the first leg triggers the others: each may come to its share of what the first has filled.
 * - BRACKET: an entry, any number of take-profits, one stop; the exits are a group like OUO over what the entry has filled.
 */
import type { Execution, OrderCondition } from './condition';
import { isTerminal, UNCONDITIONAL, type ContingencyType, type OrderIntent, type OrderState, type TimeInForce } from './order';
import { decimal } from './decimal';
import type { QuantityRules } from './quantise';
import { triggerOf, type Trigger, type TriggerEvidence, type TriggerParameters } from './trigger';

export const ORDER_LIST_TYPES = ['OCO', 'OUO', 'OTO', 'BRACKET'] as const;
export type OrderListType = (typeof ORDER_LIST_TYPES)[number];

/** ACTIVE -> COMPLETED | CANCELED | EXPIRED | REJECTED. */
export const ORDER_LIST_STATES = ['ACTIVE', 'COMPLETED', 'CANCELED', 'EXPIRED', 'REJECTED'] as const;
export type OrderListState = (typeof ORDER_LIST_STATES)[number];

/** `order`: of an OCO or OUO, and what an OTO's entry triggers. */
export const LEG_ROLES = ['entry', 'takeProfit', 'stop', 'order'] as const;
export type LegRole = (typeof LEG_ROLES)[number];

/** WAITING: for the entry, or for its order to go out. ARMED: for a price. TRIGGERED: the price came, it is being pursued. */
export const LEG_STATES = ['WAITING', 'ARMED', 'TRIGGERED', 'WORKING', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED'] as const;
export type LegState = (typeof LEG_STATES)[number];

/** A leg that is not filled and acts no more. */
const ENDED_LEG_STATES: ReadonlySet<LegState> = new Set(['CANCELED', 'EXPIRED', 'REJECTED']);

export function legHasEnded({ state }: Pick<OrderListLeg, 'state'>): boolean {
  return ENDED_LEG_STATES.has(state);
}

/** Why a leg is pursued. Only the first counts. */
export interface LegTriggered {
  readonly by: 'price' | 'breakEven' | 'timeLimit' | 'native';
  /** The level that was reached; null for a time. */
  readonly level: string | null;
  readonly at: string;
  /** What the watcher stored of the crossing; null for a time, and where the venue's own stop was quicker. */
  readonly evidence: TriggerEvidence | null;
}

/** What is asked of a leg. Every leg has its own account and market: a list may span venues. */
export interface LegTerms
  extends Pick<OrderIntent, 'accountId' | 'venue' | 'symbol' | 'venueSymbol' | 'side' | 'type' | 'timeInForce' | 'limitPrice' | 'postOnly' | 'reduceOnly'>,
    Omit<OrderCondition, 'execution' | 'startAt' | 'expireTime'> {
  readonly role: LegRole;
  /** Of a leg that waits for a price. `both`: a native stop at the venue stands behind the list's own; absent: durable. */
  readonly execution?: Extract<Execution, 'durable' | 'both'> | null;
  /** Of a bracket's stop: the entry's; it guards what is held of it. */
  readonly quantity: string;
}

export interface OrderListLeg extends LegTerms {
  /** From 0, in the order they were given. */
  readonly n: number;
  readonly state: LegState;
  readonly reason: string | null;
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  /** Rises with each amendment of its terms. */
  readonly version: number;
  /** How many triggers it used up without firing. */
  readonly triggerNumber: number;
  readonly triggered: LegTriggered | null;
  /** Of a stop that was moved to the entry's price: it fires there as well; null: it was not moved. */
  readonly breakEvenPrice: string | null;
  /** An alert that was told of it, once; null: none. */
  readonly alerted: string | null;
}

/** An order list as the API shows it and the database keeps it. */
export interface OrderList {
  readonly id: string;
  readonly clientListId: string;
  readonly userId: string;
  /** Whose stream tells of it; legs may be of others. */
  readonly accountId: string;
  readonly venue: string;
  readonly symbol: string;
  readonly type: OrderListType;
  readonly state: OrderListState;
  readonly reason: string | null;
  /** Somebody asked for its end; it ends once no order of it is open. */
  readonly pendingCancel: boolean;
  /** A kill switch halts entries: legs that are no exits end; exits go on. */
  readonly entriesStopped: boolean;
  readonly legs: readonly OrderListLeg[];
  /** Of an OCO or OUO its end; of the others the end of their entry. */
  readonly expireTime: string | null;
  /** Of a bracket: what is held is closed this long after the first fill of its entry. */
  readonly timeLimitMs: number | null;
  /** When that is; null before the first fill. */
  readonly closeAt: string | null;
  /** Of a bracket: after so many take-profits its stop is moved to the price of the entry. */
  readonly breakEvenAfter: number | null;
  /** Rises with each change of its terms or its states, not with fills; the ETag. */
  readonly revision: number;
  readonly ownerWorkflowId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
}

/** `rest`: a limit of the leg's own, at the venue. `native`: the venue's own stop behind a leg that waits. The others as a pursuit has them. */
export type ListStep = 'rest' | 'native' | 'limit' | 'chase' | 'market';

/** One order of a list, as its rows tell. It is recorded before it is placed, and counts whole from then on. */
export interface OrderListChild {
  readonly n: number;
  readonly orderId: string;
  readonly leg: number;
  readonly step: ListStep;
  /** Of the leg's terms that it was made of. */
  readonly version: number;
  readonly type: 'market' | 'limit' | NativeStopType;
  readonly timeInForce: TimeInForce;
  readonly postOnly: boolean;
  /** PENDING_RISK where the order has no row yet. */
  readonly state: OrderState;
  readonly isPlaced: boolean;
  readonly quantity: string;
  readonly limitPrice: string | null;
  /** Of a native stop; null or absent: it waits for no price. */
  readonly triggerPrice?: string | null;
  readonly filledQuantity: string;
  readonly avgPrice: string | null;
  readonly reasonCode: string | null;
  readonly reasonMessage: string | null;
  readonly pendingCancel: boolean;
  readonly recordedAtMs: number;
  /** When the list first asked for its cancel; null: it did not. */
  readonly cancelAskedAtMs: number | null;
  readonly closedAtMs: number | null;
}

/** An order that is to be recorded, then placed. */
export type ListChildPlan = Pick<OrderListChild, 'leg' | 'step' | 'version' | 'type' | 'timeInForce' | 'postOnly' | 'quantity' | 'limitPrice' | 'triggerPrice'>;

/** What is known of a leg's market and account. */
export interface LegMarket {
  readonly rules: QuantityRules;
  readonly signerId: string;
  readonly mark: string | null;
  readonly bid: string | null;
  readonly ask: string | null;
  /** The venue ends native stops after this, ms; null or absent: it keeps them. */
  readonly nativeExpiresAfterMs?: number | null;
}

/** An open child may still fill whole: only evidence says that it does not. */
export function isOpenListChild({ state }: Pick<OrderListChild, 'state'>): boolean {
  return !isTerminal(state);
}

/** The stop of a list's leg at the venue, behind the one that its workflow holds. */
export function isNativeStop({ step }: Pick<OrderListChild, 'step'>): boolean {
  return step === 'native';
}

/** Waits for a price before its order goes out. */
export function waitsForPrice({ triggerPrice, trailingOffset }: Pick<LegTerms, 'triggerPrice' | 'trailingOffset'>): boolean {
  return triggerPrice !== null || trailingOffset !== null;
}

/** Trigger ids are functions of the list, the leg and how many it used up: arming twice is arming once. */
export function legTriggerId(listId: string, leg: Pick<OrderListLeg, 'n' | 'triggerNumber'>): string {
  return `${listId}/${leg.n}/${leg.triggerNumber}`;
}

export function breakEvenTriggerId(listId: string, leg: Pick<OrderListLeg, 'n'>): string {
  return `${listId}/${leg.n}/break-even`;
}

/** null: it waits for no price. */
export function legTrigger(leg: LegTerms): TriggerParameters | null {
  return triggerOf({ type: leg.type, side: leg.side, condition: { ...UNCONDITIONAL, ...conditionOfLeg(leg) } });
}

/** The second trigger of a stop that was moved: a fixed level at the price of the entry. */
export function breakEvenTrigger(leg: OrderListLeg): TriggerParameters | null {
  if (leg.breakEvenPrice === null) return null;
  const { triggerPriceType, gapPolicy } = leg;
  return triggerOf({ type: 'stopMarket', side: leg.side, condition: { ...UNCONDITIONAL, triggerPriceType, gapPolicy, triggerPrice: leg.breakEvenPrice } });
}

function conditionOfLeg({ triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation }: LegTerms): Partial<OrderCondition> {
  return { triggerPrice, triggerPriceType, trailingOffset, trailingOffsetType, activationPrice, gapPolicy, escalation };
}

/** Stops that venues know by themselves. */
export const NATIVE_STOP_TYPES = ['stopMarket', 'stopLimit'] as const;
export type NativeStopType = (typeof NATIVE_STOP_TYPES)[number];

/** What the venue's own stop of a leg is, and where it goes off: at the leg's level, or at the break-even where that is reached first. null: it has none. */
export function nativeStopOf(leg: OrderListLeg): { readonly type: NativeStopType; readonly triggerPrice: string } | null {
  const type = NATIVE_STOP_TYPES.find((known) => known === leg.type);
  if (leg.execution !== 'both' || type === undefined || leg.triggerPrice === null) return null;
  const { triggerPrice, breakEvenPrice } = leg;
  const isNearer = breakEvenPrice !== null && (leg.side === 'sell' ? decimal(breakEvenPrice).greaterThan(decimal(triggerPrice)) : decimal(breakEvenPrice).lessThan(decimal(triggerPrice)));
  return { type, triggerPrice: isNearer ? breakEvenPrice : triggerPrice };
}

/** How a leg's orders hang together with the others. */
export function contingencyOf(list: Pick<OrderList, 'type'>, leg: Pick<OrderListLeg, 'role'>): ContingencyType {
  if (list.type === 'OCO' || list.type === 'OUO' || list.type === 'OTO') return list.type;
  return leg.role === 'entry' ? 'OTO' : 'OUO';
}

/** Every account of its legs, its own first. */
export function accountsOfList({ accountId, legs }: Pick<OrderList, 'accountId' | 'legs'>): readonly string[] {
  return [...new Set([accountId, ...legs.map((leg) => leg.accountId)])];
}

export const NEW_LEG = { state: 'WAITING', reason: null, filledQuantity: '0', avgPrice: null, version: 0, triggerNumber: 0, triggered: null, breakEvenPrice: null, alerted: null } as const satisfies Partial<OrderListLeg>;

/** The durable facts of a list at one moment. */
export interface OrderListFacts {
  readonly list: OrderList;
  /** In the order of their numbers. */
  readonly children: readonly OrderListChild[];
  /** Of its legs, those that exist, in no order. */
  readonly triggers: readonly Trigger[];
  /** By leg. */
  readonly markets: readonly LegMarket[];
}
