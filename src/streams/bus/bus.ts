/**
 * What stands between the processes: prices, books and wake-ups to whoever subscribed, and the venues' request budgets.
 * Over Redis (redis-bus.ts) or the supervisor's loopback hub (hub-bus.ts), held to one contract suite. It carries
 * nothing that must not be lost: orders, fills and account events are read from PostgreSQL (event-tail.ts).
 */
import type { RateBudget } from '../../domain/rate-budget';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Called in the order of publication per publisher. It must not throw; what it throws is reported and goes no further. */
export type BusListener = (message: JsonObject, topic: string) => void;

export interface Bus {
  /**
   * Tells all subscribers in all processes, this one included. An object, or its JSON text ready made. Never waits; while
   * the bus is away the newest message of each retained topic is kept and told on return, and of the others the newest few.
   * Throws RangeError on a malformed topic or a message larger than MAX_MESSAGE_BYTES.
   */
  publish(topic: string, message: JsonObject | string): void;
  /** A topic, or a prefix ending with '/'. Retained topics give their newest value at once. The answer ends it. */
  subscribe(topicOrPrefix: string, listener: BusListener): () => void;
  /** Settles when everything subscribed or published before has reached the other side; rejects when the bus is away. */
  synced(): Promise<void>;
  readonly rateBudget: RateBudget;
  /** Limits on our own callers, over all processes. */
  readonly callerLimits: Pick<RateBudget, 'take'>;
  /** Connected, answering, and subscribed to all that was asked for. */
  healthy(): boolean;
  close(): Promise<void>;
}

export type BusReport =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected'; readonly reason: string }
  /** The shared budget did not answer: this process took from its own eighth, or holds callers' limits alone. */
  | { readonly kind: 'budgetAlone'; readonly reason: string }
  /** Messages given up. */
  | { readonly kind: 'dropped'; readonly count: number; readonly reason: string }
  | { readonly kind: 'listenerFailed'; readonly topic: string; readonly reason: string }
  | { readonly kind: 'unreadable'; readonly topic: string; readonly reason: string };

export type OnBusReport = (report: BusReport) => void;

/** A book of 50 levels a side is 5 KB; more than this is a mistake of ours. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** How long the shared budget may take to answer: a third of what an entry may wait for it. */
export const BUDGET_ANSWER_MS = 100;
/** Between two pings of what stands between. */
export const BUS_PING_MS = 1_000;
/** After so many in vain the connection is given up. */
export const MAX_UNANSWERED_PINGS = 2;
/** What takes longer than that is not waited for. */
export const BUS_SILENCE_MS = BUS_PING_MS * MAX_UNANSWERED_PINGS;

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
