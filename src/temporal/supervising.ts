/** Starts and tells the workflows of strategies, kill switches and dead-man switches. Starting one that runs already is no error. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { DomainError } from '../domain/errors';
import type { KillSwitch } from '../domain/kill-switch';
import { accountsOfList, type OrderList } from '../domain/order-list';
import { describeOrderList } from '../domain/order-summary';
import type { Strategy } from '../domain/strategy';
import { heartbeatChanged, killSwitchChanged, orderListChanged, strategyChanged, type DeadManInput, type KillSwitchInput, type OrderListInput, type StrategyInput } from '../workflows/messages';
import { ACCOUNT_ID, fittingKeywords, MARKET, ORDER_KIND, ORDER_STATE, VENUE } from './search-attributes';
import { TASK_QUEUES } from './task-queues';
import { ensure } from './watching';
import { isSilence } from './update-with-start';
import { deadManWorkflowId, killSwitchWorkflowId, orderListWorkflowId, strategyWorkflowId } from './workflow-ids';

export async function ensureStrategy(client: Client, strategy: Strategy): Promise<void> {
  const input: StrategyInput = { strategyId: strategy.id, seen: { strategy, children: [] } };
  await ensure(client, strategy.type, {
    workflowId: strategyWorkflowId(strategy.id),
    taskQueue: TASK_QUEUES.orders,
    args: [input],
    staticSummary: `${strategy.type}: ${strategy.side} ${strategy.quantity} ${strategy.symbol} on ${strategy.venue}`,
    typedSearchAttributes: [
      { key: ACCOUNT_ID, value: [strategy.accountId] },
      { key: VENUE, value: strategy.venue },
      { key: MARKET, value: [strategy.symbol] },
      { key: ORDER_KIND, value: strategy.type },
    ],
  });
}

/** A hint: one that has ended, or is not reached, reads its row by itself. */
export async function tellStrategy(client: Client, strategyId: string, revision: number): Promise<void> {
  await unlessEnded(() => client.workflow.getHandle(strategyWorkflowId(strategyId)).signal(strategyChanged, { revision }));
}

export async function ensureOrderList(client: Client, list: OrderList): Promise<void> {
  const input: OrderListInput = { listId: list.id, seen: { list, children: [] } };
  await ensure(client, 'orderList', {
    workflowId: orderListWorkflowId(list.id),
    taskQueue: TASK_QUEUES.orders,
    args: [input],
    staticSummary: describeOrderList(list),
    typedSearchAttributes: [
      { key: ACCOUNT_ID, value: fittingKeywords(accountsOfList(list)) },
      { key: VENUE, value: list.venue },
      { key: MARKET, value: fittingKeywords(list.legs.map(({ symbol }) => symbol)) },
      { key: ORDER_KIND, value: list.type.toLowerCase() },
      { key: ORDER_STATE, value: list.state },
    ],
  });
}

/** A hint: one that has ended, or is not reached, reads its row by itself. */
export async function tellOrderList(client: Client, listId: string, revision: number): Promise<void> {
  await unlessEnded(() => client.workflow.getHandle(orderListWorkflowId(listId)).signal(orderListChanged, { revision }));
}

export async function ensureKillSwitch(client: Client, { id, userId, scope, mode, venue, accountId, reason }: KillSwitch): Promise<void> {
  const input: KillSwitchInput = { killSwitchId: id, latched: { id, userId, scope, accountId, venue, mode, reason } };
  const of = scope === 'all' ? 'everything' : `${scope} ${accountId ?? venue ?? ''}`;
  await ensure(client, 'killSwitch', { workflowId: killSwitchWorkflowId(id), taskQueue: TASK_QUEUES.orders, args: [input], staticSummary: `${mode} ${of} until it is released` });
}

export async function tellKillSwitch(client: Client, id: string): Promise<void> {
  await unlessEnded(() => client.workflow.getHandle(killSwitchWorkflowId(id)).signal(killSwitchChanged));
}

export async function ensureDeadMan(client: Client, accountId: string): Promise<void> {
  const input: DeadManInput = { accountId };
  await ensure(client, 'deadMan', { workflowId: deadManWorkflowId(accountId), taskQueue: TASK_QUEUES.orders, args: [input], staticSummary: `cancels the orders of account ${accountId} when it falls silent`, typedSearchAttributes: [{ key: ACCOUNT_ID, value: [accountId] }] });
}

/** Starts it where it does not run, and has it look at the deadline, which is earlier than the one it waits for. */
export async function tellDeadMan(client: Client, accountId: string): Promise<void> {
  const input: DeadManInput = { accountId };
  await client.workflow.signalWithStart('deadMan', {
    workflowId: deadManWorkflowId(accountId), taskQueue: TASK_QUEUES.orders, args: [input], signal: heartbeatChanged, signalArgs: [],
    staticSummary: `cancels the orders of account ${accountId} when it falls silent`, typedSearchAttributes: [{ key: ACCOUNT_ID, value: [accountId] }],
  });
}

/** For callers: what is recorded is recorded, and is carried out once Temporal is back. */
export async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (!isSilence(error)) throw error;
    throw new DomainError('SERVICE_UNAVAILABLE', 'Temporal did not answer: it is recorded, and carried out once Temporal is back', { outcome: 'applied', retryAfterSeconds: 1, cause: error });
  }
}

async function unlessEnded(signal: () => Promise<void>): Promise<void> {
  try {
    await signal();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}
