'use strict';
// npm start [-- --demo]: installs and builds what is missing, then runs everything (src/main/launcher/start.ts) until Ctrl-C.

const fs = require('node:fs');
const path = require('node:path');
const { ensureBuilt } = require('./ensure-built');
const { giveUp, say } = require('./say');

const ENV_FILE = path.resolve(__dirname, '..', '.env');

/** Variables of a .env file, for those that are not set already. */
function loadEnvFile() {
  if (!fs.existsSync(ENV_FILE)) return;
  process.loadEnvFile(ENV_FILE);
  say('settings from .env');
}

/** @returns {string[]} arguments that mean nothing here */
function takeArguments(args) {
  if (args.includes('--demo')) process.env.SUREFILL_DEMO = 'on';
  return args.filter((argument) => argument !== '--demo');
}

async function main() {
  loadEnvFile();
  const unknown = takeArguments(process.argv.slice(2));
  if (unknown.length > 0) throw new Error(`npm start knows no ${unknown.join(' ')}: only -- --demo; everything else is a setting (.env.example)`);
  await ensureBuilt();
  const { start } = require('../dist/main/start.js');
  process.exitCode = await start(process.env, say);
}

main().catch((error) => giveUp(error.message));
