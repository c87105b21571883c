'use strict';
// npm test: type check and lint, then unit, contract, API and workflow files side by side on shared servers, then fault
// files and README's tour, one at a time on servers of their own.  --unit | --faults: only those.  --full: full-length durations.
// Other words choose files whose path contains them.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { ensureBuilt } = require('./ensure-built');
const { signalExactly, startTimeOf } = require('./process-identity');
const { giveUp, say } = require('./say');
const { chooseFiles } = require('./test-files');
const { addRepeated, addReport, emptyResults, failedFiles, isGood, summaryLine } = require('./test-results');
const { tell } = require('./watchdog-client');

const ROOT = path.resolve(__dirname, '..');
const MODULES = path.join(ROOT, 'node_modules');
const STRICT = process.env.CI === '1' || process.env.CI === 'true';
/** A fault file starts, kills and awaits whole stacks; at full length a scenario hides an order for 90 s and more. */
const FAULT_TIMEOUT_MS = { scaled: 300_000, full: 1_200_000 };
/** More files than this that fail say that something is broken, not that one race was lost: they are not run again. */
const REPEATED_FILES = 3;
/** A property that failed has found something: another seed would not find it again. */
const NEVER_REPEATED = /\.property\.test\.ts$/;
const KNOWN_FLAGS = ['--unit', '--faults', '--full'];

/** The children at work, for Ctrl-C. */
const running = new Set();
let interrupted = false;

/** Runs a Node program of the dependencies to its end. It leads a group of its own, which the watchdog ends if we are killed. */
function run(program, args, environment = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(MODULES, ...program), ...args], {
      cwd: ROOT,
      stdio: 'inherit',
      detached: process.platform !== 'win32',
      env: { ...process.env, ...environment },
    });
    child.once('error', reject);
    child.once('spawn', () => {
      const identity = { pid: child.pid, startTime: startTimeOf(child.pid) };
      running.add(identity);
      tell({ add: identity });
      child.once('exit', () => running.delete(identity));
      if (interrupted) signalExactly(identity, 'SIGINT');
    });
    child.once('exit', (code, signal) => {
      tell({ remove: child.pid });
      resolve(signal ? 1 : code);
    });
  });
}

async function timed(name, work) {
  const startedAt = performance.now();
  say(`${name} …`);
  const outcome = await work();
  say(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return outcome;
}

/** A check that is not a test: it counts as one failure when it fails, and never as a pass. */
async function check(name, results, program, args, environment = {}) {
  const code = await timed(name, () => run(program, args, environment));
  if (code !== 0) {
    results.failed += 1;
    say(`${name} failed: its words are above`);
  }
}

/** @returns {Promise<{code: number, report: object | null}>} without a report it ended before it could write one */
async function runJest(name, files, { args = [], environment = {} }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surefill-test-report-'));
  tell({ folder });
  const file = path.join(folder, 'report.json');
  const code = await timed(`${name} (${files.length} files)`, () =>
    run(['jest', 'bin', 'jest.js'], ['--json', `--outputFile=${file}`, ...args, '--runTestsByPath', ...files], environment),
  );
  return { code, report: fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null };
}

/** `repeat`: files that fail, if they are few, are run once more, and what passes then is said to be unsteady. */
async function jest(name, files, results, { repeat = false, ...how } = {}) {
  if (files.length === 0 || interrupted) return;
  const { code, report } = await runJest(name, files, how);
  if (report === null) {
    results.failed += 1;
    say(interrupted ? `${name} was interrupted` : `${name} ended with code ${code} before it could report`);
    return;
  }
  const failed = failedFiles(report);
  if (repeat && !interrupted && failed.length > 0 && failed.length <= REPEATED_FILES && !failed.some((file) => NEVER_REPEATED.test(file))) {
    const again = await runJest('what failed, once more', failed, how);
    if (again.report !== null) return addRepeated(results, report, again.report);
  }
  const before = results.failed;
  addReport(results, report);
  if (code !== 0 && results.failed === before) {
    results.failed += 1;
    say(`${name} failed as a whole: coverage below its threshold, or servers that did not start; its words are above`);
  }
}

async function main() {
  const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
  const unknown = flags.find((flag) => !KNOWN_FLAGS.includes(flag));
  if (unknown) giveUp(`${unknown} is not one of ${KNOWN_FLAGS.join(', ')}`);
  const patterns = process.argv.slice(2).filter((word) => !word.startsWith('--'));
  const [unit, faults, full] = KNOWN_FLAGS.map((flag) => flags.includes(flag));
  const whole = !unit && !faults && patterns.length === 0;

  await ensureBuilt({ production: false });
  const files = chooseFiles({ unit, faults, patterns });
  const results = emptyResults();
  const length = full ? { SUREFILL_TEST_FULL: '1' } : {};
  if (whole) {
    const cache = path.join(MODULES, '.cache', 'surefill');
    fs.mkdirSync(cache, { recursive: true });
    const buildInfo = ['--incremental', '--tsBuildInfoFile', path.join(cache, 'tsc.json')];
    const lintCache = ['--cache', '--cache-strategy', 'content', '--cache-location', path.join(cache, 'eslint')];
    // Side by side: the two long ones have a core each.
    await Promise.all([
      check('type check', results, ['typescript', 'bin', 'tsc'], ['--noEmit', ...buildInfo]),
      check('database schema', results, ['prisma', 'build', 'index.js'], ['validate'], { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' }),
      check('lint', results, ['eslint', 'bin', 'eslint.js'], [...lintCache, '.']),
    ]);
  }
  // Unit files need no servers; one that wants some starts its own.
  const shared = [...files.covered, ...files.shared].every((file) => file.startsWith('test/unit/')) ? {} : { SUREFILL_TEST_SHARED: '1' };
  const covered = whole ? { SUREFILL_TEST_COVERAGE: '1' } : {};
  await jest('the rooms that decide', files.covered, results, { environment: { ...shared, ...covered, ...length } });
  await jest('side by side', files.shared, results, { repeat: true, environment: { ...shared, ...length } });
  const timeoutMs = full ? FAULT_TIMEOUT_MS.full : FAULT_TIMEOUT_MS.scaled;
  // A handle that a failed file left must not hold the run until CI's limit; processes it left are the watchdog's.
  await jest('one at a time', files.alone, results, { repeat: true, environment: length, args: ['--runInBand', '--forceExit', `--testTimeout=${timeoutMs}`] });

  for (const name of results.unsteady) say(`unsteady: ${name} failed, and passed when it ran again: its words are above, and somebody has to find out why`);
  for (const name of results.skipped) say(`skipped: ${name}`);
  if (STRICT && results.skipped.length > 0) say('with CI set, a skip is a failure: install what the machine lacks');
  if (results.passed + results.failed === 0) say('no test file was chosen');
  process.stdout.write(`${summaryLine(results)}\n`);
  process.exitCode = isGood(results, { strict: STRICT }) && !interrupted ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    for (const identity of running) signalExactly(identity, 'SIGINT');
  });
}

main().catch((error) => giveUp(error.message));
