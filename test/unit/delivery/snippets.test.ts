/** What docs/webhooks.md tells receivers to run, run. */
import { describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';
import { newWebhookSecret, signedHeaders } from '../../../src/delivery/signature';
import { ROOT } from '../../support/source-imports';

const guide = readFileSync(path.join(ROOT, 'docs', 'webhooks.md'), 'utf8');
const BODY = JSON.stringify({ type: 'order.filled', data: { note: 'schön 🚀', quantity: '0.10' } });
const [OLD, NEW] = [newWebhookSecret(), newWebhookSecret()];
const headers = signedHeaders({ id: 'msg_1', eventType: 'order.filled', body: BODY, atMs: Date.now(), secrets: [NEW, OLD] });
const late = signedHeaders({ id: 'msg_1', eventType: 'order.filled', body: BODY, atMs: Date.now() - 301_000, secrets: [NEW] });

function snippet(language: string): string {
  const found = new RegExp(`\`\`\`${language} verify\\n([\\s\\S]*?)\`\`\``).exec(guide)?.[1];
  if (found === undefined) throw new Error(`docs/webhooks.md has no snippet in ${language}`);
  return found;
}

/** Secret, headers, body, and whether it is genuine. */
const CASES = [
  [NEW, headers, BODY, true],
  [OLD, headers, BODY, true],
  [newWebhookSecret(), headers, BODY, false],
  [NEW, headers, `${BODY} `, false],
  [NEW, late, BODY, false],
  [NEW, {}, BODY, false],
] as const;

describe('the snippets for receivers', () => {
  test('in TypeScript take what is genuine and nothing else', () => {
    const { code } = transformSync(snippet('ts'), { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'commonjs' } });
    const module = { exports: {} as { verify: (secret: string, headers: object, body: string) => unknown } };
    compileFunction(code, ['module', 'exports', 'require'])(module, module.exports, require);
    for (const [secret, given, body, genuine] of CASES) {
      if (genuine) expect(module.exports.verify(secret, given, body)).toEqual(JSON.parse(BODY));
      else expect(() => module.exports.verify(secret, given, body)).toThrow();
    }
  });

  test('in Python do the same', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-snippet-'));
    try {
      const script = `${snippet('python')}\nimport sys\nfor secret, headers, body, genuine in json.load(sys.stdin):\n    try:\n        verify(secret, headers, body.encode())\n        print("taken")\n    except ValueError:\n        print("refused")\n`;
      writeFileSync(path.join(folder, 'verify.py'), script);
      const ran = spawnSync('python3', [path.join(folder, 'verify.py')], { encoding: 'utf8', input: JSON.stringify(CASES) });
      expect([ran.stderr, ran.stdout.trim().split('\n')]).toEqual(['', CASES.map(([, , , genuine]) => (genuine ? 'taken' : 'refused'))]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
