/** The activities that hold sockets. They heartbeat each second, so that their successor starts within seconds of their end. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Account } from '../domain/account';
import type { Market } from '../domain/market';
import { EpochLost } from '../domain/order-store';
import type { ReadOptions, Venue } from '../domain/venue';
import { AccountWatcher, type AccountWatcherPorts, type WatchEnd } from './account-watcher';

export interface WatchAccountInput {
  readonly accountId: string;
}

export interface WatchAccountResult {
  readonly ended: WatchEnd | 'noAccount' | 'replaced';
}

export interface WatchingActivities {
  watchAccount(input: WatchAccountInput): Promise<WatchAccountResult>;
  watchMarkets(input: { readonly venue: string }): Promise<void>;
}

/** A watched venue's market data; ends itself never. */
export interface MarketDataFeed {
  close(): Promise<void>;
}

export interface WatchingPorts {
  readonly venues: ReadonlyMap<string, Venue>;
  readonly watcher: AccountWatcherPorts;
  readonly auditPollMs: number;
  readonly marketRefreshMs: number;
  /** Names this process. */
  readonly holder: string;
  accountById(accountId: string): Promise<Account | null>;
  saveMarkets(markets: readonly Market[]): Promise<void>;
  openMarketData(venue: Venue, markets: readonly Market[]): MarketDataFeed;
  onTrouble(scope: string, error: unknown): void;
}

/** Temporal is told each second: a silent holder is replaced after three. */
const HEARTBEAT_MS = 1_000;
const MARKETS_TIMEOUT_MS = 10_000;

export function createWatchingActivities(ports: WatchingPorts): WatchingActivities {
  return {
    watchAccount: ({ accountId }) =>
      heartbeating(async (signal) => {
        const account = await ports.accountById(accountId);
        if (account === null) return { ended: 'noAccount' };
        const venue = venueOf(ports, account.venue);
        const watcher = new AccountWatcher(ports.watcher, venue, account, { auditPollMs: ports.auditPollMs, holder: ports.holder });
        try {
          return { ended: await watcher.run(signal) };
        } catch (error) {
          // A successor has the scope: nothing is left to do here, and Temporal no longer listens to this attempt.
          if (error instanceof EpochLost) return { ended: 'replaced' };
          throw error;
        }
      }),
    watchMarkets: ({ venue: name }) =>
      heartbeating(async (signal) => {
        const venue = venueOf(ports, name);
        let feed: MarketDataFeed | null = null;
        let known = '';
        try {
          while (!signal.aborted) {
            const markets = await marketsOf(venue, signal, (error) => ports.onTrouble(name, error));
            const symbols = markets?.map((market) => market.venueSymbol).join(' ') ?? known;
            if (markets !== null) await ports.saveMarkets(markets);
            // New markets need new subscriptions; the same ones keep their socket.
            if (markets !== null && symbols !== known) {
              await feed?.close();
              feed = ports.openMarketData(venue, markets);
              known = symbols;
            }
            await delay(markets === null ? HEARTBEAT_MS : ports.marketRefreshMs, signal);
          }
        } finally {
          await feed?.close();
        }
      }),
  };
}

async function marketsOf(venue: Venue, signal: AbortSignal, onTrouble: (error: unknown) => void): Promise<readonly Market[] | null> {
  const options: ReadOptions = { signal: AbortSignal.any([signal, AbortSignal.timeout(MARKETS_TIMEOUT_MS)]), priority: 'read' };
  try {
    return await venue.markets(options);
  } catch (error) {
    onTrouble(error);
    return null;
  }
}

function venueOf(ports: WatchingPorts, name: string): Venue {
  const venue = ports.venues.get(name);
  if (venue === undefined) throw ApplicationFailure.create({ type: 'VENUE_UNAVAILABLE', message: `venue ${name} is not configured in this process` });
  return venue;
}

async function heartbeating<Result>(run: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat({ at: Date.now() }), HEARTBEAT_MS);
  context.heartbeat({ at: Date.now() });
  try {
    return await run(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
