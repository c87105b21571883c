/** Which wallet a custodian keeps for which user. Names and addresses only: keys stay with the custodian. */
import { isoTime } from '../../domain/clock';
import type { Hex } from '../../domain/deposit';
import type { StoreCore } from '../core';

export interface EmbeddedWallet {
  readonly walletId: string;
  readonly address: Hex;
}

export class EmbeddedWallets {
  constructor(
    private readonly core: StoreCore,
    private readonly custodian: string,
  ) {}

  async walletOf(userId: string): Promise<EmbeddedWallet | null> {
    const [row] = await this.core.database.rows<{ walletId: string; address: Hex }>('SELECT w.wallet_id AS "walletId", w.address FROM embedded_wallets w WHERE w.user_id = $1 AND w.custodian = $2', userId, this.custodian);
    return row === undefined ? null : { ...row };
  }

  /** The first that is kept stays. */
  async keepWallet(userId: string, { walletId, address }: EmbeddedWallet): Promise<EmbeddedWallet> {
    const [row] = await this.core.database.rows<{ walletId: string; address: Hex }>(
      `INSERT INTO embedded_wallets AS w (user_id, custodian, wallet_id, address, created_at) VALUES ($1, $2, $3, $4, $5::timestamptz)
       ON CONFLICT (user_id, custodian) DO UPDATE SET wallet_id = w.wallet_id RETURNING w.wallet_id AS "walletId", w.address`,
      userId, this.custodian, walletId, address, isoTime(this.core.clock.nowMs()),
    );
    if (row === undefined) throw new Error(`the wallet of user ${userId} was not kept`);
    return { ...row };
  }
}
