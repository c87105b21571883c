/** The time, given in, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
}

export const systemClock: Clock = { nowMs: () => Date.now() };

export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/**
 * Clocks of two hosts, and what two watchers publish while one replaces the other, differ by less. What is further back was written after a
 * clock was set back, and what is further ahead before that. Half of what makes a price stale: where a clock is set back by less, newer
 * prices are left out until it has caught up, and the one that is kept is then still younger than a stale one.
 */
export const HOST_CLOCK_JUMP_MS = 5_000;

/** In UTC, from the year 1 to the end of 9999: what PostgreSQL reads as it is written, in a text that compares as the time does. */
const FIRST_KEPT_MS = Date.parse('0001-01-01T00:00:00.000Z');
export const LAST_KEPT_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Whether a time can be kept. What is no time at all cannot. */
export function isKeptTime(ms: number): boolean {
  return ms >= FIRST_KEPT_MS && ms <= LAST_KEPT_MS;
}
