/**
 * Envelopes: each record has a data key of its own, wrapped by the key provider's key, and AES-256-GCM binds both to the
 * record's place (table, row, field), so that a value moved to another row, or changed by a bit, does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { KeyNotAtHand, type KeyProvider, type SealContext, type SealedBytes } from '../../domain/key-provider';

const ALGORITHM = 'aes-256-gcm';
/** Bytes: AES-256's key, and GCM's recommended nonce and full tag. */
export const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** iv | tag | ciphertext. */
export function encrypt(key: Uint8Array, plain: Uint8Array, context: SealContext): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv);
  cipher.setAAD(additionalData(context));
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), ciphertext]);
}

/** Throws when the key is another, the bytes were changed, or they belong to another place. */
export function decrypt(key: Uint8Array, sealed: Uint8Array, context: SealContext): Buffer {
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error(`the sealed ${context.table}.${context.field} is too short to be one`);
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(context));
  decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
}

export async function seal(keys: KeyProvider, plain: Uint8Array, context: SealContext): Promise<SealedBytes> {
  const dataKey = randomBytes(KEY_BYTES);
  const keyId = keys.currentKeyId;
  const wrappedKey = await keys.wrap(dataKey, context);
  const data = encrypt(dataKey, plain, context);
  dataKey.fill(0);
  return { keyId, wrappedKey, data };
}

export async function open(keys: KeyProvider, sealed: SealedBytes, context: SealContext): Promise<Buffer> {
  const dataKey = await keys.unwrap(sealed.keyId, sealed.wrappedKey, context);
  return decrypt(dataKey, sealed.data, context);
}

/** Sealed bytes as rows and files have them: in base64. */
export interface SealedText {
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly data: string;
}

export function sealedOf({ keyId, wrappedKey, data }: SealedText): SealedBytes {
  return { keyId, wrappedKey: Buffer.from(wrappedKey, 'base64'), data: Buffer.from(data, 'base64') };
}

export function sealedText({ keyId, wrappedKey, data }: SealedBytes): SealedText {
  return { keyId, wrappedKey: Buffer.from(wrappedKey).toString('base64'), data: Buffer.from(data).toString('base64') };
}

/** null: no key at hand opens it, as after a master key was lost. Whatever else opening meets is thrown. */
export async function openIfAtHand(keys: KeyProvider, sealed: SealedBytes, context: SealContext): Promise<Buffer | null> {
  try {
    return await open(keys, sealed, context);
  } catch (error) {
    if (error instanceof KeyNotAtHand) return null;
    throw error;
  }
}

/** A JSON list, so that no two places have the same text. */
function additionalData(context: SealContext): Buffer {
  return Buffer.from(JSON.stringify([context.table, context.row, context.field]), 'utf8');
}
