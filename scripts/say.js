'use strict';
// How the two commands speak: one prefix, one line a step, so that a log of a first start reads as a list of what was done.

const startedAtMs = Date.now();

/** Prints one line with the seconds since the command began. */
function say(text) {
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6);
  process.stdout.write(`[${seconds}s] ${text}\n`);
}

/** Prints one line on the error stream and ends the process with exit code 1. */
function giveUp(text) {
  process.stderr.write(`surefill: ${text}\n`);
  process.exit(1);
}

module.exports = { giveUp, say };
