import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { freePort } from '../../../src/main/launcher/ports';
import { downloadTemporal, TEMPORAL_CLI_VERSION, TEMPORAL_FILE } from '../../../src/main/launcher/temporal-download';
import { findTemporal, isOlder } from '../../../src/main/launcher/temporal-program';

/** The stand-in programs are shell scripts. */
const onUnix = process.platform === 'win32' ? describe.skip : describe;

let folder = '';
const say = (): void => undefined;

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-test-temporal-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function program(place: string, words: string): string {
  const file = path.join(folder, place);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${words}'\n`);
  chmodSync(file, 0o755);
  return file;
}

/** The program that an earlier start left in the cache. */
function cached(words: string): string {
  return program(path.join('cache', 'surefill', 'temporal', `v${TEMPORAL_CLI_VERSION}`, TEMPORAL_FILE), words);
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: path.join(folder, 'bin'), XDG_CACHE_HOME: path.join(folder, 'cache') };
}

test('versions are compared by number, not by text', () => {
  expect(isOlder('1.9.9', '1.29.1')).toBe(true);
  expect(isOlder('1.29.1', '1.29.1')).toBe(false);
  expect(isOlder('1.30.0', '1.29.9')).toBe(false);
});

onUnix('finding a Temporal server', () => {
  test('a temporal on PATH with a new enough server is used', async () => {
    const file = program('bin/temporal', 'temporal version 1.6.0 (Server 1.30.0, UI 2.45.0)');
    cached('temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
    expect(await findTemporal({ environment: environment(), versionOfData: undefined, say })).toEqual({ file, serverVersion: '1.30.0' });
  });

  // Elsewhere the cache folder does not follow the environment: it would be the user's own, and is left alone.
  if (process.platform === 'linux') {
    test('one that is too old is passed over for the cache', async () => {
      program('bin/temporal', 'temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)');
      const file = cached('temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
      expect(await findTemporal({ environment: environment(), versionOfData: undefined, say })).toEqual({ file, serverVersion: '1.29.1' });
    });
  }

  test('data written by a newer server is never opened by an older one', async () => {
    const file = program('bin/temporal', 'temporal version 1.7.0 (Server 1.31.0, UI 2.45.0)');
    cached('temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
    expect(await findTemporal({ environment: environment(), versionOfData: '1.31.0', say })).toEqual({ file, serverVersion: '1.31.0' });
  });
});

onUnix('the official download', () => {
  let server: Server;
  let url = '';
  let content: Buffer = Buffer.alloc(0);

  beforeEach(async () => {
    program('archive/temporal', 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
    execFileSync('tar', ['-czf', path.join(folder, 'a.tar.gz'), '-C', path.join(folder, 'archive'), 'temporal']);
    content = readFileSync(path.join(folder, 'a.tar.gz'));
    server = createServer((request, response) => {
      response.writeHead(request.url === '/absent' ? 404 : 200).end(content);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });

  afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  test('an archive with the known checksum becomes a program in the cache', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    await downloadTemporal({ url, sha256 }, path.join(folder, 'cache', 'v1'), say);
    expect(readdirSync(path.join(folder, 'cache'))).toEqual(['v1']);
    expect(execFileSync(path.join(folder, 'cache', 'v1', 'temporal'), { encoding: 'utf8' })).toContain('Server 1.29.1');
  });

  test('an archive with another checksum is refused and leaves nothing', async () => {
    await expect(downloadTemporal({ url, sha256: '00' }, path.join(folder, 'cache', 'v1'), say)).rejects.toThrow('it was not used');
    expect(existsSync(path.join(folder, 'cache', 'v1'))).toBe(false);
  });

  test('a failed download says the address and the answer', async () => {
    await expect(downloadTemporal({ url: `${url}/absent`, sha256: '00' }, path.join(folder, 'cache', 'v1'), say)).rejects.toThrow('/absent answered 404');
    await expect(downloadTemporal({ url: `http://127.0.0.1:${await freePort()}`, sha256: '00' }, path.join(folder, 'cache', 'v1'), say)).rejects.toThrow('ECONNREFUSED');
  });
});
