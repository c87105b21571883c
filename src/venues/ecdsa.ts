/**
 * Deterministic ECDSA over secp256k1 (RFC 6979, low s), for every venue that wants Ethereum signatures. The native library
 * signs in about 30 microseconds and the JavaScript curve in about 350; both give the same bytes. The package's main file
 * would choose between its own two in silence, so its bindings are loaded here, and the choice is told.
 */
import { secp256k1 as curve } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';

export interface EcdsaSignature {
  /** r and s, 32 bytes each. */
  readonly compact: Uint8Array;
  readonly recovery: 0 | 1;
}

export interface Ecdsa {
  readonly kind: 'native' | 'javascript';
  /** Signs a 32-byte digest. Throws on a key outside the curve's order. */
  sign(digest: Uint8Array, privateKey: Uint8Array): EcdsaSignature;
  /** Uncompressed, 65 bytes. Throws on a key outside the curve's order. */
  publicKey(privateKey: Uint8Array): Uint8Array;
}

export const javascriptEcdsa: Ecdsa = {
  kind: 'javascript',
  sign: (digest, privateKey) => {
    const signature = curve.sign(digest, privateKey, { prehash: false, format: 'recovered', lowS: true });
    return { compact: signature.subarray(1), recovery: bit(signature[0] ?? 0) };
  },
  publicKey: (privateKey) => curve.getPublicKey(privateKey, false),
};

/** Throws where the package has no prebuilt binding for this platform. */
export function loadNativeEcdsa(load: () => typeof import('secp256k1') = requireBindings): Ecdsa {
  const native = load();
  return {
    kind: 'native',
    sign: (digest, privateKey) => {
      const { signature, recid } = native.ecdsaSign(digest, privateKey);
      return { compact: signature, recovery: bit(recid) };
    },
    publicKey: (privateKey) => native.publicKeyCreate(privateKey, false),
  };
}

export interface EcdsaChoice {
  readonly ecdsa: Ecdsa;
  /** Why the native one is not used; null when it is. */
  readonly reason: string | null;
}

/** The native curve if it can be loaded and gives what the other one gives, else the JavaScript one. */
export function chooseEcdsa(load: () => Ecdsa = loadNativeEcdsa): EcdsaChoice {
  try {
    const ecdsa = load();
    const [digest, key] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(9)];
    const [mine, theirs] = [javascriptEcdsa.sign(digest, key), ecdsa.sign(digest, key)];
    if (mine.recovery !== theirs.recovery || Buffer.compare(mine.compact, theirs.compact) !== 0) throw new Error('it does not give the signature of RFC 6979');
    return { ecdsa, reason: null };
  } catch (error) {
    return { ecdsa: javascriptEcdsa, reason: error instanceof Error ? error.message : String(error) };
  }
}

let chosen: EcdsaChoice | null = null;

/** The choice of this process, made once. */
export function ecdsaOfProcess(): EcdsaChoice {
  chosen ??= chooseEcdsa();
  return chosen;
}

/** `0x` and 40 lower-case hex digits. */
export type Address = `0x${string}`;

export function addressOf(privateKey: Uint8Array, ecdsa: Ecdsa = ecdsaOfProcess().ecdsa): Address {
  const hash = keccak_256(ecdsa.publicKey(privateKey).subarray(1));
  return `0x${Buffer.from(hash.subarray(12)).toString('hex')}`;
}

function bit(recovery: number): 0 | 1 {
  // 2 and 3 mean an x beyond the curve's order: one signature in 2^128.
  if (recovery !== 0 && recovery !== 1) throw new RangeError(`recovery ${recovery} cannot be written as v`);
  return recovery;
}

function requireBindings(): typeof import('secp256k1') {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- an import would fail the whole module where it is missing
  return require('secp256k1/bindings') as typeof import('secp256k1');
}
