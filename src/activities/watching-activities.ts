/** The activities that hold sockets. They heartbeat each second, so that their successor starts within seconds of their end. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Account } from '../domain/account';
import type { Market } from '../domain/market';
import type { PublicMessage, Venue } from '../domain/venue';
import { AccountWatcher, type AccountWatcherPorts, type WatchEnd } from './account-watcher';
import { MarketWatcher, type MarketDataFeed, type MarketTriggers, type MarketWatcherPorts } from './market-watcher';

export interface WatchAccountInput {
  readonly accountId: string;
}

export interface WatchAccountResult {
  readonly ended: WatchEnd | 'noAccount';
}

export interface WatchingActivities {
  watchAccount(input: WatchAccountInput): Promise<WatchAccountResult>;
  watchMarkets(input: { readonly venue: string }): Promise<void>;
}

export interface WatchingPorts {
  readonly venues: ReadonlyMap<string, Venue>;
  readonly watcher: AccountWatcherPorts;
  /** Who is the one watcher of a venue's markets. */
  readonly marketScopes: MarketWatcherPorts['watching'];
  readonly auditPollMs: number;
  readonly marketRefreshMs: number;
  /** Names this process. */
  readonly holder: string;
  /** Aborted once this process takes no new work: what it holds ends at once and starts elsewhere. */
  readonly leaving: AbortSignal;
  accountById(accountId: string): Promise<Account | null>;
  /** Somebody changed the account and says so. May be lost. */
  onAccountWake(accountId: string, listener: () => void): () => void;
  saveMarkets(markets: readonly Market[]): Promise<void>;
  openMarketData(venue: Venue, markets: readonly Market[], onMessage: (message: PublicMessage, asked: boolean) => void): MarketDataFeed;
  openTriggers(venue: Venue): MarketTriggers;
  onTrouble(scope: string, error: unknown): void;
}

/** Temporal is told each second: a silent holder is replaced after three. */
const HEARTBEAT_MS = 1_000;

export function createWatchingActivities(ports: WatchingPorts): WatchingActivities {
  return {
    watchAccount: ({ accountId }) =>
      heartbeating(ports.leaving, async (signal, tell) => {
        const account = await ports.accountById(accountId);
        if (account === null) return { ended: 'noAccount' };
        const venue = venueOf(ports, account.venue);
        const watcher = new AccountWatcher(ports.watcher, venue, account, { auditPollMs: ports.auditPollMs, holder: ports.holder });
        tell(() => ({ heardMs: watcher.heardMs }));
        const unheed = ports.onAccountWake(accountId, () => watcher.resync('the account was changed'));
        try {
          return { ended: await watcher.run(signal) };
        } finally {
          unheed();
        }
      }),
    watchMarkets: ({ venue: name }) =>
      heartbeating(ports.leaving, async (signal) => {
        const watcher = new MarketWatcher({ ...ports, watching: ports.marketScopes }, venueOf(ports, name));
        await watcher.run(signal);
      }),
  };
}

function venueOf(ports: WatchingPorts, name: string): Venue {
  const venue = ports.venues.get(name);
  if (venue === undefined) throw ApplicationFailure.create({ type: 'VENUE_UNAVAILABLE', message: `venue ${name} is not configured in this process` });
  return venue;
}

/** `tell` gives what a heartbeat says besides its time. A canceled activity ends by the signal. */
async function heartbeating<Result>(leaving: AbortSignal, run: (signal: AbortSignal, tell: (details: () => object) => void) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  let details = (): object => ({});
  const beat = (): void => context.heartbeat({ at: new Date().toISOString(), ...details() });
  const timer = setInterval(beat, HEARTBEAT_MS);
  beat();
  try {
    return await run(AbortSignal.any([context.cancellationSignal, leaving]), (given) => {
      details = given;
    });
  } finally {
    clearInterval(timer);
  }
}
