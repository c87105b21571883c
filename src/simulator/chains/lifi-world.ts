/** What the simulated LI.FI moves between, at addresses that are known before anything is deployed. */
import type { ChainToken, Hex } from '../../domain/deposit';
import { CONTRACTS } from './contracts';
import { addressOfContract, ensureDeployed, type LocalChain } from './local-chain';

export interface LifiWorld {
  readonly source: LocalChain;
  readonly destination: LocalChain;
  /** Takes the money on the source chain. */
  readonly bridge: Hex;
  /** Pays it on the destination, once for each source transaction. */
  readonly payer: Hex;
  /** What the bridge takes, what it pays, and what it pays in a PARTIAL. */
  readonly from: ChainToken;
  readonly to: ChainToken;
  readonly other: ChainToken;
  /** Blocks that hold or follow the source transaction before it pays. */
  readonly paysAfterBlocks: number;
  /** In hundredths of the destination token: the price of the source chain's coin. */
  readonly coinPriceCents: bigint;
  /** What it does for whoever it pays, before it pays. */
  readonly beforePaying?: (receiver: Hex) => Promise<void>;
}

const AT = { from: 0, bridge: 1, to: 0, other: 1, payer: 2 } as const;

export function lifiAddresses(): Readonly<Record<keyof typeof AT, Hex>> {
  return { from: addressOfContract(AT.from), bridge: addressOfContract(AT.bridge), to: addressOfContract(AT.to), other: addressOfContract(AT.other), payer: addressOfContract(AT.payer) };
}

export interface LifiTokens {
  /** Of the token that the bridge takes; it has 18 decimals, as USDC has 6. */
  readonly symbol: string;
}

export function lifiWorld(source: LocalChain, destination: LocalChain, { symbol }: LifiTokens, more: Partial<Pick<LifiWorld, 'paysAfterBlocks' | 'coinPriceCents' | 'beforePaying'>> = {}): LifiWorld {
  const at = lifiAddresses();
  return {
    source,
    destination,
    bridge: at.bridge,
    payer: at.payer,
    from: { chainId: source.id, address: at.from, symbol, decimals: 18 },
    to: { chainId: destination.id, address: at.to, symbol: 'USDC', decimals: 6 },
    other: { chainId: destination.id, address: at.other, symbol: 'OTH', decimals: 18 },
    paysAfterBlocks: 1,
    coinPriceCents: 100n,
    ...more,
  };
}

/** Deploys what is missing of it; again, it changes nothing. */
export async function deployLifi({ source, destination, from, to, other }: LifiWorld): Promise<void> {
  const token = ({ symbol, decimals }: ChainToken) => ({ contract: CONTRACTS.token, args: [symbol, decimals] });
  const bridge = { contract: CONTRACTS.bridge, args: [] };
  await Promise.all([ensureDeployed(source, [token(from), bridge]), ensureDeployed(destination, [token(to), token(other), bridge])]);
}
