import { describe, expect, test } from '@jest/globals';
import { filesBelow, importsOf, readsEnvironment, readSource, type SourceImport } from '../support/source-imports';

/** What workflows may run from temporal/: constants and pure names, so these files import nothing that does something. */
const TEMPORAL_CONSTANTS = ['src/temporal/activity-options', 'src/temporal/task-queues', 'src/temporal/workflow-ids', 'src/temporal/search-attributes'];

interface Room {
  /** Rooms, or single files, that it may use at run time; its own files always. */
  readonly uses: readonly string[];
  /** Rooms it may know the types of. */
  readonly types?: readonly string[];
  /** Packages it may use; absent: any. */
  readonly packages?: readonly string[];
}

/** The arrows of DESIGN.md section 5. A room that is not here may not exist. */
const ROOMS: Readonly<Record<string, Room>> = {
  domain: { uses: [], packages: ['decimal.js'] },
  schemas: { uses: ['domain'], packages: ['viem', 'zod'] },
  risk: { uses: ['domain'], packages: [] },
  config: { uses: ['domain'] },
  venues: { uses: ['domain', 'schemas'] },
  // Chains and bridges, and whoever holds wallets on them.
  chains: { uses: ['domain'] },
  // Risk is judged inside the placing transaction.
  store: { uses: ['domain', 'risk'] },
  // The one way out to addresses that users chose.
  delivery: { uses: ['domain'] },
  // The budget shared by all processes is the one-process budget behind a wire.
  streams: { uses: ['domain', 'schemas', 'src/venues/local-rate-budget', 'src/venues/back-off'] },
  workflows: { uses: ['domain', 'risk', ...TEMPORAL_CONSTANTS], types: ['activities', 'schemas'], packages: ['@temporalio/workflow', '@temporalio/common', '@noble/hashes/sha2.js'] },
  activities: { uses: ['domain', 'schemas', 'risk', 'venues', 'store', 'streams', 'delivery', ...TEMPORAL_CONSTANTS] },
  // Starting a workflow needs the definitions of its updates and signals.
  temporal: { uses: ['domain', 'src/workflows/messages'] },
  // Venues, store and Temporal reach it through ports that main wires.
  api: { uses: ['domain', 'schemas', 'risk'] },
  simulator: { uses: ['domain'] },
};

/** Programs of their own: each has one entry that reads the environment. */
const ENTRIES = [/^src\/main\//, /^src\/simulator\/main\.ts$/, /^src\/cli\/main\.ts$/];

const FILE_LIMIT_BYTES = 15 * 1024;
const CODE = ['.ts', '.js'];
const BANNED_NAMES = /(^|\/)(utils?|helpers?|common|types|lib)(\/|\.ts$)/;

const sources = filesBelow('src', ['.ts']);

/** Why an import is against the arrows; null when it is not. */
function trespass({ file, target, typeOnly }: SourceImport): string | null {
  const [, from = ''] = file.split('/');
  if (from === 'main') return null;
  const room = ROOMS[from];
  if (room === undefined) return `${file}: room ${from} has no arrows in this test`;
  if (!target.startsWith('src/')) {
    if (typeOnly || room.packages === undefined) return null;
    return room.packages.includes(target) ? null : `${file} may not use the package ${target}`;
  }
  const [, to = ''] = target.split('/');
  const allowed = to === from || room.uses.includes(to) || room.uses.includes(target) || (typeOnly && (room.types ?? []).includes(to));
  return allowed ? null : `${file} may not import ${target}${typeOnly ? '' : ' at run time'}`;
}

const trespasses = (file: string, source: string): string[] => importsOf(file, source).flatMap((each) => trespass(each) ?? []);

describe('the arrows between rooms', () => {
  test('there are sources to look at, in more than ten rooms', () => {
    expect(new Set(sources.map((file) => file.split('/')[1])).size).toBeGreaterThan(10);
  });

  test('no file imports what its room may not', () => {
    expect(sources.flatMap((file) => trespasses(file, readSource(file)))).toEqual([]);
  });

  test.each([
    ['src/domain/order.ts', "import { x } from '../schemas/orders';"],
    ['src/domain/order.ts', "import type { X } from '../venues/http';"],
    ['src/domain/order.ts', "import fs from 'node:fs';"],
    ['src/risk/judge.ts', "import { z } from 'zod';"],
    ['src/api/orders.ts', "import { Venues } from '../venues';"],
    ['src/api/orders.ts', "export * from '../store';"],
    ['src/store/orders/orders.ts', "import { start } from '../../main/start';"],
    ['src/workflows/order.ts', "import { send } from '../activities/attempt-sender';"],
    ['src/workflows/order.ts', "import { connectTemporal } from '../temporal/connection';"],
    ['src/workflows/order.ts', "import { orderSchema } from '../schemas/orders';"],
    ['src/workflows/order.ts', "const crypto = require('node:crypto');"],
    ['src/simulator/exchange.ts', "import type { Http } from '../venues/http';"],
    ['src/simulator/exchange.ts', "const later = await import('../risk/judge');"],
    ['src/venues/paper/venue.ts', "import { Store } from '../../store';"],
    ['src/gadgets/new.ts', "import { x } from '../domain/order';"],
  ])('would notice: %s with %s', (file, source) => {
    expect(trespasses(file, source)).toHaveLength(1);
  });

  test.each([
    ['src/workflows/order.ts', "import type { OrderActivities } from '../activities/order-activities';"],
    ['src/workflows/order.ts', "import { type Order } from '../schemas/orders'; import { LOCAL_ACTIVITY } from '../temporal/activity-options';"],
    ['src/venues/paper/venue.ts', "import { Http } from '../http'; import { decimal } from '../../domain/decimal'; import { z } from 'zod';"],
    ['src/main/index.ts', "import { api } from '../api'; import { store } from '../store';"],
  ])('lets through: %s with %s', (file, source) => {
    expect(trespasses(file, source)).toEqual([]);
  });

  test('what workflows run from temporal/ is constants: it imports no client and no worker', () => {
    const imports = TEMPORAL_CONSTANTS.flatMap((file) => importsOf(`${file}.ts`, readSource(`${file}.ts`)));
    expect(imports.filter(({ typeOnly }) => !typeOnly).map(({ target }) => target)).toEqual(['@temporalio/common']);
  });
});

describe('the environment', () => {
  test('is read by entries only', () => {
    const readers = sources.filter((file) => readsEnvironment(file, readSource(file)));
    expect(readers.filter((file) => !ENTRIES.some((entry) => entry.test(file)))).toEqual([]);
    expect(readers.length).toBeGreaterThan(0);
  });

  test.each(["const port = process.env.PORT;", "const port = process.env['PORT'];", "const all = process['env'];", 'const { env } = process;'])('would notice: %s', (source) => {
    expect(readsEnvironment('src/venues/http.ts', source)).toBe(true);
  });

  test('a comment about process.env is no reading', () => {
    expect(readsEnvironment('src/venues/http.ts', '// process.env is read by main\nconst x = process.pid;')).toBe(false);
  });
});

// Asked anywhere else, or behind a wait, a patch may not be known again on replay: docs/decisions/rules-of-a-run.md.
describe('patches', () => {
  const ROOM = 'src/workflows/rules-of-run.ts';
  const asksForPatches = (source: string): boolean => /\b(patched|deprecatePatch)\b/.test(source);
  const asksFirst = (source: string): boolean => source.split(/^export async function /m).slice(1).every((body) => !body.includes('rulesOfRun()') || (body.split('rulesOfRun()').length === 2 && !/\b(await|setHandler)\b/.test(body.split('rulesOfRun()')[0] ?? '')));
  const rooms = sources.filter((file) => file.startsWith('src/workflows/'));

  test('are asked for in one room', () => {
    expect(sources.filter((file) => asksForPatches(readSource(file)))).toEqual([ROOM]);
  });

  test('before anything else of a workflow', () => {
    const users = rooms.filter((file) => file !== ROOM && readSource(file).includes('rulesOfRun('));
    expect(users.length).toBeGreaterThan(0);
    expect(users.filter((file) => !asksFirst(readSource(file)))).toEqual([]);
  });

  test.each(["import { condition, patched } from '@temporalio/workflow';", "if (wf.patched('x')) return;", "deprecatePatch('x');"])('would notice: %s', (source) => {
    expect(asksForPatches(source)).toBe(true);
  });

  test.each(['await look();\n  const holds = rulesOfRun();', 'const holds = rulesOfRun();\n  await look();\n  const again = rulesOfRun();'])('would notice: %j', (body) => {
    expect(asksFirst(`import x;\nexport async function order(): Promise<void> {\n  ${body}\n}\n`)).toBe(false);
  });
});

describe('files', () => {
  const all = ['src', 'scripts', 'test', 'bench'].flatMap((folder) => filesBelow(folder, CODE));

  test('none is larger than 15 KB', () => {
    expect(all.filter((file) => Buffer.byteLength(readSource(file)) > FILE_LIMIT_BYTES)).toEqual([]);
  });

  test('none is a drawer for things without a place', () => {
    expect(all.filter((file) => BANNED_NAMES.test(file))).toEqual([]);
    expect(['src/utils/x.ts', 'src/api/helpers.ts', 'src/common/a/b.ts', 'src/domain/types.ts'].every((file) => BANNED_NAMES.test(file))).toBe(true);
  });

  test('all are in kebab-case', () => {
    const name = /^(.*\/)?[a-z0-9]+(-[a-z0-9]+)*(\.(property|d|test))*\.(ts|js)$/;
    expect(all.filter((file) => !name.test(file))).toEqual([]);
    expect(name.test('src/domain/OrderState.ts')).toBe(false);
  });

  test('no test is focused, skipped without a word or left to write', () => {
    const unfinished = /\b(test|it|describe)\.(only|todo)\b|\b(fit|xit|xtest|xdescribe|fdescribe)\(/;
    const tests = filesBelow('test', ['.test.ts']).filter((file) => !file.endsWith('architecture.test.ts'));
    expect(tests.filter((file) => unfinished.test(readSource(file)))).toEqual([]);
    expect(unfinished.test('test.only(')).toBe(true);
  });
});
