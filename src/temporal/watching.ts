/** Starts the long-lived workflows that hold sockets. Starting one that runs already is no error. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Account } from '../domain/account';
import { isRunning } from './executions';
import { ACCOUNT_ID, VENUE } from './search-attributes';
import { TASK_QUEUES, WORKFLOW_TASK_TIMEOUT_MS } from './task-queues';
import { accountWorkflowId, marketWatchWorkflowId, resolutionWorkflowId, STORE_GUARD_WORKFLOW_ID, SWEEPER_WORKFLOW_ID } from './workflow-ids';
import { accountStatusChanged, reconcileRequested, storeDoubted, type AccountInput, type MarketWatchInput, type OrderResolutionInput, type StoreGuardInput, type SweeperInput } from '../workflows/messages';

export async function ensureAccountWatched(client: Client, account: Pick<Account, 'id' | 'venue' | 'name'>): Promise<void> {
  const input: AccountInput = { accountId: account.id, venue: account.venue };
  await ensureGoesOn(client, 'account', {
    workflowId: accountWorkflowId(account.id),
    taskQueue: TASK_QUEUES.accounts,
    args: [input],
    staticSummary: `account ${account.name} on ${account.venue}`,
    typedSearchAttributes: [
      { key: ACCOUNT_ID, value: [account.id] },
      { key: VENUE, value: account.venue },
    ],
  });
}

export async function ensureMarketWatched(client: Client, venue: string): Promise<void> {
  const input: MarketWatchInput = { venue };
  await ensureGoesOn(client, 'marketWatch', {
    workflowId: marketWatchWorkflowId(venue),
    taskQueue: TASK_QUEUES.accounts,
    args: [input],
    staticSummary: `market data of ${venue}`,
    typedSearchAttributes: [{ key: VENUE, value: venue }],
  });
}

export async function ensureSweeper(client: Client, input: SweeperInput): Promise<void> {
  await ensureGoesOn(client, 'sweeper', { workflowId: SWEEPER_WORKFLOW_ID, taskQueue: TASK_QUEUES.background, args: [input], staticSummary: 'looks for orders that nobody owns' });
}

/**
 * Tells the account's workflow, which is started where it does not run: its status was set, or its key replaced. A watcher
 * that rests because of a refused key goes on; one that holds an old key begins anew.
 */
export async function tellAccountChanged(client: Client, account: Account, change: { readonly keyReplaced: boolean }): Promise<void> {
  await ensureAccountWatched(client, account);
  const handle = client.workflow.getHandle(accountWorkflowId(account.id));
  if (change.keyReplaced) await handle.signal(reconcileRequested, { reason: 'the key was replaced' });
  await handle.signal(accountStatusChanged, { status: account.status, reason: account.statusReason });
}

/** Starts the guard where it is missing, and has it compare at once. */
export async function doubtStores(client: Client, intervalMs: number, reason: string): Promise<void> {
  const input: StoreGuardInput = { intervalMs, mark: null };
  await isRunning(client, STORE_GUARD_WORKFLOW_ID); // one that cannot go on makes room: it would take the signal, and never compare
  await client.workflow.signalWithStart('storeGuard', {
    workflowId: STORE_GUARD_WORKFLOW_ID,
    taskQueue: TASK_QUEUES.background,
    args: [input],
    signal: storeDoubted,
    signalArgs: [{ reason }],
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    staticSummary: 'compares PostgreSQL with Temporal; holds entries back while they differ',
  });
}

/** Asks an account's watcher for a look at everything. */
export async function reconcileAccount(client: Client, accountId: string, reason: string): Promise<void> {
  await client.workflow.getHandle(accountWorkflowId(accountId)).signal(reconcileRequested, { reason });
}

/** Its watcher finds no account any more, and the workflow ends. One that does not run has ended already. */
export async function tellAccountDeleted(client: Client, accountId: string): Promise<void> {
  try {
    await client.workflow.getHandle(accountWorkflowId(accountId)).signal(reconcileRequested, { reason: 'the account was deleted' });
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

export type StartOptions = Omit<Parameters<Client['workflow']['start']>[1], 'workflowIdConflictPolicy' | 'workflowTaskTimeout'>;

/** One that is there and cannot go on is replaced: what it does stands in PostgreSQL. */
export async function ensureGoesOn(client: Client, workflowType: string, options: StartOptions): Promise<void> {
  if (!(await isRunning(client, options.workflowId))) await ensure(client, workflowType, options);
}

/** Starting one that runs already is no error. */
export async function ensure(client: Client, workflowType: string, options: StartOptions): Promise<void> {
  try {
    await client.workflow.start(workflowType, { ...options, workflowIdConflictPolicy: 'USE_EXISTING', workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** Pursues an order that nobody owns; a second start of the same number is no error. */
export async function startResolution(client: Client, orderId: string, n: number, why: string): Promise<void> {
  const input: OrderResolutionInput = { orderId, why };
  await ensure(client, 'orderResolution', { workflowId: resolutionWorkflowId(orderId, n), taskQueue: TASK_QUEUES.orders, args: [input], workflowIdReusePolicy: 'REJECT_DUPLICATE', staticSummary: `resolves order ${orderId}` });
}
