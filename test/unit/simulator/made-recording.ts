/**
 * A recording in the format of Bybit's order-book archive, made here, so that tests of it need nothing outside the
 * checkout: a snapshot of many levels, then deltas in which the market rises a tick at a time.
 */
import { seededRandom } from '../../../src/simulator/generator';

type Level = [price: string, quantity: string];

export interface Line {
  readonly topic: string;
  readonly type: 'snapshot' | 'delta';
  readonly ts: number;
  readonly data: { readonly s: string; readonly b: Level[]; readonly a: Level[] };
}

const LEVELS = 500;
const FIRST_BID_TICKS = 19_531;
const FIRST_MS = 1_733_011_200_000;
/** Messages between two steps of the market. */
const CALM = 4;

/** XRPUSDT with a tick of 0.0001: the same lines on every call. */
export function madeRecording(length: number): Line[] {
  const random = seededRandom(42);
  const price = (ticks: number): string => (ticks / 10_000).toFixed(4);
  const quantity = (): string => String(1 + Math.floor(random() * 30_000));
  const line = (index: number, b: Level[], a: Level[]): Line => ({ topic: 'orderbook.500.XRPUSDT', type: index === 0 ? 'snapshot' : 'delta', ts: FIRST_MS + index * 100, data: { s: 'XRPUSDT', b, a } });
  const side = (fromTicks: number, step: 1 | -1): Level[] => Array.from({ length: LEVELS }, (_, depth): Level => [price(fromTicks + step * depth), quantity()]);
  const lines = [line(0, side(FIRST_BID_TICKS, -1), side(FIRST_BID_TICKS + 1, 1))];
  let bid = FIRST_BID_TICKS;
  for (let index = 1; index < length; index += 1) {
    const deeper: Level = [price(bid - 1 - Math.floor(random() * 50)), quantity()];
    if (index % CALM !== 0) {
      lines.push(line(index, [deeper], [[price(bid + 2 + Math.floor(random() * 50)), quantity()]]));
      continue;
    }
    // The best ask is taken away and bid for: the market is a tick higher.
    bid += 1;
    lines.push(line(index, [[price(bid), quantity()], deeper], [[price(bid), '0'], [price(bid + LEVELS), quantity()]]));
  }
  return lines;
}
