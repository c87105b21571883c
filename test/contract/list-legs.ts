/** Legs of order lists of an account of the store's tests. */
import type { Account } from '../../src/domain/account';
import { UNCONDITIONAL } from '../../src/domain/order';
import { NEW_LEG, type LegTerms, type OrderListLeg } from '../../src/domain/order-list';
import { SYMBOL, VENUE_SYMBOL } from './store/harness';

/** A resting exit of these terms; what else it is follows them. */
export function exitLeg(account: Account, n: number, terms: Pick<LegTerms, 'quantity' | 'limitPrice'> & Partial<LegTerms>): OrderListLeg {
  const { execution: _execution, startAt: _startAt, expireTime: _expireTime, ...nothing } = UNCONDITIONAL;
  return { ...NEW_LEG, ...nothing, role: 'order', accountId: account.id, venue: account.venue, symbol: SYMBOL, venueSymbol: VENUE_SYMBOL, side: 'sell', type: 'limit', timeInForce: 'GTC', postOnly: false, reduceOnly: true, ...terms, n };
}
