/** Wallets derived from one seed: for development, and for test networks. Whoever has the seed has all of them. */
import { hkdfSync } from 'node:crypto';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import type { Hex } from '../domain/deposit';
import type { DepositSigner } from '../domain/deposit-signer';
import { lower } from './evm-chain';

export class LocalSigner implements DepositSigner {
  constructor(private readonly seed: Buffer) {}

  async addressOf(userId: string): Promise<Hex> {
    return lower(this.accountOf(userId).address);
  }

  private accountOf(userId: string): PrivateKeyAccount {
    const key = Buffer.from(hkdfSync('sha256', this.seed, 'surefill deposit wallet', userId, 32));
    return privateKeyToAccount(`0x${key.toString('hex')}`);
  }
}
