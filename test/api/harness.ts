/** The API as a client sees it: a real HTTP server on loopback over a backend in memory. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import pino from 'pino';
import { Registry } from 'prom-client';
import { createApi, createHttpServer, type Api, type ApiOptions, type CallLimitRules } from '../../src/api';
import type { ApiPorts } from '../../src/api/ports';
import { REDACTED_PATHS } from '../../src/main/logger';
import { DocumentChecker, type OpenApiDocument } from './document-checker';
import { FakeBackend } from './fake-backend';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- what arrives over the wire is judged by expectations and by the document
type Body = any;

/** Tests are about other things, and ask as often as they like. */
export const NO_LIMITS: CallLimitRules = { rates: { prices: null, orders: null, deposits: null, admin: null, reads: null }, addressFactor: 1 };

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Ask {
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly raw?: string;
}

export class ApiHarness {
  readonly backend = new FakeBackend();
  readonly key = this.backend.addUser('alice');
  readonly otherKey = this.backend.addUser('bob');
  readonly readKey = this.backend.addUser('reader', ['read']);
  private readonly sink = new PassThrough();
  private logText = '';
  private stop: () => Promise<void> = async () => undefined;
  private checker: DocumentChecker | null = null;
  url = '';
  private api: Api | null = null;

  async start(override: (ports: ApiPorts) => ApiPorts = (ports) => ports, options: Partial<Pick<ApiOptions, 'limits' | 'corsOrigins' | 'trustedProxies' | 'codec'>> = {}): Promise<this> {
    this.backend.addAccount('main', 'alice');
    this.backend.addAccount('second', 'alice', 'other');
    this.backend.addAccount('foreign', 'bob');
    this.sink.on('data', (chunk: Buffer) => (this.logText += chunk.toString()));
    const log = pino({ level: 'debug', redact: { paths: [...REDACTED_PATHS] } }, this.sink);
    const api: Api = createApi({ ports: override(this.backend.ports()), log, registry: new Registry(), version: '0.0.0-test', placeDeadlineMs: 10_000, limits: NO_LIMITS, caches: { priceMs: 30_000, configurationMs: 60_000 }, corsOrigins: [], trustedProxies: [], ...options });
    this.api = api;
    const server = createHttpServer(api.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.stop = async () => {
      api.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    };
    const answer = await fetch(`${this.url}/api/v1/openapi.json`);
    this.checker = new DocumentChecker((await answer.json()) as OpenApiDocument);
    return this;
  }

  close(): Promise<void> {
    return this.stop();
  }

  get signalDesk(): Api['signalDesk'] {
    if (this.api === null) throw new Error('the harness is not started');
    return this.api.signalDesk;
  }

  get logs(): string {
    return this.logText;
  }

  get documentChecker(): DocumentChecker {
    if (this.checker === null) throw new Error('the harness is not started');
    return this.checker;
  }

  /** Sends, and fails when the answer is not what the document promises. */
  async ask(method: string, path: string, { key = this.key, headers = {}, body, raw }: Ask = {}): Promise<Answer> {
    const text = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...(text === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(text === undefined ? {} : { body: text }),
    });
    const received = await response.text();
    const contentType = response.headers.get('content-type') ?? '';
    const parsed: unknown = contentType.includes('json') && received !== '' ? JSON.parse(received) : received;
    if (method !== 'HEAD' && !contentType.includes('html')) {
      const complaint = this.documentChecker.complaint(method, decodeURI(path.split('?')[0] ?? path), response.status, contentType, parsed);
      if (complaint !== null) throw new Error(`the answer is not the documented one: ${complaint}`);
    }
    return { status: response.status, headers: response.headers, body: parsed };
  }
}

/** An order that every rule accepts. */
export function limitOrder(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { accountId: 'main', clientOrderId: 'c-1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000', ...changes };
}
