/** How a conditional order is pursued once it fired: at its limit, then at the best price of its own side, then IOC within its slippage limit. */
import type { ChildTerms } from '../../domain/child-intent';
import type { Escalation, OrderCondition } from '../../domain/condition';
import { decimal, decimalText, maxOf, minOf, type Decimal } from '../../domain/decimal';
import type { OrderIntent, OrderSide, OrderType } from '../../domain/order';
import type { TradingState } from '../../domain/supervised-order';

export type PursuitStep = 'limit' | 'chase' | 'market';

const BPS = '10000';
const LIMIT_TYPES: ReadonlySet<OrderType> = new Set(['limit', 'stopLimit', 'takeProfitLimit', 'trailingStopLimit']);

/** The step of this moment, and until when (ms); null: for good. */
export function stepAt(type: OrderType, escalation: Escalation | null, sinceMs: number | null, nowMs: number): { readonly step: PursuitStep; readonly untilMs: number | null } {
  if (!LIMIT_TYPES.has(type)) return { step: 'market', untilMs: null };
  if (escalation === null || sinceMs === null) return { step: 'limit', untilMs: null };
  const { chaseAfterMs, marketAfterMs } = escalation;
  const chaseMs = chaseAfterMs === null ? null : sinceMs + chaseAfterMs;
  const marketMs = marketAfterMs === null ? null : (chaseMs ?? sinceMs) + marketAfterMs;
  if (marketMs !== null && nowMs >= marketMs) return { step: 'market', untilMs: null };
  if (chaseMs !== null && nowMs >= chaseMs) return { step: 'chase', untilMs: marketMs };
  return { step: 'limit', untilMs: chaseMs ?? marketMs };
}

export interface Pursuit {
  readonly intent: Pick<OrderIntent, 'side' | 'type' | 'timeInForce' | 'reduceOnly' | 'postOnly'>;
  readonly limitPrice: string | null;
  readonly escalation: Escalation | null;
  /** The level that fired. */
  readonly level: string | null;
  readonly step: PursuitStep;
  readonly quantity: string;
  readonly market: Pick<TradingState, 'bid' | 'ask' | 'mark'>;
}

/** A market order, or a limit: the order's own, the best price of its side, or an IOC at the edge of its slippage limit. */
export function pursuitTerms(pursuit: Pursuit): ChildTerms {
  const { intent, step, quantity } = pursuit;
  const { side, reduceOnly } = intent;
  const base = { side, quantity, reduceOnly };
  const own = pursuit.limitPrice ?? pursuit.level;
  if (step === 'limit' && own !== null) return { ...base, type: 'limit', timeInForce: restingOf(intent), limitPrice: own, postOnly: intent.postOnly };
  const edge = slippageEdge(pursuit);
  if (step === 'chase' && own !== null) {
    const best = side === 'sell' ? pursuit.market.ask : pursuit.market.bid;
    const wanted = decimal(best ?? pursuit.market.mark ?? own);
    const price = edge === null ? wanted : side === 'sell' ? maxOf(wanted, edge) : minOf(wanted, edge);
    return { ...base, type: 'limit', timeInForce: 'GTC', limitPrice: decimalText(price), postOnly: false };
  }
  if (edge !== null) return { ...base, type: 'limit', timeInForce: 'IOC', limitPrice: decimalText(edge), postOnly: false };
  return { ...base, type: 'market', timeInForce: 'IOC', limitPrice: null, postOnly: false };
}

/** The worst price its escalation allows; null where it bounds none. */
function slippageEdge({ intent, escalation, level, limitPrice }: Pursuit): Decimal | null {
  const from = level ?? limitPrice;
  if (escalation === null || from === null || !LIMIT_TYPES.has(intent.type)) return null;
  const share = decimal(String(escalation.slippageBps)).dividedBy(decimal(BPS));
  const factor = intent.side === 'sell' ? decimal('1').minus(share) : share.plus(decimal('1'));
  return decimal(from).times(factor);
}

/** A limit whose end our workflow watches is told to the venue as one that stays. */
function restingOf({ timeInForce }: Pursuit['intent']): ChildTerms['timeInForce'] {
  return timeInForce === 'GTD' ? 'GTC' : timeInForce;
}

/** Whether the chased limit is away from where it should be: only towards the market, never back. */
export function wantsReprice(side: OrderSide, shown: string | null, wanted: string | null): boolean {
  if (shown === null || wanted === null) return false;
  return side === 'sell' ? decimal(wanted).lessThan(decimal(shown)) : decimal(wanted).greaterThan(decimal(shown));
}

/** The venue's own trigger order of these terms. */
export function nativeTerms(intent: Pick<OrderIntent, 'side' | 'type' | 'reduceOnly' | 'postOnly'>, condition: OrderCondition, limitPrice: string | null, quantity: string): ChildTerms {
  const { side, type, reduceOnly, postOnly } = intent;
  return { side, type, timeInForce: 'GTC', quantity, limitPrice, postOnly, reduceOnly, condition: { ...condition, execution: 'native', startAt: null, expireTime: null, escalation: null, gapPolicy: null } };
}
