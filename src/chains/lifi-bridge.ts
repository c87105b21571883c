/**
 * LI.FI by its SDK: getQuote, getStatus and getTokens only. executeRoute keeps its state in memory and polls for ever on FAILED;
 * getStatus sends `bridge=undefined` unless what is absent is left out; nothing has a time-out of its own.
 */
import { createClient, getQuote, getStatus, getTokens, type SDKClient } from '@lifi/sdk';
import type { Bridge, BridgeOffer, BridgeQuestion, OfferRequest } from '../domain/bridge';
import { isNative, NATIVE_TOKEN, type BridgeReport, type Hex } from '../domain/deposit';
import { decimal, decimalText } from '../domain/decimal';
import { DomainError } from '../domain/errors';
import { lower } from './evm-chain';

export interface LifiOptions {
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly integrator: string;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 6_000;
/** Offers that may lose more than this are not made. LI.FI's own default, written out. */
const SLIPPAGE = 0.005;
/** What is said of an error is shown to callers: so much of it. */
const MAX_WORDS = 300;

export class LifiBridge implements Bridge {
  private readonly client: SDKClient;
  private readonly timeoutMs: number;

  constructor({ url, apiKey, integrator, timeoutMs = TIMEOUT_MS }: LifiOptions) {
    this.timeoutMs = timeoutMs;
    this.client = createClient({ integrator, apiUrl: url, ...(apiKey === undefined ? {} : { apiKey }), preloadChains: false, disableVersionCheck: true });
  }

  async offer({ from, to, units, fromAddress, toAddress }: OfferRequest): Promise<BridgeOffer> {
    const step = await this.asked('a quote', (signal) =>
      getQuote(this.client, { fromChain: from.chainId, fromToken: from.address, toChain: to.chainId, toToken: to.address, fromAmount: units, fromAddress, toAddress, slippage: SLIPPAGE }, { signal }),
    );
    const { estimate, transactionRequest: request, tool } = step;
    if (request?.to === undefined || request.data === undefined || request.from === undefined) throw new DomainError('UNPROCESSABLE', 'the bridge offers nothing that could be signed', { details: { tool } });
    const fees = [
      ...(estimate.feeCosts ?? []).map((fee) => ({ name: fee.name, asset: fee.token.symbol, amount: inUnits(fee.amount ?? '0', fee.token.decimals), amountUsd: fee.amountUSD ?? null, included: fee.included })),
      ...(estimate.gasCosts ?? []).map((gas) => ({ name: `gas (${gas.type.toLowerCase()})`, asset: gas.token.symbol, amount: inUnits(gas.amount, gas.token.decimals), amountUsd: gas.amountUSD ?? null, included: false })),
    ];
    return {
      tool,
      receiveUnits: estimate.toAmount,
      minimumUnits: estimate.toAmountMin,
      fees,
      durationSeconds: Math.ceil(estimate.executionDuration),
      transaction: { chainId: request.chainId ?? from.chainId, from: lower(request.from), to: lower(request.to), data: lower(request.data), value: BigInt(request.value ?? 0).toString() },
      spender: isNative(from) ? null : lower(estimate.approvalAddress),
    };
  }

  async status({ txHash, fromChainId, toChainId, tool }: BridgeQuestion): Promise<Omit<BridgeReport, 'at'>> {
    const question = { txHash, fromChain: String(fromChainId), toChain: String(toChainId), ...(tool === null ? {} : { bridge: tool }) };
    const answer = await this.asked('a status', (signal) => getStatus(this.client, question as Parameters<typeof getStatus>[1], { signal }));
    const receiving = 'receiving' in answer && answer.receiving !== undefined && 'txHash' in answer.receiving ? answer.receiving.txHash : undefined;
    return {
      status: answer.status,
      substatus: 'substatus' in answer && answer.substatus !== undefined ? answer.substatus : null,
      message: 'substatusMessage' in answer && answer.substatusMessage !== undefined ? answer.substatusMessage.slice(0, MAX_WORDS) : null,
      receivingHash: receiving !== undefined && /^0x[0-9a-fA-F]{64}$/.test(receiving) ? lower(receiving) : null,
    };
  }

  async addressOf(chainId: number, symbol: string): Promise<Hex | null> {
    const { tokens } = await this.asked('the tokens', (signal) => getTokens(this.client, { chains: [chainId] }, { signal }));
    const named = (tokens[chainId] ?? []).filter((token) => token.symbol.toUpperCase() === symbol.toUpperCase());
    const [only] = named;
    if (only === undefined) return null;
    if (named.length > 1) throw new DomainError('VALIDATION', `${symbol} is the name of ${named.length} tokens on chain ${chainId}; give the address`, { details: { field: 'token', addresses: named.map((token) => lower(token.address)) } });
    return only.address === NATIVE_TOKEN ? NATIVE_TOKEN : lower(only.address);
  }

  /** Every error of the SDK becomes one of ours. An unknown transaction is an answer (404). */
  private async asked<T>(what: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await ask(AbortSignal.timeout(this.timeoutMs));
    } catch (error) {
      const status = httpStatusOf(error);
      const words = (error instanceof Error ? error.message : String(error)).slice(0, MAX_WORDS);
      if (status === 429) throw new DomainError('RATE_LIMITED', 'the bridge takes no more questions for now', { retryAfterSeconds: 10, cause: error });
      if (status !== null && status >= 400 && status < 500) throw new DomainError('UNPROCESSABLE', `the bridge refused ${what}: ${words}`, { details: { status }, cause: error });
      throw new DomainError('SERVICE_UNAVAILABLE', `the bridge did not answer ${what}`, { retryAfterSeconds: 5, cause: error });
    }
  }
}

/** SDKError carries the HTTPError as its cause. */
function httpStatusOf(error: unknown): number | null {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth += 1) {
    if ('status' in cause && typeof cause.status === 'number') return cause.status;
  }
  return null;
}

function inUnits(units: string, decimals: number): string {
  return decimalText(decimal(units).dividedBy(decimal(`1${'0'.repeat(decimals)}`)));
}
