/**
 * The port before whoever holds the users' embedded wallets. Keys that can move money stay behind it: never in the database, a workflow
 * or a log. It signs and never sends: what was signed is kept before a node sees it.
 */
import type { SignedTransaction, UnsignedTransaction } from './chain-send';
import type { Hex } from './deposit';
import type { DepositSigner } from './deposit-signer';

export interface SigningRequest {
  readonly userId: string;
  readonly transaction: UnsignedTransaction;
  /** Names the transaction for ever: the same name is signed as the same transaction, or refused. */
  readonly idempotencyKey: string;
}

/** An EIP-712 message. Integers are JavaScript numbers where they are exact, decimal text elsewhere. */
export interface TypedMessage {
  readonly domain: { readonly name: string; readonly version: string; readonly chainId: number; readonly verifyingContract: Hex };
  readonly primaryType: string;
  /** Of the primary type alone: none that is signed here holds another. */
  readonly fields: readonly { readonly name: string; readonly type: string }[];
  readonly message: Readonly<Record<string, string | number>>;
}

export interface MessageSigningRequest {
  readonly userId: string;
  /** Whose signature is wanted: another wallet signs nothing. */
  readonly from: Hex;
  readonly message: TypedMessage;
  /** Names the message for ever: the same name is signed as the same message, or refused. */
  readonly idempotencyKey: string;
}

export interface WalletSigner extends DepositSigner {
  /**
   * Throws DomainError: FORBIDDEN where a policy refuses it (nothing was signed), SERVICE_UNAVAILABLE where the signer did not answer
   * (it may have signed: ask again with the same key).
   */
  sign(request: SigningRequest): Promise<SignedTransaction>;
  /** 65 bytes: r, s and v (27 or 28). Throws as `sign` does. */
  signMessage(request: MessageSigningRequest): Promise<Hex>;
}
