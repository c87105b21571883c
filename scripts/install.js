'use strict';
// Makes node_modules agree with package-lock.json, before anything else can be required. Only Node built-ins here.

const fs = require('node:fs');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { say } = require('./say');

const ROOT = path.resolve(__dirname, '..');
/** The oldest Node the product is run with; older ones lack what its dependencies use. */
const OLDEST_NODE = [20, 20, 2];

/** @returns {string | undefined} what is wrong with this Node, if anything */
function nodeProblem(version = process.versions.node) {
  const found = version.split('.').map(Number);
  for (let place = 0; place < OLDEST_NODE.length; place += 1) {
    if (found[place] > OLDEST_NODE[place]) return undefined;
    if (found[place] < OLDEST_NODE[place]) {
      return `Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${version}: install a current LTS from https://nodejs.org`;
    }
  }
  return undefined;
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    const remedy = 'restore it with git, or delete node_modules and run again';
    throw new Error(`${file} cannot be read (${error.message}): ${remedy}`, { cause: error });
  }
}

/**
 * Names of locked packages that node_modules does not hold in the locked version. npm writes its hidden lock file last,
 * so an install that was interrupted counts as missing altogether.
 * @param {{root?: string, production?: boolean}} [options]
 * @returns {string[]}
 */
function missingPackages({ root = ROOT, production = process.env.NODE_ENV === 'production' } = {}) {
  const wanted = readJson(path.join(root, 'package-lock.json'));
  if (!wanted) throw new Error(`${root} has no package-lock.json: the checkout is incomplete`);
  const present = readJson(path.join(root, 'node_modules', '.package-lock.json'))?.packages ?? {};
  return Object.entries(wanted.packages)
    .filter(([name, entry]) => name !== '' && !entry.optional && !entry.devOptional && !(production && entry.dev))
    .filter(([name, entry]) => present[name]?.version !== entry.version)
    .map(([name]) => name.replace(/^.*node_modules\//, ''));
}

/** The npm that runs us if there is one, else the one on PATH (which is a script on Windows, so it needs a shell). */
function npmCommand() {
  const running = process.env.npm_execpath;
  if (running && /npm-cli\.c?js$/.test(running)) return { command: process.execPath, before: [running], shell: false };
  return { command: 'npm', before: [], shell: process.platform === 'win32' };
}

/** Installs the locked dependencies unless they are there. Throws with what to do if npm fails. */
function ensureInstalled({ production } = {}) {
  const problem = nodeProblem();
  if (problem) throw new Error(problem);
  const missing = missingPackages({ production });
  if (missing.length === 0) return;
  say(`installing dependencies (${missing.length} to fetch, once)`);
  const { command, before, shell } = npmCommand();
  const args = [...before, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const done = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit', shell });
  if (done.error) throw new Error(`npm could not be run (${done.error.message}): install Node with npm, then try again`);
  if (done.status !== 0) throw new Error('npm ci failed: its own message above says why; check the network and run again');
  say('dependencies are installed');
}

module.exports = { ensureInstalled, missingPackages, nodeProblem };
