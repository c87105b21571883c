/** Every ending of a conditional order. */
import type { Client } from '@temporalio/client';
import type { HeldOrderView, RecordConditionalResult } from '../../src/activities/conditional-activities';
import { sha256Hex } from '../../src/api/canonical-json';
import { childOrderId } from '../../src/domain/client-ids';
import { UNCONDITIONAL, UNSUPERVISED, type Order, type OrderIntent } from '../../src/domain/order';
import { supervisedView, type SupervisedOrder, type TradingState } from '../../src/domain/supervised-order';
import { triggerOf, type Trigger, type TriggerEvidence } from '../../src/domain/trigger';
import { ConditionalGateway } from '../../src/temporal/conditional-gateway';
import { conditionalWorkflowId } from '../../src/temporal/workflow-ids';
import { orderChanged, triggerCrossed } from '../../src/workflows/messages';
import { ended, type Ending } from './executions';

const AT = '2026-01-01T00:00:00.000Z';
const CONDITION = { ...UNCONDITIONAL, execution: 'durable', triggerPrice: '60000', triggerPriceType: 'mark', gapPolicy: 'traded' } as const;

const INTENT: OrderIntent = {
  id: '00000000-0000-4000-8000-000000000009', userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: 'stop-1', venueClientId: 'v9', venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
  side: 'sell', type: 'stopMarket', timeInForce: 'GTC', quantity: '0.5', limitPrice: null, postOnly: false, reduceOnly: true, origin: 'API', placeBefore: AT, idempotency: null, condition: CONDITION,
};
const ID = conditionalWorkflowId('a1', 'stop-1');
const CHILD = { parentId: INTENT.id, leg: 0, child: 0 };

const held = (changes: Partial<HeldOrderView> = {}): RecordConditionalResult => ({
  verdict: 'accepted',
  held: { state: 'ARMED', quantity: '0.5', limitPrice: null, condition: CONDITION, pendingCancel: false, triggeredAtMs: null, revision: 1, children: [], ...changes },
  nativeExpiresAfterMs: null,
});

const EVIDENCE: TriggerEvidence = {
  triggerId: `${INTENT.id}/0`, revision: 1, price: '59990', priceType: 'mark', source: 'paper', backup: false, origin: 'stream', extreme: null, level: '60000', atMs: 1, observedAtMs: 2, sequence: 3, scope: 'market/paper', epoch: 1,
};

function trigger(changes: Partial<Trigger> = {}): Trigger {
  const parameters = triggerOf({ ...INTENT, condition: CONDITION });
  if (parameters === null) throw new Error('the stop has a trigger');
  return { id: EVIDENCE.triggerId, userId: 'u1', accountId: 'a1', workflowId: ID, venue: 'paper', symbol: 'BTC-PERP', parameters, revision: 1, status: 'ARMED', extreme: null, armedAtMs: 1, checkpointAtMs: 1, evidence: null, acknowledged: false, ...changes };
}

const FIRED = trigger({ status: 'FIRED', evidence: EVIDENCE, acknowledged: true });
const MARKET: TradingState = { market: { tickRule: { kind: 'step', step: '0.5' }, lot: '0.001', minQuantity: '0.001', minNotional: '10', venueSymbol: 'BTC-PERP', status: 'open' }, signerId: 's1', position: '0.5', mark: '59990', bid: '59989', ask: '59991', atMs: 3 };

function child(changes: Partial<Order>): SupervisedOrder {
  const { condition: _condition, ...terms } = INTENT;
  return supervisedView({
    ...terms, ...UNSUPERVISED, ...UNCONDITIONAL, id: childOrderId(CHILD, sha256Hex), clientOrderId: `${INTENT.id}.0.0`, type: 'market', timeInForce: 'IOC', venueOrderId: 'p1', filledQuantity: '0', leavesQuantity: '0', avgPrice: null, fee: '0', feeAsset: null,
    state: 'WORKING', reasonCode: null, reasonMessage: null, pendingCancel: false, pendingReplace: false, revision: 3, ownerWorkflowId: null, venueSeenAtMs: null, createdAt: AT, submittedAt: AT, acknowledgedAt: AT, triggeredAt: null, filledAt: null, canceledAt: null, closedAt: null, updatedAt: AT, ...changes,
  });
}

const noted = { state: 'TRIGGERED', revision: 2 } as const;
const sentChild = { group: { items: [{ orderId: childOrderId(CHILD, sha256Hex), verdict: 'accepted' as const }], calls: [] }, openOrderIds: [], unsent: [] };

async function started(client: Client): Promise<void> {
  await new ConditionalGateway(client).place(INTENT);
}

async function over(client: Client): Promise<string> {
  await ended(client.workflow.getHandle(ID));
  return ID;
}

async function crossed(client: Client): Promise<string> {
  await started(client);
  await client.workflow.getHandle(ID).signal(triggerCrossed, EVIDENCE);
  await client.workflow.getHandle(ID).signal(orderChanged, { orderId: childOrderId(CHILD, sha256Hex), revision: 3 });
  return over(client);
}

const crossing = { recordConditional: [held()], armTrigger: [trigger()], acknowledgeTrigger: [FIRED], noteConditional: [noted], readTradingState: [MARKET], placeOrders: [sentChild] };

export const CONDITIONAL_ENDINGS: readonly Ending[] = [
  { workflow: 'conditionalOrder', ending: 'denied', script: { recordConditional: [{ verdict: 'denied', held: null, nativeExpiresAfterMs: null }] }, run: async (client) => started(client).then(() => over(client)) },
  { workflow: 'conditionalOrder', ending: 'duplicate', script: { recordConditional: [{ verdict: 'duplicate', held: null, nativeExpiresAfterMs: null }] }, run: async (client) => started(client).then(() => over(client)) },
  { workflow: 'conditionalOrder', ending: 'triggered-then-filled', script: { ...crossing, readOrders: [[child({ state: 'FILLED', filledQuantity: '0.5', avgPrice: '59990' })]] }, run: crossed },
  { workflow: 'conditionalOrder', ending: 'triggered-with-nothing-to-exit', script: { ...crossing, readOrders: [[child({ state: 'DENIED', reasonCode: 'RISK_NOTHING_TO_REDUCE', reasonMessage: 'there is no position' })]] }, run: crossed },
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
    workflow: 'conditionalOrder',
    ending: 'expired-while-armed',
    script: { recordConditional: [held({ condition: { ...CONDITION, expireTime: AT } })], armTrigger: [trigger()], noteConditional: [noted], disarmTrigger: [trigger({ status: 'DISARMED' })] },
    run: async (client) => started(client).then(() => over(client)),
  },
];
