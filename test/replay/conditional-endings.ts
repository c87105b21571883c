/** Every ending of a conditional order. */
import type { Client } from '@temporalio/client';
import type { HeldOrderView, RecordConditionalResult } from '../../src/activities/conditional-activities';
import { sha256Hex } from '../../src/api/canonical-json';
import { childOrderId } from '../../src/domain/client-ids';
import { UNCONDITIONAL, UNGROUPED, UNSUPERVISED, type Order, type OrderIntent } from '../../src/domain/order';
import { supervisedView, type SupervisedOrder, type TradingState } from '../../src/domain/supervised-order';
import { triggerOf, type Trigger, type TriggerEvidence } from '../../src/domain/trigger';
import { ConditionalGateway } from '../../src/temporal/conditional-gateway';
import { conditionalWorkflowId } from '../../src/temporal/workflow-ids';
import { orderChanged, standingOrder, triggerCrossed } from '../../src/workflows/messages';
import { begot, canceledWaiting, continued, ended, until, type Ending } from './executions';

const AT = '2026-01-01T00:00:00.000Z';
export const CONDITION = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '60000', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;

export const INTENT: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000009', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'stop-1', venueClientId: 'v9', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '0.5', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: AT, idempotency: null, condition: CONDITION,
};
export const ID = conditionalWorkflowId('a1', 'stop-1');
const CHILD = { parentId: INTENT.id, leg: 0, child: 0 };

export const held = (changes: Partial<HeldOrderView> = {}): RecordConditionalResult => ({
  verdict: 'accepted',
  held: { state: 'ARMED', quantity: '0.5', limitPrice: null, condition: CONDITION, pendingCancel: false, triggeredAtMs: null, revision: 1, children: [], ...changes },
  nativeExpiresAfterMs: null,
});

export const EVIDENCE: TriggerEvidence = {
  triggerId: `${INTENT.id}/0`, revision: 1, price: '59990', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: '60000', atMs: 1, observedAtMs: 2, sequence: 3, scope: 'market/paper', epoch: 1,
};

export function trigger(changes: Partial<Trigger> = {}): Trigger {
  const parameters = triggerOf({ ...INTENT, condition: CONDITION });
  if (parameters === null) throw new Error('the stop has a trigger');
  return { id: EVIDENCE.triggerId, userId: 'u1', accountId: 'a1', workflowId: ID, venue: 'paper', symbol: 'BTC-PERP', parameters, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false, ...changes };
}

export const FIRED = trigger({ status: 'FIRED', evidence: EVIDENCE, acknowledged: true });
const MARKET: TradingState = { market: { tickRule: { kind: 'step', step: '0.5' }, lot: '0.001', minQuantity: '0.001', minNotional: '10', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '0.5', mark: '59990', bid: '59989', ask: '59991', atMs: 3 };

function child(changes: Partial<Order>): SupervisedOrder {
  const { condition: _condition, ...terms } = INTENT;
  return supervisedView({
    ...terms, ...UNSUPERVISED, ...UNGROUPED, ...UNCONDITIONAL, id: childOrderId(CHILD, sha256Hex), clientOrderId: `${INTENT.id}.0.0`, type: 'market', timeInForce: 'IOC', venueOrderId: 'p1', filledQuantity: '0', leavesQuantity: '0', avgPrice: null, fee: '0', feeAsset: null,
    state: 'WORKING', reasonCode: null, reasonMessage: null, pendingCancel: false, pendingReplace: false, revision: 3, ownerWorkflowId: null, venueSeenAtMs: null, createdAt: AT, submittedAt: AT, acknowledgedAt: AT, triggeredAt: null, filledAt: null, canceledAt: null, closedAt: null, updatedAt: AT, ...changes,
  });
}

export const noted = { state: 'TRIGGERED', revision: 2 } as const;
const sentChild = { group: { items: [{ orderId: childOrderId(CHILD, sha256Hex), verdict: 'accepted' as const }], calls: [] }, openOrderIds: [], unsent: [] };

export async function started(client: Client, intent: OrderIntent = INTENT): Promise<void> {
  await new ConditionalGateway(client).place(intent);
}

/** The n-th child of a leg: its row. */
export const childAt = (leg: number, n: number, changes: Partial<Order>): SupervisedOrder => child({ id: childOrderId({ parentId: INTENT.id, leg, child: n }, sha256Hex), clientOrderId: `${INTENT.id}.${leg}.${n}`, ...changes });
export const hint = (client: Client, n = 0): Promise<void> => client.workflow.getHandle(ID).signal(orderChanged, { orderId: childOrderId({ ...CHILD, child: n }, sha256Hex), revision: 3 });
const ENTRY: OrderIntent = { ...INTENT, side: 'buy', reduceOnly: false, condition: { ...CONDITION, triggerPrice: '60000' } };
const ENTRY_FIRED: Trigger = { ...trigger({ status: 'FIRED', acknowledged: true }), parameters: triggerOf({ ...ENTRY, condition: CONDITION }) as Trigger['parameters'], evidence: { ...EVIDENCE, price: '60010' } };
export const BOTH = { ...CONDITION, execution: 'both' } as const;
export const canceling = { requestMutation: [{ verdict: 'accepted', attemptId: 't1', code: null, message: null, step: { kind: 'settled', verdict: 'applied', code: null, message: null } }] } as const;

export async function over(client: Client): Promise<string> {
  await ended(client.workflow.getHandle(ID));
  return ID;
}

async function crossed(client: Client): Promise<string> {
  await started(client);
  await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
  await client.workflow.getHandle(ID).signal(orderChanged, { orderId: childOrderId(CHILD, sha256Hex), revision: 3 });
  return over(client);
}

export const crossing = { recordConditional: [held()], armTrigger: [trigger()], acknowledgeTrigger: [FIRED], noteConditional: [noted], readTradingState: [MARKET], placeOrders: [sentChild] };

/** Its limit does not fill: the next step takes its place, and fills. Each end of a wait is a look too, so the limit is seen twice. */
function escalated(name: string, escalation: NonNullable<OrderIntent['condition']>['escalation'], next: Partial<Order>): Ending {
  const condition = { ...CONDITION, escalation };
  const limit = childAt(0, 0, { type: 'limit', limitPrice: '60000' });
  const limitEnded = childAt(0, 0, { type: 'limit', limitPrice: '60000', state: 'CANCELED', reasonCode: 'CANCELED_BY_USER' });
  return {
    workflow: 'conditionalOrder',
    ending: name,
    script: { ...crossing, ...canceling, recordConditional: [held({ limitPrice: '60000', condition })], readOrders: [[limit], [limit], [limitEnded], [limitEnded, childAt(0, 1, { ...next, state: 'FILLED', filledQuantity: '0.5', avgPrice: '59800' })]] },
    run: async (client) => {
      await started(client, { ...INTENT, type: 'stopLimit', limitPrice: '60000', condition });
      await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
      for (const [type, n] of [['order', 1], ['orderCancellation', 1], ['order', 2]] as const) {
        await begot(client, ID, type, n);
        await hint(client);
      }
      return over(client);
    },
  };
}

const REACHED_LATER: readonly Ending[] = [
  {
    workflow: 'conditionalOrder',
    ending: 'entry-ended-by-its-child',
    script: { ...crossing, acknowledgeTrigger: [ENTRY_FIRED], readOrders: [[childAt(0, 0, { state: 'REJECTED', reasonCode: 'VENUE_REJECTED', reasonMessage: 'no margin' })]] },
    run: async (client) => {
      await started(client, ENTRY);
      await client.workflow.getHandle(ID).signal(triggerCrossed, { ...EVIDENCE, price: '60010' });
      await begot(client, ID, 'order', 1);
      await hint(client);
      return over(client);
    },
  },
  {
    workflow: 'conditionalOrder',
    ending: 'filled-by-the-native-stop',
    script: { ...crossing, recordConditional: [held({ condition: BOTH })], readOrders: [[childAt(1, 0, { type: 'stopMarket', timeInForce: 'GTC' })], [childAt(1, 0, { type: 'stopMarket', state: 'PARTIALLY_FILLED', filledQuantity: '0.2', avgPrice: '59990', revision: 4 })], [childAt(1, 0, { type: 'stopMarket', state: 'FILLED', filledQuantity: '0.5', avgPrice: '59990', revision: 5 })]], disarmTrigger: [trigger({ status: 'DISARMED' })], ...canceling },
    run: async (client) => {
      await started(client, { ...INTENT, condition: BOTH });
      await begot(client, ID, 'order', 1);
      for (let n = 0; n < 3; n += 1) await hint(client);
      return over(client);
    },
  },
  escalated('escalated-to-chase', { chaseAfterMs: 300, marketAfterMs: null, slippageBps: 100 }, { type: 'limit', timeInForce: 'GTC', limitPrice: '59991' }),
  escalated('escalated-to-market', { chaseAfterMs: null, marketAfterMs: 300, slippageBps: 100 }, { type: 'limit', timeInForce: 'IOC', limitPrice: '59400' }),
  {
    workflow: 'conditionalOrder',
    ending: 'continued-as-new',
    script: { recordConditional: [held()], armTrigger: [trigger()], amendTrigger: [trigger({ revision: 2 })], amendConditional: [{ verdict: 'applied', code: null, message: null }], noteConditional: [noted] },
    run: async (client) => {
      await started(client);
      let isOver = false;
      const first = continued(client, ID).finally(() => (isOver = true));
      for (let revision = 1; !isOver; revision += 1) await new ConditionalGateway(client).amend({ ownerWorkflowId: ID } as Order, revision, { triggerPrice: String(60_000 + revision) });
      return first;
    },
  },
  {
    // A restored database fired the level of before the amendment: another trigger takes its place, and no child is in the script.
    workflow: 'conditionalOrder',
    ending: 'fired-by-older-terms-then-canceled',
    script: {
      recordConditional: [held()], amendConditional: [{ verdict: 'applied', code: null, message: null }], acknowledgeTrigger: [FIRED], noteConditional: [{ state: 'ARMED', revision: 3 }],
      armTrigger: [trigger(), trigger({ revision: 2 }), trigger({ id: `${INTENT.id}/1` })], amendTrigger: [trigger({ revision: 2 }), trigger({ id: `${INTENT.id}/1`, revision: 2 })], disarmTrigger: [trigger({ id: `${INTENT.id}/1`, status: 'DISARMED' })],
    },
    run: async (client) => {
      await started(client);
      const gateway = new ConditionalGateway(client);
      const order = { ownerWorkflowId: ID } as Order;
      await gateway.amend(order, 1, { triggerPrice: '59000' });
      const handle = client.workflow.getHandle(ID);
      await handle.signal(triggerCrossed, EVIDENCE);
      await until(async () => (await handle.query(standingOrder))?.triggerId === `${INTENT.id}/1`);
      await gateway.cancel(order);
      return over(client);
    },
  },
  {
    workflow: 'conditionalOrder',
    ending: 'canceled-in-temporal',
    script: { recordConditional: [held()], armTrigger: [trigger()] },
    run: async (client) => started(client).then(() => canceledWaiting(client, ID)),
  },
];

export const CONDITIONAL_ENDINGS: readonly Ending[] = [
  ...REACHED_LATER,
  { workflow: 'conditionalOrder', ending: 'denied', script: { recordConditional: [{ verdict: 'denied', held: null, nativeExpiresAfterMs: null }] }, run: async (client) => started(client).then(() => over(client)) },
  { workflow: 'conditionalOrder', ending: 'duplicate', script: { recordConditional: [{ verdict: 'duplicate', held: null, nativeExpiresAfterMs: null }] }, run: async (client) => started(client).then(() => over(client)) },
  { workflow: 'conditionalOrder', ending: 'triggered-then-filled', script: { ...crossing, readOrders: [[child({ state: 'FILLED', filledQuantity: '0.5', avgPrice: '59990' })]] }, run: crossed },
  { workflow: 'conditionalOrder', ending: 'triggered-with-nothing-to-exit', script: { ...crossing, readOrders: [[child({ state: 'DENIED', reasonCode: 'RISK_NOTHING_TO_REDUCE', reasonMessage: 'there is no position' })]] }, run: crossed },
  {
    // A task that Temporal lost ended its row: the price that this run hears of first fires nothing, and no child is in the script.
    workflow: 'conditionalOrder',
    ending: 'ended-before-it-fired',
    script: { recordConditional: [held()], armTrigger: [trigger()], acknowledgeTrigger: [FIRED], noteConditional: [{ state: 'CANCELED', revision: 4 }] },
    run: async (client) => {
      await started(client);
      await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
      return over(client);
    },
  },
  {
    workflow: 'conditionalOrder',
    ending: 'amended-then-canceled-while-armed',
    script: { recordConditional: [held()], armTrigger: [trigger()], amendTrigger: [trigger({ revision: 2 })], amendConditional: [{ verdict: 'applied', code: null, message: null }], noteConditional: [noted], disarmTrigger: [trigger({ status: 'DISARMED' })] },
    run: async (client) => {
      await started(client);
      const gateway = new ConditionalGateway(client);
      const order = { ownerWorkflowId: ID } as Order;
      await gateway.amend(order, 1, { triggerPrice: '61000' });
      await gateway.cancel(order);
      return over(client);
    },
  },
  {
    // Its trigger was armed by the transaction that accepted it: its workflow arms none.
    workflow: 'conditionalOrder',
    ending: 'armed-with-its-row-then-filled',
    script: { ...crossing, armTrigger: [], recordConditional: [held({ armedRevision: 1 })], readOrders: [[child({ state: 'FILLED', filledQuantity: '0.5', avgPrice: '59990' })]] },
    run: crossed,
  },
  {
    workflow: 'conditionalOrder',
    ending: 'expired-while-armed',
    script: { recordConditional: [held({ condition: { ...CONDITION, expireTime: AT } })], armTrigger: [trigger()], noteConditional: [noted], disarmTrigger: [trigger({ status: 'DISARMED' })] },
    run: async (client) => started(client).then(() => over(client)),
  },
];
