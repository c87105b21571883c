/** A chain over viem: each endpoint in turn until one answers. Sends nothing, so a repeated question is harmless. */
import { createPublicClient, erc20Abi, fallback, formatUnits, http, isHex, parseAbiItem, type PublicClient } from 'viem';
import type { Chain, ChainBlock, ChainReceipt, ChainTransaction, EndpointHealth, TransferLog } from '../domain/chain';
import { NATIVE_TOKEN, type ChainToken, type Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';

export interface EvmChainOptions {
  readonly id: number;
  readonly name: string;
  readonly confirmations: number;
  readonly rpcUrls: readonly string[];
  /** One endpoint's time for one question. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 4_000;
const TRANSFER = parseAbiItem('event Transfer(address indexed from, address indexed to, uint256 value)');
/** Addresses of one getLogs: nodes refuse long lists of topics. */
const MAX_ADDRESSES = 200;
/** How far back a replacing transaction is looked for: a node that prunes keeps the state of so many blocks. */
const NONCE_WINDOW = 120;
/** Gas is paid in the chain's own coin, of 18 decimals on every EVM chain. */
const COIN_DECIMALS = 18;
/** A name that a contract gives itself is shown and stored: no more than this of it. */
const MAX_SYMBOL = 20;

export class EvmChain implements Chain {
  readonly id: number;
  readonly name: string;
  readonly confirmations: number;
  private readonly client: PublicClient;
  private readonly endpoints: readonly { readonly name: string; readonly client: PublicClient }[];
  private readonly tokens = new Map<Hex, ChainToken>();

  constructor({ id, name, confirmations, rpcUrls, timeoutMs = TIMEOUT_MS }: EvmChainOptions) {
    [this.id, this.name, this.confirmations] = [id, name, confirmations];
    const transports = rpcUrls.map((url) => http(url, { timeout: timeoutMs, retryCount: 0 }));
    this.client = createPublicClient({ transport: fallback(transports, { rank: false, retryCount: 0 }), cacheTime: 0 });
    this.endpoints = rpcUrls.map((url, index) => ({ name: new URL(url).host, client: createPublicClient({ transport: transports[index] ?? http(url), cacheTime: 0 }) }));
  }

  async head(): Promise<ChainBlock> {
    const { number, hash } = await this.asked(() => this.client.getBlock({ blockTag: 'latest' }));
    return { number: Number(number), hash: lower(hash) };
  }

  async blockHash(number: number): Promise<Hex | null> {
    const block = await this.found('BlockNotFoundError', () => this.client.getBlock({ blockNumber: BigInt(number) }));
    return block === null ? null : lower(block.hash);
  }

  async transaction(hash: Hex): Promise<ChainTransaction | null> {
    const known = await this.found('TransactionNotFoundError', () => this.client.getTransaction({ hash }));
    return known === null ? null : transactionOf(known);
  }

  async receipt(hash: Hex): Promise<ChainReceipt | null> {
    const known = await this.found('TransactionReceiptNotFoundError', () => this.client.getTransactionReceipt({ hash }));
    if (known === null) return null;
    const l1 = 'l1Fee' in known && typeof known.l1Fee === 'string' && isHex(known.l1Fee) ? BigInt(known.l1Fee) : null;
    const transfers = known.logs.flatMap((log) => {
      const [topic, from, to] = log.topics;
      // An NFT's Transfer has a third indexed value and no data.
      if (topic !== TRANSFER_TOPIC || from === undefined || to === undefined || log.topics.length !== 3 || log.data === '0x') return [];
      return [{ number: Number(log.blockNumber), hash: lower(log.blockHash), txHash: lower(log.transactionHash), logIndex: log.logIndex, token: lower(log.address), from: addressOf(from), to: addressOf(to), units: BigInt(log.data).toString() }];
    });
    const gas = known.gasUsed * known.effectiveGasPrice + (l1 ?? 0n);
    return { succeeded: known.status === 'success', blockNumber: Number(known.blockNumber), blockHash: lower(known.blockHash), gasFee: formatUnits(gas, COIN_DECIMALS), l1Fee: l1 === null ? null : formatUnits(l1, COIN_DECIMALS), transfers };
  }

  nonceOf(address: Hex): Promise<number> {
    return this.asked(() => this.client.getTransactionCount({ address, blockTag: 'latest' }));
  }

  async minedWithNonce(from: Hex, nonce: number, withinBlocks = NONCE_WINDOW): Promise<ChainTransaction | null> {
    const head = (await this.head()).number;
    let [low, high] = [await this.oldestState(from, head, withinBlocks), head];
    const usedBy = (block: number): Promise<number> => this.asked(() => this.client.getTransactionCount({ address: from, blockNumber: BigInt(block) }));
    if ((await usedBy(low)) > nonce && low > 0) return null;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((await usedBy(middle)) > nonce) high = middle;
      else low = middle + 1;
    }
    const block = await this.asked(() => this.client.getBlock({ blockNumber: BigInt(high), includeTransactions: true }));
    const mined = block.transactions.find((each) => lower(each.from) === from && each.nonce === nonce);
    return mined === undefined ? null : transactionOf(mined);
  }

  /** Where the search for a nonce may begin: a node that prunes has no state of long ago, and then only the newest blocks are searched. */
  private async oldestState(from: Hex, head: number, withinBlocks: number): Promise<number> {
    const oldest = Math.max(0, head - withinBlocks);
    if (withinBlocks <= NONCE_WINDOW) return oldest;
    try {
      await this.client.getTransactionCount({ address: from, blockNumber: BigInt(oldest) });
      return oldest;
    } catch {
      // Whatever the reason: if it is the node and not its memory, the question that comes next says so.
      return Math.max(0, head - NONCE_WINDOW);
    }
  }

  async transfersTo(addresses: readonly Hex[], tokens: readonly Hex[], fromBlock: number, toBlock: number): Promise<readonly TransferLog[]> {
    const found: TransferLog[] = [];
    for (let at = 0; at < addresses.length; at += MAX_ADDRESSES) {
      const to = addresses.slice(at, at + MAX_ADDRESSES);
      const logs = await this.asked(() => this.client.getLogs({ address: [...tokens], event: TRANSFER, args: { to: [...to] }, fromBlock: BigInt(fromBlock), toBlock: BigInt(toBlock), strict: true }));
      for (const log of logs) found.push({ number: Number(log.blockNumber), hash: lower(log.blockHash), txHash: lower(log.transactionHash), logIndex: log.logIndex, token: lower(log.address), from: lower(log.args.from), to: lower(log.args.to), units: log.args.value.toString() });
    }
    return found;
  }

  async token(address: Hex): Promise<ChainToken> {
    const known = this.tokens.get(address);
    if (known !== undefined) return known;
    const token = address === NATIVE_TOKEN ? { symbol: 'ETH', decimals: COIN_DECIMALS } : await this.readToken(address);
    const made: ChainToken = { chainId: this.id, address, ...token };
    this.tokens.set(address, made);
    return made;
  }

  async allowance(token: Hex, owner: Hex, spender: Hex): Promise<string> {
    return (await this.asked(() => this.client.readContract({ address: token, abi: erc20Abi, functionName: 'allowance', args: [owner, spender] }))).toString();
  }

  async health(): Promise<readonly EndpointHealth[]> {
    return Promise.all(
      this.endpoints.map(async ({ name, client }) => {
        const startedMs = performance.now();
        try {
          const headNumber = Number(await client.getBlockNumber());
          return { endpoint: name, ok: true, latencyMs: Math.round(performance.now() - startedMs), headNumber };
        } catch {
          // That it does not answer is the answer.
          return { endpoint: name, ok: false, latencyMs: null, headNumber: null };
        }
      }),
    );
  }

  private async readToken(address: Hex): Promise<{ readonly symbol: string; readonly decimals: number }> {
    const read = <Name extends 'symbol' | 'decimals'>(functionName: Name) => this.client.readContract({ address, abi: erc20Abi, functionName });
    try {
      const [symbol, decimals] = await Promise.all([read('symbol'), read('decimals')]);
      return { symbol: String(symbol).replace(/[^A-Za-z0-9._-]/g, '').slice(0, MAX_SYMBOL) || 'TOKEN', decimals: Number(decimals) };
    } catch (error) {
      if (!isName(error, 'ContractFunctionExecutionError') || isUnanswered(error)) throw unavailable(this.name, error);
      throw new DomainError('VALIDATION', `${address} is no ERC-20 token on ${this.name}`, { details: { field: 'token' }, cause: error });
    }
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw unavailable(this.name, error);
    }
  }

  /** null where the node answers that there is none. */
  private async found<T>(absence: string, ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (isName(error, absence)) return null;
      throw unavailable(this.name, error);
    }
  }
}

/** keccak256 of Transfer(address,address,uint256). */
const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

function transactionOf(known: { readonly hash: Hex; readonly from: Hex; readonly to: Hex | null; readonly input: Hex; readonly value: bigint; readonly nonce: number; readonly blockNumber: bigint | null }): ChainTransaction {
  return { hash: lower(known.hash), from: lower(known.from), to: known.to === null ? null : lower(known.to), data: lower(known.input), value: known.value.toString(), nonce: known.nonce, blockNumber: known.blockNumber === null ? null : Number(known.blockNumber) };
}

export function lower(hex: string): Hex {
  return hex.toLowerCase() as Hex;
}

/** The last 20 bytes of a topic. */
function addressOf(topic: string): Hex {
  return `0x${topic.slice(-40).toLowerCase()}`;
}

function isName(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}

function isUnanswered(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) if (/^(HttpRequestError|TimeoutError)$/.test(cause.name)) return true;
  return false;
}

/** The endpoint's address may hold a key: viem's message has it, so it is not repeated. */
function unavailable(chain: string, error: unknown): DomainError {
  if (error instanceof DomainError) return error;
  return new DomainError('SERVICE_UNAVAILABLE', `no endpoint of ${chain} answers (${error instanceof Error ? error.name : 'unknown error'})`, { retryAfterSeconds: 2 });
}
