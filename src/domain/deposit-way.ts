/** How money comes from a chain into an account of a venue: a transfer of the venue's token to its contract. */
import { decimal } from './decimal';
import type { ChainToken, Hex } from './deposit';

/** Told by the venue's adapter, of one account. Nothing else is ever sent to. */
export interface DepositWay {
  readonly chainId: number;
  /** The one token that is credited. */
  readonly token: Hex;
  readonly contract: Hex;
  /** In the token's unit. What is less is lost at some venues, so it is never sent. */
  readonly minimum: string;
  /** Whose transfers are credited to this account. */
  readonly sender: Hex;
}

/** Why an amount that lies in `wallet` cannot go this way; null: it can. `way` null: the venue has none for this account. */
export function faultOfWay(way: DepositWay | null, { token, wallet, amount }: { readonly token: Pick<ChainToken, 'chainId' | 'address'>; readonly wallet: Hex; readonly amount: string | null }): string | null {
  if (way === null) return 'NO_DEPOSIT_CONTRACT';
  if (way.chainId !== token.chainId || way.token !== token.address) return 'OTHER_TOKEN';
  if (way.sender !== wallet) return 'OTHER_WALLET';
  return amount !== null && decimal(amount).lessThan(decimal(way.minimum)) ? 'BELOW_VENUE_MINIMUM' : null;
}
