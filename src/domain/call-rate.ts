/** How often a caller of ours may ask: the limits of the HTTP edge. */

/** What is limited apart from each other, so that watching prices never costs an order. */
export const CALL_KINDS = ['prices', 'orders', 'deposits', 'admin', 'reads'] as const;
export type CallKind = (typeof CALL_KINDS)[number];

/** So many calls in a period, and at most `burst` at once. */
export interface CallRate {
  readonly count: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** null: not limited. */
export type CallRates = Readonly<Record<CallKind, CallRate | null>>;

const PERIODS_MS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000 };

/** The text of a rate, for a JSON schema too. */
export const CALL_RATE_PATTERN = /^(off|[1-9][0-9]{0,6}\/(s|min|h)( burst [1-9][0-9]{0,6})?)$/;
export const CALL_RATE_RULE = 'be off, or a rate such as 10/s, 100/min, 5/h or 10/s burst 50';

/** null for `off`, undefined for what is no rate. Without a burst, a whole period's calls may come at once. */
export function callRateOf(text: string): CallRate | null | undefined {
  if (text === 'off') return null;
  if (!CALL_RATE_PATTERN.test(text)) return undefined;
  const [rate = '', burst] = text.split(' burst ');
  const [count = '', period = ''] = rate.split('/');
  const periodMs = PERIODS_MS[period];
  return periodMs === undefined ? undefined : { count: Number(count), periodMs, burst: Number(burst ?? count) };
}
