/** Where the key that seals data keys lives: a file, the environment, later a vault or a KMS. */

/** An envelope: the record's own data key, wrapped by the provider's key `keyId`, and the data under it (AES-256-GCM). */
export interface SealedBytes {
  readonly keyId: string;
  readonly wrappedKey: Uint8Array;
  readonly data: Uint8Array;
}

/** Binds an envelope to its place, so that a row swapped into another place does not open. */
export interface SealContext {
  readonly table: string;
  readonly row: string;
  readonly field: string;
}

/** What it sealed cannot be opened by anybody here: another master key, or one that is lost. */
export class KeyNotAtHand extends Error {
  override readonly name = 'KeyNotAtHand';

  constructor(keyId: string) {
    super(`key ${keyId} is not at hand: give back the master key that sealed this database`);
  }
}

export interface KeyProvider {
  /** Id of the key that wraps new data keys. */
  readonly currentKeyId: string;
  wrap(dataKey: Uint8Array, context: SealContext): Promise<Uint8Array>;
  /** Throws KeyNotAtHand for a key that it does not have, and when the envelope was changed. */
  unwrap(keyId: string, wrappedKey: Uint8Array, context: SealContext): Promise<Uint8Array>;
}
