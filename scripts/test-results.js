'use strict';
// Adds up what Jest reports, and says the result in one plain line.

/** @returns {{passed: number, failed: number, skipped: string[], unsteady: string[]}} */
function emptyResults() {
  return { passed: 0, failed: 0, skipped: [], unsteady: [] };
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

/** The files in which something failed, as Jest names them. */
function failedFiles(report) {
  return report.testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
}

/**
 * Adds a report and the one of its failed files, which ran once more: of these the second counts. What failed first and passed then is
 * unsteady, by name.
 */
function addRepeated(results, report, again) {
  const repeated = new Set(failedFiles(report));
  const kept = report.testResults.filter(({ name }) => !repeated.has(name));
  const tests = kept.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  addReport(results, { numPassedTests: passed, numFailedTests: 0, numRuntimeErrorTestSuites: 0, testResults: kept });
  addReport(results, again);
  for (const { name, status, assertionResults } of again.testResults) {
    if (status === 'failed') continue;
    const before = report.testResults.find((file) => file.name === name)?.assertionResults ?? [];
    const failed = before.filter((test) => test.status === 'failed').map(({ fullName }) => fullName);
    results.unsteady.push(...(failed.length > 0 ? failed : [`${name} as a whole, with ${assertionResults.length} tests`]));
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

module.exports = { addRepeated, addReport, emptyResults, failedFiles, isGood, summaryLine };
