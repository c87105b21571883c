/** An endpoint before a real chain: it answers as the chain does, unless a test has it lie behind, refuse, or tell something else. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface RpcCall {
  readonly id: number;
  readonly method: string;
  readonly params?: readonly unknown[];
}

interface BlockShaped {
  readonly number?: string;
  readonly blockNumber?: string;
}

export interface RpcFaults {
  /** It knows no block above this one; null: it knows all. */
  headNumber: number | null;
  /** Methods that it refuses to answer. */
  refuses: readonly string[];
  /** What it says instead of the chain's own answer. */
  tells: ((method: string, answer: unknown) => unknown) | null;
}

export class RpcProxy {
  readonly faults: RpcFaults = { headNumber: null, refuses: [], tells: null };
  /** Every method that it was asked, oldest first. */
  readonly asked: string[] = [];

  private constructor(
    private readonly server: Server,
    private readonly target: string,
  ) {}

  static async before(target: string): Promise<RpcProxy> {
    const server = createServer();
    const proxy = new RpcProxy(server, target);
    server.on('request', (request: IncomingMessage, response) => {
      void proxy.answer(request).then((answer) => response.setHeader('content-type', 'application/json').writeHead(answer === null ? 503 : 200).end(JSON.stringify(answer)));
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => void this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage): Promise<object | null> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const call = JSON.parse(Buffer.concat(parts).toString('utf8')) as RpcCall;
    this.asked.push(call.method);
    if (this.faults.refuses.includes(call.method)) return null;
    if (call.method === 'eth_blockNumber' && this.faults.headNumber !== null) return { jsonrpc: '2.0', id: call.id, result: `0x${this.faults.headNumber.toString(16)}` };
    const response = await fetch(this.target, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(this.clamped(call)) });
    const { result, ...rest } = (await response.json()) as { readonly result?: unknown };
    if (result === undefined) return rest;
    const known = this.isAbove(result) ? null : result;
    return { ...rest, result: this.faults.tells === null ? known : this.faults.tells(call.method, known) };
  }

  /** As a node that has not come so far: its newest block is an older one, and what it is asked of later ones it has not. */
  private clamped(call: RpcCall): RpcCall {
    const { headNumber } = this.faults;
    if (headNumber === null) return call;
    const head = `0x${headNumber.toString(16)}`;
    const [first, ...others] = call.params ?? [];
    if (call.method === 'eth_getBlockByNumber' && first === 'latest') return { ...call, params: [head, ...others] };
    if (call.method === 'eth_getLogs') return { ...call, params: [{ ...(first as object), toBlock: head }] };
    return call;
  }

  private isAbove(result: unknown): boolean {
    const { headNumber } = this.faults;
    if (headNumber === null || typeof result !== 'object' || result === null) return false;
    const { number, blockNumber } = result as BlockShaped;
    return Number(number ?? blockNumber ?? 0) > headNumber;
  }
}
