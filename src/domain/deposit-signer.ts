/** The port before whoever holds the users' embedded wallets. Keys that can move money stay behind it: never in the database, a workflow or a log. */
import type { Hex } from './deposit';

export interface DepositSigner {
  /** The same for the same user, for ever; lower-case. */
  addressOf(userId: string): Promise<Hex>;
}
