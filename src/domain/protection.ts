/**
 * What stands between a position and its loss: the stops that would close all of it, and who holds them. A durable stop waits in a
 * workflow of ours, a native one at the venue. Only what covers the whole position protects it.
 */
import type { Position } from './account';
import { decimal, decimalText, ZERO, type Decimal } from './decimal';
import { isHeld, type Execution, type PriceType, type TrailingOffsetType } from './condition';
import type { Order, OrderType } from './order';
import { directionOf, triggerOf, trailingLevel } from './trigger';

/** `both`: a stop at the venue and a durable one, each for the whole position. */
export const PROTECTIONS = ['native', 'durable', 'both', 'none'] as const;
export type Protection = (typeof PROTECTIONS)[number];

export const STOP_TYPES = ['stopMarket', 'stopLimit', 'trailingStopMarket', 'trailingStopLimit'] as const satisfies readonly OrderType[];

/** A reduce-only stop that has not ended, an order or a leg of an order list, with what its trailing trigger has seen. */
export type StandingStop = Pick<Order, 'id' | 'orderListId' | 'venueOrderId' | 'accountId' | 'symbol' | 'side' | 'type' | 'state' | 'execution' | 'leavesQuantity' | 'triggerPrice' | 'triggerPriceType' | 'trailingOffset' | 'trailingOffsetType' | 'activationPrice' | 'gapPolicy' | 'parentOrderId' | 'acknowledgedAt'> & {
  readonly extreme: string | null;
  /** Number of the leg; null: an order. */
  readonly leg: number | null;
  /** Of a leg that was moved to the entry's price: it fires there as well. */
  readonly breakEvenPrice: string | null;
};

/** The stop that its owner wants: the one that the price reaches first. */
export interface DesiredStop {
  /** Of a leg of an order list, which has no order before its price comes, the list's. */
  readonly orderId: string;
  readonly orderListId: string | null;
  /** Number of the leg in its list; null: an order alone. */
  readonly leg: number | null;
  /** null: placed outside, the venue holds it. */
  readonly execution: Execution | null;
  readonly quantity: string;
  /** Of a trailing one: the level it has come to; null until it follows a price. */
  readonly triggerPrice: string | null;
  readonly triggerPriceType: PriceType | null;
  readonly trailingOffset: string | null;
  readonly trailingOffsetType: TrailingOffsetType | null;
}

/** The stop that the venue has acknowledged and holds; the one that the price reaches first. */
export interface ConfirmedStop {
  readonly orderId: string;
  readonly venueOrderId: string;
  readonly quantity: string;
  readonly triggerPrice: string | null;
  readonly acknowledgedAt: string | null;
}

export interface PositionProtection {
  readonly protection: Protection;
  readonly desiredStop: DesiredStop | null;
  readonly confirmedStop: ConfirmedStop | null;
  /** How long it has had no stop that covers it, ms; 0 while it has one, or is flat. */
  readonly unprotectedMs: number;
}

/** A position as the API shows it. */
export type ShownPosition = Position & PositionProtection;

/** What a position's stops come to. `stops` of its account and market; those of the other side are left out here. */
export function protectionOf(position: Pick<Position, 'side' | 'quantity'>, stops: readonly StandingStop[]): Omit<PositionProtection, 'unprotectedMs'> {
  if (position.side === 'flat') return { protection: 'none', desiredStop: null, confirmedStop: null };
  const exits = stops.filter(({ side }) => side === (position.side === 'long' ? 'sell' : 'buy'));
  const held = exits.filter(isHeld);
  const atVenue = exits.filter((stop) => !isHeld(stop) && isAtVenue(stop));
  // The native half of a stop of ours is no further wish of its owner.
  const wanted = exits.filter((stop) => isHeld(stop) || (stop.parentOrderId === null && stop.orderListId === null));
  return { protection: kindOf(decimal(position.quantity), held, atVenue), desiredStop: desired(first(wanted)), confirmedStop: confirmed(first(atVenue)) };
}

/** Whether a position of this quantity is below what the market takes as an order: no stop can stand for it. */
export function isBelowMinimum(quantity: string, market: { readonly minQuantity: string; readonly lot: string }): boolean {
  return decimal(quantity).lessThan(decimal(market.minQuantity)) || decimal(quantity).lessThan(decimal(market.lot));
}

function kindOf(quantity: Decimal, held: readonly StandingStop[], atVenue: readonly StandingStop[]): Protection {
  const [durable, native] = [total(held).greaterThanOrEqualTo(quantity), total(atVenue).greaterThanOrEqualTo(quantity)];
  if (durable || native) return durable && native ? 'both' : durable ? 'durable' : 'native';
  // Some at the venue and the rest with us: as strong as its weaker part.
  const ours = new Set(held.map(({ id }) => id));
  const besides = atVenue.filter(({ parentOrderId, orderListId }) => !ours.has(parentOrderId ?? orderListId ?? ''));
  return total(held).plus(total(besides)).greaterThanOrEqualTo(quantity) ? 'durable' : 'none';
}

function total(stops: readonly StandingStop[]): Decimal {
  return stops.reduce((sum, { leavesQuantity }) => sum.plus(decimal(leavesQuantity)), ZERO);
}

function isAtVenue({ state, venueOrderId }: StandingStop): boolean {
  return venueOrderId !== null && (state === 'WORKING' || state === 'PARTIALLY_FILLED');
}

/** The level that fires it; null where it follows no price yet. */
function levelOf(stop: StandingStop): Decimal | null {
  const own = ownLevel(stop);
  if (stop.breakEvenPrice === null) return own;
  const moved = decimal(stop.breakEvenPrice);
  return own === null || isNearer(stop, moved, own) ? moved : own;
}

function ownLevel(stop: StandingStop): Decimal | null {
  const parameters = triggerOf({ ...stop, condition: stop });
  if (parameters === null) return null;
  if (parameters.kind === 'level') return decimal(parameters.triggerPrice ?? '');
  return stop.extreme === null ? null : trailingLevel(parameters, decimal(stop.extreme));
}

/** Highest below, lowest above; what has no level comes last. */
function first(stops: readonly StandingStop[]): StandingStop | null {
  const ranked = stops.map((stop) => ({ stop, level: levelOf(stop) }));
  const [best, ...others] = [...ranked.filter(({ level }) => level !== null), ...ranked.filter(({ level }) => level === null)];
  if (best === undefined) return null;
  return others.reduce((near, each) => (each.level !== null && near.level !== null && isNearer(each.stop, each.level, near.level) ? each : near), best).stop;
}

function isNearer({ type, side }: StandingStop, level: Decimal, than: Decimal): boolean {
  return directionOf(type, side) === 'atOrBelow' ? level.greaterThan(than) : level.lessThan(than);
}

function desired(stop: StandingStop | null): DesiredStop | null {
  if (stop === null) return null;
  const { id, orderListId, leg, execution, leavesQuantity, triggerPriceType, trailingOffset, trailingOffsetType } = stop;
  const level = levelOf(stop);
  return { orderId: id, orderListId, leg, execution, quantity: leavesQuantity, triggerPrice: level === null ? null : decimalText(level), triggerPriceType, trailingOffset, trailingOffsetType };
}

function confirmed(stop: StandingStop | null): ConfirmedStop | null {
  if (stop?.venueOrderId == null) return null;
  return { orderId: stop.id, venueOrderId: stop.venueOrderId, quantity: stop.leavesQuantity, triggerPrice: stop.triggerPrice, acknowledgedAt: stop.acknowledgedAt };
}
