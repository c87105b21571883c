'use strict';
// The first two steps of every command: dependencies, then dist/.

const { build } = require('./build');
const { ensureInstalled } = require('./install');

/** Installs and builds what is missing. Throws an Error whose message says what to do. */
async function ensureBuilt(options) {
  ensureInstalled(options);
  await build();
}

module.exports = { ensureBuilt };
