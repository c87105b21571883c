/**
 * Hyperliquid's bridge on Arbitrum. USDC that is sent to it is credited to the account of its sender within a minute, and below 5 USDC
 * to nobody, for ever. Back it goes by `withdraw3`, which the account's own wallet signs: the venue keeps 1 USDC, and its bridge pays the
 * rest within minutes. Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/bridge2 and .../exchange-endpoint
 * (2026-11); the signature as hyperliquid-python-sdk 0.24.0 makes it, tests/signing_test.py.
 */
import { decimal, decimalText } from '../../domain/decimal';
import type { DepositWay } from '../../domain/deposit-way';
import type { Hex } from '../../domain/deposit';
import type * as port from '../../domain/venue';
import { EXIT_TRIES, type VenueBridge, type VenueCredit, type VenueExit } from '../../domain/venue-bridge';
import type { TypedMessage } from '../../domain/wallet-signer';
import type { HyperliquidBytes } from './actions';
import { chainName, SIGNATURE_CHAIN_ID, USER_ACTION_TYPES, wireDecimal, type HyperliquidNetwork } from './signing';

const BRIDGES = {
  mainnet: { chainId: 42_161, token: '0xaf88d065e77c8cc2239327c5edb3a432268e5831', contract: '0x2df1c51e09aecf9cacb7bc98cb1742757f163df7' },
  testnet: { chainId: 421_614, token: '0x1baabb04529d43a73232b713c0fe471f7c7334d5', contract: '0x08cfc1b6b2dcf36a1480b99353a354aa8ac56f89' },
} as const;
const MINIMUM_USDC = '5';
const EXIT_FEE_USDC = '1';
const WITHDRAW = 'HyperliquidTransaction:Withdraw';
const NO_CONTRACT: Hex = `0x${'00'.repeat(20)}`;
/** A nonce may be a time ahead of the venue's: its line is looked for from so long before. The line is known by the nonce itself. */
const NONCE_AHEAD_MS = 86_400_000;

/** null: what a vault or sub-account holds does not come over the bridge. */
export function depositWayOf(network: keyof typeof BRIDGES, { address, vaultAddress }: { readonly address: string; readonly vaultAddress?: string | null | undefined }): DepositWay | null {
  if (vaultAddress != null) return null;
  return { ...BRIDGES[network], minimum: MINIMUM_USDC, sender: address.toLowerCase() as Hex };
}

/** A line of userNonFundingLedgerUpdates. */
export interface LedgerLine {
  readonly time: number;
  readonly hash?: string | undefined;
  readonly delta: Readonly<Record<string, unknown>>;
}

export interface BridgeParts {
  readonly venue: string;
  readonly network: HyperliquidNetwork;
  readonly owner: Hex;
  ledgerSince(sinceMs: number, options: port.ReadOptions): Promise<readonly LedgerLine[]>;
}

export class HyperliquidBridge implements VenueBridge {
  readonly exitFee = EXIT_FEE_USDC;

  constructor(private readonly parts: BridgeParts) {}

  get owner(): Hex {
    return this.parts.owner;
  }

  get signerId(): string {
    return `${this.parts.venue}/${this.parts.owner}`;
  }

  async credits(sinceMs: number, options: port.ReadOptions): Promise<readonly VenueCredit[]> {
    const seen = new Map<string, number>();
    const numbered = (name: string): number => {
      const number = (seen.get(name) ?? 0) + 1;
      seen.set(name, number);
      return number;
    };
    return (await this.parts.ledgerSince(sinceMs, options)).flatMap(({ time, hash, delta }) => {
      const { type, usdc } = delta;
      if (type !== 'deposit' || !isAmount(usdc)) return [];
      const amount = decimalText(usdc);
      // The venue gives system events one hash for all: what makes two lines of one moment different is their number.
      const line = `${this.signerId}/${time}/${hash ?? ''}/${amount}`;
      // Two of one moment are two withdrawals, with room for each to be asked anew.
      const exitNonce = String(time + (numbered(String(time)) - 1) * EXIT_TRIES);
      return [{ reference: `${line}/${numbered(line)}`, amount, atMs: time, exitNonce }];
    });
  }

  exitMessage(exit: VenueExit): TypedMessage {
    const { hyperliquidChain, destination, amount, time } = this.actionOf(exit);
    return {
      domain: { name: 'HyperliquidSignTransaction', version: '1', chainId: Number(SIGNATURE_CHAIN_ID), verifyingContract: NO_CONTRACT },
      primaryType: WITHDRAW,
      fields: USER_ACTION_TYPES[WITHDRAW],
      message: { hyperliquidChain, destination, amount, time },
    };
  }

  exitRequest(exit: VenueExit, signature: Hex): port.SignedRequest {
    const parts = /^0x([0-9a-f]{64})([0-9a-f]{64})(1b|1c)$/.exec(signature);
    if (parts === null) throw new RangeError('a signature is r, s and v, of 65 bytes');
    const [, r, s, v] = parts;
    const body = JSON.stringify({ action: this.actionOf(exit), nonce: Number(exit.nonce), signature: { r: `0x${r}`, s: `0x${s}`, v: v === '1b' ? 27 : 28 }, vaultAddress: null, expiresAfter: null });
    const bytes: HyperliquidBytes = { body, orders: [], cancels: [], refused: {}, atMs: Number(exit.nonce) };
    return { kind: 'move', bytes: JSON.stringify(bytes), nonce: exit.nonce, venueDeadlineMs: null };
  }

  /** By what only it can have: its nonce, of a withdrawal, of its amount. `usdc` is told with or without the fee. */
  async exitsShown(exits: readonly VenueExit[], options: port.ReadOptions): Promise<readonly string[]> {
    if (exits.length === 0) return [];
    const lines = await this.parts.ledgerSince(Math.min(...exits.map(({ nonce }) => Number(nonce))) - NONCE_AHEAD_MS, options);
    const shown = new Map(lines.flatMap(({ delta }) => (delta['type'] === 'withdraw' ? [[String(delta['nonce']), delta] as const] : [])));
    const isOf = ({ usdc, fee }: Readonly<Record<string, unknown>>, amount: string): boolean =>
      isAmount(usdc) && (decimal(usdc).equals(decimal(amount)) || decimal(usdc).plus(decimal(isAmount(fee) ? fee : '0')).equals(decimal(amount)));
    return exits.flatMap(({ nonce, amount }) => {
      const delta = shown.get(nonce);
      return delta !== undefined && isOf(delta, amount) ? [nonce] : [];
    });
  }

  private actionOf({ amount, nonce }: VenueExit) {
    return { type: 'withdraw3', hyperliquidChain: chainName(this.parts.network), signatureChainId: SIGNATURE_CHAIN_ID, destination: this.parts.owner, amount: wireDecimal(amount), time: Number(nonce) };
  }
}

function isAmount(value: unknown): value is string {
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value);
}
