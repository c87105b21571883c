/** How the legs of a list must hang together, in words that a caller can act on. Pure. */
import { decimal, decimalText, sum } from '../domain/decimal';
import type { OrderSide } from '../domain/order';
import { waitsForPrice, type LegRole, type LegTerms, type OrderListType } from '../domain/order-list';
import { triggerProblem } from '../domain/trigger';
import { legTrigger } from '../domain/order-list';
import type { OrderListRequest } from '../schemas/order-lists';
import { unprocessable } from './order-intent';

export interface LegProblem {
  readonly field: string;
  readonly value: unknown;
  readonly message: string;
}

/** By leg. Throws UNPROCESSABLE. */
export function rolesOf({ type, legs }: OrderListRequest): readonly LegRole[] {
  if (type !== 'BRACKET') {
    const odd = legs.findIndex((leg, n) => leg.role !== undefined && leg.role !== (type === 'OTO' && n === 0 ? 'entry' : 'order'));
    if (odd >= 0) throw unprocessable(`legs.${odd}.role`, legs[odd]?.role, `role is for a BRACKET; leave it out of an ${type}`);
    return legs.map((_, n) => (type === 'OTO' && n === 0 ? 'entry' : 'order'));
  }
  const count = (role: LegRole): number => legs.filter((leg) => leg.role === role).length;
  if (legs[0]?.role !== 'entry' || count('entry') !== 1) throw unprocessable('legs.0.role', legs[0]?.role ?? null, 'the first leg of a BRACKET, and only the first, has role entry');
  if (count('stop') !== 1) throw unprocessable('legs', count('stop'), 'a BRACKET has exactly one leg of role stop');
  const odd = legs.findIndex((leg) => leg.role === undefined || leg.role === 'order');
  if (odd >= 0) throw unprocessable(`legs.${odd}.role`, legs[odd]?.role ?? null, 'the legs of a BRACKET after its entry have role takeProfit or stop');
  return legs.map((leg) => leg.role ?? 'order');
}

/** By leg. Throws UNPROCESSABLE. */
export function sidesOf({ type, legs }: OrderListRequest, roles: readonly LegRole[]): readonly OrderSide[] {
  const entry = legs[0]?.side;
  return legs.map(({ side }, n) => {
    const isExit = type === 'BRACKET' && roles[n] !== 'entry';
    const expected = isExit && entry !== undefined ? (entry === 'buy' ? 'sell' : 'buy') : side;
    if (expected === undefined) throw unprocessable(`legs.${n}.side`, null, `leg ${n} needs a side`);
    if (side !== undefined && side !== expected) throw unprocessable(`legs.${n}.side`, side, `leg ${n} closes what the entry opens: its side is ${expected}, or absent`);
    return expected;
  });
}

const STOPS: ReadonlySet<string> = new Set(['stopMarket', 'stopLimit', 'trailingStopMarket', 'trailingStopLimit']);
const PROFITS: ReadonlySet<string> = new Set(['limit', 'takeProfitMarket', 'takeProfitLimit']);

/** What is wrong with terms that are each valid alone; null: nothing. */
export function legProblem(list: { readonly type: OrderListType; readonly timeLimitMs?: number | null | undefined; readonly breakEvenAfter?: number | null | undefined }, legs: readonly LegTerms[]): LegProblem | null {
  for (const [n, leg] of legs.entries()) {
    const trigger = legTrigger(leg);
    const problem = trigger === null ? null : triggerProblem(trigger);
    if (problem !== null) return { field: `legs.${n}.trailingOffset`, value: leg.trailingOffset, message: problem };
  }
  if (list.type === 'BRACKET') return bracketProblem(list, legs);
  for (const field of ['timeLimitMs', 'breakEvenAfter'] as const) if (list[field] != null) return { field, value: list[field], message: `${field} is for a BRACKET` };
  const immediate = legs.findIndex((leg, n) => !(list.type === 'OTO') && (leg.type === 'market' || (!waitsForPrice(leg) && leg.timeInForce !== 'GTC')) && n >= 0);
  if (immediate >= 0) return { field: `legs.${immediate}.type`, value: legs[immediate]?.type, message: `leg ${immediate} would go out at once: the legs of an ${list.type} rest at a limit or wait for a price` };
  const [first] = legs;
  const other = legs.findIndex((leg) => first !== undefined && !decimal(leg.quantity).equals(decimal(first.quantity)));
  if (list.type === 'OUO' && other >= 0) return { field: `legs.${other}.quantity`, value: legs[other]?.quantity, message: `the legs of an OUO have one quantity: leg 0 has ${first?.quantity ?? ''}` };
  return null;
}

function bracketProblem(list: { readonly breakEvenAfter?: number | null | undefined }, legs: readonly LegTerms[]): LegProblem | null {
  const [entry] = legs;
  const stop = legs.find(({ role }) => role === 'stop');
  if (entry === undefined || stop === undefined) return { field: 'legs', value: legs.length, message: 'a BRACKET has an entry and a stop' };
  for (const [n, leg] of legs.entries()) {
    if (leg.accountId !== entry.accountId || leg.symbol !== entry.symbol) return { field: `legs.${n}.symbol`, value: leg.symbol, message: 'the exits of a BRACKET are on the account and market of its entry' };
    if (n === 0) continue;
    const allowed = leg.role === 'stop' ? STOPS : PROFITS;
    if (!allowed.has(leg.type)) return { field: `legs.${n}.type`, value: leg.type, message: `a ${leg.role} is one of ${[...allowed].join(', ')}` };
    if (leg.type === 'limit' && leg.timeInForce !== 'GTC') return { field: `legs.${n}.timeInForce`, value: leg.timeInForce, message: 'a take-profit at a limit rests: its timeInForce is GTC' };
    if (leg.role === 'takeProfit' && isBeyond(stop, leg)) return { field: `legs.${n}`, value: leg.limitPrice ?? leg.triggerPrice, message: `the stop at ${stop.triggerPrice ?? ''} is not on the losing side of the take-profit at ${leg.limitPrice ?? leg.triggerPrice ?? ''}` };
  }
  const profits = legs.filter(({ role }) => role === 'takeProfit');
  const all = sum(profits.map(({ quantity }) => decimal(quantity)));
  if (all.greaterThan(decimal(entry.quantity))) return { field: 'legs', value: decimalText(all), message: `the take-profits come to ${decimalText(all)}, more than the ${entry.quantity} of the entry` };
  if (list.breakEvenAfter != null && list.breakEvenAfter > profits.length) return { field: 'breakEvenAfter', value: list.breakEvenAfter, message: `there are ${profits.length} take-profits` };
  return null;
}

function isBeyond(stop: LegTerms, profit: LegTerms): boolean {
  const target = profit.triggerPrice ?? profit.limitPrice;
  if (stop.triggerPrice === null || target === null) return false;
  return stop.side === 'sell' ? decimal(stop.triggerPrice).greaterThanOrEqualTo(decimal(target)) : decimal(stop.triggerPrice).lessThanOrEqualTo(decimal(target));
}
