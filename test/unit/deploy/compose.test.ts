import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadSettings } from '../../../src/config/settings';
import { SETTINGS_TABLE } from '../../../src/config/settings-table';
import { readOptions } from '../../../src/simulator/options';
import { COMPOSE_PATH, fillVariables, readCompose, type ComposeService } from '../../support/compose-file';
import { filesBelow, readSource, ROOT } from '../../support/source-imports';

const HEX = 'ab'.repeat(32);
const SECRETS = { POSTGRES_PASSWORD: 'p1', SUREFILL_DATABASE_PASSWORD: 'p2', TEMPORAL_DATABASE_PASSWORD: 'p3', SUREFILL_MASTER_KEY: HEX };
const compose = readCompose(SECRETS);
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.image === 'surefill:local');
const roles = ['api', 'worker', 'watcher'].map((name): [string, ComposeService] => [name, service(name)]);

function service(name: string): ComposeService {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

/** The image's own environment: its ENV instruction. */
const imageEnvironment = Object.fromEntries([...readSource('Dockerfile').matchAll(/^(?:ENV)?\s+([A-Z_]+)=(\S+)( \\)?$/gm)].map(([, name = '', value = '']) => [name, value]));

/** Rules of taste: ours is ordered by meaning, not by the alphabet, and builds what it names. */
const OFF = ['service-keys-order', 'services-alphabetical-order', 'top-level-properties-order', 'no-build-and-image'];
const LINTER = path.join(ROOT, 'node_modules', 'dclint', 'bin', 'dclint.cjs');

/** What the linter says, which knows the Compose schema. It exits with 0 only when it says nothing that is an error. */
function complaints(file: string): string[] {
  const run = spawnSync(process.execPath, [LINTER, file, '--formatter', 'json', ...OFF.flatMap((rule) => ['--disable-rule', rule])], { encoding: 'utf8', cwd: ROOT });
  const results = JSON.parse(run.stdout) as readonly { readonly messages: readonly { readonly line: number; readonly message: string }[] }[];
  return results.flatMap(({ messages }) => messages.map(({ line, message }) => `${line}: ${message}`));
}

describe('docker-compose.yml', () => {
  test('agrees with the Compose schema and the linter', () => {
    expect(complaints(COMPOSE_PATH)).toEqual([]);
  });

  test('would not, with a key the schema does not know, a version or a port on every interface', () => {
    const folder = fs.mkdtempSync(path.join(ROOT, 'node_modules', '.compose-'));
    try {
      const broken = (name: string, change: (text: string) => string): string[] => {
        const file = path.join(folder, `${name}.yml`);
        fs.writeFileSync(file, change(readSource('docker-compose.yml')));
        return complaints(file);
      };
      expect(broken('unknown-key', (text) => text.replace('    networks:', '    netwroks:'))).not.toEqual([]);
      expect(broken('open-port', (text) => text.replace("'127.0.0.1:${PORT:-3000}:3000'", "'3000:3000'"))).not.toEqual([]);
      expect(broken('latest', (text) => text.replace('postgres:18-bookworm', 'postgres:latest'))).not.toEqual([]);
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });

  const plugin = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' }).status === 0;
  // The schema above is what is promised everywhere; where the plugin is, its own word is heard too.
  if (!plugin) process.stderr.write('compose.test.ts: docker compose is not installed here, so only the Compose schema judges the file\n');
  else
    test('is accepted by docker compose itself', () => {
      const run = spawnSync('docker', ['compose', '--file', COMPOSE_PATH, 'config', '--quiet'], { encoding: 'utf8', env: { ...process.env, ...SECRETS } });
      expect({ status: run.status, words: run.stderr }).toEqual({ status: 0, words: '' });
    });

  test.each(Object.keys(SECRETS).filter((name) => name !== 'POSTGRES_PASSWORD'))('does not start without %s, and says so', (name) => {
    expect(() => readCompose({ ...SECRETS, [name]: '' })).toThrow(new RegExp(`${name}: put .* into .env`));
  });

  test('asks .env for nothing that deploy/compose/env.example does not name, and the other way round', () => {
    const asked = [...readSource('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g)].map(([, name = '']) => name);
    const wanted = new Set([...asked, ...Object.values(compose.secrets).map((secret) => secret.environment)]);
    const offered = [...readSource('deploy/compose/env.example').matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name = '']) => name);
    expect([...wanted].sort()).toEqual(offered.sort());
  });

  test('fills variables as Compose does', () => {
    expect(fillVariables('${A:-x}/${B:-y}/${A}', { B: 'b' })).toBe('x/b/');
  });
});

describe('what it puts together', () => {
  test('has PostgreSQL, Redis, Temporal with its Web UI, the paper venue and the three roles', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['api', 'paper', 'postgres', 'redis', 'temporal', 'temporal-namespace', 'temporal-schema', 'temporal-ui', 'watcher', 'worker']);
    expect(roles.map(([, { command }]) => command)).toEqual([['--role', 'api'], ['--role', 'worker'], ['--role', 'watcher']]);
  });

  test('waits only for services there are, for health only where it is checked, for an end only where one comes', () => {
    for (const [name, { depends_on: needs = {} }] of services) {
      for (const [needed, { condition }] of Object.entries(needs)) {
        const { healthcheck, image, restart } = service(needed);
        const checked = healthcheck !== undefined || image === 'surefill:local';
        if (condition === 'service_healthy') expect({ name, needed, checked }).toEqual({ name, needed, checked: true });
        if (condition === 'service_completed_successfully') expect({ name, needed, restart }).toEqual({ name, needed, restart: 'on-failure:5' });
      }
    }
  });

  test('starts the roles after everything they speak to', () => {
    for (const [, { depends_on: needs }] of roles) expect(Object.keys(needs ?? {}).sort()).toEqual(['paper', 'postgres', 'redis', 'temporal-namespace']);
  });

  test('publishes two ports, both on loopback only: the API and the Web UI', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published).toEqual(['api 127.0.0.1:3000:3000', 'temporal-ui 127.0.0.1:8233:8080']);
  });

  test('keeps the servers on a network without a way in or out', () => {
    expect(compose.networks['internal']).toEqual({ internal: true });
    for (const name of ['postgres', 'redis', 'temporal', 'temporal-schema', 'temporal-namespace', 'paper']) expect(service(name).networks).toEqual(['internal']);
  });

  test('keeps what must survive in named volumes, and declares each', () => {
    const named = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => !volume.startsWith('.')).map((volume) => volume.split(':')[0] ?? ''));
    expect(named.sort()).toEqual(Object.keys(compose.volumes).sort());
    expect(named).toContain('postgres-data');
  });

  test('mounts only files that are in the repository, read-only', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('.')));
    expect(mounted.length).toBeGreaterThan(3);
    for (const volume of mounted) {
      const [file = '', , mode] = volume.split(':');
      expect({ file, there: fs.existsSync(path.join(ROOT, file)), mode }).toEqual({ file, there: true, mode: 'ro' });
    }
  });

  test('mounts Temporal\'s settings where it tells the server to read them', () => {
    const { environment, volumes } = service('temporal');
    expect(volumes).toContain(`./temporal/dynamicconfig.yaml:/etc/temporal/${environment?.['DYNAMIC_CONFIG_FILE_PATH'] ?? ''}:ro`);
  });

  test('gives each secret file only to who reads it, and declares each', () => {
    expect(services.filter(([, { secrets = [] }]) => secrets.length > 0).map(([name]) => name)).toEqual(['postgres']);
    expect([...(service('postgres').secrets ?? [])].sort()).toEqual(Object.keys(compose.secrets).sort());
  });

  test('runs our containers read-only, with somewhere to write for each path they write to', () => {
    for (const [name, { read_only: readOnly, tmpfs = [], volumes = [] }] of ours) {
      const writable = [...tmpfs, ...volumes.map((volume) => volume.slice(volume.indexOf(':') + 1))].map((mount) => mount.split(':')[0]);
      expect({ name, readOnly, data: writable.some((mount) => mount?.startsWith('/data')) }).toEqual({ name, readOnly: true, data: true });
    }
  });
});

describe('the settings it gives', () => {
  const known = new Set([...Object.values(SETTINGS_TABLE).map((row) => row.env), 'NODE_ENV', 'HEALTH_URL', 'SUREFILL_PAPER_HTTP_URL', 'SUREFILL_PAPER_WS_URL']);

  test.each(ours)('%s: each has a name the program knows', (_name, { environment = {} }) => {
    expect(Object.keys({ ...imageEnvironment, ...environment }).filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(roles)('%s: the program accepts them, and they lead to the services', (_name, { environment = {} }) => {
    const settings = loadSettings({ ...imageEnvironment, ...environment });
    expect(settings).toMatchObject({
      host: '0.0.0.0',
      port: 3000,
      home: '/data',
      databaseUrl: 'postgresql://surefill:p2@postgres:5432/surefill',
      temporalAddress: 'temporal:7233',
      redisUrl: 'redis://redis:6379',
      venues: [{ name: 'paper', adapter: 'paper', httpUrl: 'http://paper:9100', wsUrl: 'ws://paper:9100/ws' }],
    });
    expect(settings.masterKey).toBeDefined();
  });

  test('health is asked where the role answers: the API at its port, the others at their metrics', () => {
    expect(imageEnvironment['HEALTH_URL']).toBe(`http://127.0.0.1:${imageEnvironment['PORT'] ?? ''}/healthz`);
    for (const name of ['worker', 'watcher']) expect(service(name).environment).toMatchObject({ METRICS_PORT: '9464', HEALTH_URL: 'http://127.0.0.1:9464/metrics' });
  });

  test('the paper venue listens where the roles look for it, and keeps its journal in its volume', () => {
    const { command = [], entrypoint, environment, volumes } = service('paper');
    const options = readOptions(command);
    expect(options).toMatchObject({ host: '0.0.0.0', port: 9100, home: '/data/paper' });
    expect(volumes).toEqual([`paper-data:${options.home ?? ''}`]);
    expect(environment).toEqual({ HEALTH_URL: `http://127.0.0.1:${options.port}/time` });
    expect(filesBelow('src/simulator', ['.ts'])).toContain((entrypoint?.[1] ?? '').replace('dist', 'src').replace('.js', '.ts'));
  });
});
