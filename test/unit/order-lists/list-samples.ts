/** Lists of each type, and what may happen to them. */
import { NEW_LEG, type LegTerms, type OrderListLeg, type OrderListType } from '../../../src/domain/order-list';
import { UNCONDITIONAL } from '../../../src/domain/order';

export const START_MS = Date.parse('2026-01-01T00:00:00Z');
export const RULES = { tickRule: { kind: 'step', step: '0.5' }, lot: '0.1', minQuantity: '0.1', minNotional: '1' } as const;

/** What happens between two looks. `of` picks an order or a leg, whatever its state. */
export type Happening =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'fill' | 'fillUnheard'; readonly of: number; readonly percent: number }
  | { readonly kind: 'hear' | 'refuse' | 'cancelConfirmed' | 'takenBack' | 'lost' | 'cross' | 'falseCross'; readonly of: number }
  | { readonly kind: 'cancel' | 'halt' | 'crash' | 'crashBeforePlacing' | 'thin' };

export function leg(terms: Partial<LegTerms>, n: number): OrderListLeg {
  const { execution: _execution, startAt: _startAt, expireTime: _expireTime, ...nothing } = UNCONDITIONAL;
  return { ...NEW_LEG, ...nothing, role: 'order', accountId: 'a', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X', side: 'sell', type: 'limit', timeInForce: 'GTC', quantity: '10', limitPrice: '110', postOnly: false, reduceOnly: true, ...terms, n };
}

const stop: Partial<LegTerms> = { type: 'stopMarket', timeInForce: 'GTC', limitPrice: null, triggerPrice: '90', triggerPriceType: 'mark', gapPolicy: 'traded' };

/** A price sets it off, and it rests at its limit: what is open of it is on the lot grid, its share is not. */
export const RESTING_STOP: Partial<LegTerms> = { ...stop, type: 'stopLimit', limitPrice: '89' };

export const LEGS: Record<OrderListType, readonly Partial<LegTerms>[]> = {
  OCO: [{ limitPrice: '110' }, { limitPrice: '120' }, stop],
  OUO: [{ limitPrice: '110' }, { limitPrice: '120' }, stop],
  OTO: [{ role: 'entry', side: 'buy', reduceOnly: false, limitPrice: '100' }, { limitPrice: '110', quantity: '6' }, { ...stop, quantity: '4' }],
  BRACKET: [{ role: 'entry', side: 'buy', reduceOnly: false, limitPrice: '100' }, { role: 'takeProfit', limitPrice: '110', quantity: '3' }, { role: 'takeProfit', limitPrice: '120', quantity: '3' }, { role: 'takeProfit', limitPrice: '130', quantity: '4' }, { ...stop, role: 'stop' }],
};
