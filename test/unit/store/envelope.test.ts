import { describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { open, seal } from '../../../src/store/keys/envelope';
import { environmentKeyProvider, fileKeyProvider } from '../../../src/store/keys/local-key-provider';

const PLACE = { table: 'credentials', row: '1', field: 'data' };
const keys = environmentKeyProvider([randomBytes(32)]);
const secret = Buffer.from('a secret');

describe('a sealed record', () => {
  test('opens in its own place', async () => {
    expect((await open(keys, await seal(keys, secret, PLACE), PLACE)).toString()).toBe('a secret');
  });

  test('has a data key of its own, so equal secrets look different', async () => {
    const [one, other] = [await seal(keys, secret, PLACE), await seal(keys, secret, PLACE)];
    expect(Buffer.from(one.data).equals(Buffer.from(other.data))).toBe(false);
    expect(Buffer.from(one.wrappedKey).equals(Buffer.from(other.wrappedKey))).toBe(false);
  });

  test.each([{ table: 'attempts' }, { row: '2' }, { field: 'name' }])('does not open in another place: %p', async (elsewhere) => {
    await expect(open(keys, await seal(keys, secret, PLACE), { ...PLACE, ...elsewhere })).rejects.toThrow();
  });

  test('does not open after one bit changed, anywhere', async () => {
    const sealed = await seal(keys, secret, PLACE);
    for (let index = 0; index < sealed.data.length; index += 1) {
      const data = Buffer.from(sealed.data);
      data[index] = (data[index] ?? 0) ^ 1;
      await expect(open(keys, { ...sealed, data }, PLACE)).rejects.toThrow();
    }
  });

  test('opens with an older key after the key was rotated, and not without it', async () => {
    const [older, newer] = [randomBytes(32), randomBytes(32)];
    const sealed = await seal(environmentKeyProvider([older]), secret, PLACE);
    expect((await open(environmentKeyProvider([newer, older]), sealed, PLACE)).toString()).toBe('a secret');
    await expect(open(environmentKeyProvider([newer]), sealed, PLACE)).rejects.toThrow(/give back the master key/);
  });
});

describe('a file of keys', () => {
  test('is made on first use, for its owner only, and gives the same key ever after', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'surefill-keys-'));
    try {
      const file = path.join(folder, 'inside', 'master-key');
      const first = fileKeyProvider(file);
      expect(existsSync(file)).toBe(true);
      expect(statSync(file).mode & 0o077).toBe(0);
      expect(fileKeyProvider(file).currentKeyId).toBe(first.currentKeyId);
      writeFileSync(file, `${randomBytes(32).toString('hex')}\n${readFileSync(file, 'utf8')}`);
      expect(fileKeyProvider(file).currentKeyId).not.toBe(first.currentKeyId);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('with a key of the wrong length is refused in words', () => {
    expect(() => environmentKeyProvider([randomBytes(16)])).toThrow(/16 bytes: it needs 32/);
    expect(() => environmentKeyProvider([])).toThrow(/holds no key/);
  });
});
