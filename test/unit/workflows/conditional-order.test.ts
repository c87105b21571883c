/** A conditional order's next step, case by case: what the property test's schedules meet seldom, said in words. */
import { describe, expect, test } from '@jest/globals';
import { childClientOrderId } from '../../../src/domain/client-ids';
import type { OrderCondition } from '../../../src/domain/condition';
import { UNCONDITIONAL, type OrderIntent } from '../../../src/domain/order';
import { supervisedView, type SupervisedOrder, type TradingState } from '../../../src/domain/supervised-order';
import { childrenEvidence, memoryOfRow, waitingOf } from '../../../src/workflows/state/conditional-memory';
import { ConditionalOrder, MAX_NATIVE_FAILURES } from '../../../src/workflows/state/conditional-order';
import { nativeTerms, pursuitTerms, stepAt, wantsReprice } from '../../../src/workflows/state/pursuit';
import { sampleOrder } from '../domain/order-samples';

const STOP: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000001', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'c1', venueClientId: 'v1', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '10', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: '2026-01-01T00:00:00.000Z', idempotency: null,
};
const ENTRY: OrderIntent = { ...STOP, side: 'buy', reduceOnly: false };
const CONDITION: OrderCondition = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '100', triggerPriceType: 'mark' };
const MARKET: TradingState = { market: { tickRule: { kind: 'step', step: '1' }, lot: '1', minQuantity: '1', minNotional: '0', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '10', mark: '100', bid: '99', ask: '101', atMs: 0 };
const FIRED = { by: 'trigger' as const, level: '100', atMs: 1_000, evidence: {} };
const AT = Date.parse('2026-01-01T00:00:00.000Z');

function seen(order: ConditionalOrder, changes: Partial<SupervisedOrder>): void {
  const child = order.children.at(-1);
  if (child === undefined) throw new Error('no child was placed');
  const clientOrderId = childClientOrderId({ parentId: STOP.id, leg: child.step === 'native' ? 1 : 0, child: child.n });
  order.childSeen({ ...supervisedView(sampleOrder({ id: child.orderId, clientOrderId, state: 'WORKING', revision: 1, updatedAt: new Date(AT).toISOString() })), ...changes });
}

/** One that fired, and whose first child is at the venue. */
function pursued(intent: OrderIntent, condition: OrderCondition = CONDITION, step: 'limit' | 'chase' | 'market' = 'market'): ConditionalOrder {
  const order = new ConditionalOrder(intent, condition, null);
  order.triggered(FIRED);
  order.placed(0, step, 'child-0', AT, 0);
  return order;
}

describe('an order that waits', () => {
  test('for its time does nothing before it, is over at its end if that comes first, and then needs no price', () => {
    const scheduled = new ConditionalOrder({ ...ENTRY, type: 'market' }, { ...UNCONDITIONAL, execution: 'durable', startAt: '2026-01-01T00:10:00.000Z' }, null);
    expect(scheduled.next(AT, null)).toEqual({ kind: 'wait', untilMs: AT + 600_000, looking: false });
    expect(scheduled.next(AT + 600_000, null)).toMatchObject({ kind: 'fire', fired: { by: 'time' } });
    const short = new ConditionalOrder(STOP, { ...CONDITION, startAt: '2026-01-01T00:10:00.000Z', expireTime: '2026-01-01T00:05:00.000Z' }, null);
    expect(short.next(AT, null)).toEqual({ kind: 'wait', untilMs: AT + 300_000, looking: false });
    expect(short.next(AT + 300_000, null)).toMatchObject({ kind: 'end', state: 'EXPIRED', reasonCode: null });
  });

  test('arms its trigger anew for each amendment, waits for its end, and keeps what its row took while it fired', () => {
    const order = new ConditionalOrder(STOP, { ...CONDITION, expireTime: '2026-01-02T00:00:00.000Z' }, null);
    expect(order.next(AT, null)).toEqual({ kind: 'arm', version: 0 });
    order.armed(0);
    expect(order.next(AT, null)).toEqual({ kind: 'wait', untilMs: Date.parse('2026-01-02T00:00:00.000Z'), looking: false });
    order.amended({ triggerPrice: '101', limitPrice: '99' });
    expect([order.next(AT, null), order.limitPrice, order.condition.triggerPrice]).toEqual([{ kind: 'arm', version: 1 }, '99', '101']);
    order.disproved();
    expect(order.triggerId).toBe(`${STOP.id}/1`);
    order.triggered(FIRED);
    order.triggered({ ...FIRED, level: '7' });
    order.amended({ quantity: '3' });
    expect([order.quantity, order.fired?.level]).toEqual(['3', '100']);
  });

  test('with a stop at the venue too replaces it before the venue ends it, and gives up after so many refusals', () => {
    const order = new ConditionalOrder(STOP, { ...CONDITION, execution: 'both' }, null, 100_000);
    order.armed(0);
    expect(order.next(AT, null)).toMatchObject({ kind: 'place', step: 'native', terms: { type: 'stopMarket', quantity: '10' } });
    order.placed(0, 'native', 'child-0', AT, 0);
    expect(order.next(AT, null)).toEqual({ kind: 'wait', untilMs: AT + 90_000, looking: true });
    seen(order, { state: 'WORKING' });
    expect(order.next(AT + 90_000, null)).toMatchObject({ kind: 'cancelChild' });
    for (let n = 0; n < MAX_NATIVE_FAILURES; n += 1) {
      if (n > 0) order.placed(n, 'native', `child-${n}`, AT, 0);
      seen(order, { state: 'REJECTED', revision: 2 });
      if (n === 0) expect(order.next(AT, null)).toMatchObject({ kind: 'wait', looking: false });
    }
    expect(order.next(AT + 3_600_000, null)).toEqual({ kind: 'wait', untilMs: null, looking: false });
  });

  test('is fired by the venue\'s own stop when that was quicker', () => {
    const order = new ConditionalOrder(STOP, { ...CONDITION, execution: 'both' }, null);
    order.armed(0);
    order.placed(0, 'native', 'child-0', AT, 0);
    seen(order, { state: 'PARTIALLY_FILLED', filledQuantity: '4', avgPrice: '99' });
    expect(order.next(AT, null)).toMatchObject({ kind: 'fire', fired: { by: 'native', level: '100' } });
  });
});

describe('an order that is pursued', () => {
  test('repeats a cancel that shows no sign, and not one that is under way', () => {
    const order = pursued(STOP);
    seen(order, { pendingCancel: false });
    order.cancelAsked = true;
    const step = order.next(AT, null);
    if (step.kind !== 'cancelChild') throw new Error(`${step.kind} instead of a cancel`);
    order.cancelSent(step.child, AT);
    expect(order.next(AT + 1, null)).toEqual({ kind: 'wait', untilMs: AT + 10_000, looking: true });
    expect(order.next(AT + 10_000, null)).toMatchObject({ kind: 'cancelChild' });
    seen(order, { pendingCancel: true, revision: 2 });
    expect(order.next(AT + 10_000, null)).toMatchObject({ kind: 'wait', looking: true });
    seen(order, { state: 'CANCELED', revision: 3 });
    expect(order.next(AT + 10_001, null)).toEqual({ kind: 'end', state: 'CANCELED', reasonCode: 'CANCELED_BY_USER', message: null });
  });

  test('ends as its child did where it enters, and goes on where it exits', () => {
    for (const state of ['DENIED', 'REJECTED', 'EXPIRED', 'CANCELED'] as const) {
      const entry = pursued(ENTRY);
      seen(entry, { state, reasonCode: 'why', reasonMessage: 'words' });
      expect(entry.next(AT, null)).toEqual({ kind: 'end', state, reasonCode: 'why', message: 'words' });
      const exit = pursued(STOP);
      seen(exit, { state, reasonCode: 'why' });
      expect(exit.next(AT, null)).toEqual({ kind: 'wait', untilMs: AT + 250, looking: false });
      expect(exit.next(AT + 250, null)).toEqual({ kind: 'readMarket' });
      expect(exit.next(AT + 250, MARKET)).toMatchObject({ kind: 'place', n: 1, step: 'market', terms: { type: 'market', quantity: '10', reduceOnly: true } });
    }
  });

  test('ends without a position to exit from, and when somebody cancels its exit', () => {
    const nothing = pursued(STOP);
    seen(nothing, { state: 'DENIED', reasonCode: 'RISK_NOTHING_TO_REDUCE', reasonMessage: null });
    expect(nothing.next(AT, null)).toEqual({ kind: 'end', state: 'CANCELED', reasonCode: 'RISK_NOTHING_TO_REDUCE', message: 'there is no position left to exit from' });
    const canceled = pursued(STOP);
    seen(canceled, { state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' });
    expect(canceled.next(AT, null)).toMatchObject({ kind: 'end', state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' });
  });

  test('follows the best price of its side while it chases, only towards the market', () => {
    const order = pursued({ ...STOP, type: 'stopLimit', limitPrice: '105' }, { ...CONDITION, escalation: { chaseAfterMs: 0, marketAfterMs: 60_000, slippageBps: 1_000 } }, 'chase');
    seen(order, { limitPrice: '105' });
    expect(order.next(AT + 500, null)).toEqual({ kind: 'wait', untilMs: AT + 1_000, looking: true });
    expect(order.next(AT + 1_000, null)).toEqual({ kind: 'readMarket' });
    expect(order.next(AT + 1_000, MARKET)).toMatchObject({ kind: 'cancelChild' });
    expect(order.next(AT + 1_000, { ...MARKET, ask: '106' })).toEqual({ kind: 'wait', untilMs: AT + 2_000, looking: true });
    expect(order.next(AT + 60_000, null)).toMatchObject({ kind: 'cancelChild' });
  });

  test('a limit that is over before it filled expires; what an unknown or older view of a child says changes nothing', () => {
    const order = pursued({ ...STOP, type: 'stopLimit', limitPrice: '99' }, { ...CONDITION, expireTime: '2026-01-01T00:01:00.000Z' }, 'limit');
    seen(order, { revision: 5 });
    seen(order, { state: 'CANCELED', revision: 4 });
    order.childSeen(supervisedView(sampleOrder({ id: 'a stranger' })));
    expect(order.next(AT, null)).toEqual({ kind: 'wait', untilMs: AT + 60_000, looking: true });
    expect(order.next(AT + 60_000, null)).toMatchObject({ kind: 'cancelChild' });
    seen(order, { state: 'CANCELED', revision: 6 });
    expect(order.next(AT + 60_000, null)).toMatchObject({ kind: 'end', state: 'EXPIRED' });
  });
});

describe('the steps of a pursuit', () => {
  test('are its own limit, the chase, and the market, by the times that were given', () => {
    const escalation = { chaseAfterMs: 2_000, marketAfterMs: 3_000, slippageBps: 50 };
    expect(stepAt('stopMarket', escalation, 0, 0)).toEqual({ step: 'market', untilMs: null });
    expect(stepAt('stopLimit', null, 0, 9_999)).toEqual({ step: 'limit', untilMs: null });
    expect([0, 2_000, 5_000].map((ms) => stepAt('stopLimit', escalation, 0, ms))).toEqual([{ step: 'limit', untilMs: 2_000 }, { step: 'chase', untilMs: 5_000 }, { step: 'market', untilMs: null }]);
    expect(stepAt('stopLimit', { ...escalation, chaseAfterMs: null }, 0, 1_000)).toEqual({ step: 'limit', untilMs: 3_000 });
    expect(stepAt('stopLimit', { ...escalation, marketAfterMs: null }, 0, 9_000)).toEqual({ step: 'chase', untilMs: null });
  });

  test('never go beyond the slippage limit, on either side; without one the last step is a market order', () => {
    const escalation = { chaseAfterMs: 0, marketAfterMs: 0, slippageBps: 100 };
    const of = (side: 'buy' | 'sell', step: 'limit' | 'chase' | 'market', more: Partial<Parameters<typeof pursuitTerms>[0]> = {}) =>
      pursuitTerms({ intent: { ...STOP, side, type: 'stopLimit', timeInForce: 'GTD' }, limitPrice: '100', escalation, level: '100', step, quantity: '2', market: { bid: '90', ask: '90', mark: '90' }, ...more });
    expect(of('sell', 'limit')).toMatchObject({ type: 'limit', timeInForce: 'GTC', limitPrice: '100' });
    expect(of('sell', 'chase').limitPrice).toBe('99');
    expect(of('buy', 'chase', { market: { bid: '110', ask: '110', mark: '110' } }).limitPrice).toBe('101');
    expect(of('buy', 'chase', { market: { bid: null, ask: null, mark: null } }).limitPrice).toBe('100');
    expect(of('sell', 'chase', { escalation: null, market: { bid: null, ask: null, mark: '97' } }).limitPrice).toBe('97');
    expect([of('sell', 'market'), of('buy', 'market')].map(({ timeInForce, limitPrice }) => [timeInForce, limitPrice])).toEqual([['IOC', '99'], ['IOC', '101']]);
    expect(of('sell', 'market', { level: null }).limitPrice).toBe('99');
    expect(of('sell', 'limit', { level: null, limitPrice: null, escalation: null })).toMatchObject({ type: 'market', limitPrice: null });
    expect([wantsReprice('sell', null, '1'), wantsReprice('sell', '2', '1'), wantsReprice('buy', '2', '1'), wantsReprice('buy', '1', null)]).toEqual([false, true, false, false]);
  });

  test('the venue\'s own stop knows neither our start nor our end', () => {
    expect(nativeTerms(STOP, { ...CONDITION, expireTime: '2026-01-02T00:00:00.000Z' }, null, '3')).toMatchObject({ quantity: '3', condition: { execution: 'native', triggerPrice: '100', startAt: null, expireTime: null } });
  });
});

describe('an execution that takes over', () => {
  test('finds trigger, children and cancel in the rows', () => {
    const view = (clientOrderId: string, changes: Partial<SupervisedOrder> = {}): SupervisedOrder => ({ ...supervisedView(sampleOrder({ id: clientOrderId, clientOrderId, type: 'limit', timeInForce: 'GTC', updatedAt: new Date(AT).toISOString() })), ...changes });
    const memory = memoryOfRow({ state: 'TRIGGERED', quantity: '8', limitPrice: null, condition: CONDITION, pendingCancel: true, revision: 4, triggeredAtMs: AT, children: [view('c1.0.2', { timeInForce: 'IOC' }), view('c1.1.0'), view('c1.0.1')] }, STOP);
    expect(memory).toMatchObject({ quantity: '8', cancelAsked: true, fired: { by: 'trigger', level: '100', atMs: AT }, pursuitSinceMs: AT });
    expect(memory.children.map(({ n, step }) => [n, step])).toEqual([[0, 'native'], [1, 'limit'], [2, 'market']]);
    const untouched = memoryOfRow({ state: 'ARMED', quantity: '8', limitPrice: null, condition: CONDITION, pendingCancel: false, revision: 1, triggeredAtMs: null, children: [] }, STOP);
    expect([untouched.fired, untouched.pursuitSinceMs]).toEqual([null, null]);
    expect(waitingOf(STOP)).toMatchObject({ execution: 'durable', triggerPrice: null });
    expect(waitingOf({ ...STOP, condition: CONDITION })).toBe(CONDITION);
  });

  test('tells its children\'s figures as its own: nothing before a fill, and an average where there is one', () => {
    const order = pursued(STOP);
    expect(childrenEvidence(order, 'now')).toBeNull();
    seen(order, { state: 'PARTIALLY_FILLED', filledQuantity: '3', avgPrice: null, fee: '0.1', feeAsset: 'USDT' });
    expect(childrenEvidence(order, 'now')).toMatchObject({ filledQuantity: '3', avgPrice: null, fee: '0.1', feeAsset: 'USDT' });
    seen(order, { state: 'PARTIALLY_FILLED', filledQuantity: '4', avgPrice: '100', fee: '0.2', feeAsset: null, revision: 2 });
    expect(childrenEvidence(order, 'now')).toMatchObject({ kind: 'childrenSeen', key: 'children/4/400/0.2', avgPrice: '100', feeAsset: null });
  });
});
