'use strict';
// Adds up what Jest reports, and says the result in one plain line.

/** @returns {{passed: number, failed: number, skipped: string[]}} */
function emptyResults() {
  return { passed: 0, failed: 0, skipped: [] };
}

/** Adds one JSON report of Jest. A file that could not run at all counts as one failure. */
function addReport(results, report) {
  results.passed += report.numPassedTests;
  results.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'pending' || test.status === 'todo' || test.status === 'disabled') results.skipped.push(test.fullName);
    }
  }
}

/** Whether the run counts as good: where everything should be at hand (CI), a skip is a failure. */
function isGood(results, { strict }) {
  return results.failed === 0 && results.passed > 0 && !(strict && results.skipped.length > 0);
}

/** The last line of every run. */
function summaryLine(results) {
  return `${results.passed} passed, ${results.failed} failed, ${results.skipped.length} skipped`;
}

module.exports = { addReport, emptyResults, isGood, summaryLine };
