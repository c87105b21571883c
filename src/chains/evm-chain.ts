/**
 * A chain over viem. What one endpoint does not know another may; what they know of one block must be the same, or nothing is concluded from it.
 * Sends nothing, so a repeated question is harmless.
 */
import { erc20Abi, formatUnits, isHex, parseAbiItem, type PublicClient } from 'viem';
import { ChainUnreadable, type Chain, type ChainBlock, type ChainReceipt, type ChainTransaction, type EndpointHealth, type TransferLog } from '../domain/chain';
import { NATIVE_TOKEN, type ChainToken, type Hex } from '../domain/deposit';
import { DomainError } from '../domain/errors';
import { EvmEndpoints } from './evm-endpoints';

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
/** How far back a transaction that took a nonce is looked for: a day of a chain with four blocks a second. Looks are minutes apart, and workers may be away. */
const NONCE_WINDOW = 345_600;
/** A node that prunes keeps the state of so many blocks at least. */
const PRUNED_WINDOW = 120;
/** Gas is paid in the chain's own coin, of 18 decimals on every EVM chain. */
const COIN_DECIMALS = 18;
/** A name that a contract gives itself is shown and stored: no more than this of it. */
const MAX_SYMBOL = 20;

export class EvmChain implements Chain {
  readonly id: number;
  readonly name: string;
  readonly confirmations: number;
  private readonly endpoints: EvmEndpoints;
  private readonly tokens = new Map<Hex, ChainToken>();

  constructor({ id, name, confirmations, rpcUrls, timeoutMs = TIMEOUT_MS }: EvmChainOptions) {
    [this.id, this.name, this.confirmations] = [id, name, confirmations];
    this.endpoints = new EvmEndpoints({ id, name, rpcUrls, timeoutMs });
  }

  /** The newest that any endpoint has: one that lies behind holds nobody up. */
  async head(): Promise<ChainBlock> {
    const [first, ...others] = await this.endpoints.everywhere((client) => client.getBlock({ blockTag: 'latest' }));
    const newest = others.reduce((best, block) => (block.number > best.number ? block : best), first);
    return { number: Number(newest.number), hash: lower(newest.hash) };
  }

  async blockHash(number: number): Promise<Hex | null> {
    const hashes = new Set((await this.endpoints.everywhere((client) => blockAt(client, number))).flatMap((block) => (block === null ? [] : [lower(block.hash)])));
    if (hashes.size > 1) throw this.disagreement(`block ${number}`);
    return [...hashes][0] ?? null;
  }

  async transaction(hash: Hex): Promise<ChainTransaction | null> {
    const known = await this.known((client) => absent('TransactionNotFoundError', client.getTransaction({ hash })), ({ blockNumber }) => blockNumber !== null);
    return known === null ? null : transactionOf(known);
  }

  async receipt(hash: Hex): Promise<ChainReceipt | null> {
    const known = await this.known((client) => absent('TransactionReceiptNotFoundError', client.getTransactionReceipt({ hash })));
    if (known === null) return null;
    const { l1, beside } = l1ShareOf(known);
    const gas = known.gasUsed * known.effectiveGasPrice + beside;
    return { succeeded: known.status === 'success', blockNumber: Number(known.blockNumber), blockHash: lower(known.blockHash), gasFee: formatUnits(gas, COIN_DECIMALS), l1Fee: l1 === null ? null : formatUnits(l1, COIN_DECIMALS), transfers: transfersOf(known.logs) };
  }

  async minedAtMs(hash: Hex): Promise<number | null> {
    const receipt = await this.receipt(hash);
    if (receipt === null) return null;
    const blocks = await this.endpoints.everywhere((client) => blockAt(client, receipt.blockNumber));
    const block = blocks.find((each) => each !== null && lower(each.hash) === receipt.blockHash) ?? null;
    return block === null ? null : Number(block.timestamp) * 1_000;
  }

  async holds(wanted: TransferLog): Promise<boolean> {
    const votes = await this.endpoints.everywhere(async (client) => {
      const block = await blockAt(client, wanted.number);
      if (block === null) return null;
      const receipt = await absent('TransactionReceiptNotFoundError', client.getTransactionReceipt({ hash: wanted.txHash }));
      return receipt?.status === 'success' && transfersOf(receipt.logs).some((log) => isSame(log, wanted));
    });
    const told = votes.filter((vote) => vote !== null);
    if (told.includes(true) && told.includes(false)) throw this.disagreement(`transaction ${wanted.txHash}`);
    return told.includes(true);
  }

  async nonceOf(address: Hex): Promise<number> {
    return Math.max(...(await this.endpoints.everywhere((client) => client.getTransactionCount({ address, blockTag: 'latest' }))));
  }

  async minedWithNonce(from: Hex, nonce: number): Promise<ChainTransaction | null> {
    const found = await this.known(async (client) => {
      const head = Number(await client.getBlockNumber());
      let [low, high] = [await oldestState(client, from, head), head];
      const usedBy = (block: number): Promise<number> => client.getTransactionCount({ address: from, blockNumber: BigInt(block) });
      if ((await usedBy(low)) > nonce && low > 0) return null;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        if ((await usedBy(middle)) > nonce) high = middle;
        else low = middle + 1;
      }
      const block = await client.getBlock({ blockNumber: BigInt(high), includeTransactions: true });
      return block.transactions.find((each) => lower(each.from) === from && each.nonce === nonce) ?? null;
    });
    return found === null ? null : transactionOf(found);
  }

  /** By one endpoint that has the last of these blocks: one that lies behind answers for what it has, as if there were no more. */
  async transfersTo(addresses: readonly Hex[], tokens: readonly Hex[], fromBlock: number, toBlock: number): Promise<readonly TransferLog[]> {
    return this.endpoints.inTurn(async (client) => {
      if ((await blockAt(client, toBlock)) === null) throw new ChainUnreadable(`no endpoint of ${this.name} answers that has block ${toBlock}`);
      const found: TransferLog[] = [];
      for (let at = 0; at < addresses.length; at += MAX_ADDRESSES) {
        const to = addresses.slice(at, at + MAX_ADDRESSES);
        const logs = await client.getLogs({ address: [...tokens], event: TRANSFER, args: { to: [...to] }, fromBlock: BigInt(fromBlock), toBlock: BigInt(toBlock), strict: true });
        found.push(...transfersOf(logs));
      }
      return found;
    });
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
    return (await this.endpoints.inTurn((client) => client.readContract({ address: token, abi: erc20Abi, functionName: 'allowance', args: [owner, spender] }))).toString();
  }

  health(): Promise<readonly EndpointHealth[]> {
    return this.endpoints.health();
  }

  private async readToken(address: Hex): Promise<{ readonly symbol: string; readonly decimals: number }> {
    const isWord = (error: unknown): boolean => isName(error, 'ContractFunctionExecutionError') && !isUnanswered(error);
    try {
      const [symbol, decimals] = await this.endpoints.inTurn((client) => {
        const read = <Name extends 'symbol' | 'decimals'>(functionName: Name) => client.readContract({ address, abi: erc20Abi, functionName });
        return Promise.all([read('symbol'), read('decimals')]);
      }, isWord);
      return { symbol: String(symbol).replace(/[^A-Za-z0-9._-]/g, '').slice(0, MAX_SYMBOL) || 'TOKEN', decimals: Number(decimals) };
    } catch (error) {
      if (!isWord(error)) throw error;
      throw new DomainError('VALIDATION', `${address} is no ERC-20 token on ${this.name}`, { details: { field: 'token' }, cause: error });
    }
  }

  /** Of whichever endpoint knows it, `isBetter` before others; null where none of those that answer does. */
  private async known<T>(ask: (client: PublicClient) => Promise<T | null>, isBetter: (known: T) => boolean = () => true): Promise<T | null> {
    const answers = (await this.endpoints.everywhere(ask)).filter((answer) => answer !== null);
    return answers.find(isBetter) ?? answers[0] ?? null;
  }

  private disagreement(about: string): ChainUnreadable {
    return new ChainUnreadable(`the endpoints of ${this.name} tell different things of ${about}: nothing is concluded until they agree`);
  }
}

async function blockAt(client: PublicClient, number: number) {
  return absent('BlockNotFoundError', client.getBlock({ blockNumber: BigInt(number) }));
}

/** null where the node answers that there is none. */
async function absent<T>(name: string, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (isName(error, name)) return null;
    throw error;
  }
}

/** Where the search for a nonce may begin: a node that prunes has no state of long ago, and then only the newest blocks are searched. */
async function oldestState(client: PublicClient, from: Hex, head: number): Promise<number> {
  const oldest = Math.max(0, head - NONCE_WINDOW);
  try {
    await client.getTransactionCount({ address: from, blockNumber: BigInt(oldest) });
    return oldest;
  } catch {
    // Whatever the reason: if it is the node and not its memory, the question that comes next says so.
    return Math.max(0, head - PRUNED_WINDOW);
  }
}

interface RawLog {
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly address: Hex;
  readonly blockNumber: bigint;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}

/** Of one value of 32 bytes in hexadecimal, 0x included: what a contract adds behind it is no part of it. */
const WORD_CHARACTERS = 66;

function transfersOf(logs: readonly RawLog[]): readonly TransferLog[] {
  return logs.flatMap((log) => {
    const [topic, from, to] = log.topics;
    // An NFT's Transfer has a third indexed value and no data.
    if (topic !== TRANSFER_TOPIC || from === undefined || to === undefined || log.topics.length !== 3 || log.data === '0x') return [];
    return [{ number: Number(log.blockNumber), hash: lower(log.blockHash), txHash: lower(log.transactionHash), logIndex: log.logIndex, token: lower(log.address), from: addressOf(from), to: addressOf(to), units: BigInt(log.data.slice(0, WORD_CHARACTERS)).toString() }];
  });
}

function isSame(one: TransferLog, other: TransferLog): boolean {
  return one.hash === other.hash && one.logIndex === other.logIndex && one.token === other.token && one.from === other.from && one.to === other.to && one.units === other.units;
}

/** keccak256 of Transfer(address,address,uint256). */
const TRANSFER_TOPIC = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

/** What of the fee is for the chain below, in the coin's smallest units: the OP stack charges it beside the gas, Arbitrum as a part of the gas. */
function l1ShareOf(receipt: { readonly effectiveGasPrice: bigint }): { readonly l1: bigint | null; readonly beside: bigint } {
  const said = receipt as { readonly l1Fee?: unknown; readonly gasUsedForL1?: unknown };
  if (isHex(said.l1Fee)) return { l1: BigInt(said.l1Fee), beside: BigInt(said.l1Fee) };
  return { l1: isHex(said.gasUsedForL1) ? BigInt(said.gasUsedForL1) * receipt.effectiveGasPrice : null, beside: 0n };
}

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
