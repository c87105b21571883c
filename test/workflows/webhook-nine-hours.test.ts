/**
 * S40 with its hours: the webhook's own workflow and activity over a real PostgreSQL, a receiver that is down for nine hours, and a secret that
 * is rotated meanwhile. Temporal's test server skips the hours; no wait is made shorter.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import path from 'node:path';
import { createWebhookActivities, type DeliveryRound } from '../../src/activities/webhook-deliverer';
import { newWebhookSecret } from '../../src/delivery/signature';
import { TASK_QUEUES } from '../../src/temporal/task-queues';
import { hintWebhook } from '../../src/temporal/webhook-workflows';
import { ascending, sequencesOf } from '../contract/webhooks/webhook-receiver';
import { ACTOR, HOUR_MS, WebhookWorld } from '../contract/webhooks/webhook-world';
import { ROOT } from '../support/source-imports';
import { findTestServer, startTestServer } from '../support/temporal-test-server';

const found = findTestServer();
if ('missing' in found) process.stderr.write(`SKIPPED: S40 over nine hours: no Temporal test server: ${found.missing}\n`);
const run = 'program' in found ? describe : describe.skip;

run('S40: nine hours by Temporal\'s clock', () => {
  let hooks: WebhookWorld;
  let environment: TestWorkflowEnvironment;
  let stopWorker: () => Promise<void>;

  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    const logger = new DefaultLogger('ERROR');
    Runtime.install({ logger, shutdownSignals: [], telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' } } } });
    hooks = await WebhookWorld.open();
    await hooks.begin();
    environment = await startTestServer(found.program);
    const { store, world } = hooks;
    const untilOver = (_id: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
    const ours = createWebhookActivities({ clock: world.clock, outbox: store.webhookOutbox, client: hooks.client, secretsOf: (id) => store.webhooks.secretsOf(id), awaitNews: untilOver, lingerMs: 0, leaving: new AbortController().signal });
    const deliverWebhooks = async (input: { readonly endpointId: string }): Promise<DeliveryRound> => {
      await now();
      return ours.deliverWebhooks(input);
    };
    const workflowBundle = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, 'src', 'workflows', 'index.ts'), logger });
    const worker = await Worker.create({ connection: environment.nativeConnection, taskQueue: TASK_QUEUES.webhooks, workflowBundle, activities: { deliverWebhooks } });
    const running = worker.run();
    stopWorker = async () => {
      worker.shutdown();
      await running;
    };
  }, 300_000);
  afterAll(async () => {
    await stopWorker();
    await environment.teardown();
    await hooks.end();
    await hooks.close();
    await Runtime.instance().shutdown();
  });

  /** Our clock is Temporal's. */
  async function now(): Promise<void> {
    hooks.world.clock.ms = await environment.currentTimeMs();
  }

  async function placedNow(): Promise<string> {
    await now();
    const id = await hooks.placed();
    await hintWebhook(environment.client, hooks.endpointId);
    return id;
  }

  test('every event arrives later, in order per order, under one webhook-id, signed for the secret of then and of now', async () => {
    const { receiver, store, account, endpointId, world } = hooks;
    receiver.answer = () => 503;
    await now();
    const orders = [await placedNow(), await placedNow(), await placedNow(), await placedNow()];
    await environment.sleep(4.5 * HOUR_MS);
    expect(receiver.accepted).toEqual([]);
    await now();
    const fresh = newWebhookSecret();
    await store.webhooks.rotateSecret(endpointId, world.userId, fresh, 86_400, ACTOR);
    orders.push(await placedNow());
    await environment.sleep(4.5 * HOUR_MS);
    expect(receiver.accepted).toEqual([]);
    expect(receiver.all.every(({ verifies }) => verifies)).toBe(true);
    const idsWhileDown = new Map(receiver.all.map(({ type, sequence, id }) => [`${type}/${sequence}`, id]));
    expect(idsWhileDown.size).toBe(orders.length);

    // The next try of those that failed in the eighth hour is ten hours later, give or take a fifth.
    receiver.answer = ({ orderId }) => {
      // It learns of the new secret with what it receives in the middle.
      if (orderId === orders[2]) receiver.secret = fresh;
      return 204;
    };
    await environment.sleep(14 * HOUR_MS);
    const outbox = (await store.events.since(`account:${account.id}`, 0, 1_000)).filter(({ type }) => type.startsWith('order.'));
    const accepted = receiver.accepted.filter(({ type }) => type.startsWith('order.'));
    expect(ascending(accepted.map(({ sequence }) => sequence))).toEqual(outbox.map(({ sequence }) => sequence));
    for (const orderId of orders) expect(sequencesOf(receiver.accepted, orderId)).toEqual(ascending(sequencesOf(receiver.accepted, orderId)));
    expect(receiver.secret).toBe(fresh);
    expect(receiver.all.every(({ verifies }) => verifies)).toBe(true);
    expect(new Set(receiver.accepted.map(({ id }) => id)).size).toBe(receiver.accepted.length);
    for (const { type, sequence, id } of receiver.all) expect(idsWhileDown.get(`${type}/${sequence}`) ?? id).toBe(id);
    expect((await store.webhooks.get(endpointId, world.userId)).waiting).toBe(0);
  }, 180_000);
});
