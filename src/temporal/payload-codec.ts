/**
 * Encrypts what Temporal stores of our workflows (inputs, results, updates, signals, summaries; never search attributes):
 * AES-256-GCM, with the namespace as additional data. Off by default: on one machine the Web UI should read at once.
 */
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const ENCODING = 'binary/encrypted';
/** Bytes: GCM's recommended nonce and full tag. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Hex digits of a key's hash: tells keys apart, and nothing of them. */
const KEY_ID_DIGITS = 16;
/** Before the metadata, its length. */
const LENGTH_BYTES = 4;

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

export class EncryptingCodec implements PayloadCodec {
  private readonly keys: ReadonlyMap<string, Uint8Array>;
  private readonly currentId: string;

  /** The first key (32 bytes) encrypts, each of them decrypts: a new one is put in front and the old one kept while histories are. */
  constructor(
    keys: readonly Uint8Array[],
    private readonly namespace: string,
  ) {
    const named = keys.map((key) => [createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_DIGITS), key] as const);
    const [current] = named;
    if (current === undefined) throw new RangeError('at least one key is needed');
    this.currentId = current[0];
    this.keys = new Map(named);
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return settled(() => payloads.map((payload) => this.encrypt(payload)));
  }

  /** What is not encrypted passes as it is: it was written before encryption was turned on. Rejects where the key is not known. */
  decode(payloads: Payload[]): Promise<Payload[]> {
    return settled(() => payloads.map((payload) => (encodingOf(payload) === ENCODING ? this.decrypt(payload) : payload)));
  }

  private encrypt(payload: Payload): Payload {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key(this.currentId), iv);
    cipher.setAAD(this.additionalData(this.currentId));
    const ciphertext = Buffer.concat([cipher.update(packed(payload)), cipher.final()]);
    return { metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(this.currentId) }, data: Buffer.concat([iv, cipher.getAuthTag(), ciphertext]) };
  }

  private decrypt({ metadata, data }: Payload): Payload {
    const keyId = text(metadata?.['encryption-key-id'] ?? new Uint8Array());
    const sealed = data ?? new Uint8Array();
    if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error('an encrypted payload is too short to be one');
    const decipher = createDecipheriv(ALGORITHM, this.key(keyId), sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(this.additionalData(keyId));
    decipher.setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return unpacked(Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]));
  }

  private key(id: string): Uint8Array {
    const key = this.keys.get(id);
    if (key === undefined) throw new Error(`the payload was encrypted with key ${id}, which TEMPORAL_PAYLOAD_KEYS does not have: add it after the first`);
    return key;
  }

  private additionalData(keyId: string): Buffer {
    return Buffer.from(`surefill|temporal|${this.namespace}|${keyId}`);
  }
}

/** For the client and for the workers alike; without keys, Temporal's own. */
export function payloadConversion(codec: PayloadCodec | null): { readonly dataConverter?: DataConverter } {
  return codec === null ? {} : { dataConverter: { payloadCodecs: [codec] } };
}

/** A payload as Temporal's remote-codec protocol writes it: bytes in base64. */
export interface RemotePayload {
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly data?: string | undefined;
}

/** The codec as the Web UI and the CLI ask for it over HTTP. */
export function remoteCodec(codec: PayloadCodec): { encode(payloads: readonly RemotePayload[]): Promise<readonly RemotePayload[]>; decode(payloads: readonly RemotePayload[]): Promise<readonly RemotePayload[]> } {
  return {
    encode: async (payloads) => (await codec.encode(payloads.map(fromRemote))).map(toRemote),
    decode: async (payloads) => (await codec.decode(payloads.map(fromRemote))).map(toRemote),
  };
}

function fromRemote({ metadata = {}, data = '' }: RemotePayload): Payload {
  return { metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])), data: Buffer.from(data, 'base64') };
}

function toRemote({ metadata, data }: Payload): RemotePayload {
  return { metadata: base64Of(metadata ?? {}), data: Buffer.from(data ?? new Uint8Array()).toString('base64') };
}

function base64Of(metadata: Readonly<Record<string, Uint8Array>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value).toString('base64')]));
}

function encodingOf({ metadata }: Payload): string {
  return text(metadata?.['encoding'] ?? new Uint8Array());
}

/** Length of the metadata, the metadata as JSON, the data as it is. */
function packed({ metadata, data }: Payload): Buffer {
  const head = Buffer.from(JSON.stringify(base64Of(metadata ?? {})));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(head.length);
  // Absent data is an empty list in messages that were decoded from the wire.
  return Buffer.concat([length, head, Buffer.from(data ?? [])]);
}

function unpacked(bytes: Buffer): Payload {
  const end = LENGTH_BYTES + bytes.readUInt32BE(0);
  const { metadata } = fromRemote({ metadata: JSON.parse(bytes.subarray(LENGTH_BYTES, end).toString('utf8')) as Record<string, string> });
  return { metadata: metadata ?? {}, data: bytes.subarray(end) };
}

/** A failure rejects, as callers of a promise expect. */
async function settled<T>(work: () => T): Promise<T> {
  return work();
}
