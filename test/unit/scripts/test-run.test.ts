import { describe, expect, test } from '@jest/globals';

interface Results {
  passed: number;
  failed: number;
  skipped: string[];
}
interface TestResults {
  addReport(results: Results, report: object): void;
  emptyResults(): Results;
  isGood(results: Results, options: { strict: boolean }): boolean;
  summaryLine(results: Results): string;
}
interface TestFiles {
  chooseFiles(choice: object, all: string[]): { covered: string[]; shared: string[]; alone: string[] };
}
/* eslint-disable @typescript-eslint/no-require-imports -- plain JavaScript that runs before anything is installed */
const { addReport, emptyResults, isGood, summaryLine } = require('../../../scripts/test-results') as TestResults;
const { chooseFiles } = require('../../../scripts/test-files') as TestFiles;
/* eslint-enable @typescript-eslint/no-require-imports */

function reportWith(changes: object): object {
  return { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [], ...changes };
}

describe('the result of npm test', () => {
  test('is one plain line of three counts over all stages', () => {
    const results = emptyResults();
    addReport(results, reportWith({ numFailedTests: 1 }));
    addReport(results, reportWith({ testResults: [{ assertionResults: [{ status: 'pending', fullName: 'Redis forgets' }] }] }));
    expect(summaryLine(results)).toBe('6 passed, 1 failed, 1 skipped');
  });

  test('a file that could not run at all is a failure', () => {
    const results = emptyResults();
    addReport(results, reportWith({ numRuntimeErrorTestSuites: 1 }));
    expect(isGood(results, { strict: false })).toBe(false);
  });

  test('a skip is good on a laptop and a failure in CI', () => {
    const results = { passed: 1, failed: 0, skipped: ['Redis forgets'] };
    expect(isGood(results, { strict: false })).toBe(true);
    expect(isGood(results, { strict: true })).toBe(false);
  });

  test('a run of nothing is not good', () => {
    expect(isGood(emptyResults(), { strict: false })).toBe(false);
  });
});

describe('the files of npm test', () => {
  const all = ['unit/a.test.ts', 'contract/b.test.ts', 'api/c.test.ts', 'faults/d.test.ts', 'e2e/e.test.ts', 'support/servers.ts', 'architecture.test.ts'];

  test('every file runs in exactly one stage, those that start and kill whole stacks alone', () => {
    expect(chooseFiles({}, all)).toEqual({
      covered: ['test/unit/a.test.ts', 'test/contract/b.test.ts'],
      shared: ['test/api/c.test.ts', 'test/architecture.test.ts'],
      alone: ['test/faults/d.test.ts', 'test/e2e/e.test.ts'],
    });
  });

  test('flags and words narrow the choice', () => {
    expect(chooseFiles({ unit: true }, all)).toEqual({ covered: ['test/unit/a.test.ts'], shared: [], alone: [] });
    expect(chooseFiles({ faults: true }, all)).toEqual({ covered: [], shared: [], alone: ['test/faults/d.test.ts'] });
    expect(chooseFiles({ patterns: ['test/api', 'faults/d'] }, all)).toEqual({ covered: [], shared: ['test/api/c.test.ts'], alone: ['test/faults/d.test.ts'] });
  });
});
