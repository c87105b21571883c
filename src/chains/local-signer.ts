/** Wallets derived from one seed: for development, and for test networks. Whoever has the seed has all of them. */
import { hkdfSync } from 'node:crypto';
import { keccak256 } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import type { SignedTransaction } from '../domain/chain-send';
import type { Hex } from '../domain/deposit';
import type { MessageSigningRequest, SigningRequest, WalletSigner } from '../domain/wallet-signer';
import { lower } from './evm-chain';
import { typedDataOf } from './typed-data';

export class LocalSigner implements WalletSigner {
  constructor(private readonly seed: Buffer) {}

  async addressOf(userId: string): Promise<Hex> {
    return lower(this.accountOf(userId).address);
  }

  /** Nonces of signatures are derived from what is signed (RFC 6979), so the same transaction has the same bytes whenever it is signed. */
  async sign({ userId, transaction }: SigningRequest): Promise<SignedTransaction> {
    const { from, chainId, nonce, to, data, value, gas, maxFeePerGas, maxPriorityFeePerGas } = transaction;
    const account = this.accountOf(userId);
    if (lower(account.address) !== from) throw new Error(`${from} is not the wallet of user ${userId}`);
    const bytes = await account.signTransaction({ type: 'eip1559', chainId, nonce, to, data, value: BigInt(value), gas: BigInt(gas), maxFeePerGas: BigInt(maxFeePerGas), maxPriorityFeePerGas: BigInt(maxPriorityFeePerGas) });
    return { bytes, hash: keccak256(bytes) };
  }

  async signMessage({ userId, from, message }: MessageSigningRequest): Promise<Hex> {
    const account = this.accountOf(userId);
    if (lower(account.address) !== from) throw new Error(`${from} is not the wallet of user ${userId}`);
    return lower(await account.signTypedData(typedDataOf(message)));
  }

  private accountOf(userId: string): PrivateKeyAccount {
    const key = Buffer.from(hkdfSync('sha256', this.seed, 'surefill deposit wallet', userId, 32));
    return privateKeyToAccount(`0x${key.toString('hex')}`);
  }
}
