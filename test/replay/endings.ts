/**
 * Every ending of every workflow, each with the answers of its activities and what happens to it from outside. One
 * committed history each: histories/<workflow>/<ending>.json, made by record-histories.ts.
 */
import type { Client } from '@temporalio/client';
import type { OrderIntent } from '../../src/domain/order';
import type { PlaceOrdersResult } from '../../src/activities/order-activities';
import type { MutationIntent, RecordedGroup } from '../../src/domain/order-store';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { OrderGateway } from '../../src/temporal/order-gateway';
import { ensureAccountWatched, ensureMarketWatched, startResolution } from '../../src/temporal/watching';
import { amendmentIdOf } from '../../src/temporal/amendments';
import { accountWorkflowId, cancellationWorkflowId, marketWatchWorkflowId, orderWorkflowId, resolutionWorkflowId } from '../../src/temporal/workflow-ids';
import { accountStatusChanged, awaitMutation, reconcileRequested } from '../../src/workflows/messages';
import { DEPOSIT_ENDINGS } from './deposit-endings';
import { ALERT_ENDINGS } from './alert-endings';
import { BACKGROUND_ENDINGS } from './background-endings';
import { COLLATERAL_ENDINGS } from './collateral-endings';
import { FUNDED_ORDER_ENDINGS } from './funded-order-endings';
import { CONDITIONAL_ENDINGS } from './conditional-endings';
import { CONDITIONAL_RULE_ENDINGS } from './conditional-rule-endings';
import { canceled, continued, ended, scheduled, until, type Ending } from './executions';
import { STORE_GUARD_ENDINGS } from './store-guard-endings';
import { ORDER_LIST_ENDINGS } from './order-list-endings';
import { ORDER_LIST_RULE_ENDINGS } from './order-list-rule-endings';
import { STRATEGY_ENDINGS } from './strategy-endings';
import { SUPERVISION_ENDINGS } from './supervision-endings';
import { WITHDRAWAL_ENDINGS } from './withdrawal-endings';
import { WEBHOOK_ENDINGS } from './webhook-endings';

const AT = '2026-01-01T00:00:00.000Z';

function intent(n: number): OrderIntent {
  return {
    id: `00000000-0000-4000-8000-00000000000${n}`, userId: 'u1', accountId: 'a1', signerId: 's1', clientOrderId: `c${n}`, venueClientId: `v${n}`, venue: 'paper', symbol: 'BTC-PERP', venueSymbol: 'BTC-PERP',
    side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.5', limitPrice: '61250', postOnly: false, reduceOnly: false, origin: 'API', placeBefore: AT, idempotency: null,
  };
}

function mutation(kind: 'amend' | 'cancel'): MutationIntent {
  return { id: `m-${kind}`, kind, userId: 'u1', accountId: 'a1', venue: 'paper', orderId: intent(1).id, expectedRevision: kind === 'amend' ? 2 : null, limitPrice: kind === 'amend' ? '61000' : null, quantity: null, sendBefore: AT };
}

/** All of them accepted, in one venue call. */
function accepted(...intents: readonly OrderIntent[]): RecordedGroup {
  const orderIds = intents.map((each) => each.id);
  return { items: orderIds.map((orderId) => ({ orderId, verdict: 'accepted' })), calls: [{ attemptId: 't1', venue: 'paper', accountId: 'a1', orderIds, exit: false }] };
}

/** Sent with the recording; these orders of it are open. */
const sent = (group: RecordedGroup, ...openOrderIds: string[]): PlaceOrdersResult => ({ group, openOrderIds, unsent: [] });

const gateway = (client: Client): OrderGateway => new OrderGateway(client, () => ({ strictNonces: false, maxBatchSize: 20 }), { nowMs: () => 0 });
const pending = (tries: number) => ({ kind: 'pending', askAgainInMs: 20, memory: { finalAbsences: 0, tries } }) as const;
const settled = { kind: 'settled', state: 'WORKING' } as const;

async function placed(client: Client, ...intents: readonly OrderIntent[]): Promise<string> {
  const [first] = intents;
  if (first === undefined) throw new Error('nothing to place');
  await gateway(client).place(intents);
  if (intents.length === 1) return orderWorkflowId(first.accountId, first.clientOrderId);
  for await (const { workflowId } of client.workflow.list({ query: `WorkflowType = 'order'` })) if (workflowId.startsWith('orders/')) return workflowId;
  throw new Error('the group\'s workflow is not listed');
}

const OVER_TWO_ACCOUNTS: RecordedGroup = {
  items: [intent(1), intent(2), intent(3)].map((each) => ({ orderId: each.id, verdict: each.clientOrderId === 'c3' ? 'denied' : 'accepted' })),
  calls: [
    { attemptId: 't1', venue: 'paper', accountId: 'a1', orderIds: [intent(1).id], exit: false },
    { attemptId: 't2', venue: 'paper', accountId: 'a2', orderIds: [intent(2).id], exit: false },
  ],
};

const order: Ending[] = [
  { workflow: 'order', ending: 'acknowledged', script: { placeOrders: [sent(accepted(intent(1)))] }, run: (client) => placed(client, intent(1)) },
  { workflow: 'order', ending: 'denied', script: { placeOrders: [sent({ items: [{ orderId: intent(1).id, verdict: 'denied' }], calls: [] })] }, run: (client) => placed(client, intent(1)) },
  { workflow: 'order', ending: 'duplicate', script: { placeOrders: [sent({ items: [{ orderId: intent(1).id, verdict: 'duplicate' }], calls: [] })] }, run: (client) => placed(client, intent(1)) },
  {
    workflow: 'order',
    ending: 'group-over-two-accounts',
    script: {
      placeOrders: [sent(OVER_TWO_ACCOUNTS)],
    },
    run: (client) => placed(client, intent(1), intent(2), intent(3)),
  },
  {
    workflow: 'order',
    ending: 'sent-by-activities-of-their-own',
    script: { placeOrders: [{ group: OVER_TWO_ACCOUNTS, openOrderIds: [], unsent: OVER_TWO_ACCOUNTS.calls }], sendAttempt: [{ openOrderIds: [] }] },
    run: (client) => placed(client, intent(1), intent(2), intent(3)),
  },
  {
    workflow: 'order',
    ending: 'unknown-then-settled',
    script: { placeOrders: [sent(accepted(intent(1), intent(2)), intent(1).id, intent(2).id)], resolveOrder: [pending(1), pending(1), pending(2), settled] },
    run: async (client) => {
      const id = await placed(client, intent(1), intent(2));
      await ended(client.workflow.getHandle(id));
      return id;
    },
  },
  {
    workflow: 'order',
    ending: 'waited-for-its-signer',
    script: { placeOrders: [sent({ ...accepted(intent(1)), calls: [] })], resolveOrder: [pending(1), settled] },
    run: async (client) => {
      const id = await placed(client, intent(1));
      await ended(client.workflow.getHandle(id));
      return id;
    },
  },
  {
    workflow: 'order',
    ending: 'left-to-the-sweeper',
    script: { placeOrders: [sent(accepted(intent(1)), intent(1).id)], resolveOrder: [pending(1)] },
    run: async (client) => {
      const id = await placed(client, intent(1));
      await ended(client.workflow.getHandle(id));
      return id;
    },
  },
  {
    workflow: 'order',
    ending: 'canceled-while-resolving',
    script: { placeOrders: [sent(accepted(intent(1)), intent(1).id)], resolveOrder: [{ ...pending(1), askAgainInMs: 60_000 }] },
    run: async (client) => canceled(client, await placed(client, intent(1)), 'resolveOrder'),
  },
];

function mutations(kind: 'amend' | 'cancel'): Ending[] {
  const workflow = kind === 'amend' ? 'orderAmendment' : 'orderCancellation';
  const recorded = { verdict: 'accepted', attemptId: 't1', code: null, message: null } as const;
  const applied = { kind: 'settled', verdict: 'applied', code: null, message: null } as const;
  const refused = { kind: 'settled', verdict: 'refused', code: 'ORDER_CLOSED', message: 'the order is FILLED' } as const;
  const open = { kind: 'open', askAgainInMs: 20 } as const;
  const id = kind === 'amend' ? amendmentIdOf(mutation(kind)) : cancellationWorkflowId(intent(1).id);
  const run = async (client: Client): Promise<string> => {
    await gateway(client)[kind](mutation(kind), `${kind} c1`, 'BTC-PERP');
    await ended(client.workflow.getHandle(id));
    return id;
  };
  return [
    { workflow, ending: 'applied', script: { requestMutation: [{ ...recorded, step: applied }] }, run },
    { workflow, ending: 'refused', script: { requestMutation: [{ ...recorded, step: refused }] }, run },
    { workflow, ending: 'denied', script: { requestMutation: [{ verdict: 'denied', attemptId: null, code: 'CONFLICT', message: 'another one is under way', step: null }] }, run },
    { workflow, ending: 'nothing-to-do', script: { requestMutation: [{ verdict: 'nothingToDo', attemptId: null, code: 'ORDER_CLOSED', message: 'the order is FILLED', step: null }] }, run },
    { workflow, ending: 'sent-by-an-activity-of-its-own', script: { requestMutation: [{ ...recorded, step: null }], sendMutation: [applied] }, run },
    { workflow, ending: 'open-then-applied', script: { requestMutation: [{ ...recorded, step: open }], settleMutation: [open, open, applied] }, run },
    {
      workflow,
      ending: 'continued-as-new-while-open',
      script: { requestMutation: [{ ...recorded, step: open }], settleMutation: [open] },
      run: async (client) => {
        await gateway(client)[kind](mutation(kind), `${kind} c1`, 'BTC-PERP');
        return continued(client, id);
      },
    },
    {
      // Its second execution: whoever asks hears at once that it is pending.
      workflow,
      ending: 'continued-then-applied',
      script: { settleMutation: [open, applied] },
      run: async (client) => {
        await client.workflow.start(workflow, { workflowId: id, taskQueue: TASK_QUEUES.orders, args: [{ intent: mutation(kind), memory: { tries: 2, askAgainInMs: 20 } }] });
        await client.workflow.getHandle(id).executeUpdate(awaitMutation).catch(() => undefined);
        await ended(client.workflow.getHandle(id));
        return id;
      },
    },
    { workflow, ending: 'open-then-refused', script: { requestMutation: [{ ...recorded, step: null }], sendMutation: [open], settleMutation: [refused] }, run },
  ];
}

const RESOLUTION_ID = resolutionWorkflowId(intent(1).id, 1);

async function resolved(client: Client): Promise<string> {
  await startResolution(client, intent(1).id, 1, 'its owner is not running');
  await ended(client.workflow.getHandle(RESOLUTION_ID));
  return RESOLUTION_ID;
}

const resolution: Ending[] = [
  { workflow: 'orderResolution', ending: 'settled', script: { resolveOrder: [settled], resolveMutations: [{ askAgainInMs: null }] }, run: resolved },
  { workflow: 'orderResolution', ending: 'asked-again-then-settled', script: { resolveOrder: [pending(1), pending(2), settled], resolveMutations: [{ askAgainInMs: 20 }, { askAgainInMs: 20 }, { askAgainInMs: null }] }, run: resolved },
  {
    workflow: 'orderResolution',
    ending: 'continued-as-new',
    script: { resolveOrder: [pending(1)], resolveMutations: [{ askAgainInMs: null }] },
    run: async (client) => {
      await startResolution(client, intent(1).id, 1, 'its owner is not running');
      return continued(client, RESOLUTION_ID);
    },
  },
  {
    workflow: 'orderResolution',
    ending: 'canceled',
    script: { resolveOrder: [{ ...pending(1), askAgainInMs: 60_000 }] },
    run: async (client) => {
      await startResolution(client, intent(1).id, 1, 'its owner is not running');
      return canceled(client, RESOLUTION_ID, 'resolveOrder');
    },
  },
];

const ACCOUNT_ID = accountWorkflowId('a1');
const watched = (client: Client): Promise<void> => ensureAccountWatched(client, { id: 'a1', venue: 'paper', name: 'main' });

const account: Ending[] = [
  {
    workflow: 'account',
    ending: 'account-removed',
    script: { watchAccount: [{ ended: 'stopped' }, { ended: 'replaced' }, { ended: 'noAccount' }] },
    run: async (client) => {
      await watched(client);
      await ended(client.workflow.getHandle(ACCOUNT_ID));
      return ACCOUNT_ID;
    },
  },
  {
    workflow: 'account',
    ending: 'halted-then-released',
    script: { watchAccount: [{ ended: 'keyRevoked' }, { ended: 'noAccount' }] },
    run: async (client) => {
      await watched(client);
      const handle = client.workflow.getHandle(ACCOUNT_ID);
      await until(async () => (await handle.query<{ phase: string }>('accountWatch')).phase === 'halted');
      await handle.signal(accountStatusChanged, { status: 'HALTED', reason: 'still' });
      await handle.signal(accountStatusChanged, { status: 'ACTIVE', reason: null });
      await ended(handle);
      return ACCOUNT_ID;
    },
  },
  {
    workflow: 'account',
    ending: 'reconciled-on-request',
    script: { watchAccount: ['hang', { ended: 'noAccount' }] },
    run: async (client) => {
      await watched(client);
      await scheduled(client, ACCOUNT_ID, 'watchAccount', 1);
      await client.workflow.getHandle(ACCOUNT_ID).signal(reconcileRequested, { reason: 'an operator asked' });
      await ended(client.workflow.getHandle(ACCOUNT_ID));
      return ACCOUNT_ID;
    },
  },
  {
    workflow: 'account',
    ending: 'continued-as-new',
    script: { watchAccount: [{ ended: 'stopped' }] },
    run: async (client) => {
      await watched(client);
      return continued(client, ACCOUNT_ID);
    },
  },
  {
    workflow: 'account',
    ending: 'canceled',
    script: { watchAccount: ['hang'] },
    run: async (client) => {
      await watched(client);
      return canceled(client, ACCOUNT_ID, 'watchAccount');
    },
  },
];

const MARKETS_ID = marketWatchWorkflowId('paper');

const marketWatch: Ending[] = [
  {
    workflow: 'marketWatch',
    ending: 'continued-as-new',
    script: {},
    run: async (client) => {
      await ensureMarketWatched(client, 'paper');
      return continued(client, MARKETS_ID);
    },
  },
  {
    workflow: 'marketWatch',
    ending: 'canceled',
    script: { watchMarkets: ['hang'] },
    run: async (client) => {
      await ensureMarketWatched(client, 'paper');
      return canceled(client, MARKETS_ID, 'watchMarkets');
    },
  },
];

export const ENDINGS: readonly Ending[] = [...order, ...mutations('amend'), ...mutations('cancel'), ...resolution, ...account, ...marketWatch, ...CONDITIONAL_ENDINGS, ...CONDITIONAL_RULE_ENDINGS, ...BACKGROUND_ENDINGS, ...STORE_GUARD_ENDINGS, ...WEBHOOK_ENDINGS, ...ALERT_ENDINGS, ...DEPOSIT_ENDINGS, ...COLLATERAL_ENDINGS, ...WITHDRAWAL_ENDINGS, ...FUNDED_ORDER_ENDINGS, ...SUPERVISION_ENDINGS, ...STRATEGY_ENDINGS, ...ORDER_LIST_ENDINGS, ...ORDER_LIST_RULE_ENDINGS];
