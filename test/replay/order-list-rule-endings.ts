/** Endings of order lists that run through what their newer rules say (src/workflows/rules-of-run.ts). */
import type { OrderListFacts } from '../../src/domain/order-list';
import { OrderListRun } from '../../src/workflows/state/order-list-run';
import type { Ending } from './executions';
import { AT, atMarket, besides, child, ENTRY, entryFilled, facts, leg, placing, recorded, STOP, targeted, told } from './order-list-endings';

/** Its row shows already what is found: nothing is recorded but what is placed. */
function shown(look: OrderListFacts): OrderListFacts {
  return { ...look, list: { ...look.list, ...new OrderListRun().step(look, Date.now()).note } };
}

// An entry that filled off the lot: its stop's order is as large as the lot allows.
const oddEntry = { ...entryFilled, state: 'CANCELED', filledQuantity: '0.555' } as const;
const oddStop = leg(2, { ...STOP, role: 'stop', type: 'stopLimit', limitPrice: '89', state: 'TRIGGERED', triggered: { by: 'price', level: '90', at: AT, evidence: null } });
const odd = [leg(0, ENTRY), leg(1, { role: 'takeProfit' }), oddStop];
const cutStop = child(2, 2, { step: 'limit', quantity: '0.55', limitPrice: '89', state: 'WORKING', isPlaced: true });

// More rests at another leg's limit than the target that a price has set off is for.
const smallTarget = targeted.map((each) => (each.n === 1 ? { ...each, quantity: '0.4' } : each.n === 2 ? { ...each, quantity: '0.6' } : each));
const moreRests = { ...besides, quantity: '0.6' };
const smallAtMarket = { ...atMarket, quantity: '0.4' };

const over = { type: 'BRACKET', state: 'COMPLETED', revision: 3, endedAt: AT } as const;

export const ORDER_LIST_RULE_ENDINGS: readonly Ending[] = [
  {
    workflow: 'orderList',
    ending: 'left-an-order-cut-to-the-lot-alone',
    script: {
      lookAtOrderList: [shown(facts({ type: 'BRACKET', legs: odd }, [oddEntry, cutStop])), facts({ ...over, legs: odd }, [oddEntry, { ...cutStop, state: 'FILLED', filledQuantity: '0.55', avgPrice: '89' }])],
      advanceOrderList: [recorded()],
      settleListTriggers: [false],
    },
    run: told,
  },
  {
    // What rests for its own share keeps no room from the target that a price has set off.
    workflow: 'orderList',
    ending: 'placed-its-target-beside-what-rests',
    script: {
      ...placing,
      lookAtOrderList: [shown(facts({ type: 'BRACKET', legs: smallTarget }, [entryFilled, moreRests])), facts({ ...over, legs: smallTarget }, [entryFilled, moreRests, { ...smallAtMarket, state: 'FILLED', isPlaced: true, filledQuantity: '0.4', avgPrice: '110' }])],
      advanceOrderList: [recorded(smallAtMarket)],
      settleListTriggers: [false],
    },
    run: told,
  },
];
