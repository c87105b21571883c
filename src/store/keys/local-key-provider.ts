/** Key providers whose keys lie in our own memory: from the environment, or from a file that is made on first use. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { KeyNotAtHand, type KeyProvider, type SealContext } from '../../domain/key-provider';
import { decrypt, encrypt, KEY_BYTES } from './envelope';
import { makeOnce, readIfThere } from './key-file';

/** Hex digits of a key's sha256 that name it: enough to tell a handful of keys apart, useless to find the key. */
const KEY_ID_DIGITS = 16;

class LocalKeyProvider implements KeyProvider {
  readonly currentKeyId: string;
  private readonly keys = new Map<string, Uint8Array>();

  /** Newest first: the first wraps, all of them unwrap. */
  constructor(keys: readonly Uint8Array[], source: string) {
    const [newest] = keys;
    if (newest === undefined) throw new Error(`${source} holds no key: it needs 32 bytes in base64 or hexadecimal`);
    for (const key of keys) {
      if (key.length !== KEY_BYTES) throw new Error(`${source} holds a key of ${key.length} bytes: it needs ${KEY_BYTES}, in base64 or hexadecimal`);
      this.keys.set(keyIdOf(key), key);
    }
    this.currentKeyId = keyIdOf(newest);
  }

  wrap(dataKey: Uint8Array, context: SealContext): Promise<Uint8Array> {
    return Promise.resolve(encrypt(this.keyOf(this.currentKeyId), dataKey, context));
  }

  async unwrap(keyId: string, wrappedKey: Uint8Array, context: SealContext): Promise<Uint8Array> {
    return Promise.resolve(decrypt(this.keyOf(keyId), wrappedKey, context));
  }

  private keyOf(keyId: string): Uint8Array {
    const key = this.keys.get(keyId);
    if (key === undefined) throw new KeyNotAtHand(keyId);
    return key;
  }
}

function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_DIGITS);
}

/** Keys from settings, newest first. */
export function environmentKeyProvider(keys: readonly Uint8Array[]): KeyProvider {
  return new LocalKeyProvider(keys, 'SUREFILL_MASTER_KEY');
}

/** Keys of a file, one a line, newest first. The file is made, with one key and mode 600, when there is none. */
export function fileKeyProvider(file: string): KeyProvider {
  const lines = readOrMake(file).split('\n').map((line) => line.trim()).filter((line) => line !== '');
  return new LocalKeyProvider(lines.map(parseKey), file);
}

function parseKey(text: string): Uint8Array {
  return /^[0-9a-fA-F]{64}$/.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
}

function readOrMake(file: string): string {
  const existing = readIfThere(file);
  if (existing !== null) return existing;
  mkdirSync(path.dirname(file), { recursive: true });
  return makeOnce(file, randomBytes(KEY_BYTES).toString('base64'));
}
