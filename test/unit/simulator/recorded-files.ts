/** The recordings of real markets beside the checkout, read here without any of the simulator's own readers. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe } from '@jest/globals';

const FOLDER = process.env['SUREFILL_SHARED_DATA'] ?? resolve(__dirname, '..', '..', '..', '..', 'shared', 'data');

export interface RawTrade {
  readonly side: 'buy' | 'sell';
  readonly price: string;
  readonly quantity: string;
}

export function pathOf(name: string): string {
  return join(FOLDER, name);
}

/** `describe` with the file's path; skipped, and said so, where the file is not there. */
export function describeWith(name: string, what: string, tests: (path: string) => void): void {
  const path = pathOf(name);
  const isThere = existsSync(path);
  if (!isThere) process.stderr.write(`SKIPPED: ${what}, because ${path} is not there (set SUREFILL_SHARED_DATA to its folder)\n`);
  (isThere ? describe : describe.skip)(what, () => tests(path));
}

function textOf(path: string): string {
  return gunzipSync(readFileSync(path)).toString('utf8');
}

function rowsOf(path: string): string[][] {
  return textOf(path).trim().split('\n').slice(1).map((line) => line.split(','));
}

/** row, timestamp, id, type, side, price, amount, … */
export function csvTrades(path: string): RawTrade[] {
  return rowsOf(path).map((row) => ({ side: row[4] as 'buy' | 'sell', price: row[5] ?? '', quantity: row[6] ?? '' }));
}

export function arrayTrades(path: string): RawTrade[] {
  const all = JSON.parse(textOf(path)) as [number, string, null, 'buy' | 'sell', number, number, number][];
  return all.map(([, , , side, price, amount]) => ({ side, price: String(price), quantity: String(amount) }));
}

export interface RawCandle {
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

export function csvCandles(path: string): RawCandle[] {
  return rowsOf(path).map(([, open = '', high = '', low = '', close = '', volume = '']) => ({ open, high, low, close, volume }));
}
