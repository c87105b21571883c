import path from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { describe, expect, test } from '@jest/globals';
import { moduleState, readSource, ROOT } from '../support/source-imports';

/** Marks that zod leaves in a bundle: its module paths, and a name of its run time. */
const ZOD = /node_modules\/zod\/|\$ZodType/;
/** What belongs outside the sandbox. */
const OUTSIDE = [/node_modules\/(undici|pg|ioredis|ws|express|@prisma)\//, /src\/(activities|store|venues|api|streams|main|simulator|schemas)\//];

const silent = () => undefined;
const logger = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: silent };

/** The bundle without its source map, whose text would hold comments. */
async function bundle(...file: string[]): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: path.join(ROOT, ...file), logger });
  return code.replace(/\/\/# sourceMappingURL=.*$/m, '');
}

/** Files of ours that are in a bundle. */
function ours(code: string): string[] {
  return [...new Set([...code.matchAll(/\.\/(src\/[\w/-]+\.ts)/g)].map(([, file]) => file ?? ''))];
}

describe('the workflow bundle', () => {
  test('holds no state in its modules: they are evaluated once for all executions', async () => {
    const files = ours(await bundle('src', 'workflows', 'index.ts'));
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap((file) => moduleState(file, readSource(file)))).toEqual([]);
  });

  test('would show a module that remembers something', () => {
    const source = 'let calls = 0;\nconst seen = new Map<string, number>();\nconst list: string[] = [];\nconst FIXED = new Map([[1, 2]]);\nconst NOTHING = 3;\nexport const f = () => { let mine = 0; mine += calls; return mine; };';
    expect(moduleState('a.ts', source)).toEqual(['a.ts: calls = 0', 'a.ts: seen = new Map<string, number>()', 'a.ts: list: string[] = []']);
  });

  test('holds no zod and nothing that reaches outside: it is cached once per workflow', async () => {
    const code = await bundle('src', 'workflows', 'index.ts');
    expect(code).toMatch(/src\/workflows\/order\.ts/);
    expect(ZOD.test(code)).toBe(false);
    expect(OUTSIDE.filter((outside) => outside.test(code))).toEqual([]);
  });

  test('would show a schema that slipped in', async () => {
    const code = await bundle('test', 'support', 'zod-in-workflow.ts');
    expect(ZOD.test(code)).toBe(true);
    expect(OUTSIDE.some((outside) => outside.test(code))).toBe(true);
  });
});
