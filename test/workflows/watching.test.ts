import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import type { WatchAccountResult } from '../../src/activities/watching-activities';
import { ensureAccountWatched, ensureMarketWatched, ensureSweeper } from '../../src/temporal/watching';
import { isRunning } from '../../src/temporal/executions';
import { accountWorkflowId, marketWatchWorkflowId, SWEEPER_WORKFLOW_ID } from '../../src/temporal/workflow-ids';
import { accountStatusChanged, reconcileRequested } from '../../src/workflows/messages';
import type { AccountWatchStatus } from '../../src/workflows/state/account-watch';
import { startHarness, type WorkflowHarness } from './harness';

let harness: WorkflowHarness;
let working: { stop(): Promise<void> } | null = null;
beforeAll(async () => {
  harness = await startHarness();
}, 120_000);
afterEach(async () => {
  await working?.stop();
  working = null;
});
afterAll(() => harness.close());

/** A list that tells when it has grown. */
class Calls<Item> {
  readonly items: Item[] = [];
  private waiting: (() => void)[] = [];

  add(item: Item): void {
    this.items.push(item);
    this.waiting.splice(0).forEach((wake) => wake());
  }

  async reach(count: number): Promise<void> {
    while (this.items.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

/** Goes on until it is canceled, as a watcher does. */
async function untilCanceled(): Promise<never> {
  const timer = setInterval(() => Context.current().heartbeat(), 100);
  try {
    return await Context.current().cancelled;
  } finally {
    clearInterval(timer);
  }
}

describe('the account\'s workflow', () => {
  const account = (id: string) => ({ id, venue: 'paper', name: id });
  const statusOf = (id: string): Promise<AccountWatchStatus> => harness.client.workflow.getHandle(accountWorkflowId(id)).query<AccountWatchStatus>('accountWatch');

  test('starts its watcher again whenever it ends, and ends with the account', async () => {
    const answers: WatchAccountResult['ended'][] = ['stopped', 'replaced', 'noAccount'];
    const calls = new Calls<string>();
    working = await harness.work({
      watchAccount: async ({ accountId }: { accountId: string }) => {
        calls.add(accountId);
        return { ended: answers.shift() };
      },
    });
    await ensureAccountWatched(harness.client, account('again'));
    await harness.client.workflow.getHandle(accountWorkflowId('again')).result();
    expect(calls.items).toEqual(['again', 'again', 'again']);
  });

  test('a watcher that fails is tried again without end', async () => {
    let failures = 0;
    working = await harness.work({
      watchAccount: async () => {
        failures += 1;
        if (failures < 4) throw new Error('the database cannot be reached');
        return { ended: 'noAccount' };
      },
    });
    await ensureAccountWatched(harness.client, account('failing'));
    await harness.client.workflow.getHandle(accountWorkflowId('failing')).result();
    expect(failures).toBe(4);
  });

  test('rests while the key is refused, is not woken by HALTED, and goes on once its status allows', async () => {
    const calls = new Calls<string>();
    working = await harness.work({
      watchAccount: async ({ accountId }: { accountId: string }) => {
        calls.add(accountId);
        return { ended: calls.items.length === 1 ? 'keyRevoked' : 'noAccount' };
      },
    });
    await ensureAccountWatched(harness.client, account('halted'));
    await calls.reach(1);
    const handle = harness.client.workflow.getHandle(accountWorkflowId('halted'));
    while ((await statusOf('halted')).phase !== 'halted');
    await handle.signal(accountStatusChanged, { status: 'HALTED', reason: 'an operator looks at it' });
    expect(await statusOf('halted')).toMatchObject({ phase: 'halted', starts: 1 });
    await handle.signal(accountStatusChanged, { status: 'ACTIVE', reason: null });
    await handle.result();
    expect(calls.items.length).toBe(2);
  });

  test('asked to reconcile, it ends the watcher and starts another, which begins with a snapshot', async () => {
    const calls = new Calls<string>();
    working = await harness.work({
      watchAccount: async ({ accountId }: { accountId: string }) => {
        calls.add(accountId);
        return calls.items.length === 1 ? untilCanceled() : { ended: 'noAccount' };
      },
    });
    await ensureAccountWatched(harness.client, account('reconciled'));
    await calls.reach(1);
    const handle = harness.client.workflow.getHandle(accountWorkflowId('reconciled'));
    await handle.signal(reconcileRequested, { reason: 'figures differ' });
    await handle.result();
    expect(calls.items.length).toBe(2);
  });

  test('a second start of one that runs is no error and changes nothing', async () => {
    const calls = new Calls<string>();
    working = await harness.work({
      watchAccount: async ({ accountId }: { accountId: string }) => {
        calls.add(accountId);
        return untilCanceled();
      },
    });
    await ensureAccountWatched(harness.client, account('twice'));
    await calls.reach(1);
    await ensureAccountWatched(harness.client, account('twice'));
    expect(await statusOf('twice')).toMatchObject({ phase: 'watching', starts: 1 });
    await harness.client.workflow.getHandle(accountWorkflowId('twice')).terminate();
  });

  test('operators find it by account and venue, and read what it does', async () => {
    const calls = new Calls<string>();
    working = await harness.work({
      watchAccount: async ({ accountId }: { accountId: string }) => {
        calls.add(accountId);
        return untilCanceled();
      },
    });
    await ensureAccountWatched(harness.client, account('shown'));
    await calls.reach(1);
    const handle = harness.client.workflow.getHandle(accountWorkflowId('shown'));
    const described = await handle.describe();
    expect(await described.staticSummary()).toBe('account shown on paper');
    expect(described.searchAttributes).toMatchObject({ AccountId: ['shown'], Venue: ['paper'] });
    await handle.terminate();
  });
});

describe('the market\'s workflow and the sweeper', () => {
  test('the venue\'s stream is held again whenever its holder ends', async () => {
    const calls = new Calls<string>();
    working = await harness.work({
      watchMarkets: async ({ venue }: { venue: string }) => {
        calls.add(venue);
        return calls.items.length < 3 ? undefined : untilCanceled();
      },
    });
    await ensureMarketWatched(harness.client, 'paper');
    await calls.reach(3);
    expect(await isRunning(harness.client, marketWatchWorkflowId('paper'))).toBe(true);
    await harness.client.workflow.getHandle(marketWatchWorkflowId('paper')).terminate();
    expect(await isRunning(harness.client, marketWatchWorkflowId('paper'))).toBe(false);
    expect(await isRunning(harness.client, marketWatchWorkflowId('never-started'))).toBe(false);
  });

  test('sweeps again and again, one for the whole installation', async () => {
    const sweeps = new Calls<number>();
    working = await harness.work({
      sweepOrders: async () => {
        sweeps.add(sweeps.items.length);
        return { stuck: 0, resolversStarted: 0 };
      },
    });
    await Promise.all([ensureSweeper(harness.client, { intervalMs: 20 }), ensureSweeper(harness.client, { intervalMs: 20 })]);
    await sweeps.reach(3);
    await harness.client.workflow.getHandle(SWEEPER_WORKFLOW_ID).terminate();
  });
});
