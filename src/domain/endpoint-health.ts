/** What becomes of an endpoint by the answers it gives: breaker, disabling, word to its owner. Pure. */
import { isDelivered } from './delivery-schedule';
import type { AttemptOutcome, DisabledReason, WebhookEndpoint } from './webhook';

/** Failures in a row over all its deliveries, after which it is left alone for a while. */
export const BREAKER_AFTER_FAILURES = 5;
/** The breaker's first wait; it doubles with every probe that fails. */
export const BREAKER_FIRST_MS = 30_000;
/** Its longest: an endpoint that is back is noticed within this. */
export const BREAKER_LONGEST_MS = 600_000;
/** Nothing but failures for so long disables it. */
export const DISABLE_AFTER_MS = 120 * 3_600_000;
const GONE = 410;

export interface EndpointHealth {
  readonly disabled: DisabledReason | null;
  /** ms since the epoch; null: the last attempt succeeded. */
  readonly failingSinceMs: number | null;
  readonly failuresInARow: number;
  /** How often it opened since the last success. */
  readonly breakerTrips: number;
  readonly breakerOpenUntilMs: number | null;
}

export const HEALTHY: EndpointHealth = { disabled: null, failingSinceMs: null, failuresInARow: 0, breakerTrips: 0, breakerOpenUntilMs: null };

/** After one attempt. What is disabled stays so: only its owner enables it. */
export function afterAttempt(health: EndpointHealth, outcome: Pick<AttemptOutcome, 'code' | 'errorClass'>, nowMs: number): EndpointHealth {
  if (isDelivered(outcome)) return { ...HEALTHY, disabled: health.disabled };
  // Nothing was asked of it.
  if (outcome.errorClass === 'secretLost') return { ...health, disabled: health.disabled ?? 'secretLost' };
  const failingSinceMs = health.failingSinceMs ?? nowMs;
  const failuresInARow = health.failuresInARow + 1;
  const disabled = health.disabled ?? (outcome.code === GONE ? 'gone' : nowMs - failingSinceMs >= DISABLE_AFTER_MS ? 'failing' : null);
  // Attempts that were under way as it opened do not open it once more.
  const isOpen = health.breakerOpenUntilMs !== null && health.breakerOpenUntilMs > nowMs;
  if (failuresInARow < BREAKER_AFTER_FAILURES || isOpen) return { ...health, disabled, failingSinceMs, failuresInARow };
  const waitMs = Math.min(BREAKER_FIRST_MS * 2 ** health.breakerTrips, BREAKER_LONGEST_MS);
  return { disabled, failingSinceMs, failuresInARow, breakerTrips: health.breakerTrips + 1, breakerOpenUntilMs: nowMs + waitMs };
}

/** How many attempts may be under way now: none while the breaker is open, one that probes, else all that are wanted. */
export function attemptsAllowed(health: EndpointHealth, nowMs: number, wanted: number): number {
  if (health.disabled !== null) return 0;
  if (health.breakerOpenUntilMs === null) return wanted;
  return health.breakerOpenUntilMs > nowMs ? 0 : Math.min(1, wanted);
}

export function healthOf(endpoint: Pick<WebhookEndpoint, 'disabledReason' | 'failingSince' | 'breakerOpenUntil'> & { readonly failuresInARow: number; readonly breakerTrips: number }, nowMs: number): EndpointHealth {
  const { disabledReason: disabled, failingSince, breakerOpenUntil, failuresInARow, breakerTrips } = endpoint;
  const openUntilMs = breakerOpenUntil === null ? null : Date.parse(breakerOpenUntil);
  // It opens for no longer: the clock was set back since, and all that the endpoint is to be sent would wait until it has caught up.
  const breakerOpenUntilMs = openUntilMs !== null && openUntilMs - nowMs > BREAKER_LONGEST_MS ? nowMs : openUntilMs;
  return { disabled, failuresInARow, breakerTrips, failingSinceMs: failingSince === null ? null : Date.parse(failingSince), breakerOpenUntilMs };
}

/** A try of one delivery that is told to the owner: most are over by then. */
export const TOLD_AT_FAILURE = 4;
