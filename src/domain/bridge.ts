/** The port before whoever moves money between chains: it offers, and says how it stands. What it says moves no money here. */
import { decimal } from './decimal';
import type { BridgeReport, ChainToken, Hex, QuotedFee, TransactionRequest } from './deposit';

export interface OfferRequest {
  readonly from: ChainToken;
  readonly to: ChainToken;
  /** In the source token's smallest unit. */
  readonly units: string;
  readonly fromAddress: Hex;
  readonly toAddress: Hex;
}

/** An offer as it was made. Amounts in smallest units. */
export interface BridgeOffer {
  readonly tool: string;
  readonly receiveUnits: string;
  readonly minimumUnits: string;
  readonly fees: readonly QuotedFee[];
  readonly durationSeconds: number;
  readonly transaction: TransactionRequest & { readonly from: Hex };
  /** Whom the token must be approved for; null for a chain's own coin. */
  readonly spender: Hex | null;
}

export interface BridgeQuestion {
  readonly txHash: Hex;
  readonly fromChainId: number;
  readonly toChainId: number;
  /** The tool of the offer, where it is known. */
  readonly tool: string | null;
}

export interface Bridge {
  /** Throws DomainError: UNPROCESSABLE where there is no route, RATE_LIMITED, SERVICE_UNAVAILABLE. */
  offer(request: OfferRequest): Promise<BridgeOffer>;
  /** The same errors; an unknown transaction is no error but NOT_FOUND. */
  status(question: BridgeQuestion): Promise<Omit<BridgeReport, 'at'>>;
  /** A token by its symbol, as the bridge lists it; null: it lists none. */
  addressOf(chainId: number, symbol: string): Promise<Hex | null>;
}

/**
 * What is wrong with an offer; null: it may be signed. A bridge that was taken over could ask for anything: targets and spenders are
 * on a list of ours, and the sender, the chain and the value are what was asked for.
 */
export function faultOfOffer(offer: BridgeOffer, asked: OfferRequest, allowed: ReadonlySet<Hex>): string | null {
  const { transaction, spender } = offer;
  const isNativeToken = spender === null;
  if (transaction.chainId !== asked.from.chainId) return `the transaction is for chain ${transaction.chainId}, not ${asked.from.chainId}`;
  if (transaction.from !== asked.fromAddress) return `the transaction is from ${transaction.from}, not ${asked.fromAddress}`;
  if (!allowed.has(transaction.to)) return `the target ${transaction.to} is not on the allow-list`;
  if (spender !== null && !allowed.has(spender)) return `the spender ${spender} is not on the allow-list`;
  if (isNativeToken && decimal(transaction.value).lessThan(decimal(asked.units))) return 'the transaction carries less than was asked for';
  // Without the receiver in it, the money would go elsewhere.
  if (!transaction.data.includes(asked.toAddress.slice(2))) return 'the transaction does not name the deposit address';
  return null;
}
