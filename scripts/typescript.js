'use strict';
// Lets node run a TypeScript file of this checkout as it is: `node -r ./scripts/typescript.js bench/run.ts`. For programs
// that are run by hand; the product itself is built (scripts/build.js).

const path = require('node:path');
const { transformFileSync } = require('@swc/core');

const ROOT = path.resolve(__dirname, '..');

require.extensions['.ts'] = (module, file) => {
  const { code } = transformFileSync(file, { cwd: ROOT, sourceMaps: 'inline' });
  module._compile(code, file);
};
