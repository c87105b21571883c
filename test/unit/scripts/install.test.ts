import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

interface Install {
  missingPackages(options: { root: string; production?: boolean }): string[];
  nodeProblem(version?: string): string | undefined;
}
// eslint-disable-next-line @typescript-eslint/no-require-imports -- plain JavaScript that runs before anything is installed
const { missingPackages, nodeProblem } = require('../../../scripts/install') as Install;

let root = '';

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'surefill-test-install-'));
  const packages = {
    '': {},
    'node_modules/pg': { version: '8.23.1' },
    'node_modules/jest': { version: '30.5.2', dev: true },
    'node_modules/@swc/core-win32-x64-msvc': { version: '1.16.22', optional: true },
  };
  writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages }));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function installed(packages: Record<string, { version: string }>): void {
  mkdirSync(path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages }));
}

test('on a fresh clone every package is missing, those for other platforms aside', () => {
  expect(missingPackages({ root, production: false })).toEqual(['pg', 'jest']);
});

test('an install that was interrupted counts as missing, because npm writes its own record last', () => {
  mkdirSync(path.join(root, 'node_modules', 'pg'), { recursive: true });
  expect(missingPackages({ root, production: false })).toEqual(['pg', 'jest']);
});

test('a package in another version than the locked one is missing', () => {
  installed({ 'node_modules/pg': { version: '8.0.0' }, 'node_modules/jest': { version: '30.5.2' } });
  expect(missingPackages({ root, production: false })).toEqual(['pg']);
});

test('in production the development packages are not asked for', () => {
  installed({ 'node_modules/pg': { version: '8.23.1' } });
  expect(missingPackages({ root, production: true })).toEqual([]);
  expect(missingPackages({ root, production: false })).toEqual(['jest']);
});

test('an old Node is told what to install', () => {
  expect(nodeProblem('18.20.0')).toMatch(/Node 20\.20\.2 or newer is needed, this is 18\.20\.0/);
  expect(nodeProblem('20.20.1')).toBeDefined();
  expect(nodeProblem('20.20.2')).toBeUndefined();
  expect(nodeProblem('24.0.0')).toBeUndefined();
});
