/**
 * The port before a chain: what deposits read of it. An implementation asks several endpoints and throws ChainUnreadable when none answers, or when
 * they contradict each other about a block.
 */
import type { ChainCall, ChainFees } from './chain-send';
import { DomainError } from './errors';
import type { ChainToken, Hex } from './deposit';

/** SERVICE_UNAVAILABLE by the chain's endpoints, which do not answer or not alike; not by anything of ours. */
export class ChainUnreadable extends DomainError {
  constructor(message: string) {
    super('SERVICE_UNAVAILABLE', message, { retryAfterSeconds: 2 });
  }
}

export interface ChainBlock {
  readonly number: number;
  readonly hash: Hex;
}

/** As its signer signed it. */
export interface ChainTransaction {
  readonly hash: Hex;
  readonly from: Hex;
  /** null: it makes a contract. */
  readonly to: Hex | null;
  readonly data: Hex;
  /** In wei. */
  readonly value: string;
  readonly nonce: number;
  /** null while it waits to be mined. */
  readonly blockNumber: number | null;
}

/** A Transfer log, its amount in the token's smallest unit. */
export interface TransferLog extends ChainBlock {
  readonly txHash: Hex;
  readonly logIndex: number;
  readonly token: Hex;
  readonly from: Hex;
  readonly to: Hex;
  readonly units: string;
}

export interface ChainReceipt {
  readonly succeeded: boolean;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  /** In the chain's coin, the L1 share included. */
  readonly gasFee: string;
  /** null where the chain does not tell one. */
  readonly l1Fee: string | null;
  readonly transfers: readonly TransferLog[];
}

export interface EndpointHealth {
  /** Without path or query: they may hold a key. */
  readonly endpoint: string;
  readonly ok: boolean;
  readonly latencyMs: number | null;
  readonly headNumber: number | null;
}

export interface Chain {
  readonly id: number;
  readonly name: string;
  /** Blocks, its own included, after which a transaction counts as final here. */
  readonly confirmations: number;
  head(): Promise<ChainBlock>;
  /** null where no endpoint has such a block. */
  blockHash(number: number): Promise<Hex | null>;
  /** null: no node knows it. */
  transaction(hash: Hex): Promise<ChainTransaction | null>;
  /** null: not mined. */
  receipt(hash: Hex): Promise<ChainReceipt | null>;
  /** Whether every endpoint that has its block shows this transfer in it: one that invents is found out by another. */
  holds(transfer: TransferLog): Promise<boolean>;
  /** When its block was made, by the chain's own clock, ms; null: it is in none. */
  minedAtMs(hash: Hex): Promise<number | null>;
  /** Transactions that the address has in blocks: its next nonce. */
  nonceOf(address: Hex): Promise<number>;
  /** The mined transaction of that sender and nonce, of as long ago as a look may come late; null: none there. */
  minedWithNonce(from: Hex, nonce: number): Promise<ChainTransaction | null>;
  /** Transfer logs of these tokens to these addresses; both bounds belong to it. */
  transfersTo(addresses: readonly Hex[], tokens: readonly Hex[], fromBlock: number, toBlock: number): Promise<readonly TransferLog[]>;
  /** What the chain says of it; throws DomainError VALIDATION where there is no such token. */
  token(address: Hex): Promise<ChainToken>;
  /** In the token's smallest unit. */
  allowance(token: Hex, owner: Hex, spender: Hex): Promise<string>;
  /** Asks every endpoint. */
  health(): Promise<readonly EndpointHealth[]>;
}

/** A node's word on bytes that it was given. It decides nothing: what became of them, the chain shows. */
export type BroadcastAnswer = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly why: string };

/** What sending needs beyond reading. */
export interface ChainWriter {
  fees(): Promise<ChainFees>;
  /** Tries the call without sending it: the gas it takes, or why it would revert. */
  estimate(call: ChainCall): Promise<{ readonly kind: 'gas'; readonly gas: string } | { readonly kind: 'reverts'; readonly why: string }>;
  /** The chain's own coin at the address, in wei. */
  coinOf(address: Hex): Promise<string>;
  /** Given to every endpoint. Throws SERVICE_UNAVAILABLE, outcome unknown, where none answered. */
  broadcast(bytes: Hex): Promise<BroadcastAnswer>;
}
