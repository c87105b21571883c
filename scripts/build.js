'use strict';
// From src/ to dist/: one JavaScript file for each TypeScript file, the workflow bundle. Each step runs
// only when what it reads has changed, judged by content, so a second run takes milliseconds.

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { say } = require('./say');

const ROOT = path.resolve(__dirname, '..');
const SOURCE = path.join(ROOT, 'src');
const DIST = path.join(ROOT, 'dist');
const STATE = path.join(DIST, '.build.json');
const WORKFLOWS = path.join(DIST, 'workflows', 'index.js');
const BUNDLE = path.join(DIST, 'workflow-bundle.js');
/** What the workflow bundle is made of: DESIGN.md section 5, arrows of workflows. */
const BUNDLE_SOURCES = /^(workflows|domain|risk|temporal)\//;

function hashOf(...parts) {
  const hash = crypto.createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 24);
}

/** Every file below a folder, as sorted paths with forward slashes relative to it. */
function filesBelow(folder, prefix = '') {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(path.join(folder, entry.name), `${prefix}${entry.name}/`) : [`${prefix}${entry.name}`],
    )
    .sort();
}

function readState() {
  try {
    return JSON.parse(fs.readFileSync(STATE, 'utf8'));
  } catch {
    return {}; // absent or torn by a kill: everything is simply built again
  }
}

/** A reader never sees half a file, even with two builds at once. */
function writeWhole(file, content) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  fs.writeFileSync(draft, content);
  fs.renameSync(draft, file);
}

function versionOf(name) {
  return JSON.parse(fs.readFileSync(path.join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
}

function isTypeScript(name) {
  return name.endsWith('.ts') && !name.endsWith('.d.ts');
}

function outputOf(name) {
  return isTypeScript(name) ? name.replace(/\.ts$/, '.js') : name;
}

function transpile(name, content) {
  const swc = require('@swc/core');
  const output = outputOf(name);
  const file = path.join(SOURCE, name);
  const { code, map } = swc.transformSync(content.toString('utf8'), {
    filename: file,
    cwd: ROOT,
    sourceFileName: path.relative(path.dirname(path.join(DIST, name)), file).split(path.sep).join('/'),
  });
  writeWhole(path.join(DIST, `${output}.map`), map ?? '');
  writeWhole(path.join(DIST, output), `${code}\n//# sourceMappingURL=${path.basename(output)}.map\n`);
}

/** Writes what changed, removes what has no source any more. @returns {Record<string, string>} hash by source */
function transpileAll(state) {
  const compiler = hashOf(versionOf('@swc/core'), fs.readFileSync(path.join(ROOT, '.swcrc')));
  const before = state.compiler === compiler ? (state.files ?? {}) : {};
  const files = {};
  let written = 0;
  for (const name of filesBelow(SOURCE)) {
    if (name.endsWith('.d.ts')) continue;
    const content = fs.readFileSync(path.join(SOURCE, name));
    files[name] = hashOf(content);
    if (before[name] === files[name] && fs.existsSync(path.join(DIST, outputOf(name)))) continue;
    if (isTypeScript(name)) transpile(name, content);
    else writeWhole(path.join(DIST, name), content);
    written += 1;
  }
  for (const name of Object.keys(state.files ?? {})) {
    if (files[name]) continue;
    fs.rmSync(path.join(DIST, outputOf(name)), { force: true });
    fs.rmSync(path.join(DIST, `${outputOf(name)}.map`), { force: true });
  }
  if (written > 0) say(`compiled ${written} of ${Object.keys(files).length} files`);
  return { compiler, files };
}

/**
 * Bundles dist/workflows for the worker's sandbox, so that a worker starts without webpack. All modules are preloaded: the sandbox evaluates
 * them once instead of once for each execution, which costs an order a fifth of its start. They hold no state (test/contract/workflow-bundle.test.ts).
 */
async function bundleWorkflows(state, files) {
  if (!fs.existsSync(WORKFLOWS)) return undefined;
  const inputs = Object.keys(files).filter((name) => BUNDLE_SOURCES.test(name));
  const shared = filesBelow(path.join(ROOT, 'temporal')).filter((name) => name.endsWith('.json'));
  const options = { workflowsPath: WORKFLOWS, preloadModules: [WORKFLOWS] };
  const key = hashOf(
    versionOf('@temporalio/worker'),
    JSON.stringify(options),
    ...inputs.map((name) => `${name}:${files[name]}`),
    ...shared.map((name) => fs.readFileSync(path.join(ROOT, 'temporal', name))),
  );
  if (state.bundle === key && fs.existsSync(BUNDLE)) return key;
  say('bundling the workflows');
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const problems = [];
  const keep = (message) => problems.push(message);
  const silent = () => undefined;
  const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: keep, error: keep };
  try {
    const { code } = await bundleWorkflowCode({ ...options, logger });
    writeWhole(BUNDLE, code);
  } catch (error) {
    throw new Error(`the workflows could not be bundled: ${error.message}\n${problems.join('\n')}`, { cause: error });
  }
  return key;
}

/** Brings dist/ up to date. The state is written after each step, so a failure repeats only its own. */
async function build() {
  const state = readState();
  const save = (changes) => {
    Object.assign(state, changes);
    writeWhole(STATE, JSON.stringify(state));
  };
  const done = transpileAll(state);
  save(done);
  save({ bundle: await bundleWorkflows(state, done.files) });
}

module.exports = { build, filesBelow };

if (require.main === module) {
  const { ensureInstalled } = require('./install');
  const { giveUp } = require('./say');
  try {
    ensureInstalled();
  } catch (error) {
    giveUp(error.message);
  }
  build().then(
    () => say('dist/ is up to date'),
    (error) => giveUp(error.message),
  );
}
