/** The endings of order lists. */
import type { Client } from '@temporalio/client';
import { childOrderId } from '../../src/domain/client-ids';
import { UNCONDITIONAL } from '../../src/domain/order';
import { legTrigger, legTriggerId, NEW_LEG, type LegTerms, type OrderList, type OrderListChild, type OrderListFacts, type OrderListLeg } from '../../src/domain/order-list';
import type { Trigger } from '../../src/domain/trigger';
import { ensureOrderList, tellOrderList } from '../../src/temporal/supervising';
import { orderListWorkflowId } from '../../src/temporal/workflow-ids';
import { continued, ended, until, type Ending } from './executions';
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

export const AT = '2026-01-01T00:00:00.000Z';
const ID = '00000000-0000-4000-8000-0000000000bb';
const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

export function leg(n: number, terms: Partial<OrderListLeg>): OrderListLeg {
  const { execution: _execution, startAt: _startAt, expireTime: _expireTime, ...nothing } = UNCONDITIONAL;
  const base: LegTerms = { ...nothing, role: 'order', accountId: 'a1', venue: 'paper', symbol: 'X-PERP', venueSymbol: 'X-PERP', side: 'sell', type: 'limit', timeInForce: 'GTC', quantity: '1', limitPrice: '110', postOnly: false, reduceOnly: true };
  return { ...NEW_LEG, ...base, ...terms, n };
}

export const STOP = { type: 'stopMarket', limitPrice: null, triggerPrice: '90', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;
export const ENTRY = { role: 'entry', side: 'buy', reduceOnly: false, limitPrice: '100' } as const;
const exits = [leg(0, {}), leg(1, STOP)];
const bracket = [leg(0, ENTRY), leg(1, { role: 'takeProfit' }), leg(2, { ...STOP, role: 'stop' })];

function list(change: Partial<OrderList> = {}): OrderList {
  return {
    id: ID, clientListId: 'c', userId: 'u1', accountId: 'a1', venue: 'paper', symbol: 'X-PERP', type: 'OUO', state: 'ACTIVE', reason: null, pendingCancel: false, entriesStopped: false, legs: exits,
    expireTime: null, timeLimitMs: null, closeAt: null, breakEvenAfter: null, revision: 2, ownerWorkflowId: orderListWorkflowId(ID), createdAt: AT, updatedAt: AT, endedAt: null, ...change,
  };
}

export function child(n: number, of: number, change: Partial<OrderListChild> = {}): OrderListChild {
  return {
    n, leg: of, orderId: childOrderId({ parentId: ID, leg: of, child: n }, sha256Hex), step: 'rest', version: 0, type: 'limit', timeInForce: 'GTC', postOnly: false, state: 'PENDING_RISK', isPlaced: false, quantity: '1', limitPrice: '110',
    filledQuantity: '0', avgPrice: null, reasonCode: null, reasonMessage: null, pendingCancel: false, recordedAtMs: Date.parse(AT), cancelAskedAtMs: null, closedAtMs: null, ...change,
  };
}

function trigger(of: OrderListLeg, change: Partial<Trigger> = {}): Trigger {
  const id = legTriggerId(ID, of);
  const parameters = legTrigger(of);
  if (parameters === null) throw new Error(`leg ${of.n} waits for no price`);
  return { id, userId: 'u1', accountId: 'a1', workflowId: orderListWorkflowId(ID), venue: 'paper', symbol: 'X-PERP', parameters, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false, ...change };
}

const crossed = (of: OrderListLeg): Trigger =>
  trigger(of, { status: 'FIRED', evidence: { triggerId: legTriggerId(ID, of), revision: 1, price: '90', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: '90', atMs: Date.parse(AT), observedAtMs: Date.parse(AT), sequence: 1, scope: 'market/paper', epoch: 1 } });

const market = { rules: { tickRule: { kind: 'step', step: '0.5' }, lot: '0.01', minQuantity: '0.01', minNotional: '1' }, signerId: 's1', mark: '100', bid: '99', ask: '101' } as const;
export const facts = (change: Partial<OrderList> = {}, children: readonly OrderListChild[] = [], triggers: readonly Trigger[] = []): OrderListFacts => ({ list: list(change), children, triggers, markets: (change.legs ?? exits).map(() => market) });

const run = async (client: Client, change: Partial<OrderList> = {}): Promise<string> => {
  await ensureOrderList(client, list(change));
  await ended(client.workflow.getHandle(orderListWorkflowId(ID)));
  return orderListWorkflowId(ID);
};

/** Told of a change while it waits. */
export async function told(client: Client): Promise<string> {
  await ensureOrderList(client, list());
  const handle = client.workflow.getHandle(orderListWorkflowId(ID));
  await until(async () => ((await handle.fetchHistory()).events ?? []).some((event) => event.timerStartedEventAttributes != null));
  await tellOrderList(client, ID, 3);
  await ended(handle);
  return orderListWorkflowId(ID);
}

export const placing = { placeOrders: [{ group: { items: [{ orderId: child(1, 0).orderId, verdict: 'accepted' }], calls: [] }, openOrderIds: [], unsent: [] }], resolveOrder: [{ kind: 'settled', state: 'WORKING' }] } as const;
const canceling = { requestMutation: [{ verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } }] } as const;
export const recorded = (...children: OrderListChild[]) => ({ children });
const resting = child(1, 0, { state: 'WORKING', isPlaced: true });
const goneAway = child(1, 0, { state: 'CANCELED', isPlaced: true, cancelAskedAtMs: 1 });
const stopFilled = child(2, 1, { step: 'market', type: 'market', timeInForce: 'IOC', limitPrice: null, state: 'FILLED', isPlaced: true, filledQuantity: '1', avgPrice: '90' });
const [profit, stop] = exits as [OrderListLeg, OrderListLeg];
const movedStop: OrderListLeg = { ...stop, triggerPrice: '80', version: 1 };
export const entryFilled = child(1, 0, { state: 'FILLED', isPlaced: true, filledQuantity: '1', avgPrice: '100', limitPrice: '100' });

// A target that a price has set off, beside a take-profit that rests at the venue for its own share.
const TARGET = { role: 'takeProfit', type: 'takeProfitMarket', limitPrice: null, triggerPrice: '110', triggerPriceType: 'mark', gapPolicy: 'traded', quantity: '0.6' } as const;
export const targeted = [leg(0, ENTRY), leg(1, { ...TARGET, state: 'TRIGGERED', triggered: { by: 'price', level: '110', at: AT, evidence: null } }), leg(2, { role: 'takeProfit', limitPrice: '120', quantity: '0.4' }), leg(3, { ...STOP, role: 'stop' })];
export const besides = child(2, 2, { state: 'WORKING', isPlaced: true, quantity: '0.4', limitPrice: '120' });
export const atMarket = child(3, 1, { step: 'market', type: 'market', timeInForce: 'IOC', limitPrice: null, quantity: '0.6' });

// A stop with a native one behind it, alone since the other leg's order was taken away: placed, then quicker than ours; what it leaves goes out.
const alone = leg(0, { state: 'CANCELED', reason: 'its order was canceled outside of the list' });
const backedStop = leg(1, { ...STOP, execution: 'both' });
const native = child(1, 1, { step: 'native', type: 'stopMarket', limitPrice: null, triggerPrice: '90' });
const byVenue = { ...backedStop, triggered: { by: 'native', level: '90', at: AT, evidence: null } } as const;
const partly = { ...native, state: 'CANCELED', isPlaced: true, cancelAskedAtMs: 1, filledQuantity: '0.4', avgPrice: '90' } as const;
const remainder = child(2, 1, { step: 'market', type: 'market', timeInForce: 'IOC', limitPrice: null, quantity: '0.6' });

export const ORDER_LIST_ENDINGS: readonly Ending[] = [
  {
    workflow: 'orderList',
    ending: 'ended-by-its-native-stop',
    script: {
      ...placing, ...canceling,
      lookAtOrderList: [
        facts({ legs: [alone, backedStop] }),
        facts({ legs: [alone, backedStop] }, [{ ...native, state: 'PARTIALLY_FILLED', isPlaced: true, filledQuantity: '0.4', avgPrice: '90' }], [trigger(backedStop)]),
        facts({ legs: [alone, byVenue] }, [partly], [trigger(backedStop, { status: 'DISARMED' })]),
        facts({ legs: [alone, byVenue] }, [partly, { ...remainder, state: 'FILLED', isPlaced: true, filledQuantity: '0.6', avgPrice: '89' }], [trigger(backedStop, { status: 'DISARMED' })]),
      ],
      advanceOrderList: [recorded(native), recorded(), recorded(remainder), recorded()],
      settleListTriggers: [false],
    },
    run: (client) => run(client, { legs: [alone, backedStop] }),
  },
  {
    workflow: 'orderList',
    ending: 'exit-pair-ended-by-its-stop',
    script: {
      ...placing, ...canceling,
      lookAtOrderList: [
        facts(),
        facts({}, [resting], [crossed(stop)]),
        facts({ legs: [profit, { ...stop, triggered: { by: 'price', level: '90', at: AT, evidence: null } }] }, [goneAway], [trigger(stop, { status: 'FIRED', acknowledged: true })]),
        facts({ legs: [profit, { ...stop, triggered: { by: 'price', level: '90', at: AT, evidence: null } }] }, [goneAway, stopFilled], [trigger(stop, { status: 'FIRED', acknowledged: true })]),
      ],
      advanceOrderList: [recorded(child(1, 0)), recorded(), recorded(child(2, 1, { step: 'market', type: 'market', timeInForce: 'IOC', limitPrice: null })), recorded()],
      settleListTriggers: [false],
    },
    run: (client) => run(client),
  },
  {
    workflow: 'orderList',
    ending: 'bracket-completed-by-its-take-profit',
    script: {
      ...placing,
      lookAtOrderList: [
        facts({ type: 'BRACKET', legs: bracket }),
        facts({ type: 'BRACKET', legs: bracket }, [entryFilled]),
        facts({ type: 'BRACKET', legs: bracket }, [entryFilled, child(2, 1, { state: 'FILLED', isPlaced: true, filledQuantity: '1', avgPrice: '110' })], [trigger(bracket[2] as OrderListLeg)]),
      ],
      advanceOrderList: [recorded(child(1, 0, { limitPrice: '100' })), recorded(child(2, 1)), recorded()],
      settleListTriggers: [false],
    },
    run: (client) => run(client, { type: 'BRACKET', legs: bracket }),
  },
  {
    workflow: 'orderList',
    ending: 'bracket-completed-by-its-target',
    script: {
      ...placing,
      lookAtOrderList: [
        facts({ type: 'BRACKET', legs: targeted }, [entryFilled, besides]),
        facts({ type: 'BRACKET', legs: targeted }, [entryFilled, { ...besides, state: 'FILLED', filledQuantity: '0.4', avgPrice: '120' }, { ...atMarket, state: 'FILLED', isPlaced: true, filledQuantity: '0.6', avgPrice: '110' }]),
      ],
      advanceOrderList: [recorded(atMarket), recorded()],
      settleListTriggers: [false],
    },
    run: (client) => run(client, { type: 'BRACKET', legs: targeted }),
  },
  {
    workflow: 'orderList',
    ending: 'placed-again-canceled-and-ended',
    script: {
      ...placing, ...canceling,
      // Recorded by an execution that died before it placed; then its owner ends it.
      lookAtOrderList: [facts({}, [child(1, 0)], [trigger(stop)]), facts({ pendingCancel: true }, [resting], [trigger(stop)]), facts({ pendingCancel: true }, [goneAway], [trigger(stop, { status: 'DISARMED' })])],
      advanceOrderList: [recorded()],
      settleListTriggers: [false],
    },
    run: (client) => run(client),
  },
  {
    workflow: 'orderList',
    ending: 'entry-refused',
    script: {
      lookAtOrderList: [facts({ type: 'BRACKET', legs: bracket }, [child(1, 0, { state: 'REJECTED', isPlaced: true, reasonCode: 'OTHER' })])],
      advanceOrderList: [recorded()],
    },
    run: (client) => run(client, { type: 'BRACKET', legs: bracket }),
  },
  {
    workflow: 'orderList',
    ending: 'expired-after-deciding-anew',
    script: { lookAtOrderList: [facts({ expireTime: AT })], advanceOrderList: [null, recorded()] },
    run: (client) => run(client, { expireTime: AT }),
  },
  {
    // A restored database has less than the workflow saw: it is given back, and the look after it is the one that counts.
    workflow: 'orderList',
    ending: 'given-back-to-a-restored-database',
    script: {
      ...placing,
      readBackOrderList: [true],
      lookAtOrderList: [facts({ revision: 3 }, [resting], [trigger(stop)]), facts({}, []), facts({ revision: 3, state: 'CANCELED', endedAt: AT }, [goneAway], [trigger(stop, { status: 'DISARMED' })])],
      advanceOrderList: [recorded()],
      settleListTriggers: [false],
    },
    run: told,
  },
  {
    // A restored database fired the level of before the stop was moved: the next trigger takes its place, and its owner ends the list.
    workflow: 'orderList',
    ending: 'fired-by-older-terms-then-ended',
    script: {
      lookAtOrderList: [facts({ legs: [profit, movedStop] }, [resting], [crossed(stop)]), facts({ legs: [profit, { ...movedStop, triggerNumber: 1 }], revision: 3 }, [resting]), facts({ legs: [profit, movedStop], revision: 4, state: 'CANCELED', endedAt: AT }, [goneAway])],
      advanceOrderList: [recorded()],
      settleListTriggers: [true],
    },
    run: (client) => run(client, { legs: [profit, movedStop] }),
  },
  {
    workflow: 'orderList',
    ending: 'gave-back-an-order-then-ended',
    script: {
      ...placing,
      lookAtOrderList: [facts(), facts(), facts({ revision: 4, state: 'CANCELED', endedAt: AT }, [goneAway])],
      advanceOrderList: [recorded(child(1, 0))],
      readBackOrderList: [true],
      settleListTriggers: [true],
    },
    run: (client) => run(client),
  },
  { workflow: 'orderList', ending: 'gone', script: { lookAtOrderList: [null] }, run: (client) => run(client) },
  {
    workflow: 'orderList',
    ending: 'continued-as-new',
    // What it decides is always decided on older facts; not faster than that, or its history is thousands long before it is told.
    script: { lookAtOrderList: [facts({ type: 'OCO', legs: [profit, { ...stop, triggered: { by: 'price', level: '90', at: AT, evidence: null }, state: 'TRIGGERED', alerted: 'it was told' }] }, [resting])], advanceOrderList: [() => delay(200, null)] },
    run: async (client) => {
      await ensureOrderList(client, list());
      return continued(client, orderListWorkflowId(ID));
    },
  },
];
