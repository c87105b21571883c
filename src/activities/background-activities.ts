/** What the sweeper and the resolvers do. */
import { Context } from '@temporalio/activity';
import type { Account } from '../domain/account';
import type { Mutation, StuckOrder } from '../domain/order-store';
import type { ResolutionMemory } from '../domain/resolution';
import type { MutationSettler } from './mutation-settler';
import type { OrderResolver, ResolutionStep } from './order-resolver';

export interface BackgroundPorts {
  readonly resolver: OrderResolver;
  readonly settler: MutationSettler;
  readonly stuckAfterMs: number;
  stuck(olderThanMs: number, limit: number): Promise<readonly StuckOrder[]>;
  noteResolution(orderId: string): Promise<number>;
  pendingMutations(orderId: string): Promise<readonly Mutation[]>;
  activeAccounts(): Promise<readonly Account[]>;
  readonly venues: readonly string[];
  readonly workflows: {
    isRunning(workflowId: string): Promise<boolean>;
    startResolution(orderId: string, n: number, why: string): Promise<void>;
    ensureAccountWatched(account: Account): Promise<void>;
    ensureMarketWatched(venue: string): Promise<void>;
  };
  purge(): Promise<unknown>;
}

export interface SweepResult {
  readonly stuck: number;
  readonly resolversStarted: number;
}

export interface BackgroundActivities {
  sweepOrders(): Promise<SweepResult>;
  resolveOrder(input: { readonly orderId: string; readonly memory: ResolutionMemory }): Promise<ResolutionStep>;
  resolveMutations(input: { readonly orderId: string }): Promise<{ readonly askAgainInMs: number | null }>;
}

/** One sweep's work; the next one goes on with the rest. */
const STUCK_LIMIT = 500;

export function createBackgroundActivities(ports: BackgroundPorts): BackgroundActivities {
  return {
    sweepOrders: async () => {
      for (const venue of ports.venues) await ports.workflows.ensureMarketWatched(venue);
      for (const account of await ports.activeAccounts()) await ports.workflows.ensureAccountWatched(account);
      await ports.purge();
      const stuck = await ports.stuck(ports.stuckAfterMs, STUCK_LIMIT);
      let resolversStarted = 0;
      for (const order of stuck) {
        if (await isOwned(ports, order)) continue;
        await ports.workflows.startResolution(order.orderId, await ports.noteResolution(order.orderId), `its owner ${order.ownerWorkflowId ?? '(none)'} is not running`);
        resolversStarted += 1;
      }
      return { stuck: stuck.length, resolversStarted };
    },
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

/** Someone is at it: the workflow that placed it, the one that amends or cancels it, or the last resolver. */
async function isOwned(ports: BackgroundPorts, order: StuckOrder): Promise<boolean> {
  const owners = [order.ownerWorkflowId, `cancel/${order.orderId}`, ...(order.resolutions > 0 ? [`resolve/${order.orderId}/${order.resolutions}`] : [])];
  for (const owner of owners) if (owner !== null && (await ports.workflows.isRunning(owner))) return true;
  return false;
}
