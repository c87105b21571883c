/** The heads of the audit chains outside the database, and the command that compares them with it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AuditHead } from '../../src/domain/audit';
import { AuditHeads } from '../../src/main/audit-heads';
import { temporaryFolder } from '../support/servers';
import { openStoreWorld, type StoreWorld } from './store/harness';
import { queried } from '../support/queried';

const PROGRAM = ['-r', path.resolve('scripts/typescript.js'), path.resolve('src/main/audit-check.ts')];

let world: StoreWorld;
let userId: string;
/** Heads told of one user, five of them. */
let witnessed: readonly AuditHead[];

beforeAll(async () => {
  world = await openStoreWorld();
  userId = (await world.store.users.createUser('an administrator')).id;
  for (const name of ['a', 'b', 'c', 'd']) await world.store.users.createApiKey(userId, name, ['read']);
  witnessed = world.heads.filter((head) => head.userId === userId);
});
afterAll(() => world.close());

describe('the heads outside the database', () => {
  const logged: { level: string; message: string; fields: Record<string, unknown> }[] = [];
  const log = {
    info: (fields: Record<string, unknown>, message: string) => void logged.push({ level: 'info', fields, message }),
    error: (fields: Record<string, unknown>, message: string) => void logged.push({ level: 'error', fields, message }),
  };
  const levels = (): string[] => logged.splice(0).map(({ level }) => level);
  let heads: AuditHeads;
  beforeEach(() => {
    heads = new AuditHeads(temporaryFolder('audit'), log as unknown as ConstructorParameters<typeof AuditHeads>[1]);
    logged.splice(0);
  });
  const present = (): Promise<readonly AuditHead[]> => world.store.audit.heads().then((all) => all.filter((head) => head.userId === userId));

  test('are lines of a file that only its user reads, and lines of the log', () => {
    witnessed.forEach(heads.keep);
    expect(heads.read()).toEqual({ heads: witnessed, unreadable: [] });
    expect(statSync(heads.file).mode & 0o777).toBe(process.platform === 'win32' ? 0o666 : 0o600);
    expect(path.basename(heads.file)).toBe('audit-head');
    expect(logged.map(({ level, fields }) => [level, fields['audit']])).toEqual(witnessed.map((head) => ['info', head]));
  });

  test('that a crash left out are written on the next start', async () => {
    witnessed.slice(0, 3).forEach(heads.keep);
    levels();
    await heads.catchUp(present);
    expect(heads.read().heads.map((head) => head.number)).toEqual([1, 2, 3, 5]);
    expect(levels()).toEqual(['info']);
    await heads.catchUp(present);
    expect(levels()).toEqual([]);
  });

  test('that the database does not have, or has otherwise, are an error of the log on the next start', async () => {
    witnessed.forEach(heads.keep);
    levels();
    await heads.catchUp(async () => witnessed.slice(0, 4).slice(-1));
    expect(logged.map(({ level, fields }) => [level, fields['audit']])).toEqual([['error', { userId, number: 5, problem: 'is missing' }]]);
    levels();
    await heads.catchUp(async () => [{ userId, number: 5, hash: 'b'.repeat(64) }]);
    await heads.catchUp(async () => []);
    expect(levels()).toEqual(['error', 'error']);
  });

  test('begin a line of their own where the one before was cut off, as by a full disk', () => {
    witnessed.slice(0, 2).forEach(heads.keep);
    appendFileSync(heads.file, '3 edf5bdc');
    witnessed.slice(3).forEach(heads.keep);
    expect(heads.read()).toEqual({ heads: [...witnessed.slice(0, 2), ...witnessed.slice(3)], unreadable: [3] });
  });

  test('that cannot be written are an error of the log, and the act stands', () => {
    const lost = new AuditHeads('/nowhere at all', log as unknown as ConstructorParameters<typeof AuditHeads>[1]);
    witnessed.slice(0, 1).forEach(lost.keep);
    expect(levels()).toEqual(['info', 'error']);
  });
});

describe('npm run audit:check', () => {
  const check = (home: string, databaseUrl: string | undefined): Promise<{ code: number; out: string; error: string }> =>
    new Promise((resolve) => {
      const environment = { PATH: process.env['PATH'], SUREFILL_HOME: home, ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) };
      execFile(process.execPath, PROGRAM, { env: environment }, (error, out, words) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, error: words }));
    });

  const edit = (sql: string): Promise<unknown> => queried(world.databaseUrl, sql);

  test('ends with 0 for a log that is whole, and with 1 and the row for one that is not', async () => {
    const home = temporaryFolder('audit');
    const file = path.join(home, 'audit-head');
    writeFileSync(file, world.heads.map((head) => `${head.number} ${head.hash} ${head.userId}\n`).join(''));
    const whole = await check(home, world.databaseUrl);
    expect([whole.code, whole.error]).toEqual([0, '']);
    expect(whole.out).toMatch(/^audit: \d+ rows of \d+ users, \d+ heads in .*audit-head: complete\n$/);
    await edit(`UPDATE audit_entries SET actor = 'key:nobody' WHERE user_id = '${userId}' AND number = 4`);
    writeFileSync(file, 'something else\n', { flag: 'a' });
    const broken = await check(home, world.databaseUrl);
    expect(broken.code).toBe(1);
    expect(broken.out).toContain(`user ${userId}: row 4 was changed`);
    expect(broken.out).toMatch(/audit-head: line \d+ cannot be read/);
  });

  test('ends with 2 and what to do where there is no database to read', async () => {
    const home = temporaryFolder('audit');
    const answer = await check(home, undefined);
    expect([answer.code, answer.out]).toEqual([2, '']);
    expect(answer.error).toContain('set DATABASE_URL or SUREFILL_HOME, or run npm start first');
  });
});
