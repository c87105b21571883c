/** Alerts to people: rules of what a user wants to hear of, the alerts they raise, the channels that carry them. */
import type { PriceType } from './condition';
import type { OrderSide } from './order';
import type { TriggerDirection } from './trigger';

export const ALERT_KINDS = ['price', 'fill', 'protection', 'liquidationDistance', 'loss', 'venueDown', 'depositStuck'] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** What each kind of rule is told by. Decimals are plain strings. */
export interface AlertParameters {
  /** `repeats`: again whenever the price comes back to the level, after it was `rearmBps` away from it on the other side. */
  readonly price: { readonly venue: string; readonly symbol: string; readonly direction: TriggerDirection; readonly price: string; readonly priceType: PriceType; readonly repeats: boolean; readonly rearmBps: number };
  /** `minNotional`: price times quantity; null: every fill. `side` null: both. */
  readonly fill: { readonly side: OrderSide | null; readonly minNotional: string | null };
  readonly protection: Readonly<Record<string, never>>;
  /** Between mark and liquidation price, in percent of the mark. */
  readonly liquidationDistance: { readonly percent: string };
  /** Lost since the UTC day began, in the quote asset; null: only when one of the account's own limits trips, which always counts. */
  readonly loss: { readonly amount: string | null };
  /** `venue` null: every one. */
  readonly venueDown: { readonly venue: string | null; readonly afterSeconds: number };
  readonly depositStuck: { readonly afterMinutes: number };
}

export type AlertTerms = { readonly [Kind in AlertKind]: { readonly kind: Kind; readonly parameters: AlertParameters[Kind] } }[AlertKind];

interface RuleFields {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** null: every account of the user. Of kinds that belong to accounts. */
  readonly accountIds: readonly string[] | null;
  /** null: every symbol. Of kinds that belong to markets. */
  readonly symbols: readonly string[] | null;
  /** Telegram chats and e-mail addresses; webhooks and sockets hear of every alert by its event. */
  readonly channelIds: readonly string[];
  /** After an alert on a subject, silence on it for so long. */
  readonly cooldownSeconds: number;
  /** Alerts are gathered for so long into one message; null: each at once. */
  readonly digestMinutes: number | null;
  /** Until then channels are quiet; then they hear of all of it in one message. */
  readonly snoozedUntil: string | null;
  readonly enabled: boolean;
  /** What happened before is not its business. */
  readonly activeSince: string;
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type AlertRule = AlertTerms & RuleFields;

type RuleSettings = Pick<RuleFields, 'name' | 'accountIds' | 'symbols' | 'channelIds' | 'cooldownSeconds' | 'digestMinutes' | 'snoozedUntil'>;
export type NewAlertRule = AlertTerms & RuleSettings & { readonly userId: string };
/** What is absent stays. Parameters are of the rule's own kind. */
export type AlertRuleChange = { readonly [Field in keyof RuleSettings]?: RuleSettings[Field] | undefined } & { readonly parameters?: AlertRule['parameters'] | undefined; readonly enabled?: boolean | undefined };

/** What is to be told, before it has an id and a time. */
export interface AlertFact {
  /** What it is about: the cooldown counts by it. */
  readonly subject: string;
  /** One line. */
  readonly title: string;
  readonly body: string;
  readonly accountId: string | null;
  readonly symbol: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Alert extends AlertFact {
  readonly id: string;
  readonly userId: string;
  readonly ruleId: string;
  readonly ruleName: string;
  readonly kind: AlertKind;
  /** Alerts on this subject that the cooldown kept silent since the last one. */
  readonly suppressed: number;
  readonly raisedAt: string;
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
}

/** How far an alert came on a channel. `discarded`: the channel was deleted first. */
export const NOTICE_STATUSES = ['waiting', 'sending', 'delivered', 'exhausted', 'discarded'] as const;
export type NoticeStatus = (typeof NOTICE_STATUSES)[number];

export interface AlertDelivery {
  readonly channelId: string;
  readonly status: NoticeStatus;
  /** When it was due, or settled. */
  readonly at: string;
}

export const CHANNEL_KINDS = ['telegram', 'email'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];

/** `unverified`: nothing but codes is sent there until one comes back. */
export const CHANNEL_STATUSES = ['unverified', 'enabled', 'disabled'] as const;
export type ChannelStatus = (typeof CHANNEL_STATUSES)[number];

/**
 * `blocked`: the bot was blocked, or put out of the chat; `chatNotFound`; `unauthorized`: the bot's token is no more; `addressRefused`:
 * the mail server does not know the address; `owner`: its owner said so.
 */
export const CHANNEL_DISABLED_REASONS = ['blocked', 'chatNotFound', 'unauthorized', 'addressRefused', 'owner'] as const;
export type ChannelDisabledReason = (typeof CHANNEL_DISABLED_REASONS)[number];

export interface AlertChannel {
  readonly id: string;
  readonly userId: string;
  readonly kind: ChannelKind;
  readonly name: string;
  /** Telegram: the chat's id; e-mail: the address. */
  readonly target: string;
  readonly status: ChannelStatus;
  readonly disabledReason: ChannelDisabledReason | null;
  readonly disabledAt: string | null;
  readonly verifiedAt: string | null;
  /** Nothing is sent before: it failed, or asked for a pause. null: no reason to wait. */
  readonly heldUntil: string | null;
  readonly lastError: string | null;
  readonly lastDeliveredAt: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A channel as its owner sees it. */
export interface ShownAlertChannel extends AlertChannel {
  /** Alerts that wait to be sent there. */
  readonly waiting: number;
}

export interface NewAlertChannel extends Pick<AlertChannel, 'userId' | 'kind' | 'name' | 'target'> {
  /** Of a Telegram chat. */
  readonly botToken: string | null;
}

/** What is absent stays. */
export interface AlertChannelChange {
  readonly name?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** The chat is verified anew. */
  readonly botToken?: string | undefined;
}

export const MESSAGE_KINDS = ['alerts', 'verification', 'test'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** Kinds whose rules may be narrowed to accounts, and to symbols. */
export const KINDS_OF_ACCOUNTS: ReadonlySet<AlertKind> = new Set(['fill', 'protection', 'liquidationDistance', 'loss', 'venueDown']);
export const KINDS_OF_SYMBOLS: ReadonlySet<AlertKind> = new Set(['fill', 'protection', 'liquidationDistance']);

export interface AlertListQuery {
  readonly userId: string;
  readonly ruleId: string | null;
  readonly kind: AlertKind | null;
  readonly acknowledged: boolean | null;
  readonly cursor: string | null;
  readonly limit: number;
}

/** With how far each channel is with it. */
export interface ShownAlert extends Alert {
  readonly deliveries: readonly AlertDelivery[];
}
