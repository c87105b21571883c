import { describe, expect, test } from '@jest/globals';

interface Results {
  passed: number;
  failed: number;
  skipped: string[];
  unsteady: string[];
}
interface TestResults {
  addRepeated(results: Results, report: object, again: object): void;
  addReport(results: Results, report: object): void;
  emptyResults(): Results;
  isGood(results: Results, options: { strict: boolean }): boolean;
  summaryLine(results: Results): string;
}
interface TestFiles {
  chooseFiles(choice: object, all: string[]): { covered: string[]; shared: string[]; alone: string[] };
}
/* eslint-disable @typescript-eslint/no-require-imports -- plain JavaScript that runs before anything is installed */
const { addRepeated, addReport, emptyResults, isGood, summaryLine } = require('../../../scripts/test-results') as TestResults;
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
    const results = { passed: 1, failed: 0, skipped: ['Redis forgets'], unsteady: [] };
    expect(isGood(results, { strict: false })).toBe(true);
    expect(isGood(results, { strict: true })).toBe(false);
  });

  describe('where a file that failed ran once more', () => {
    const file = (name: string, ...statuses: string[]): object => ({
      name, status: statuses.includes('failed') ? 'failed' : 'passed', assertionResults: statuses.map((status, index) => ({ status, fullName: `${name} ${index}` })),
    });
    const first = { numPassedTests: 3, numFailedTests: 1, numRuntimeErrorTestSuites: 0, testResults: [file('steady', 'passed', 'passed', 'pending'), file('other', 'passed', 'failed')] };

    test('each test counts once, and what passed only then is named as unsteady', () => {
      const results = emptyResults();
      addRepeated(results, first, { numPassedTests: 2, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [file('other', 'passed', 'passed')] });
      expect(results).toEqual({ passed: 4, failed: 0, skipped: ['steady 2'], unsteady: ['other 1'] });
    });

    test('what fails twice is a failure', () => {
      const results = emptyResults();
      addRepeated(results, first, { numPassedTests: 1, numFailedTests: 1, numRuntimeErrorTestSuites: 0, testResults: [file('other', 'failed', 'passed')] });
      expect(results).toEqual({ passed: 3, failed: 1, skipped: ['steady 2'], unsteady: [] });
      expect(isGood(results, { strict: false })).toBe(false);
    });

    test('a file that could not run first is named itself', () => {
      const results = emptyResults();
      addRepeated(results, { numPassedTests: 0, numFailedTests: 0, numRuntimeErrorTestSuites: 1, testResults: [{ ...file('other'), status: 'failed' }] }, { numPassedTests: 2, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: [file('other', 'passed', 'passed')] });
      expect(results).toEqual({ passed: 2, failed: 0, skipped: [], unsteady: ['other as a whole, with 2 tests'] });
    });
  });

  test('a run of nothing is not good', () => {
    expect(isGood(emptyResults(), { strict: false })).toBe(false);
  });
});

describe('the files of npm test', () => {
  const all = ['unit/domain/a.test.ts', 'unit/launcher/a.test.ts', 'contract/venues/b.test.ts', 'contract/store/b.test.ts', 'api/c.test.ts', 'faults/d.test.ts', 'e2e/e.test.ts', 'support/servers.ts', 'architecture.test.ts'];

  test('every file runs in exactly one stage, those that start and kill whole stacks alone', () => {
    expect(chooseFiles({}, all)).toEqual({
      covered: ['test/unit/domain/a.test.ts', 'test/contract/venues/b.test.ts'],
      shared: ['test/unit/launcher/a.test.ts', 'test/contract/store/b.test.ts', 'test/api/c.test.ts', 'test/architecture.test.ts'],
      alone: ['test/faults/d.test.ts', 'test/e2e/e.test.ts'],
    });
  });

  test('flags and words narrow the choice', () => {
    expect(chooseFiles({ unit: true }, all)).toEqual({ covered: ['test/unit/domain/a.test.ts'], shared: ['test/unit/launcher/a.test.ts'], alone: [] });
    expect(chooseFiles({ faults: true }, all)).toEqual({ covered: [], shared: [], alone: ['test/faults/d.test.ts'] });
    expect(chooseFiles({ patterns: ['test/api', 'faults/d'] }, all)).toEqual({ covered: [], shared: ['test/api/c.test.ts'], alone: ['test/faults/d.test.ts'] });
  });
});
