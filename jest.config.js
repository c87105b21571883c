'use strict';
// One configuration for every room of test/. scripts/test.js chooses the files, the workers and the servers;
// `npx jest <path>` works for any single file.

/** Set by scripts/test.js for the unit and contract files: their coverage is what the thresholds below are about. */
const withCoverage = process.env.SUREFILL_TEST_COVERAGE === '1';
/** Set there too: one set of servers for all files of the run, instead of one for each file that asks. */
const withSharedServers = process.env.SUREFILL_TEST_SHARED === '1';
/** The rooms whose every decision moves money: below this the run fails. Lines and branches, in percent. */
const NEEDED = { lines: 90, branches: 90 };
const COVERED_ROOMS = ['./src/domain/', './src/risk/', './src/venues/', './src/workflows/state/'];
/** Packages published as ES modules only; Jest runs CommonJS, so they are transpiled like our own files. */
const ES_MODULES = ['@noble', '@scure', '@nktkas', 'valibot', '@rews'];

const fs = require('node:fs');
const path = require('node:path');

/** Jest fails on a threshold without files, and rooms appear with the issue that needs them. */
const coveredRooms = COVERED_ROOMS.filter((room) => fs.existsSync(path.join(__dirname, room)));

module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: { '^.+\\.(ts|js|mjs)$': '@swc/jest' },
  transformIgnorePatterns: [`/node_modules/(?!(${ES_MODULES.join('|')})/)`, '\\.pnp\\.[^\\/]+$'],
  // Two cores are the smallest machine that is supported.
  maxWorkers: 2,
  // A limit against hanging, not an assertion: servers start inside it on a busy machine.
  testTimeout: 60_000,
  ...(withSharedServers
    ? { globalSetup: '<rootDir>/test/support/start-shared-servers.ts', globalTeardown: '<rootDir>/test/support/stop-shared-servers.ts' }
    : {}),
  collectCoverage: withCoverage,
  coverageProvider: 'v8',
  coverageDirectory: '<rootDir>/coverage',
  coverageReporters: ['text-summary', 'json-summary', 'html'],
  collectCoverageFrom: coveredRooms.map((room) => `<rootDir>/${room.slice(2)}**/*.ts`),
  ...(withCoverage ? { coverageThreshold: Object.fromEntries(coveredRooms.map((room) => [room, NEEDED])) } : {}),
};
