/** The worker and watcher processes: Temporal workers over activities that are wired here. */
import os from 'node:os';
import { createBackgroundActivities } from '../activities/background-activities';
import { createOrderActivities } from '../activities/order-path';
import { OrderResolver } from '../activities/order-resolver';
import { createTriggerActivities } from '../activities/trigger-activities';
import { createWatchingActivities } from '../activities/watching-activities';
import type { Market } from '../domain/market';
import type { RecordedCall, WriterEpoch } from '../domain/order-store';
import { PURGE_BATCH } from '../store/retention';
import { TOPICS } from '../streams/bus/topics';
import { MarketData } from '../streams/prices/market-data';
import { ensureRetention } from '../temporal/schedules';
import { sleepUnlessAborted } from '../venues/back-off';
import { TASK_QUEUES } from '../temporal/task-queues';
import { isRunning } from '../temporal/executions';
import { ensureAccountWatched, ensureMarketWatched, ensureSweeper, startResolution } from '../temporal/watching';
import { alertWorker, levelChecks } from './alerts';
import { collateralActivities } from './collateral';
import { conditionalActivities } from './conditional-orders';
import { ensureChainWatched } from '../temporal/deposit-gateway';
import { chainWatchActivities, depositActivities, depositParts } from './deposits';
import { fundedOrderActivities } from './funded-orders';
import { walletSweep } from './wallet-sweep';
import { withdrawalActivities } from './withdrawals';
import type { RunningRole } from './index';
import { WatchMetrics } from './metrics/watch-metrics';
import { wireOrderPath } from './order-path';
import { prepareVenues, type Platform } from './platform';
import { serve } from './serving';
import { giveUpLostKey } from './lost-key';
import { guardStores, keepGoing, storeRecoveryActivities } from './store-guard';
import { webhookWorker } from './webhooks';
import type { OrderList } from '../domain/order-list';
import type { Strategy } from '../domain/strategy';
import { SupervisorRound } from '../temporal/supervisor-round';
import { killSwitchActivities, orderListActivities, strategyActivities, supervisionActivities, SWEPT, sweepSupervisors, tellSupervisors } from './supervision';
import { watchTriggers } from './triggers';
import { tellWorkerLives } from './worker-presence';

const MINUTE_MS = 60_000;
/** Losses and stops are judged on every fill, and this often: a second of a falling market is what a limit may be late by. */
const JUDGE_MS = 1_000;

/** How long a starting worker waits for its venues' metadata. */
const PREPARE_WAIT_MS = 3_000;

/** By the venue's spelling; a market that is not listed keeps it. */
function ourSymbols(markets: readonly Market[]): (venueSymbol: string) => string {
  const names = new Map(markets.map(({ symbol, venueSymbol }) => [venueSymbol, symbol]));
  return (venueSymbol) => names.get(venueSymbol) ?? venueSymbol;
}

export async function runWorker(platform: Platform): Promise<RunningRole> {
  await giveUpLostKey(platform);
  const { store, venues, clock, settings, logger, temporal } = platform;
  const { sender, settler, nonces } = wireOrderPath(platform);
  const deposits = depositParts(platform);
  const resolver = new OrderResolver({
    clock,
    venues,
    evidence: store.evidence,
    nameless: store.nameless,
    resend: store.resend,
    credentials: (accountId) => store.accounts.credentials(accountId),
    orderById: (id) => store.orders.byId(id),
    factsOf: (orderId) => store.placingHistory.factsOf(orderId),
    companionsOf: (orderId) => store.placingHistory.companionsOf(orderId),
    settleNonce: (venue, accountId, signal) => nonces.settle(venue, accountId, signal),
    send: (attemptId, orderIds, signal) => sender.sendPlacing(attemptId, orderIds, signal),
  });
  const sweepWallets = deposits === null ? null : walletSweep(platform);
  const rounds = { strategies: new SupervisorRound<Strategy>(SWEPT), lists: new SupervisorRound<OrderList>(SWEPT) };
  const background = createBackgroundActivities({
    resolver,
    settler,
    stuckAfterMs: settings.stuckAfterMs,
    stuck: (olderThanMs, limit) => store.orders.stuck(olderThanMs, limit),
    noteResolution: (orderId) => store.orders.noteResolution(orderId),
    pendingMutations: (orderId) => store.mutations.pendingOf(orderId),
    orderById: (id) => store.orders.byId(id),
    activeAccounts: () => store.accounts.allActive(),
    venues: [...venues.keys()],
    workflows: {
      isRunning: (workflowId) => isRunning(temporal.client, workflowId, (spoiled) => logger.error({ workflowId: spoiled }, 'a workflow cannot go on with its history: it was ended, and the order is pursued from PostgreSQL')),
      startResolution: (orderId, n, why) => startResolution(temporal.client, orderId, n, why),
      ensureAccountWatched: (account) => ensureAccountWatched(temporal.client, account),
      ensureMarketWatched: (venue) => ensureMarketWatched(temporal.client, venue),
    },
    sweepSupervisors: async () => {
      await sweepSupervisors(platform, rounds);
      // Without the parts no worker takes their tasks.
      await sweepWallets?.();
    },
    purge: () => store.purge(),
    purgeBatch: PURGE_BATCH,
  });
  const onSendFailure = (call: Pick<RecordedCall, 'attemptId' | 'venue' | 'accountId'>, error: unknown): void => logger.warn({ err: error, attemptId: call.attemptId, venue: call.venue, accountId: call.accountId }, 'what came of a request could not be committed; it is tried again');
  const webhooks = webhookWorker(platform);
  const alerts = alertWorker(platform);
  const activities = { ...createOrderActivities({ clock, placing: store.placing, mutations: store.mutations, sender, settler, onSendFailure }), ...background, ...storeRecoveryActivities(platform), ...supervisionActivities(platform), ...conditionalActivities(platform), ...collateralActivities(platform), ...strategyActivities(platform), ...orderListActivities(platform), ...killSwitchActivities(platform), ...createTriggerActivities({ triggers: store.triggers }), ...webhooks.activities, ...alerts.activities, ...(deposits === null ? {} : { ...depositActivities(platform, deposits), ...withdrawalActivities(platform, deposits), ...fundedOrderActivities(platform, deposits) }) };
  tellSupervisors(platform);
  const stopped = new AbortController();
  // A moment for venues that answer; one that is away holds back nobody's exit, and is asked until it answers.
  await Promise.race([prepareVenues(platform, stopped.signal), sleepUnlessAborted(PREPARE_WAIT_MS, stopped.signal)]);
  const running = await serve(platform, { identity: tellWorkerLives(platform, stopped.signal), taskQueues: [TASK_QUEUES.orders, TASK_QUEUES.background, TASK_QUEUES.webhooks], activities, lookAfter: () => keepGoing(platform) });
  await ensureSweeper(temporal.client, { intervalMs: settings.sweepIntervalMs });
  await ensureRetention(temporal.client, settings.pruneIntervalMinutes * MINUTE_MS);
  const watch = await guardStores(platform);
  await webhooks.start();
  await alerts.start();
  return {
    ended: running.ended,
    stop: async () => {
      stopped.abort();
      watch.close();
      // First no new tasks, or this process would get back what it gives away.
      const ended = running.stop();
      webhooks.leave();
      alerts.leave();
      await ended;
      await webhooks.close();
      await alerts.close();
    },
  };
}

export async function runWatcher(platform: Platform): Promise<RunningRole> {
  const { store, venues, clock, settings, logger, bus, temporal } = platform;
  const leaving = new AbortController();
  tellSupervisors(platform);
  const metrics = new WatchMetrics(platform.registry);
  const triggers = await watchTriggers(platform, metrics);
  const checkLevels = levelChecks(platform);
  const activities = createWatchingActivities({
    leaving: leaving.signal,
    venues,
    watcher: {
      clock,
      watching: store.watching,
      accounts: {
        credentials: (accountId) => store.accounts.freshCredentials(accountId),
        setStatus: (...status) => store.accounts.setStatus(...status),
        alert: (...alert) => store.accounts.alert(...alert),
      },
      working: (accountId) => store.orders.working(accountId),
      judged: {
        check: async (writer, accountId) => {
          await judgeAccount(platform, writer, accountId);
          await checkLevels(writer, accountId);
        },
        everyMs: JUDGE_MS,
      },
      onMismatch: (accountId, kind, count) => {
        metrics.mismatch(kind, count);
        logger.warn({ accountId, kind, count }, 'the audit found what the stream had not brought');
      },
      onTrouble: (accountId, error) => logger.warn({ accountId, err: error }, 'account watcher'),
    },
    marketScopes: store.watching,
    auditPollMs: settings.auditPollMs,
    marketRefreshMs: settings.cachePairsMs,
    holder: `${os.hostname()}/${process.pid}`,
    accountById: (accountId) => store.accounts.byId(accountId),
    onAccountWake: (accountId, listener) => bus.subscribe(TOPICS.accountWake(accountId), listener),
    saveMarkets: (markets) => store.markets.upsert(markets),
    openTriggers: (venue) => triggers.open(venue),
    openMarketData: (venue, markets, onMessage) =>
      new MarketData({ venue, venueSymbols: markets.map((market) => market.venueSymbol), symbolOf: ourSymbols(markets), bus, clock, onMessage, onError: (error) => logger.warn({ venue: venue.name, err: error }, 'market data') }),
    onTrouble: (scope, error) => logger.warn({ scope, err: error }, 'market watch'),
  });
  const deposits = depositParts(platform);
  const running = await serve(platform, { taskQueues: [TASK_QUEUES.accounts], activities: { ...activities, ...(deposits === null ? {} : chainWatchActivities(platform, deposits, leaving.signal)) }, activitiesOutliveAbsence: true });
  if (deposits !== null) await ensureChainWatched(temporal.client, deposits.destination.id);
  for (const venue of venues.keys()) await ensureMarketWatched(temporal.client, venue);
  return {
    ended: running.ended,
    stop: async () => {
      // First no new tasks, or this process would get back what it gives away.
      const stopped = running.stop();
      leaving.abort();
      await stopped;
      await triggers.close();
    },
  };
}

/** Of an account that is watched: whether its losses restrict it, and since when a position of it has no stop. */
async function judgeAccount({ store, settings }: Platform, writer: WriterEpoch, accountId: string): Promise<void> {
  await store.lossLimits.check(writer, accountId);
  await store.protections.check(writer, accountId, settings.unprotectedAlertMs);
}
