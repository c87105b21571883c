'use strict';
// npm run audit:check: names what is wrong with the audit log (src/main/audit-check.ts).

const fs = require('node:fs');
const path = require('node:path');
const { ensureBuilt } = require('./ensure-built');
const { giveUp } = require('./say');

const ENV_FILE = path.resolve(__dirname, '..', '.env');

ensureBuilt().then(
  () => {
    if (fs.existsSync(ENV_FILE)) process.loadEnvFile(ENV_FILE);
    process.argv = [process.argv[0], path.resolve(__dirname, '..', 'dist', 'main', 'audit-check.js'), ...process.argv.slice(2)];
    require('node:module').runMain();
  },
  (error) => giveUp(error.message),
);
