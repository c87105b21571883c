/** Writes openapi-baseline.json anew: `node -r ./scripts/typescript.js test/api/write-baseline.ts`. For a release, or a break that is meant. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ApiHarness } from './harness';

async function main(): Promise<void> {
  const api = await new ApiHarness().start();
  writeFileSync(path.join(__dirname, 'openapi-baseline.json'), `${JSON.stringify(api.documentChecker.document, null, 1)}\n`);
  await api.close();
}

void main();
