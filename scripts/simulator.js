'use strict';
// npm run simulator -- --venue paper --port 9100: a venue's simulator alone, for trying an adapter against it.

const path = require('node:path');
const { ensureBuilt } = require('./ensure-built');
const { giveUp } = require('./say');

ensureBuilt().then(
  () => {
    const program = path.resolve(__dirname, '..', 'dist', 'simulator', 'main.js');
    // The simulator is a program of its own; within this process it gets the terminal's signals directly.
    process.argv = [process.argv[0], program, ...process.argv.slice(2)];
    require('node:module').runMain();
  },
  (error) => giveUp(error.message),
);
