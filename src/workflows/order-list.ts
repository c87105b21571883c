/**
 * Owns all legs of one order list: reads the facts, has them decided (state/order-list-run.ts), records what is to be placed, then
 * places and cancels by child workflows and arms its triggers. What crashes in between is found at the next look: recorded orders
 * that were not placed are placed again under the same names.
 */
import { allHandlersFinished, ApplicationFailure, condition, continueAsNew, proxyLocalActivities, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { OrderListActivities } from '../activities/order-list-activities';
import { childIntent } from '../domain/child-intent';
import { UNCONDITIONAL, type OrderIntent } from '../domain/order';
import { contingencyOf, isNativeStop, type OrderListChild, type OrderListFacts } from '../domain/order-list';
import { noted } from '../domain/order-list-commands';
import { LOCAL_ACTIVITY } from '../temporal/activity-options';
import { ORDER_STATE } from '../temporal/search-attributes';
import { cancelChild, placeChild, sha256Hex } from './child-orders';
import { orderChanged, orderListChanged, orderListProgress, orderListSeen, triggerCrossed, type OrderListInput } from './messages';
import { rulesOfRun } from './rules-of-run';
import { OrderListRun, type OrderListStep } from './state/order-list-run';

const { lookAtOrderList } = proxyLocalActivities<OrderListActivities>({ ...LOCAL_ACTIVITY, summary: 'read the list, its orders, triggers and markets' });
const { readBackOrderList } = proxyLocalActivities<OrderListActivities>({ ...LOCAL_ACTIVITY, summary: 'give a restored database what it lost of the list' });
const { advanceOrderList } = proxyLocalActivities<OrderListActivities>({ ...LOCAL_ACTIVITY, summary: 'record its legs and what it places' });
const { settleListTriggers } = proxyLocalActivities<OrderListActivities>({ ...LOCAL_ACTIVITY, summary: 'arm, change and give up its triggers' });

export async function orderList(input: OrderListInput): Promise<void> {
  const holds = rulesOfRun();
  const run = new OrderListRun({ exitsShareRoom: () => holds('exits-of-a-bracket-share-one-room'), sharesAreCut: () => holds('orders-for-shares-cut-to-the-lot'), restores: () => restores });
  let { seen = null }: { seen?: OrderListInput['seen'] | null } = input;
  let restores = false;
  let heard = false;
  let shown = '';
  setHandler(orderListProgress, () => run.details());
  setHandler(orderListSeen, () => seen);
  setHandler(orderListChanged, () => void (heard = true));
  setHandler(orderChanged, () => void (heard = true));
  setHandler(triggerCrossed, () => void (heard = true));

  while (!workflowInfo().continueAsNewSuggested) {
    heard = false;
    // Executions from before rules were asked at the start ask here, before the look is answered.
    restores = holds('knows-better-than-a-restored-row');
    const facts = await lookAtOrderList({ listId: input.listId });
    const isBehind = seen !== null && (facts === null || facts.list.revision < seen.list.revision);
    const lacksOrders = seen !== null && facts !== null && facts.children.length < seen.children.length;
    const isOlder = restores ? isBehind || lacksOrders : isBehind && holds('restored-databases-get-back');
    if (isOlder && seen !== null && (await readBackOrderList({ list: seen.list, children: seen.children }))) continue;
    if (facts === null) break;
    seen = { list: facts.list, children: facts.children };
    const step = run.step(facts, Date.now());
    const children = await record(facts, step);
    // Whatever was decided on older facts is decided anew.
    if (children === null) continue;
    seen = { list: facts.list, children: [...facts.children, ...children] };
    setCurrentDetails(run.details());
    const state = step.note?.state ?? facts.list.state;
    if (state !== shown) upsertSearchAttributes([{ key: ORDER_STATE, value: (shown = state) }]);
    for (const child of [...step.placeAgain, ...children]) await placeChild(intentOf(facts, child));
    for (const child of step.cancel) await cancelChild({ ...placeOf(facts, child), orderId: child.orderId });
    const fired = await settle(input.listId, step);
    if (step.ended) {
      seen = { list: step.note === null ? facts.list : noted(facts.list, step.note, new Date().toISOString()).list, children: seen.children };
      break;
    }
    if (!fired) await waitFor(() => heard, step.waitMs);
  }
  await condition(allHandlersFinished);
  if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof orderList>({ ...input, ...(seen === null ? {} : { seen }) });
}

/** The orders that are to be placed; null: nothing was recorded, because the facts have moved on. */
async function record({ list, children }: OrderListFacts, { note, place, cancel, alerts }: OrderListStep): Promise<readonly OrderListChild[] | null> {
  const asked = cancel.filter((child) => child.cancelAskedAtMs === null).map(({ n }) => n);
  if (note === null && place.length === 0 && asked.length === 0) return [];
  const advanced = await advanceOrderList({ listId: list.id, advance: { revision: list.revision, afterN: children.at(-1)?.n ?? 0, note, place, cancel: asked, alerts } });
  return advanced?.children ?? null;
}

/** True: one had fired before it was armed or changed, or the list has changed since it was read. */
async function settle(listId: string, { triggers }: OrderListStep): Promise<boolean> {
  const { arm, amend, disarm, acknowledge } = triggers;
  if (arm.length + amend.length + disarm.length + acknowledge.length === 0) return false;
  return settleListTriggers({ listId, arm: arm.map((trigger) => ({ ...trigger, workflowId: workflowInfo().workflowId })), amend, disarm, acknowledge });
}

async function waitFor(isHeard: () => boolean, waitMs: number | null): Promise<void> {
  if (waitMs === null) await condition(isHeard);
  else await condition(isHeard, waitMs);
}

function placeOf({ list }: OrderListFacts, { leg }: OrderListChild): Pick<OrderIntent, 'userId' | 'accountId' | 'venue' | 'symbol'> {
  const { accountId, venue, symbol } = legAt(list, leg);
  return { userId: list.userId, accountId, venue, symbol };
}

function intentOf({ list, markets }: OrderListFacts, child: OrderListChild): OrderIntent {
  const leg = legAt(list, child.leg);
  const market = markets[child.leg];
  if (market === undefined) throw ApplicationFailure.nonRetryable(`no market of leg ${child.leg}`, 'INTERNAL');
  const { accountId, venue, symbol, venueSymbol, side, reduceOnly } = leg;
  const supervision = { workflowId: workflowInfo().workflowId, orderListId: list.id, contingencyType: contingencyOf(list, leg) };
  const owner = { userId: list.userId, accountId, signerId: market.signerId, venue, symbol, venueSymbol, origin: 'CONDITIONAL', supervision } as const;
  const native = isNativeStop(child) ? { condition: { ...UNCONDITIONAL, execution: 'native', triggerPrice: child.triggerPrice ?? null, triggerPriceType: leg.triggerPriceType } as const } : {};
  const terms = { side, type: child.type, timeInForce: child.timeInForce, quantity: child.quantity, limitPrice: child.limitPrice, postOnly: child.postOnly, reduceOnly, ...native };
  const made = childIntent({ parentId: list.id, leg: child.leg, child: child.n }, owner, terms, { rules: market.rules, referencePrice: null }, child.recordedAtMs, sha256Hex);
  // It was planned on the grid, and the venue judges what has changed since: it is placed as it was recorded.
  if (made.kind === 'belowMinimum') throw ApplicationFailure.nonRetryable(`order ${child.n} of ${list.id} is off the market's grid: ${child.quantity}`, 'UNPROCESSABLE');
  return made.intent;
}

function legAt(list: OrderListFacts['list'], n: number): OrderListFacts['list']['legs'][number] {
  const leg = list.legs[n];
  if (leg === undefined) throw ApplicationFailure.nonRetryable(`list ${list.id} has no leg ${n}`, 'INTERNAL');
  return leg;
}
