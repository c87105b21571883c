/**
 * Hyperliquid's bridge on Arbitrum. USDC that is sent to it is credited to the account of its sender within a minute, and below 5 USDC
 * to nobody, for ever. Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/bridge2 (2026-11).
 */
import type { DepositWay } from '../../domain/deposit-way';
import type { Hex } from '../../domain/deposit';

const BRIDGES = {
  mainnet: { chainId: 42_161, token: '0xaf88d065e77c8cc2239327c5edb3a432268e5831', contract: '0x2df1c51e09aecf9cacb7bc98cb1742757f163df7' },
  testnet: { chainId: 421_614, token: '0x1baabb04529d43a73232b713c0fe471f7c7334d5', contract: '0x08cfc1b6b2dcf36a1480b99353a354aa8ac56f89' },
} as const;
const MINIMUM_USDC = '5';

/** null: what a vault or sub-account holds does not come over the bridge. */
export function depositWayOf(network: keyof typeof BRIDGES, { address, vaultAddress }: { readonly address: string; readonly vaultAddress?: string | null | undefined }): DepositWay | null {
  if (vaultAddress != null) return null;
  return { ...BRIDGES[network], minimum: MINIMUM_USDC, sender: address.toLowerCase() as Hex };
}
