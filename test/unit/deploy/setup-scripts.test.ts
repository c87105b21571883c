import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readSource, ROOT } from '../../support/source-imports';

const shell = spawnSync('sh', ['-c', 'exit 0']).status === 0;
if (!shell) process.stderr.write('setup-scripts.test.ts: skipped, there is no POSIX shell here\n');
const withShell = shell ? describe : describe.skip;

let folder = '';

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'surefill-setup-'));
});

afterEach(() => {
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A program on PATH that notes its arguments and then does what the text says. */
function standIn(name: string, does = 'exit 0'): void {
  fs.writeFileSync(path.join(folder, name), `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${does}\n`, { mode: 0o755 });
}

function run(script: string, environment: Record<string, string>): { status: number | null; words: string; calls: string[] } {
  const done = spawnSync('sh', [path.join(ROOT, 'deploy/compose', script)], { encoding: 'utf8', env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, ...environment } });
  const calls = fs.existsSync(path.join(folder, 'calls')) ? fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n') : [];
  return { status: done.status, words: `${done.stdout}${done.stderr}`, calls };
}

withShell('setup-schema.sh', () => {
  const environment = { POSTGRES_SEEDS: 'postgres', POSTGRES_USER: 'temporal', SQL_PASSWORD: 'secret' };

  test('sets up and updates both of Temporal\'s databases, with no password on a command line', () => {
    standIn('temporal-sql-tool');
    const { status, calls } = run('setup-schema.sh', environment);
    const connection = (database: string) => `temporal-sql-tool --plugin postgres12 --ep postgres -p 5432 -u temporal --db ${database}`;
    expect(status).toBe(0);
    expect(calls).toEqual([
      `${connection('temporal')} setup-schema -v 0.0`,
      `${connection('temporal')} update-schema -d /etc/temporal/schema/postgresql/v12/temporal/versioned`,
      `${connection('temporal_visibility')} setup-schema -v 0.0`,
      `${connection('temporal_visibility')} update-schema -d /etc/temporal/schema/postgresql/v12/visibility/versioned`,
    ]);
  });

  test('fails at the first thing that fails, so that Temporal does not start on half a schema', () => {
    standIn('temporal-sql-tool', 'case "$*" in *update-schema*) exit 1;; esac');
    const { status, calls } = run('setup-schema.sh', environment);
    expect(status).not.toBe(0);
    expect(calls).toHaveLength(2);
  });

  test('says what is missing', () => {
    expect(run('setup-schema.sh', { ...environment, SQL_PASSWORD: '' })).toMatchObject({ words: expect.stringContaining('SQL_PASSWORD') });
  });
});

withShell('setup-namespace.sh', () => {
  const environment = { TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'default', RETENTION: '168h', SEARCH_ATTRIBUTES: path.join(ROOT, 'temporal/search-attributes.json') };
  const attributes = JSON.parse(readSource('temporal/search-attributes.json')) as { name: string; type: string }[];
  const created = (calls: string[]) => calls.filter((call) => call.includes('search-attribute create'));

  test('makes the namespace and every search attribute of temporal/search-attributes.json', () => {
    standIn('temporal', 'case "$*" in *describe*) exit 1;; esac');
    const { status, calls } = run('setup-namespace.sh', environment);
    expect(status).toBe(0);
    expect(calls).toContain('temporal operator namespace create --namespace default --retention 168h');
    expect(created(calls)).toEqual(attributes.map(({ name, type }) => `temporal operator search-attribute create --namespace default --name ${name} --type ${type}`));
  });

  test('makes only what is missing, so it may run at every start', () => {
    standIn('temporal', 'case "$*" in *list*) printf "AccountId  KeywordList\\nVenueOld  Keyword\\n";; esac');
    const { status, calls } = run('setup-namespace.sh', environment);
    expect(status).toBe(0);
    expect(calls.some((call) => call.includes('namespace create'))).toBe(false);
    expect(created(calls)).toHaveLength(attributes.length - 1);
    expect(created(calls).some((call) => call.includes('--name Venue '))).toBe(true);
  });

  test('fails when an attribute cannot be made, so that no role starts without it', () => {
    standIn('temporal', 'case "$*" in *"--name Venue"*) exit 1;; esac');
    expect(run('setup-namespace.sh', environment).status).not.toBe(0);
  });
});

withShell('create-databases.sh', () => {
  test('makes each program a role and its own databases, from password files', () => {
    const script = readSource('deploy/compose/create-databases.sh').replaceAll('/run/secrets', folder);
    fs.mkdirSync(path.join(folder, 'scripts'));
    const file = path.join(folder, 'scripts', 'create.sh');
    fs.writeFileSync(file, script);
    fs.writeFileSync(path.join(folder, 'surefill-database-password'), 'one');
    fs.writeFileSync(path.join(folder, 'temporal-database-password'), 'two');
    standIn('psql', `cat >> "${folder}/sql"`);
    const done = spawnSync('sh', [file], { encoding: 'utf8', env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } });
    expect(done.status).toBe(0);
    expect(fs.readFileSync(path.join(folder, 'sql'), 'utf8').trim().split('\n')).toEqual([
      `CREATE ROLE :"role" LOGIN PASSWORD :'password';`,
      'CREATE DATABASE :"database" OWNER :"role";',
      `CREATE ROLE :"role" LOGIN PASSWORD :'password';`,
      'CREATE DATABASE :"database" OWNER :"role";',
      'CREATE DATABASE :"database" OWNER :"role";',
    ]);
    const databases = fs.readFileSync(path.join(folder, 'calls'), 'utf8').match(/database=\S+/g);
    expect(databases).toEqual(['database=surefill', 'database=temporal', 'database=temporal_visibility']);
    fs.writeFileSync(path.join(folder, 'temporal-database-password'), '');
    expect(spawnSync('sh', [file], { encoding: 'utf8', env: { PATH: `${folder}:${process.env['PATH'] ?? ''}` } })).toMatchObject({ status: 1, stderr: expect.stringContaining('the password of temporal is empty') });
  });
});
