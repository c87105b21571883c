/** Texts outside of the heap: each is read as it was written, whatever was given back and written over meanwhile. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TextCells } from '../../../src/streams/triggers/text-cells';
import { RUNS } from '../streams/runs';
import { same } from './naive-triggers';

/** Of all lengths around those of cells, and longer than a piece of memory. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme', maxLength: 100 }) },
  { weight: 3, arbitrary: fc.nat(260).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.nat(40_000).map((length) => 'y'.repeat(length)) },
);
const step = fc.oneof({ weight: 3, arbitrary: fc.record({ text }) }, { weight: 2, arbitrary: fc.record({ dropped: fc.nat() }) });

const kept = (make: () => TextCells) =>
  fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    const cells = make();
    const held: { readonly text: string; readonly bytes: number; readonly cell: number }[] = [];
    for (const each of steps) {
      if ('text' in each) {
        const bytes = Buffer.byteLength(each.text);
        held.push({ text: each.text, bytes, cell: cells.add(each.text, bytes) });
      } else {
        const [dropped] = held.splice(each.dropped % Math.max(held.length, 1), 1);
        if (dropped !== undefined) cells.release(dropped.cell, dropped.bytes);
      }
      same(held.map(({ cell, bytes }) => cells.read(cell, bytes)), held.map((one) => one.text));
    }
  });

describe('texts in cells', () => {
  test('are read as they were written', () => {
    fc.assert(kept(() => new TextCells()), { numRuns: RUNS });
  });

  test('of a length that nobody wrote are none', () => {
    expect(() => new TextCells().read(0, 5)).toThrow('no text of 5 bytes is kept');
  });
});

describe('the comparison finds cells that', () => {
  test.each<[string, (cells: TextCells) => Partial<TextCells>]>([
    ['are given to two', (cells) => ({ add: (given, bytes) => { const cell = cells.add(given, bytes); cells.release(cell, bytes); return cell; } })],
    ['lose the last byte', (cells) => ({ read: (cell, bytes) => cells.read(cell, bytes).slice(0, -1) })],
  ])('%s', (_, defect) => {
    const make = (): TextCells => {
      const cells = new TextCells();
      return Object.assign(Object.create(cells) as TextCells, defect(cells));
    };
    expect(fc.check(kept(make), { numRuns: RUNS }).failed).toBe(true);
  });
});
