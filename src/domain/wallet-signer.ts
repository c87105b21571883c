/**
 * The port before whoever holds the users' embedded wallets. Keys that can move money stay behind it: never in the database, a workflow
 * or a log. It signs and never sends: what was signed is kept before a node sees it.
 */
import type { SignedTransaction, UnsignedTransaction } from './chain-send';
import type { DepositSigner } from './deposit-signer';

export interface SigningRequest {
  readonly userId: string;
  readonly transaction: UnsignedTransaction;
  /** Names the transaction for ever: the same name is signed as the same transaction, or refused. */
  readonly idempotencyKey: string;
}

export interface WalletSigner extends DepositSigner {
  /**
   * Throws DomainError: FORBIDDEN where a policy refuses it (nothing was signed), SERVICE_UNAVAILABLE where the signer did not answer
   * (it may have signed: ask again with the same key).
   */
  sign(request: SigningRequest): Promise<SignedTransaction>;
}
