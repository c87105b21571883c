/** Coverage is counted for files that some test loads: a file that none loads would not count against its room. */
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { filesBelow, ROOT } from '../support/source-imports';

/* eslint-disable-next-line @typescript-eslint/no-require-imports -- plain JavaScript, as Jest reads it */
const { collectCoverageFrom } = require('../../jest.config') as { readonly collectCoverageFrom: readonly string[] };
const rooms = collectCoverageFrom.map((glob) => glob.replace('<rootDir>/', '').replace('/**/*.ts', ''));

describe('the rooms whose coverage is judged', () => {
  test('are those that decide', () => {
    expect(rooms).toEqual(['src/domain', 'src/risk', 'src/venues', 'src/workflows/state']);
  });

  test.each(rooms)('%s: each file loads, and so counts whether another test uses it or not', async (room) => {
    const files = filesBelow(room, ['.ts']);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(await import(path.join(ROOT, file))).toBeDefined();
  });
});
