'use strict';
// Which test files there are, and which stage of `npm test` runs each.

const path = require('node:path');
const { filesBelow } = require('./build');

const TESTS = path.resolve(__dirname, '..', 'test');
/**
 * Files whose coverage is judged: they exercise the rooms that decide, without the processes around them. No others, because V8 counts every script that
 * a worker of Jest ever loaded: each file costs more than the one before (docs/decisions/test-run.md).
 */
const COVERED = /^(unit\/(domain|risk|venues|workflows|strategies|order-lists|activities)\/|unit\/covered-rooms\.|contract\/venues\/)/;
/** Files that start, stop and kill whole stacks of their own: alone on the machine, one at a time. */
const ALONE = /^(faults|e2e)\//;
/** The scenarios of docs/operations.md, which `--faults` runs. */
const SCENARIOS = /^faults\//;

/**
 * @param {{unit?: boolean, faults?: boolean, patterns?: string[]}} choice
 * @returns {{covered: string[], shared: string[], alone: string[]}} paths from the root of the checkout
 */
function chooseFiles({ unit = false, faults = false, patterns = [] }, all = filesBelow(TESTS)) {
  const chosen = all
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => (!unit && !faults) || (unit && name.startsWith('unit/')) || (faults && SCENARIOS.test(name)))
    .filter((name) => patterns.length === 0 || patterns.some((pattern) => `test/${name}`.includes(pattern)));
  const under = (passes) => chosen.filter(passes).map((name) => `test/${name}`);
  return {
    covered: under((name) => COVERED.test(name)),
    shared: under((name) => !COVERED.test(name) && !ALONE.test(name)),
    alone: under((name) => ALONE.test(name)),
  };
}

module.exports = { chooseFiles };
