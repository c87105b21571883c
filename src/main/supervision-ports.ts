/** What the API asks of strategies, kill switches and heartbeats: the row first, then word to the workflow. */
import type { ApiPorts } from '../api';
import type { Account } from '../domain/account';
import type { VenueDeadMan } from '../domain/heartbeat';
import { VenueError } from '../domain/venue-errors';
import { ensureKillSwitch, ensureOrderList, ensureStrategy, orUnavailable, tellDeadMan, tellKillSwitch, tellOrderList, tellStrategy } from '../temporal/supervising';
import type { Platform } from './platform';

/** A heartbeat waits no longer for the venue's own switch. */
const VENUE_SWITCH_MS = 2_000;

export function supervisionPorts(platform: Platform): Pick<ApiPorts, 'strategies' | 'orderLists' | 'killSwitches' | 'heartbeats'> {
  const { store, temporal, logger } = platform;
  // A word that is lost costs seconds: the row is read again by the workflow's own timer, and a missing workflow is started by the sweeper.
  const told = async (what: string, tell: () => Promise<void>): Promise<void> => {
    await tell().catch((error: unknown) => logger.warn({ err: error, what }, 'a workflow could not be told; it reads its row by itself'));
  };
  return {
    strategies: {
      create: (wish, stamp) => store.strategies.create(wish, stamp),
      byId: (id, userId) => store.strategies.byId(id, userId),
      list: (query) => store.strategies.list(query),
      timeline: (id, userId) => store.strategies.timeline(id, userId),
      started: (strategy) => orUnavailable(() => ensureStrategy(temporal.client, strategy)),
      command: async (id, userId, command) => {
        const strategy = await store.strategies.command(id, userId, command);
        await told('strategy', () => tellStrategy(temporal.client, id, strategy.revision));
        return strategy;
      },
    },
    orderLists: {
      create: (wish, stamp) => store.orderLists.create(wish, stamp),
      byId: (id, userId) => store.orderLists.byId(id, userId),
      list: (query) => store.orderLists.list(query),
      timeline: (id, userId) => store.orderLists.timeline(id, userId),
      started: (list) => orUnavailable(() => ensureOrderList(temporal.client, list)),
      command: async (id, userId, command) => {
        const list = await store.orderLists.command(id, userId, command);
        await told('order list', () => tellOrderList(temporal.client, id, list.revision));
        return list;
      },
    },
    killSwitches: {
      latch: async (wanted, actor) => {
        const latched = await store.killSwitches.latch(wanted, actor);
        await told('kill switch', async () => {
          await ensureKillSwitch(temporal.client, latched.killSwitch);
          await tellKillSwitch(temporal.client, latched.killSwitch.id);
        });
        return latched;
      },
      release: async (id, userId, actor) => {
        const released = await store.killSwitches.release(id, userId, actor);
        await told('kill switch', () => tellKillSwitch(temporal.client, id));
        return released;
      },
      byId: (id, userId) => store.killSwitches.byId(id, userId),
      latched: (userId) => store.killSwitches.latched(userId),
      facts: (id) => store.killSwitches.facts(id),
    },
    heartbeats: {
      beat: async (account, timeoutMs) => {
        const { heartbeat, isSooner } = await store.heartbeats.beat(account.id, account.userId, timeoutMs);
        // Not told where the workflow wakes earlier than needed anyway: then it reads the new deadline.
        if (isSooner) await orUnavailable(() => tellDeadMan(temporal.client, account.id));
        return { heartbeat, venue: await venueSwitch(platform, account, timeoutMs) };
      },
    },
  };
}

async function venueSwitch({ venues, store }: Platform, account: Account, timeoutMs: number): Promise<VenueDeadMan> {
  const venue = venues.get(account.venue);
  if (venue === undefined || !venue.capabilities.deadManSwitch) return { supported: false, armed: false, reason: null };
  try {
    const session = venue.session(await store.accounts.credentials(account.id));
    await session.setDeadManSwitch(timeoutMs, { signal: AbortSignal.timeout(VENUE_SWITCH_MS), priority: 'exit' });
    return { supported: true, armed: timeoutMs > 0, reason: null };
  } catch (error) {
    if (!(error instanceof VenueError)) throw error;
    return { supported: true, armed: false, reason: error.message };
  }
}
