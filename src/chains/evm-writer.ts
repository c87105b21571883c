/** Sending to a chain over viem. What is sent is signed elsewhere, so that sending it to every endpoint, and again, is harmless. */
import { createPublicClient, fallback, http, type PublicClient } from 'viem';
import type { BroadcastAnswer, ChainWriter } from '../domain/chain';
import type { ChainCall, ChainFees } from '../domain/chain-send';
import type { Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';

export interface EvmWriterOptions {
  readonly name: string;
  readonly rpcUrls: readonly string[];
  /** One endpoint's time for one question. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 4_000;
/** What a node says of a refusal is kept in a timeline: so much of it. */
const MAX_WORDS = 200;
/** A base fee may rise by an eighth a block: at twice, a transaction stays good for six full blocks. */
const FEE_HEADROOM = 2n;
/** Chains without a market for tips answer 0; some pools take nothing without one. */
const LEAST_TIP = 1n;
/** A node decodes what a contract reverted with as it can: PostgreSQL keeps no text with a NUL in it, and people read none. */
const UNPRINTABLE = /[^\x20-\x7e]+/g;
/** Words by which nodes say that they have these bytes already, in a block or waiting. */
const KNOWN = /already known|already imported|already exists|known transaction/i;

/** How viem and nodes name a call that would fail on the chain. */
const ENDS_THE_CALL = /ExecutionRevertedError|InsufficientFundsError|revert|invalid opcode|invalid jump|out of gas|stack (under|over)flow/i;

export class EvmWriter implements ChainWriter {
  private readonly name: string;
  private readonly reader: PublicClient;
  private readonly endpoints: readonly PublicClient[];

  constructor({ name, rpcUrls, timeoutMs = TIMEOUT_MS }: EvmWriterOptions) {
    this.name = name;
    // retryCount 0: whoever sends decides about sending again.
    const transports = rpcUrls.map((url) => http(url, { timeout: timeoutMs, retryCount: 0 }));
    this.reader = createPublicClient({ transport: fallback(transports, { rank: false, retryCount: 0 }), cacheTime: 0 });
    this.endpoints = transports.map((transport) => createPublicClient({ transport, cacheTime: 0 }));
  }

  async fees(): Promise<ChainFees> {
    const [block, tip] = await Promise.all([this.asked(() => this.reader.getBlock({ blockTag: 'latest' })), this.asked(() => this.reader.estimateMaxPriorityFeePerGas())]);
    const base = block.baseFeePerGas ?? 0n;
    const priority = tip > LEAST_TIP ? tip : LEAST_TIP;
    return { baseFeePerGas: base.toString(), maxPriorityFeePerGas: priority.toString(), maxFeePerGas: (base * FEE_HEADROOM + priority).toString() };
  }

  async estimate({ from, to, data, value }: ChainCall): Promise<{ readonly kind: 'gas'; readonly gas: string } | { readonly kind: 'reverts'; readonly why: string }> {
    try {
      return { kind: 'gas', gas: (await this.reader.estimateGas({ account: from, to, data, value: BigInt(value) })).toString() };
    } catch (error) {
      // Whatever else an endpoint says (too many requests, an error of its own) says nothing of the call.
      if (!causes(error).some((each) => ENDS_THE_CALL.test(`${each.name} ${each.message}`))) throw this.unavailable(error);
      return { kind: 'reverts', why: wordsOf(error) };
    }
  }

  async coinOf(address: Hex): Promise<string> {
    return (await this.asked(() => this.reader.getBalance({ address }))).toString();
  }

  async broadcast(bytes: Hex): Promise<BroadcastAnswer> {
    const answers = await Promise.all(this.endpoints.map((endpoint) => send(endpoint, bytes)));
    if (answers.some((answer) => answer.kind === 'taken')) return { kind: 'taken' };
    const refused = answers.find((answer) => answer.kind === 'refused');
    if (refused !== undefined) return refused;
    throw new DomainError('SERVICE_UNAVAILABLE', `no endpoint of ${this.name} took the transaction`, { outcome: 'unknown', retryAfterSeconds: 2 });
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw this.unavailable(error);
    }
  }

  /** The endpoint's address may hold a key: viem's message has it, so it is not repeated. */
  private unavailable(error: unknown): DomainError {
    return new DomainError('SERVICE_UNAVAILABLE', `no endpoint of ${this.name} answers (${error instanceof Error ? error.name : 'unknown error'})`, { retryAfterSeconds: 2 });
  }
}

async function send(endpoint: PublicClient, bytes: Hex): Promise<BroadcastAnswer | { readonly kind: 'silent' }> {
  try {
    await endpoint.sendRawTransaction({ serializedTransaction: bytes });
    return { kind: 'taken' };
  } catch (error) {
    if (causes(error).some((each) => /^(HttpRequestError|TimeoutError)$/.test(each.name))) return { kind: 'silent' };
    const why = wordsOf(error);
    return KNOWN.test(why) ? { kind: 'taken' } : { kind: 'refused', why };
  }
}

function causes(error: unknown): readonly Error[] {
  const found: Error[] = [];
  for (let cause: unknown = error; cause instanceof Error && found.length < 8; cause = cause.cause) found.push(cause);
  return found;
}

/** The node's own words, without what viem adds of the request. */
function wordsOf(error: unknown): string {
  const innermost = causes(error).at(-1);
  const { details, shortMessage } = (innermost ?? {}) as { details?: unknown; shortMessage?: unknown };
  const words = [details, shortMessage, innermost?.message].find((each): each is string => typeof each === 'string' && each !== '') ?? 'unknown error';
  return words.replace(UNPRINTABLE, ' ').slice(0, MAX_WORDS);
}
