import { Decimal, ZERO, maxOf, minOf } from '../domain/decimal';
import type { Trade } from './order';

/** Public trades kept per market: what GET /trades can reach back to. */
export const MAX_TRADES = 1_000;
/** The finest candle; longer ones are made of these. */
export const CANDLE_BASE_MS = 60_000;
/** One week of one-minute candles per market. */
const MAX_CANDLES = 7 * 24 * 60;

export interface Candle {
  time: number;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
  volume: Decimal;
}

/** Recent public trades and candles of one market; candles follow the mark, their volume the trades. */
export class Tape {
  readonly trades: Trade[] = [];
  private readonly candles: Candle[] = [];

  last(): Trade | undefined {
    return this.trades[this.trades.length - 1];
  }

  addTrade(trade: Trade): void {
    this.trades.push(trade);
    if (this.trades.length > MAX_TRADES * 2) this.trades.splice(0, this.trades.length - MAX_TRADES);
    const candle = this.addPrice(trade.price, trade.time);
    candle.volume = candle.volume.plus(trade.quantity);
  }

  addPrice(price: Decimal, time: number): Candle {
    const bucket = time - (time % CANDLE_BASE_MS);
    const current = this.candles[this.candles.length - 1];
    // A clock set back does not reopen the past: such prices count for the newest candle.
    if (current !== undefined && bucket <= current.time) {
      current.high = maxOf(current.high, price);
      current.low = minOf(current.low, price);
      current.close = price;
      return current;
    }
    const opened: Candle = { time: bucket, open: price, high: price, low: price, close: price, volume: ZERO };
    this.candles.push(opened);
    if (this.candles.length > MAX_CANDLES * 2) this.candles.splice(0, this.candles.length - MAX_CANDLES);
    return opened;
  }

  /** The last `count` candles, oldest first. */
  newestCandles(count: number): Candle[] {
    return this.candles.slice(-Math.min(count, MAX_CANDLES));
  }

  /** What was on the tape before a restart, oldest first. */
  restore(trades: readonly Trade[], candles: readonly Candle[]): void {
    this.trades.push(...trades);
    this.candles.push(...candles.slice(-MAX_CANDLES));
  }

  recentTrades(limit: number): Trade[] {
    return this.trades.slice(-Math.min(limit, MAX_TRADES));
  }

  /** Candles of `intervalMs` (a multiple of one minute) that begin in [from, to), oldest first. */
  between(intervalMs: number, from: number, to: number): Candle[] {
    const merged: Candle[] = [];
    for (const candle of this.candles) {
      const time = candle.time - (candle.time % intervalMs);
      if (time < from || time >= to) continue;
      const current = merged[merged.length - 1];
      if (current === undefined || current.time !== time) {
        merged.push({ ...candle, time });
        continue;
      }
      current.high = maxOf(current.high, candle.high);
      current.low = minOf(current.low, candle.low);
      current.close = candle.close;
      current.volume = current.volume.plus(candle.volume);
    }
    return merged;
  }
}
