/**
 * LI.FI as its SDK meets it: /quote, /status, /chains, /tokens over two anvil chains. What was sent to the bridge on the source chain
 * is paid on the destination when it is asked for, with the faults that real bridges have.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeFunctionData, encodeFunctionData, parseAbiItem } from 'viem';
import { NATIVE_TOKEN, type ChainToken, type Hex } from '../../domain/deposit';
import { CONTRACTS } from './contracts';
import type { LifiWorld } from './lifi-world';
import { lower, RELAYER, type LocalChain } from './local-chain';

export interface LifiFaults {
  /** What it does with the money. */
  outcome: 'pay' | 'payShort' | 'payTwice' | 'payTwiceAtOnce' | 'partial' | 'refund' | 'failedThenRefund' | 'failed' | 'pending' | 'invalid' | 'silentButPays';
  /** The next so many answers to /status. */
  notFound: number;
  /** Every answer until it is taken back. */
  http: null | 429 | 500 | 'hang';
  /** Where quotes send the money, when the bridge was taken over. */
  target: Hex | null;
}

const FEE_PERCENT = 1n;
/** A coin has 18 decimals on every EVM chain. */
const COIN_DECIMALS = 18;
const PAID = parseAbiItem('event Paid(bytes32 indexed source)');

export class LifiSimulator {
  readonly faults: LifiFaults = { outcome: 'pay', notFound: 0, http: null, target: null };
  /** Of each source transaction: what was paid for it. */
  readonly paid = new Map<string, Hex[]>();
  readonly requests: string[] = [];
  private readonly server = createServer((request, response) => void this.answer(request.url ?? '', response));
  private readonly hanging = new Set<ServerResponse>();
  /** Two questions at once are one payment. */
  private readonly paying = new Map<string, Promise<Hex[]>>();

  constructor(private readonly world: LifiWorld) {}

  /** Its address, for SUREFILL_LIFI_URL. `port` 0: a free one. */
  async start(port = 0): Promise<string> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    const closed = once(this.server, 'close');
    this.server.close();
    await closed;
  }

  private async answer(url: string, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://lifi');
    this.requests.push(url);
    if (this.faults.http === 'hang') return void this.hanging.add(response);
    const [status, body] = this.faults.http !== null ? [this.faults.http, { message: 'as told by the test' }] : await this.routed(pathname, searchParams);
    response.writeHead(Number(status), { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  /** A chain that does not answer is this bridge's own trouble, and its client's to ask again. */
  private async routed(pathname: string, query: URLSearchParams): Promise<[number, object]> {
    try {
      return await this.route(pathname, query);
    } catch (error) {
      return [500, { message: error instanceof Error ? error.name : 'unknown error' }];
    }
  }

  private async route(pathname: string, query: URLSearchParams): Promise<[number, object]> {
    const { from, to, other, source, destination } = this.world;
    if ([...query.values()].includes('undefined')) return [400, { message: 'a parameter is the word undefined' }];
    if (pathname === '/v1/chains') return [200, { chains: [{ id: source.id, key: 'src' }, { id: destination.id, key: 'dst' }] }];
    if (pathname === '/v1/tokens') return [200, { tokens: { [source.id]: [from], [destination.id]: [to, other] } }];
    if (pathname === '/v1/quote') return this.quote(query);
    if (pathname === '/v1/status') return [200, await this.status(query.get('txHash') ?? '')];
    return [404, { message: 'no such route' }];
  }

  private quote(query: URLSearchParams): [number, object] {
    const { source, from, to, bridge } = this.world;
    const units = BigInt(query.get('fromAmount') ?? '0');
    const fromToken = query.get('fromToken') as Hex;
    const receiver = query.get('toAddress') as Hex;
    const isCoin = fromToken === NATIVE_TOKEN;
    if (query.get('fromChain') !== String(source.id) || ![from.address, NATIVE_TOKEN].includes(fromToken)) return [404, { message: 'No available quotes for the requested transfer', code: 1002 }];
    const data = encodeFunctionData({ abi: CONTRACTS.bridge.abi, functionName: 'start', args: [fromToken, units, receiver] });
    const toAmount = this.pays(units, fromToken);
    return [200, {
      id: 'quote', type: 'lifi', tool: 'test-bridge',
      action: { fromChainId: source.id, toChainId: to.chainId, fromToken: from, toToken: to, fromAmount: String(units) },
      estimate: { fromAmount: String(units), toAmount: String(toAmount), toAmountMin: String((toAmount * 99n) / 100n), approvalAddress: this.faults.target ?? bridge, executionDuration: 30, feeCosts: [{ name: 'bridge fee', percentage: '0.01', token: from, amount: String(units / 100n), amountUSD: '1.00', included: true }], gasCosts: [{ type: 'SEND', token: { symbol: 'ETH', decimals: 18 }, amount: '1000000000000', amountUSD: '0.01' }] },
      transactionRequest: { chainId: source.id, from: query.get('fromAddress'), to: this.faults.target ?? bridge, data, value: `0x${(isCoin ? units : 0n).toString(16)}` },
    }];
  }

  /** Less its fee, in the units of the token it pays. */
  private pays(units: bigint, token: Hex, paid: ChainToken = this.world.to): bigint {
    const { from, coinPriceCents } = this.world;
    const worth = token === NATIVE_TOKEN ? (units * coinPriceCents) / 100n : units;
    return (worth * (100n - FEE_PERCENT)) / 100n / 10n ** BigInt((token === NATIVE_TOKEN ? COIN_DECIMALS : from.decimals) - paid.decimals);
  }

  private async status(txHash: string): Promise<object> {
    if (this.faults.notFound > 0) {
      this.faults.notFound -= 1;
      return { status: 'NOT_FOUND' };
    }
    const { source, paysAfterBlocks } = this.world;
    const { outcome } = this.faults;
    if (outcome === 'invalid') return { status: 'INVALID' };
    const transaction = await source.client.test.getTransaction({ hash: txHash as Hex }).catch(() => null);
    if (transaction === null || transaction.blockNumber === null) return { status: 'NOT_FOUND' };
    const pending = { status: 'PENDING', substatus: 'WAIT_DESTINATION_TRANSACTION', sending: { txHash } };
    if (outcome === 'pending') return pending;
    if (outcome === 'failed') return { status: 'FAILED', substatus: 'UNKNOWN_FAILED_ERROR', sending: { txHash } };
    if ((await source.client.test.getBlockNumber()) - transaction.blockNumber + 1n < BigInt(paysAfterBlocks)) return pending;
    const { args } = decodeFunctionData({ abi: CONTRACTS.bridge.abi, data: transaction.input });
    const [token, units, receiver] = args as [Hex, bigint, Hex];
    const first = !this.paid.has(txHash);
    const [hash] = await this.payOnce({ txHash: lower(txHash), token: lower(token), units, receiver: lower(receiver), sender: lower(transaction.from) });
    if (outcome === 'silentButPays') return pending;
    if (outcome === 'failedThenRefund' && first) return { status: 'FAILED', substatus: 'REFUND_IN_PROGRESS', sending: { txHash } };
    const refunds = outcome === 'refund' || outcome === 'failedThenRefund';
    return { status: 'DONE', substatus: refunds ? 'REFUNDED' : outcome === 'partial' ? 'PARTIAL' : 'COMPLETED', sending: { txHash }, receiving: { txHash: hash, amount: '999999999999' } };
  }

  private async payOnce(sent: Sent): Promise<readonly Hex[]> {
    const known = this.paid.get(sent.txHash);
    if (known !== undefined) return known;
    const paying = this.paying.get(sent.txHash) ?? this.pay(sent);
    this.paying.set(sent.txHash, paying);
    try {
      const hashes = await paying;
      this.paid.set(sent.txHash, hashes);
      return hashes;
    } finally {
      this.paying.delete(sent.txHash);
    }
  }

  private async pay({ txHash, token, units, receiver, sender }: Sent): Promise<Hex[]> {
    const { source, destination, payer, from, to, other, beforePaying } = this.world;
    const { outcome } = this.faults;
    const mint = (chain: LocalChain, of: ChainToken, receives: Hex, amount: bigint) => chain.call(RELAYER, of.address, CONTRACTS.token, 'mint', [receives, amount]);
    const amount = this.pays(units, token);
    if (outcome === 'refund' || outcome === 'failedThenRefund') return [await mint(source, from, sender, (units * 98n) / 100n)];
    if (outcome === 'partial') return [await mint(destination, other, receiver, this.pays(units, token, other))];
    if (outcome === 'payShort') return [await mint(destination, to, receiver, amount / 2n)];
    if (outcome === 'payTwiceAtOnce') return [await destination.call(RELAYER, to.address, CONTRACTS.token, 'mintTwice', [receiver, amount])];
    if (outcome === 'payTwice') return [await mint(destination, to, receiver, amount), await mint(destination, to, receiver, amount)];
    // An earlier life of this process may have paid: the chain remembers.
    const [earlier] = await destination.client.test.getLogs({ address: payer, event: PAID, args: { source: txHash }, fromBlock: 0n, toBlock: 'latest' });
    if (earlier !== undefined) return [lower(earlier.transactionHash)];
    await beforePaying?.(receiver);
    return [await destination.call(RELAYER, payer, CONTRACTS.bridge, 'pay', [txHash, to.address, receiver, amount])];
  }
}

/** What the source chain holds of one deposit. */
interface Sent {
  readonly txHash: Hex;
  readonly token: Hex;
  readonly units: bigint;
  readonly receiver: Hex;
  readonly sender: Hex;
}
