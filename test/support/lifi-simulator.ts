/**
 * LI.FI as its SDK meets it: /quote, /status, /chains, /tokens over two anvil chains. What was sent to the bridge on the source chain
 * is paid on the destination when it is asked for, with the faults that real bridges have.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeFunctionData, encodeFunctionData } from 'viem';
import { lower } from '../../src/chains/evm-chain';
import type { ChainToken, Hex } from '../../src/domain/deposit';
import { RELAYER, type TestChain } from './anvil';
import type { CompiledContract } from './test-contracts';

export interface LifiWorld {
  readonly source: TestChain;
  readonly destination: TestChain;
  readonly bridge: Hex;
  readonly contracts: { readonly token: CompiledContract; readonly bridge: CompiledContract };
  /** What the bridge takes, what it pays, and what it pays in a PARTIAL. */
  readonly from: ChainToken;
  readonly to: ChainToken;
  readonly other: ChainToken;
}

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

export class LifiSimulator {
  readonly faults: LifiFaults = { outcome: 'pay', notFound: 0, http: null, target: null };
  /** Of each source transaction: what was paid for it. */
  readonly paid = new Map<string, Hex[]>();
  readonly requests: string[] = [];
  private readonly server = createServer((request, response) => void this.answer(request.url ?? '', response));
  private readonly hanging = new Set<ServerResponse>();

  constructor(private readonly world: LifiWorld) {}

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
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
    const [status, body] = this.faults.http !== null ? [this.faults.http, { message: 'as told by the test' }] : await this.route(pathname, searchParams);
    response.writeHead(Number(status), { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
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
    const { source, from, to, contracts, bridge } = this.world;
    const units = BigInt(query.get('fromAmount') ?? '0');
    const fromToken = query.get('fromToken') as Hex;
    const receiver = query.get('toAddress') as Hex;
    const isCoin = BigInt(fromToken) === 0n;
    if (query.get('fromChain') !== String(source.id) || ![from.address, '0x0000000000000000000000000000000000000000'].includes(fromToken)) return [404, { message: 'No available quotes for the requested transfer', code: 1002 }];
    const data = encodeFunctionData({ abi: contracts.bridge.abi, functionName: 'start', args: [fromToken, units, receiver] });
    const toAmount = this.pays(units);
    return [200, {
      id: 'quote', type: 'lifi', tool: 'test-bridge',
      action: { fromChainId: source.id, toChainId: to.chainId, fromToken: from, toToken: to, fromAmount: String(units) },
      estimate: { fromAmount: String(units), toAmount: String(toAmount), toAmountMin: String((toAmount * 99n) / 100n), approvalAddress: this.faults.target ?? bridge, executionDuration: 30, feeCosts: [{ name: 'bridge fee', percentage: '0.01', token: from, amount: String(units / 100n), amountUSD: '1.00', included: true }], gasCosts: [{ type: 'SEND', token: { symbol: 'ETH', decimals: 18 }, amount: '1000000000000', amountUSD: '0.01' }] },
      transactionRequest: { chainId: source.id, from: query.get('fromAddress'), to: this.faults.target ?? bridge, data, value: `0x${(isCoin ? units : 0n).toString(16)}` },
    }];
  }

  /** Less its fee, in the units of the token it pays. */
  private pays(units: bigint): bigint {
    const { from, to } = this.world;
    return (units * (100n - FEE_PERCENT)) / 100n / 10n ** BigInt(from.decimals - to.decimals);
  }

  private async status(txHash: string): Promise<object> {
    if (this.faults.notFound > 0) {
      this.faults.notFound -= 1;
      return { status: 'NOT_FOUND' };
    }
    const { source, contracts } = this.world;
    const { outcome } = this.faults;
    if (outcome === 'invalid') return { status: 'INVALID' };
    const transaction = await source.client.test.getTransaction({ hash: txHash as Hex }).catch(() => null);
    if (transaction === null || transaction.blockNumber === null) return { status: 'NOT_FOUND' };
    const pending = { status: 'PENDING', substatus: 'WAIT_DESTINATION_TRANSACTION', sending: { txHash } };
    if (outcome === 'pending') return pending;
    if (outcome === 'failed') return { status: 'FAILED', substatus: 'UNKNOWN_FAILED_ERROR', sending: { txHash } };
    const { args } = decodeFunctionData({ abi: contracts.bridge.abi, data: transaction.input });
    const [, units, receiver] = args as [Hex, bigint, Hex];
    const first = !this.paid.has(txHash);
    if (first) this.paid.set(txHash, await this.pay(units, receiver, lower(transaction.from)));
    const hash = this.paid.get(txHash)?.[0];
    if (outcome === 'silentButPays') return pending;
    if (outcome === 'failedThenRefund' && first) return { status: 'FAILED', substatus: 'REFUND_IN_PROGRESS', sending: { txHash } };
    const refunds = outcome === 'refund' || outcome === 'failedThenRefund';
    return { status: 'DONE', substatus: refunds ? 'REFUNDED' : outcome === 'partial' ? 'PARTIAL' : 'COMPLETED', sending: { txHash }, receiving: { txHash: hash, amount: '999999999999' } };
  }

  private async pay(units: bigint, receiver: Hex, sender: Hex): Promise<Hex[]> {
    const { source, destination, from, to, other } = this.world;
    const { outcome } = this.faults;
    const mint = (chain: TestChain, token: ChainToken, to_: Hex, amount: bigint) => chain.call(RELAYER, token.address, this.world.contracts.token, 'mint', [to_, amount]);
    if (outcome === 'refund' || outcome === 'failedThenRefund') return [await mint(source, from, sender, (units * 98n) / 100n)];
    if (outcome === 'partial') return [await mint(destination, other, receiver, this.pays(units))];
    const amount = outcome === 'payShort' ? this.pays(units) / 2n : this.pays(units);
    if (outcome === 'payTwiceAtOnce') return [await destination.call(RELAYER, to.address, this.world.contracts.token, 'mintTwice', [receiver, amount])];
    const first = await mint(destination, to, receiver, amount);
    return outcome === 'payTwice' ? [first, await mint(destination, to, receiver, amount)] : [first];
  }
}
