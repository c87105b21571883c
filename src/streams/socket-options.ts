/** What the Socket.io stream asks of the rest of the program, and its limits. main wires it. */
import type { Clock } from '../domain/clock';
import type { Seats } from '../domain/seats';
import type { ErrorBody } from '../schemas/errors';
import type { AccountSubscriptionDependencies, SnapshotReader } from './account-subscription';
import type { EventTail } from './event-tail';
import type { PriceCache } from './prices/price-cache';

export interface SocketLimits {
  /** A terminal with every channel of 15 accounts, or 100 markets. */
  readonly subscriptionsPerSocket: number;
  /** Over all processes. Each costs 20 KB; a user with more has lost count of them. */
  readonly socketsPerUser: number;
  /** Each reads a snapshot: a client that asks faster is told to wait. */
  readonly pendingSubscribes: number;
  /** A subscribe message has 300 bytes. */
  readonly maxMessageBytes: number;
  /** Subscriptions wait at a sixteenth of it; so much is left unread only by a client with very many of them. */
  readonly maxUnsentBytes: number;
  /** A key that was revoked is found out within this. */
  readonly reauthenticateMs: number;
  /** A client that answers no ping in pingTimeoutMs is gone; its subscriptions resume by sequence. */
  readonly pingEveryMs: number;
  readonly pingTimeoutMs: number;
  /** Whoever connects says who they are at once. */
  readonly connectTimeoutMs: number;
}

export const SOCKET_LIMITS: SocketLimits = {
  subscriptionsPerSocket: 100,
  socketsPerUser: 50,
  pendingSubscribes: 16,
  maxMessageBytes: 16 * 1024,
  maxUnsentBytes: 4 * 1024 * 1024,
  reauthenticateMs: 30_000,
  pingEveryMs: 10_000,
  pingTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
};

export interface SocketOptions {
  /** null: not a valid key. */
  readonly authenticate: (token: string) => Promise<{ readonly userId: string } | null>;
  readonly ownsAccount: (userId: string, accountId: string) => Promise<boolean>;
  /** One for each socket, in `sockets/<user id>`. */
  readonly seats: Seats;
  /** The market a venue's symbol or alias names; null: none. */
  readonly resolveMarket: (venue: string, symbolOrAlias: string) => Promise<{ readonly venue: string; readonly symbol: string } | null>;
  /** Web pages that may connect from elsewhere; absent: none. */
  readonly corsOrigins?: readonly string[];
  readonly snapshots: SnapshotReader;
  /** As AccountSubscriptionDependencies has it. */
  readonly lastStreamAlert: AccountSubscriptionDependencies['lastStreamAlert'];
  readonly tail: EventTail;
  readonly prices: PriceCache;
  /** The one body of errors, as REST has it. */
  readonly errorBody: (error: unknown, requestId: string) => ErrorBody;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
  readonly onReport?: (report: { readonly kind: 'slowClient' | 'revoked'; readonly userId: string; readonly reason: string }) => void;
  readonly limits?: Partial<SocketLimits>;
  /** Of subscriptions; for tests. */
  readonly subscription?: Pick<AccountSubscriptionDependencies, 'replayMaxEvents' | 'retryMs'>;
  readonly marketIntervalMs?: number;
}
