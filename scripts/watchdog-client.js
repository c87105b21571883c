'use strict';
// Starts one watchdog (scripts/watchdog.js) for this process, on first use, and tells it what to end when we are gone.

const path = require('node:path');
const childProcess = require('node:child_process');

/** Jest loads this module anew for each test file of a process; the built-in modules are the only thing all of them share. */
const SLOT = Symbol.for('surefill.watchdog');

/** @param {object} order one line of the watchdog's protocol */
function tell(order) {
  let watchdog = childProcess[SLOT];
  if (!watchdog) {
    watchdog = childProcess.spawn(process.execPath, [path.join(__dirname, 'watchdog.js')], {
      stdio: ['pipe', 'ignore', 'inherit'],
      // Its own session: what ends our group must not end it.
      detached: true,
      windowsHide: true,
    });
    // Neither it nor its pipe keeps a finished process alive.
    watchdog.unref();
    watchdog.stdin.unref();
    childProcess[SLOT] = watchdog;
  }
  watchdog.stdin.write(`${JSON.stringify(order)}\n`);
}

module.exports = { tell };
