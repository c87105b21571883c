/** What the API asks of incoming signals. What is not the user's is NOT_FOUND. */
import type { ReceivedAlert, Signal, SignalEnd, SignalSource, SignalStatus, TakenAlert } from '../domain/signal';

export type SignalSourceTerms = Pick<SignalSource, 'name' | 'kind' | 'accountId' | 'template' | 'fields' | 'alertId' | 'allowedAddresses' | 'rateLimit' | 'mode' | 'maxDelaySeconds'>;
/** What is absent stays. */
export type SignalSourceChange = { readonly [Field in Exclude<keyof SignalSourceTerms, 'kind'> | 'status']?: SignalSource[Field] | undefined };

/** The plain token is in no other answer. */
export interface MadeSignalSource {
  readonly source: SignalSource;
  readonly token: string;
}

export interface SignalSourcesPort {
  /** Throws CONFLICT when the user has too many, NOT_FOUND for an account that is not the user's. */
  create(userId: string, terms: SignalSourceTerms, actor: string): Promise<MadeSignalSource>;
  list(userId: string): Promise<readonly SignalSource[]>;
  get(id: string, userId: string): Promise<SignalSource>;
  change(id: string, userId: string, change: SignalSourceChange, actor: string): Promise<SignalSource>;
  rotateToken(id: string, userId: string, overlapSeconds: number, actor: string): Promise<MadeSignalSource>;
  remove(id: string, userId: string, actor: string): Promise<SignalSource>;
  /** null: no source has that token now. */
  byToken(token: string): Promise<SignalSource | null>;
}

export interface SignalsPort {
  /** Recorded once for its alert id, and to be placed by the caller within `leaseMs`; `isNew: false`: an earlier one has that id. */
  take(alert: TakenAlert, leaseMs: number): Promise<{ readonly signal: Signal; readonly isNew: boolean }>;
  /** One that is not placed: its alert id is not used up. */
  note(alert: ReceivedAlert, end: SignalEnd): Promise<Signal>;
  /** How it ended, once: a later word changes nothing. With its event. */
  settle(id: string, end: SignalEnd): Promise<Signal>;
  /** Why it could not be placed yet. */
  delay(id: string, reason: Pick<SignalEnd, 'code' | 'message'>, untilMs: number): Promise<Signal>;
  /** With what it became. Throws NOT_FOUND. */
  get(id: string, sourceId: string, userId: string): Promise<Signal>;
  list(query: { readonly sourceId: string; readonly userId: string; readonly status: SignalStatus | null; readonly cursor: string | null; readonly limit: number }): Promise<{ readonly signals: readonly Signal[]; readonly nextCursor: string | null }>;
  /** Those that nobody is at: the caller's for `leaseMs`. */
  due(limit: number, leaseMs: number): Promise<readonly Signal[]>;
}

export interface SignalPorts {
  readonly signalSources: SignalSourcesPort;
  readonly signals: SignalsPort;
}
