/** What arrived at a deposit address and is nobody's yet: a person says whose it is. */
import type { ChainTransfer, Hex } from './deposit';

export interface SuspenseEntry extends ChainTransfer {
  /** Names the transfer: chain, transaction and log. */
  readonly id: string;
  readonly userId: string;
  readonly why: string;
  readonly at: string;
}

type TransferKey = Pick<ChainTransfer, 'chainId' | 'txHash' | 'logIndex'>;

const SUSPENSE_ID = /^(\d{1,15})-(0x[0-9a-f]{64})-(\d{1,9})$/;

export function suspenseIdOf({ chainId, txHash, logIndex }: TransferKey): string {
  return `${chainId}-${txHash}-${logIndex}`;
}

/** null: no id of that form. */
export function transferKeyOf(id: string): TransferKey | null {
  const found = SUSPENSE_ID.exec(id);
  if (!found?.[1] || !found[2] || !found[3]) return null;
  return { chainId: Number(found[1]), txHash: found[2] as Hex, logIndex: Number(found[3]) };
}
