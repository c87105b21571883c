/** What the sweeper and the resolvers do. */
import { Context } from '@temporalio/activity';
import type { Account } from '../domain/account';
import { isTerminal, UNSETTLED_STATES, type Order } from '../domain/order';
import type { OwnedMutation, StuckOrder } from '../domain/order-store';
import type { ResolutionMemory } from '../domain/resolution';
import { resolutionWorkflowId } from '../temporal/workflow-ids';
import { beating } from './beating';
import type { MutationSettler } from './mutation-settler';
import type { OrderResolver, ResolutionStep } from './order-resolver';

export interface BackgroundPorts {
  readonly resolver: OrderResolver;
  readonly settler: MutationSettler;
  readonly stuckAfterMs: number;
  stuck(olderThanMs: number, limit: number): Promise<readonly StuckOrder[]>;
  noteResolution(orderId: string): Promise<number>;
  pendingMutations(orderId: string): Promise<readonly OwnedMutation[]>;
  orderById(orderId: string): Promise<Order | null>;
  activeAccounts(): Promise<readonly Account[]>;
  readonly venues: readonly string[];
  readonly workflows: {
    isRunning(workflowId: string): Promise<boolean>;
    startResolution(orderId: string, n: number, why: string): Promise<void>;
    ensureAccountWatched(account: Account): Promise<void>;
    ensureMarketWatched(venue: string): Promise<void>;
  };
  /** Starts what strategies, kill switches and dead-man switches run by, where it is missing. */
  sweepSupervisors(): Promise<void>;
  /** Deletes up to a batch of each kind of row whose retention is over. */
  purge(): Promise<Omit<PruneResult, 'more'>>;
  /** Rows of a full batch. */
  readonly purgeBatch: number;
}

export interface SweepResult {
  readonly stuck: number;
  readonly resolversStarted: number;
}

export interface PruneResult {
  readonly idempotencyKeys: number;
  readonly signedRequests: number;
  readonly events: number;
  readonly webhookDeliveries: number;
  readonly alerts: number;
  /** Some kind may have more rows to delete. */
  readonly more: boolean;
}

export interface BackgroundActivities {
  sweepOrders(): Promise<SweepResult>;
  pruneOldRows(): Promise<PruneResult>;
  resolveOrder(input: { readonly orderId: string; readonly memory: ResolutionMemory }): Promise<ResolutionStep>;
  resolveMutations(input: { readonly orderId: string }): Promise<{ readonly askAgainInMs: number | null }>;
}

/** Of one activity: well inside its two minutes, on a slow disk too. */
const PRUNE_BATCHES = 20;

/** The oldest of them: those that somebody works at stay in the list, so it is longer than any burst of one outage. */
const STUCK_LIMIT = 2_000;

export function createBackgroundActivities(ports: BackgroundPorts): BackgroundActivities {
  return {
    sweepOrders: () => beating(() => sweep(ports)),
    pruneOldRows: () => beating(() => prune(ports)),
    resolveOrder: ({ orderId, memory }) => ports.resolver.step(orderId, memory, Context.current().cancellationSignal),
    resolveMutations: async ({ orderId }) => {
      let askAgainInMs: number | null = null;
      for (const mutation of await ports.pendingMutations(orderId)) {
        const step = await ports.settler.askAndRepeat(mutation.id, Context.current().cancellationSignal);
        if (step.kind === 'open') askAgainInMs = Math.max(askAgainInMs ?? 0, step.askAgainInMs);
      }
      return { askAgainInMs };
    },
  };
}

async function prune(ports: BackgroundPorts): Promise<PruneResult> {
  const total = { idempotencyKeys: 0, signedRequests: 0, events: 0, webhookDeliveries: 0, alerts: 0 };
  for (let batch = 0; batch < PRUNE_BATCHES; batch += 1) {
    const pruned = await ports.purge();
    total.idempotencyKeys += pruned.idempotencyKeys;
    total.signedRequests += pruned.signedRequests;
    total.events += pruned.events;
    total.webhookDeliveries += pruned.webhookDeliveries;
    total.alerts += pruned.alerts;
    if (Object.values(pruned).every((rows) => rows < ports.purgeBatch)) return { ...total, more: false };
  }
  return { ...total, more: true };
}

async function sweep(ports: BackgroundPorts): Promise<SweepResult> {
  for (const venue of ports.venues) await ports.workflows.ensureMarketWatched(venue);
  for (const account of await ports.activeAccounts()) await ports.workflows.ensureAccountWatched(account);
  await ports.sweepSupervisors();
  const stuck = await ports.stuck(ports.stuckAfterMs, STUCK_LIMIT);
  const isRunning = askedOnce((workflowId) => ports.workflows.isRunning(workflowId));
  let resolversStarted = 0;
  for (const order of stuck) {
    const why = await unowned(ports, order, isRunning);
    if (why === null) continue;
    await ports.workflows.startResolution(order.orderId, await ports.noteResolution(order.orderId), why);
    resolversStarted += 1;
  }
  return { stuck: stuck.length, resolversStarted };
}

/** What of the order is open without a workflow at work on it; null when everything has one. */
async function unowned(ports: BackgroundPorts, order: StuckOrder, isRunning: (workflowId: string) => Promise<boolean>): Promise<string | null> {
  if (order.resolutions > 0 && (await isRunning(resolutionWorkflowId(order.orderId, order.resolutions)))) return null;
  const current = await ports.orderById(order.orderId);
  if (current === null || isTerminal(current.state)) return null;
  if (UNSETTLED_STATES.has(current.state) && (order.ownerWorkflowId === null || !(await isRunning(order.ownerWorkflowId)))) {
    return `it is ${current.state} and its owner ${order.ownerWorkflowId ?? '(none)'} is not running`;
  }
  for (const mutation of await ports.pendingMutations(order.orderId)) {
    const { kind, ownerWorkflowId } = mutation;
    if (!(await isRunning(ownerWorkflowId))) return `its ${kind} is open and ${ownerWorkflowId} is not running`;
  }
  return null;
}

/** Orders of one group share an owner: each is asked about once a sweep. */
function askedOnce(isRunning: (workflowId: string) => Promise<boolean>): (workflowId: string) => Promise<boolean> {
  const asked = new Map<string, Promise<boolean>>();
  return (workflowId) => {
    const known = asked.get(workflowId) ?? isRunning(workflowId);
    asked.set(workflowId, known);
    return known;
  };
}
