/** What a venue tells of a market's past: its last trades where they reach back far enough, otherwise candles. */
import type { Venue } from '../../domain/venue';
import type { History } from './trigger-catch-up';

/** As many as venues give in one answer. */
const TRADES = 1_000;
const MINUTE_MS = 60_000;
/** The finest candles of which a venue surely keeps as many: widths (ms) that every venue has, and how far back each is used. */
const CANDLES = [
  { candleMs: MINUTE_MS, upToMs: 12 * 60 * MINUTE_MS },
  { candleMs: 15 * MINUTE_MS, upToMs: 7 * 24 * 60 * MINUTE_MS },
  { candleMs: 60 * MINUTE_MS, upToMs: Infinity },
] as const;

/** `sinceMs` and `nowMs` by the venue's clock. Throws VenueError where the venue does not answer. */
export async function readHistory(venue: Pick<Venue, 'trades' | 'candles'>, venueSymbol: string, sinceMs: number, nowMs: number, signal: AbortSignal): Promise<History> {
  // The exits' reserve is for what is sent and for what became of it: questions about the past stay out of it. But a protection waits for the answer.
  const options = { signal, priority: 'read', passesBreaker: true } as const;
  const trades = [...(await venue.trades(venueSymbol, TRADES, options))].sort((a, b) => a.at - b.at);
  const newest = trades.at(-1);
  // From the one before on: it is the price that stood then.
  const standing = trades.findLastIndex(({ at }) => at < sinceMs);
  if ((trades[0]?.at ?? Infinity) <= sinceMs) return { origin: 'trades', trades: trades.slice(Math.max(standing, 0)), candles: [], candleMs: 0, untilMs: newest?.at ?? sinceMs };
  const { candleMs } = CANDLES.find(({ upToMs }) => nowMs - sinceMs <= upToMs) ?? CANDLES[2];
  const fromMs = Math.floor(sinceMs / candleMs) * candleMs;
  const candles = [...(await venue.candles(venueSymbol, candleMs, fromMs, nowMs, options))].filter(({ at }) => at >= fromMs).sort((a, b) => a.at - b.at);
  return { origin: 'candles', trades: [], candles, candleMs, untilMs: nowMs };
}
