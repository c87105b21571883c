'use strict';
// npm run bench [-- --repeats 3] [--only a,b,c,d,e,f,g]: the figures of docs/benchmarks.md. Builds first, then runs bench/run.ts.

const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { ensureBuilt } = require('./ensure-built');

const ROOT = path.resolve(__dirname, '..');

ensureBuilt({ production: false }).then(
  () => {
    const args = ['-r', path.join(__dirname, 'typescript.js'), path.join(ROOT, 'bench', 'run.ts'), ...process.argv.slice(2)];
    process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
  },
  (error) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
