/** Triggers in the store's tests: lists that have some, and what fires one. */
import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../src/domain/account';
import { legTrigger, legTriggerId, type LegTerms, type OrderList, type OrderListLeg } from '../../src/domain/order-list';
import type { LegAmendment } from '../../src/domain/order-list-commands';
import type { Trigger, TriggerEvidence, TriggerParameters } from '../../src/domain/trigger';
import { exitLeg } from './list-legs';
import { SYMBOL, type StoreWorld } from './store/harness';

/** Its watcher has seen this price. */
export async function fireTrigger(store: StoreWorld['store'], trigger: Trigger | null, price: string): Promise<void> {
  if (trigger === null) throw new Error('it was not armed');
  const writer = await store.watching.takeEpoch(`market/${trigger.id}`, 'first');
  const level = trigger.parameters.triggerPrice ?? '';
  const evidence: TriggerEvidence = { triggerId: trigger.id, revision: trigger.revision, price, priceType: trigger.parameters.priceType, source: trigger.venue, backup: false, origin: 'stream', extreme: null, level, atMs: 1, observedAtMs: 2, sequence: 3, scope: writer.scope, epoch: writer.epoch };
  expect((await store.triggers.fire(writer, evidence)).verdict).toBe('fired');
}

/** What tests of the triggers of lists do with them. */
export function listTriggers(current: () => StoreWorld) {
  const leg = (account: Account, n: number, terms: Partial<LegTerms> = {}): OrderListLeg => exitLeg(account, n, { quantity: '10', limitPrice: '3', ...terms });

  const STOP = { type: 'stopMarket', limitPrice: null, triggerPrice: '1', triggerPriceType: 'last', gapPolicy: 'traded' } as const;

  async function listOf(account: Account, type: OrderList['type'], legs: readonly OrderListLeg[], change: Partial<OrderList> = {}): Promise<OrderList> {
    const id = randomUUID();
    const made = await current().store.orderLists.create({ id, clientListId: `c-${id}`, userId: account.userId, accountId: account.id, venue: account.venue, symbol: SYMBOL, type, legs, expireTime: null, timeLimitMs: null, breakEvenAfter: null, ownerWorkflowId: `order-list/${id}` }, null);
    return { ...made, ...change };
  }

  const exits = (account: Account): Promise<OrderList> => listOf(account, 'OUO', [leg(account, 0), leg(account, 1, STOP)]);
  const bracket = (account: Account): Promise<OrderList> => listOf(account, 'BRACKET', [leg(account, 0, { role: 'entry', side: 'buy', reduceOnly: false, limitPrice: '2' }), leg(account, 1, { role: 'takeProfit' }), leg(account, 2, { ...STOP, role: 'stop' })]);
  const legAt = (list: OrderList, n: number): OrderListLeg => list.legs[n] as OrderListLeg;

  /** As its workflow does it: it decided by the list that it read. */
  const arm = (list: OrderList, n: number, parameters: TriggerParameters | null = legTrigger(legAt(list, n)), id = legTriggerId(list.id, legAt(list, n))): Promise<Trigger | null> =>
    current().store.orderLists.armTrigger(list.id, { id, userId: list.userId, accountId: list.accountId, workflowId: list.ownerWorkflowId, venue: list.venue, symbol: list.symbol, parameters: parameters as TriggerParameters });
  const amend = (list: OrderList, ...legs: readonly LegAmendment[]): Promise<OrderList> => current().store.orderLists.command(list.id, list.userId, { kind: 'amend', expectedRevision: list.revision, legs });
  const triggerOfLeg = async (list: OrderList, n: number): Promise<Trigger | null> => (await current().store.triggers.byIds([legTriggerId(list.id, legAt(list, n))]))[0] ?? null;

  const fire = (trigger: Trigger | null, price: string): Promise<void> => fireTrigger(current().store, trigger, price);
  return { listOf, exits, bracket, legAt, arm, amend, triggerOfLeg, fire };
}
