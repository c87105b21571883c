/** The endpoints of one chain: asked in turn, or all at once. One that does not answer rests for a moment; one that is of another chain is never believed. */
import { createPublicClient, http, type PublicClient } from 'viem';
import { ChainUnreadable, type EndpointHealth } from '../domain/chain';
import { DomainError } from '../domain/errors';

export interface EvmEndpointsOptions {
  readonly id: number;
  readonly name: string;
  readonly rpcUrls: readonly string[];
  /** One endpoint's time for one question. */
  readonly timeoutMs: number;
}

/** One that did not answer is asked last for so long: a dead one would cost each question its whole time. */
const REST_MS = 10_000;

interface Endpoint {
  /** Without path or query: they may hold a key. */
  readonly name: string;
  readonly client: PublicClient;
  /** Its chain is the one that it is configured for; undefined: not asked yet. */
  isOfChain: boolean | undefined;
  restsUntilMs: number;
}

export class EvmEndpoints {
  private readonly endpoints: readonly Endpoint[];

  constructor(private readonly options: EvmEndpointsOptions) {
    this.endpoints = options.rpcUrls.map((url) => ({ name: new URL(url).host, client: createPublicClient({ transport: http(url, { timeout: options.timeoutMs, retryCount: 0 }), cacheTime: 0 }), isOfChain: undefined, restsUntilMs: 0 }));
  }

  /** Of the first that answers, all its questions by that one alone: what one of them knows, another may not have yet. `isAnswer`: an error that is its word, not its silence. */
  async inTurn<T>(ask: (client: PublicClient) => Promise<T>, isAnswer: (error: unknown) => boolean = () => false): Promise<T> {
    let last: unknown = null;
    for (const endpoint of this.awakeFirst()) {
      const answer = await this.of(endpoint, ask, isAnswer);
      if ('value' in answer) return answer.value;
      last = answer.error;
      if (isAnswer(last)) throw last;
    }
    throw this.unavailable(last);
  }

  /** Of every one that answers. Those that rest are left out while others answer. */
  async everywhere<T>(ask: (client: PublicClient) => Promise<T>): Promise<readonly [T, ...T[]]> {
    const nowMs = Date.now();
    const awake = this.endpoints.filter((each) => each.restsUntilMs <= nowMs);
    let last: unknown = null;
    for (const some of [awake, this.endpoints.filter((each) => !awake.includes(each))]) {
      const answers = await Promise.all(some.map((endpoint) => this.of(endpoint, ask)));
      const [first, ...others] = answers.flatMap((answer) => ('value' in answer ? [answer.value] : []));
      if (first !== undefined) return [first, ...others];
      for (const answer of answers) if ('error' in answer) last = answer.error;
    }
    throw this.unavailable(last);
  }

  async health(): Promise<readonly EndpointHealth[]> {
    return Promise.all(
      this.endpoints.map(async (endpoint) => {
        const startedMs = performance.now();
        const answer = await this.of(endpoint, (client) => client.getBlockNumber());
        const ok = 'value' in answer;
        return { endpoint: endpoint.name, ok, latencyMs: ok ? Math.round(performance.now() - startedMs) : null, headNumber: ok ? Number(answer.value) : null };
      }),
    );
  }

  /** Its address may hold a key: viem's message has it, so it is not repeated. */
  private unavailable(error: unknown): DomainError {
    if (error instanceof DomainError) return error;
    return new ChainUnreadable(`no endpoint of ${this.options.name} answers (${error instanceof Error ? error.name : 'unknown error'})`);
  }

  private awakeFirst(): readonly Endpoint[] {
    const nowMs = Date.now();
    return [...this.endpoints.filter((each) => each.restsUntilMs <= nowMs), ...this.endpoints.filter((each) => each.restsUntilMs > nowMs)];
  }

  private async of<T>(endpoint: Endpoint, ask: (client: PublicClient) => Promise<T>, isAnswer: (error: unknown) => boolean = () => false): Promise<{ readonly value: T } | { readonly error: unknown }> {
    try {
      endpoint.isOfChain ??= (await endpoint.client.getChainId()) === this.options.id;
      if (!endpoint.isOfChain) throw new ChainUnreadable(`endpoint ${endpoint.name} is of another chain than ${this.options.name} (${this.options.id}): correct its address in the settings`);
      const value = await ask(endpoint.client);
      endpoint.restsUntilMs = 0;
      return { value };
    } catch (error) {
      if (!isAnswer(error)) endpoint.restsUntilMs = Date.now() + REST_MS;
      return { error };
    }
  }
}
