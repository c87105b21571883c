/** What watching an account asks of the rest: narrow ports that the store and main give. */
import type { AccountStatus } from '../domain/account';
import type { Clock } from '../domain/clock';
import type { Order } from '../domain/order';
import type { AppliedOrder, WriterEpoch } from '../domain/order-store';
import type { VenueBalance, VenueCredentials, VenueFill, VenueFundingPayment, VenueOrder } from '../domain/venue';
import type { PositionMessage } from './account-inbox';

type ConfirmedPosition = PositionMessage['position'];

export interface WatchingStore {
  takeEpoch(scope: string, holder: string): Promise<WriterEpoch>;
  applyFills(writer: WriterEpoch, accountId: string, fills: readonly VenueFill[]): Promise<{ readonly newFills: number; readonly deferred: number }>;
  applyVenueOrders(writer: WriterEpoch, accountId: string, orders: readonly VenueOrder[], source: 'stream' | 'query'): Promise<readonly AppliedOrder[]>;
  /** Answers how many were new. */
  applyFunding(writer: WriterEpoch, accountId: string, payments: readonly VenueFundingPayment[]): Promise<number>;
  /** What the ledger says is held, by asset. */
  ledgerCash(accountId: string): Promise<ReadonlyMap<string, string>>;
  /** False when the ledger has moved since `cash` was read. */
  bookTransfer(writer: WriterEpoch, accountId: string, transfer: { readonly asset: string; readonly amount: string; readonly cash: string; readonly atMs: number }): Promise<boolean>;
  putPositions(writer: WriterEpoch, accountId: string, positions: readonly ConfirmedPosition[], atMs: number, options?: { readonly complete?: boolean }): Promise<void>;
  carryIn(writer: WriterEpoch, accountId: string, positions: readonly ConfirmedPosition[], atMs: number): Promise<void>;
  /** No fill of a view older than this (venue's time, ms) comes any more. */
  settleUnbooked(writer: WriterEpoch, accountId: string, seenBeforeMs: number): Promise<number>;
  putBalances(writer: WriterEpoch, accountId: string, balances: readonly VenueBalance[], atMs: number): Promise<void>;
  /** Venue's time (ms) of the newest fill we have, or of the one `back` before it; null when there is none. */
  lastFillTime(accountId: string, back?: number): Promise<number | null>;
  /** Signed quantities by the venue's spelling of the market, as our fills make them. */
  heldQuantities(accountId: string): Promise<ReadonlyMap<string, string>>;
  checkpoint(scope: string, data: { readonly [field: string]: number }, writer?: WriterEpoch): Promise<void>;
  readCheckpoint(scope: string): Promise<unknown>;
}

/** What an audit found that the stream had not brought. */
export type Mismatch = 'order' | 'fill' | 'position';

export interface AccountWatcherPorts {
  readonly clock: Clock;
  readonly watching: WatchingStore;
  readonly accounts: {
    /** As they are now, from no cache. */
    credentials(accountId: string): Promise<VenueCredentials>;
    /** `onlyFrom`: where another status is set by then, it stays. */
    setStatus(id: string, status: AccountStatus, reason: string | null, writer?: WriterEpoch, options?: { readonly onlyFrom?: AccountStatus }): Promise<unknown>;
    alert(id: string, data: Readonly<Record<string, unknown>>, writer?: WriterEpoch): Promise<void>;
  };
  /** Judges the account's losses and what protects its positions; `everyMs` between two looks. */
  readonly judged: { check(writer: WriterEpoch, accountId: string): Promise<unknown>; readonly everyMs: number };
  /** Every order of the account that is not terminal. */
  working(accountId: string): Promise<readonly Order[]>;
  /** For metrics and the log. */
  onMismatch(accountId: string, kind: Mismatch, count: number): void;
  onTrouble(accountId: string, error: unknown): void;
}

/** The scope an account's one writer holds. */
export function accountScope(accountId: string): string {
  return `account/${accountId}`;
}
