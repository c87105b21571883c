/**
 * A deposit: any token on a source chain becomes USDC at the user's deposit address on the destination chain. What moves it
 * on is a fact (deposit-state.ts); what it is worth is what final transfers on the chain say, never the quote or the bridge.
 */

import type { FundedOrder } from './funded-order';

/** Those up to DEST_SEEN pass; PARTIAL_REVIEW and MANUAL_REVIEW wait for an operator; the rest are ends. */
export const DEPOSIT_STATES = [
  'CREATED',
  'QUOTED',
  'AWAITING_SIGNATURE',
  'SOURCE_SUBMITTED',
  'SOURCE_CONFIRMED',
  'BRIDGING',
  'DEST_SEEN',
  'REFUND_PENDING',
  'PARTIAL_REVIEW',
  'MANUAL_REVIEW',
  'CREDITED',
  'REFUNDED',
  'FAILED',
  'EXPIRED',
  'CANCELED',
] as const;
export type DepositState = (typeof DEPOSIT_STATES)[number];

export const ENDED_DEPOSIT_STATES: ReadonlySet<DepositState> = new Set(['CREDITED', 'REFUNDED', 'FAILED', 'EXPIRED', 'CANCELED']);
/** Ends by transfers, which a reorganisation may take back for a while. */
export const COUNTED_DEPOSIT_STATES: readonly DepositState[] = ['CREDITED', 'REFUNDED'];
/** Nothing was sent yet, as far as anybody told us: it may be quoted anew, or called off. */
export const UNSENT_DEPOSIT_STATES: ReadonlySet<DepositState> = new Set(['CREATED', 'QUOTED', 'AWAITING_SIGNATURE']);

/** The address that stands for a chain's own coin, as LI.FI writes it. */
export const NATIVE_TOKEN = '0x0000000000000000000000000000000000000000';

/** Addresses, hashes and data are lower-case hexadecimal throughout, so that they compare as text. */
export type Hex = `0x${string}`;

export interface ChainToken {
  readonly chainId: number;
  readonly address: Hex;
  readonly symbol: string;
  readonly decimals: number;
}

/** What the user's wallet is asked to sign. Integers in the smallest unit, as text. */
export interface TransactionRequest {
  readonly chainId: number;
  readonly to: Hex;
  readonly data: Hex;
  /** In wei. */
  readonly value: string;
}

/** An allowance of exactly what is deposited. */
export interface ApprovalRequest extends TransactionRequest {
  readonly token: Hex;
  readonly spender: Hex;
  /** In the token's unit. */
  readonly amount: string;
}

export interface QuotedFee {
  readonly name: string;
  readonly asset: string;
  readonly amount: string;
  readonly amountUsd: string | null;
  /** Taken out of what is deposited, rather than paid beside it. */
  readonly included: boolean;
}

/** What the bridge offered. Shown and signed; never what is credited. Amounts in the tokens' units. */
export interface DepositQuote {
  /** The bridge or exchange that LI.FI chose. */
  readonly tool: string;
  readonly receive: string;
  readonly minimumReceived: string;
  readonly fees: readonly QuotedFee[];
  readonly durationSeconds: number;
  readonly transaction: TransactionRequest;
  readonly approval: ApprovalRequest | null;
  readonly quotedAt: string;
  readonly expiresAt: string;
}

/** The source transaction, as the chain has it. */
export interface DepositSource {
  /** The newest known; earlier ones of the same nonce were replaced by it. */
  readonly hash: Hex;
  readonly earlierHashes: readonly Hex[];
  readonly nonce: number | null;
  readonly blockNumber: number | null;
  readonly blockHash: Hex | null;
  readonly confirmations: number;
  readonly neededConfirmations: number;
  /** What the transaction cost, the L1 share of a rollup included, in the chain's coin; null until it is mined. */
  readonly gasFee: string | null;
  /** The part of it that a rollup pays to its L1; null where the chain does not tell one. */
  readonly l1Fee: string | null;
}

/** What the bridge says of it. A hint for where to look. */
export interface BridgeReport {
  readonly status: string;
  readonly substatus: string | null;
  readonly message: string | null;
  /** Where it says the money arrived. */
  readonly receivingHash: Hex | null;
  readonly at: string;
}

/** An ERC-20 Transfer that a chain holds: what is counted. `amount` in the token's unit. */
export interface ChainTransfer {
  readonly chainId: number;
  readonly txHash: Hex;
  readonly logIndex: number;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly token: Hex;
  readonly asset: string;
  readonly from: Hex;
  readonly to: Hex;
  readonly amount: string;
}

/** Where what it brings goes on to: an account of a venue that takes deposits from this chain. */
export interface DepositDestination {
  readonly accountId: string;
  /** The transfer to the venue, once there is something to transfer: among the withdrawals. A function of the deposit's id. */
  readonly fundingId: string;
  /** What is to be done with it there; absent: nothing. */
  readonly order?: FundedOrder;
}

export interface Deposit {
  readonly id: string;
  readonly userId: string;
  /** bridge: asked for; direct: the destination token came to the deposit address unannounced. */
  readonly kind: 'bridge' | 'direct';
  readonly state: DepositState;
  /** Why it is where it is, for machines; null where nothing is unusual. */
  readonly reason: string | null;
  readonly from: ChainToken;
  readonly amount: string;
  readonly fromAddress: Hex;
  readonly to: ChainToken;
  readonly toAddress: Hex;
  readonly quote: DepositQuote | null;
  readonly source: DepositSource | null;
  readonly bridge: BridgeReport | null;
  /** What final transfers brought, by asset. */
  readonly received: readonly { readonly asset: string; readonly amount: string; readonly txHash: Hex }[];
  /** What final transfers gave back to `fromAddress`, in the source token. */
  readonly refunds: readonly { readonly amount: string; readonly txHash: Hex }[];
  /** final: the source chain took the amount; reverted: only gas. */
  readonly sourceOutcome: 'final' | 'reverted' | null;
  /** An operator gave up what never arrived. */
  readonly writtenOff: boolean;
  /** null or absent: it stays in the wallet. */
  readonly destination?: DepositDestination | null;
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A step of its timeline. */
export interface DepositStep {
  readonly number: number;
  readonly at: string;
  readonly fact: string;
  readonly state: DepositState;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface DepositProgress {
  readonly step: number;
  readonly of: number;
  readonly percent: number;
}

/** The way of one that goes well; others are shown where they stopped. */
const WAY: readonly DepositState[] = ['CREATED', 'AWAITING_SIGNATURE', 'SOURCE_SUBMITTED', 'SOURCE_CONFIRMED', 'BRIDGING', 'DEST_SEEN', 'CREDITED'];
const STANDS_AT: Readonly<Partial<Record<DepositState, DepositState>>> = { QUOTED: 'AWAITING_SIGNATURE', REFUND_PENDING: 'BRIDGING', PARTIAL_REVIEW: 'DEST_SEEN', MANUAL_REVIEW: 'BRIDGING' };

/** How far it is, 1 to 7; every end counts as the last step. Within SOURCE_SUBMITTED the confirmations count too. */
export function progressOf(deposit: Pick<Deposit, 'state' | 'source'>): DepositProgress {
  const of = WAY.length;
  if (ENDED_DEPOSIT_STATES.has(deposit.state)) return { step: of, of, percent: 100 };
  const index = WAY.indexOf(STANDS_AT[deposit.state] ?? deposit.state);
  const { confirmations = 0, neededConfirmations = 1 } = deposit.state === 'SOURCE_SUBMITTED' ? (deposit.source ?? {}) : {};
  const part = Math.min(1, confirmations / Math.max(1, neededConfirmations));
  return { step: index + 1, of, percent: Math.floor((100 * (index + part)) / (of - 1)) };
}

/** As clients see it: the whole state, so that they need no other. */
export interface ShownDeposit extends Omit<Deposit, 'destination'> {
  readonly progress: DepositProgress;
  readonly destination: ShownDestination | null;
}

export interface ShownDestination extends Omit<DepositDestination, 'order'> {
  /** As it was asked for. */
  readonly thenOrder?: FundedOrder['asked'];
  readonly order?: Pick<FundedOrder, 'state' | 'reason' | 'credited' | 'entry' | 'back'> & { readonly orderListId: string };
}

export function shownDeposit(deposit: Deposit): ShownDeposit {
  return { ...deposit, destination: shownDestination(deposit.destination ?? null), progress: progressOf(deposit) };
}

function shownDestination(destination: DepositDestination | null): ShownDestination | null {
  if (destination?.order === undefined) return destination as ShownDestination | null;
  const { order: { asked, list, state, reason, credited, entry, back }, ...rest } = destination;
  return { ...rest, thenOrder: asked, order: { state, reason, orderListId: list.id, credited: credited === null ? null : { amount: credited.amount, at: credited.at }, entry, back } };
}

export function isNative(token: Pick<ChainToken, 'address'>): boolean {
  return token.address === NATIVE_TOKEN;
}

/** What it brought of the token that was asked for: that alone goes on anywhere. */
export function broughtBy({ received, to }: Pick<Deposit, 'received' | 'to'>): Deposit['received'] {
  return received.filter(({ asset }) => asset === assetOf(to));
}

/** How a token is named in the ledger: a symbol alone could be anybody's. */
export function assetOf(token: Pick<ChainToken, 'chainId' | 'address' | 'symbol'>): string {
  return `${token.symbol}@${token.chainId}/${token.address}`;
}
