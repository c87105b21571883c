/**
 * What the journal keeps of the tapes: each trade with the candle it is in, candles that moved without a trade now and then. So a caller
 * who asks after a restart what was traded before it is told, as by any venue; what only the mark did in the last seconds before a kill is not.
 */
import { decimal } from '../domain/decimal';
import type { Trade } from './order';
import { type Candle, MAX_TRADES, Tape } from './tape';

type TradeRow = [id: string, price: string, quantity: string, side: Trade['side'], time: number];
type CandleRow = [time: number, open: string, high: string, low: string, close: string, volume: string];

export interface TapeRecord {
  symbol: string;
  trades?: TradeRow[];
  /** As they are now: of one minute the later record counts. */
  candles?: CandleRow[];
}

/** Rows of one snapshot line: a turn of the event loop writes several lines. */
const ROWS_PER_LINE = 200;
/** The one before is told once more, because its last prices may have come after it was told. */
const MOVING_CANDLES = 2;

export type Tapes = ReadonlyMap<string, Tape>;

/** What a step traded. */
export function tradedRecords(tapes: Tapes, trades: readonly Trade[]): TapeRecord[] {
  const symbols = [...new Set(trades.map(({ symbol }) => symbol))];
  return symbols.map((symbol) => ({ symbol, trades: trades.filter((trade) => trade.symbol === symbol).map(tradeRow), candles: (tapes.get(symbol)?.newestCandles(1) ?? []).map(candleRow) }));
}

/** What the marks did, trades or none. */
export function movedRecords(tapes: Tapes): TapeRecord[] {
  return [...tapes].map(([symbol, tape]) => ({ symbol, candles: tape.newestCandles(MOVING_CANDLES).map(candleRow) }));
}

/** Everything that the tapes show, oldest first. */
export function* tapeRecords(tapes: Tapes): Generator<TapeRecord> {
  for (const [symbol, tape] of tapes) {
    for (const candles of lines(tape.newestCandles(Infinity))) yield { symbol, candles: candles.map(candleRow) };
    for (const trades of lines(tape.recentTrades(MAX_TRADES))) yield { symbol, trades: trades.map(tradeRow) };
  }
}

/** Gathers tape records and then fills empty tapes with them. */
export class TapeRestoration {
  private readonly tapes = new Map<string, { trades: Map<string, TradeRow>; newestId: number; candles: Map<number, CandleRow> }>();

  readonly apply = ({ symbol, trades = [], candles = [] }: TapeRecord): void => {
    const tape = this.tapes.get(symbol) ?? { trades: new Map(), newestId: 0, candles: new Map() };
    this.tapes.set(symbol, tape);
    for (const row of trades) {
      const [id] = row;
      // A snapshot and the segment beside it may both tell of one: ids only rise.
      if (Number(id) <= tape.newestId) continue;
      tape.newestId = Number(id);
      tape.trades.set(id, row);
      const [oldest] = tape.trades.keys();
      if (tape.trades.size > MAX_TRADES && oldest !== undefined) tape.trades.delete(oldest);
    }
    for (const row of candles) tape.candles.set(row[0], row);
  };

  /** A market that is not open this time is left out. */
  restore(tapes: Tapes): void {
    for (const [symbol, { trades, candles }] of this.tapes) {
      tapes.get(symbol)?.restore([...trades.values()].map((row) => restoreTrade(symbol, row)), [...candles.values()].sort(([a], [b]) => a - b).map(restoreCandle));
    }
  }
}

function* lines<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_PER_LINE) yield rows.slice(from, from + ROWS_PER_LINE);
}

function tradeRow({ id, price, quantity, side, time }: Trade): TradeRow {
  return [id, price.toFixed(), quantity.toFixed(), side, time];
}

function candleRow({ time, open, high, low, close, volume }: Candle): CandleRow {
  return [time, open.toFixed(), high.toFixed(), low.toFixed(), close.toFixed(), volume.toFixed()];
}

function restoreTrade(symbol: string, [id, price, quantity, side, time]: TradeRow): Trade {
  return { id, symbol, price: decimal(price), quantity: decimal(quantity), side, time };
}

function restoreCandle([time, open, high, low, close, volume]: CandleRow): Candle {
  return { time, open: decimal(open), high: decimal(high), low: decimal(low), close: decimal(close), volume: decimal(volume) };
}
