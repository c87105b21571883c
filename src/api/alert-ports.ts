/** What the API asks of alerts. Each throws NOT_FOUND for what is not the user's. */
import type { AlertChannelChange, AlertListQuery, AlertRule, AlertRuleChange, NewAlertChannel, NewAlertRule, ShownAlert, ShownAlertChannel } from '../domain/alert';

/** Whoever judges is told of every change, and looks by itself if it does not hear. */
export interface AlertRulesPort {
  /** Throws CONFLICT when the user has too many. */
  create(rule: NewAlertRule, actor: string): Promise<AlertRule>;
  list(userId: string): Promise<readonly AlertRule[]>;
  get(id: string, userId: string): Promise<AlertRule>;
  change(id: string, userId: string, change: AlertRuleChange, actor: string): Promise<AlertRule>;
  remove(id: string, userId: string, actor: string): Promise<AlertRule>;
}

/** Whoever delivers is told of every change, and looks by itself if it does not hear. */
export interface AlertChannelsPort {
  /** Whether this server has a mail server to send by. */
  readonly sendsEmail: boolean;
  /** Throws CONFLICT when the user has too many, RATE_LIMITED when too many codes were sent. */
  create(channel: NewAlertChannel, actor: string): Promise<ShownAlertChannel>;
  list(userId: string): Promise<readonly ShownAlertChannel[]>;
  get(id: string, userId: string): Promise<ShownAlertChannel>;
  /** Throws CONFLICT for one that is to be enabled and was never verified, VALIDATION for a token of an address. */
  change(id: string, userId: string, change: AlertChannelChange, actor: string): Promise<ShownAlertChannel>;
  /** These throw CONFLICT where the channel's status forbids it. */
  sendCode(id: string, userId: string): Promise<ShownAlertChannel>;
  verify(id: string, userId: string, code: string, actor: string): Promise<ShownAlertChannel>;
  test(id: string, userId: string): Promise<ShownAlertChannel>;
  remove(id: string, userId: string, actor: string): Promise<ShownAlertChannel>;
}

export interface AlertsPort {
  list(query: AlertListQuery): Promise<{ readonly alerts: readonly ShownAlert[]; readonly nextCursor: string | null }>;
  get(id: string, userId: string): Promise<ShownAlert>;
  acknowledge(id: string, userId: string, actor: string): Promise<ShownAlert>;
}
