/** Incoming signals: who may send them, what they become, and what became of each. */

/** What a signal becomes: an order as POST /orders takes it, or a strategy as POST /strategies does. */
export const SIGNAL_KINDS = ['order', 'strategy'] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

/** `dryRun`: every alert is judged and listed, none is placed. */
export const SIGNAL_MODES = ['live', 'dryRun'] as const;
export type SignalMode = (typeof SIGNAL_MODES)[number];

interface FieldTerms {
  /** Absent or true: an alert without it is refused, unless there is a fallback. */
  readonly required?: boolean | undefined;
  /** Stands in where the alert has none; in the alert's own words. */
  readonly fallback?: string | undefined;
}

/** One field of an alert, and what it must be. */
export type SignalField = FieldTerms &
  (
    | { readonly kind: 'text' }
    /** `digits`: so many after the point are kept, the rest is cut off. */
    | { readonly kind: 'decimal'; readonly digits?: number | undefined }
    | { readonly kind: 'integer' }
    | { readonly kind: 'boolean' }
    /** The alert's word, and the one that the template gets. */
    | { readonly kind: 'choice'; readonly options: Readonly<Record<string, string>> }
  );

export type SignalFields = Readonly<Record<string, SignalField>>;
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | { readonly [key: string]: TemplateValue };
export type SignalTemplate = { readonly [key: string]: TemplateValue };

/** An address that alerts are sent to: its token is in the URL, because such senders can set no header. */
export interface SignalSource {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  readonly kind: SignalKind;
  /** The one account that its signals trade: the template's. */
  readonly accountId: string;
  /** A request with `{{field}}` where an alert's value goes. */
  readonly template: SignalTemplate;
  readonly fields: SignalFields;
  /** Made of the alert's fields: the same text is the same signal. */
  readonly alertId: string;
  /** IP addresses, networks, or `tradingview`; null: from anywhere. */
  readonly allowedAddresses: readonly string[] | null;
  /** A rate as in domain/call-rate.ts. */
  readonly rateLimit: string;
  readonly mode: SignalMode;
  /** An alert that could not be placed for so long is not placed any more: its price is another by then. */
  readonly maxDelaySeconds: number;
  readonly status: 'enabled' | 'disabled';
  /** Until when the token before the newest works; null: it does not. */
  readonly oldTokenUntil: string | null;
  readonly lastSignalAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/**
 * `taken`: recorded, and being placed. `placed`: there is an order or a strategy. `refused`: there is none, or one that is DENIED.
 * `expired`: it could not be placed in time. `dryRun`: it was only judged.
 */
export const SIGNAL_STATUSES = ['taken', 'placed', 'refused', 'expired', 'dryRun'] as const;
export type SignalStatus = (typeof SIGNAL_STATUSES)[number];

export interface Signal {
  readonly id: string;
  readonly userId: string;
  readonly sourceId: string;
  readonly accountId: string;
  readonly kind: SignalKind;
  /** null: it could not be told. */
  readonly alertId: string | null;
  readonly status: SignalStatus;
  /** Why it is not placed: a code of domain/errors.ts. */
  readonly code: string | null;
  readonly message: string | null;
  /** The alert's fields as they came. */
  readonly alert: Readonly<Record<string, string>>;
  /** What it became, as POST /orders or POST /strategies would be sent it. */
  readonly request: Readonly<Record<string, unknown>> | null;
  readonly address: string;
  readonly receivedAt: string;
  readonly placeBefore: string;
  readonly settledAt: string | null;
  readonly orderId: string | null;
  readonly strategyId: string | null;
  /** Of the order or the strategy, now. */
  readonly state: string | null;
}

export const SIGNAL_TOKEN_PREFIX = 'sig_';

/**
 * Where TradingView sends alerts from: "How to configure webhook alerts", www.tradingview.com/support/solutions/43000529348 (read in 2026-11).
 * The same page: no IPv6, ports 80 and 443 only, and a request that takes longer than three seconds is cancelled.
 */
export const TRADINGVIEW = 'tradingview';
export const TRADINGVIEW_ADDRESSES: readonly string[] = ['52.89.214.238', '34.212.75.30', '54.218.53.128', '52.32.178.7'];

/** An alert as it came. */
export interface ReceivedAlert {
  readonly source: SignalSource;
  readonly alertId: string | null;
  readonly alert: Readonly<Record<string, string>>;
  readonly address: string;
  readonly request: Readonly<Record<string, unknown>> | null;
}

export interface TakenAlert extends ReceivedAlert {
  readonly alertId: string;
  readonly request: Readonly<Record<string, unknown>>;
  /** The clientOrderId or clientStrategyId: a function of source and alert id. */
  readonly clientId: string;
}

export interface SignalEnd {
  readonly status: Exclude<SignalStatus, 'taken'>;
  readonly code: string | null;
  readonly message: string | null;
}
