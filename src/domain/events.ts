/**
 * What happened, as clients see it. A row's change and its event commit together; `sequence` has no gap within a
 * stream, and a stream is an account (or a user, for what has no account).
 */

export const EVENT_TYPES = [
  'order.submitting',
  'order.denied',
  'order.armed',
  'order.triggered',
  'order.escalated',
  'order.submitted',
  'order.unknown',
  'order.working',
  'order.partiallyFilled',
  'order.filled',
  'order.canceled',
  'order.expired',
  'order.rejected',
  'order.cancelRequested',
  'order.cancelRefused',
  'order.amendRequested',
  'order.amended',
  'order.amendRefused',
  'order.updated',
  'order.corrected',
  'order.adopted',
  'fill.created',
  'position.updated',
  'position.protectionChanged',
  'balance.updated',
  'trade.opened',
  'trade.updated',
  'trade.closed',
  'strategy.created',
  'strategy.started',
  'strategy.placing',
  'strategy.progressed',
  'strategy.paused',
  'strategy.resumed',
  'strategy.venueDown',
  'strategy.venueBack',
  'strategy.amended',
  'strategy.cancelRequested',
  'strategy.completed',
  'strategy.canceled',
  'strategy.failed',
  'strategy.expired',
  'orderList.created',
  'orderList.progressed',
  'orderList.placing',
  'orderList.triggered',
  'orderList.stopMoved',
  'orderList.amended',
  'orderList.entriesStopped',
  'orderList.cancelRequested',
  'orderList.completed',
  'orderList.canceled',
  'orderList.expired',
  'orderList.rejected',
  'account.created',
  'account.statusChanged',
  'account.changed',
  'account.deleted',
  'account.riskLimitsChanged',
  'account.carryIn',
  'account.funding',
  'account.transfer',
  'account.collateralMoved',
  'account.alert',
  'deposit.created',
  'deposit.updated',
  'deposit.credited',
  'deposit.refunded',
  'deposit.failed',
  'deposit.ended',
  'deposit.reviewNeeded',
  'deposit.reversed',
  'deposit.unclaimed',
  'deposit.orderChanged',
  'deposit.returned',
  'deposit.held',
  'swap.quoted',
  'swap.updated',
  'swap.completed',
  'signal.placed',
  'signal.refused',
  'signal.expired',
  'withdrawal.created',
  'withdrawal.updated',
  'withdrawal.completed',
  'withdrawal.failed',
  'withdrawal.ended',
  'alert.raised',
  'alert.acknowledged',
  'alert.undelivered',
  'alert.channelDisabled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Socket channels by the event's first word. */
export type EventChannel = 'orders' | 'orderLists' | 'strategies' | 'fills' | 'positions' | 'balances' | 'trades' | 'account' | 'deposits' | 'alerts';

export interface StreamEvent {
  readonly id: string;
  /** `account:<id>` or `user:<id>`. */
  readonly stream: string;
  readonly userId: string;
  readonly accountId: string | null;
  readonly sequence: number;
  /** Changes when the database was restored from a backup: a client that sees another one must resync. */
  readonly generation: string;
  readonly type: EventType;
  readonly at: string;
  readonly orderId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event before it has its place in the stream. */
export interface EventDraft {
  readonly type: EventType;
  readonly orderId: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export function channelOf(type: EventType): EventChannel {
  if (type.startsWith('order.')) return 'orders';
  if (type.startsWith('orderList.')) return 'orderLists';
  if (type.startsWith('strategy.')) return 'strategies';
  if (type.startsWith('fill.')) return 'fills';
  if (type.startsWith('position.')) return 'positions';
  if (type.startsWith('balance.')) return 'balances';
  if (type.startsWith('trade.')) return 'trades';
  if (type.startsWith('deposit.') || type.startsWith('swap.') || type.startsWith('withdrawal.')) return 'deposits';
  if (type.startsWith('alert.')) return 'alerts';
  return 'account';
}

/** Kinds of account.alert that open and close a gap in what is known of the venue. */
export const STREAM_ALERTS = { gap: 'streamGap', resynced: 'streamResynced' } as const;

export function accountStream(accountId: string): string {
  return `account:${accountId}`;
}

export function userStream(userId: string): string {
  return `user:${userId}`;
}
