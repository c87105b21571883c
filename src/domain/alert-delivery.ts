/** How alerts become messages, and what an attempt at one comes to. Pure: time and chance are given. */
import type { Alert, ChannelDisabledReason } from './alert';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A channel that fails is left alone for ever longer: a person waits for this, so the first waits are short, and it is found again within half an hour. */
export const CHANNEL_WAITS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE] as const;
/** Of a wait, either way: channels that failed together are not tried again together. */
const JITTER = 0.2;
/** A message that could not be delivered for so long tells nobody anything new: it is given up, and said so. */
export const GIVE_UP_AFTER_MS = 72 * HOUR;
/** A receiver may ask for a pause of at most this. */
const LONGEST_PAUSE_MS = 24 * HOUR;

/** https://core.telegram.org/bots/api#sendmessage: 1-4096 characters; UTF-16 units are at least as many. */
export const TELEGRAM_MAX_LENGTH = 4_096;
/** Nobody reads more in a mail. */
export const EMAIL_MAX_LENGTH = 64 * 1024;
/** A subject line of one alert: mail programs show less. */
const MAX_SUBJECT_LENGTH = 200;

export type ToldAlert = Pick<Alert, 'id' | 'title' | 'body' | 'raisedAt' | 'suppressed' | 'ruleName'>;

export interface ComposedMessage {
  readonly subject: string;
  readonly body: string;
  /** How many of the alerts are in it: the rest are for the next one. */
  readonly count: number;
}

/** As many of the alerts, in their order, as one message takes: at least the first. */
export function composed(alerts: readonly ToldAlert[], maxLength: number): ComposedMessage {
  const [first] = alerts;
  if (first === undefined) throw new RangeError('a message needs an alert');
  // The count that is said may have as many digits as there are alerts.
  const room = maxLength - heading(alerts.length).length - SEPARATOR.length;
  const blocks: string[] = [];
  let length = 0;
  for (const alert of alerts) {
    const block = blockOf(alert);
    if (blocks.length > 0 && length + SEPARATOR.length + block.length > room) break;
    length += (blocks.length > 0 ? SEPARATOR.length : 0) + block.length;
    blocks.push(block);
  }
  const count = blocks.length;
  const text = count === 1 ? (blocks[0] ?? '') : [heading(count), ...blocks].join(SEPARATOR);
  return { subject: oneLine(count === 1 ? first.title : heading(count)).slice(0, MAX_SUBJECT_LENGTH), body: text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text, count };
}

const SEPARATOR = '\n\n';

function heading(count: number): string {
  return `${count} alerts`;
}

/** The id at its end tells a person who gets it twice that it is one alert. */
function blockOf({ id, title, body, raisedAt, suppressed, ruleName }: ToldAlert): string {
  const silent = suppressed === 0 ? '' : `\n${suppressed} more like it were kept silent by the cooldown.`;
  return `${oneLine(title)}\n${body}${silent}\n${raisedAt}, rule "${oneLine(ruleName)}", ${id}`;
}

/** Without what could begin another line. */
export function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- the characters themselves are meant
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
}

/**
 * What one attempt came to. `retry`: not now; `paused`: the receiver asked for a pause; `refused`: this message never; `disable`: nothing
 * more for this channel; `moved`: the chat has another id; `interrupted`: our own end cut it, and it is due again at once.
 */
export type SendOutcome =
  | { readonly kind: 'delivered'; readonly externalId: string | null }
  | { readonly kind: 'retry'; readonly message: string }
  | { readonly kind: 'paused'; readonly waitMs: number; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'disable'; readonly reason: ChannelDisabledReason; readonly message: string }
  | { readonly kind: 'moved'; readonly target: string; readonly message: string }
  | { readonly kind: 'interrupted' };

export interface ChannelHealth {
  readonly failuresInARow: number;
  readonly heldUntilMs: number | null;
}

export interface AfterSend {
  readonly status: 'pending' | 'delivered' | 'exhausted';
  readonly channel: ChannelHealth;
  readonly disabled: ChannelDisabledReason | null;
}

/** `sinceMs`: when the message was made; `chance`: from 0 to below 1. A message of a channel that is disabled stays pending: it goes when the channel is enabled. */
export function afterSend(channel: ChannelHealth, outcome: SendOutcome, sinceMs: number, nowMs: number, chance: number): AfterSend {
  const unharmed: ChannelHealth = { failuresInARow: 0, heldUntilMs: null };
  switch (outcome.kind) {
    case 'delivered':
      return { status: 'delivered', channel: unharmed, disabled: null };
    case 'refused':
      return { status: 'exhausted', channel: unharmed, disabled: null };
    case 'moved':
    case 'interrupted':
      return { status: 'pending', channel: { ...channel, heldUntilMs: null }, disabled: null };
    case 'disable':
      return { status: 'pending', channel: unharmed, disabled: outcome.reason };
    case 'paused': {
      // Asked for, so it is no failure of theirs; and never sooner than they said.
      const heldUntilMs = nowMs + Math.min(Math.max(outcome.waitMs, SECOND), LONGEST_PAUSE_MS);
      return { status: isTooOld(sinceMs, nowMs) ? 'exhausted' : 'pending', channel: { ...channel, heldUntilMs }, disabled: null };
    }
    case 'retry': {
      const failuresInARow = channel.failuresInARow + 1;
      const waitMs = CHANNEL_WAITS_MS[Math.min(failuresInARow, CHANNEL_WAITS_MS.length) - 1] ?? MINUTE;
      const heldUntilMs = nowMs + Math.round(waitMs * (1 - JITTER + 2 * JITTER * chance));
      return { status: isTooOld(sinceMs, nowMs) ? 'exhausted' : 'pending', channel: { failuresInARow, heldUntilMs }, disabled: null };
    }
  }
}

export function isTooOld(sinceMs: number, nowMs: number): boolean {
  return nowMs - sinceMs >= GIVE_UP_AFTER_MS;
}
