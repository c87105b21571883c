/** The sockets: plain node:http and ws, one port for the venue, a second for control while the first may be made deaf. */
import { type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { PaperError } from './errors';
import type { PaperVenue } from './paper-venue';
import { type PaperAnswer, errorAnswer } from './wire/fault-answers';
import type { BridgePort } from './wire/hyperliquid-bridge';
import { type ControlPort, handleControl } from './wire/paper-control';

/** A batch of 100 orders is about 30 KB. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Longer than any client's pool keeps an idle socket, so that the client, not the venue, ends it. */
const KEEP_ALIVE_MS = 75_000;
const CONTROL_PREFIX = '/__sim';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON, or undefined without a body. */
  readonly body: unknown;
  /** Where it came from. */
  readonly address: string;
}

/** How a venue speaks. `error` renders a failure of the server's own: a body that is no JSON, an internal error. */
export interface WireProtocol {
  /** Largest message a client may send on a stream. */
  readonly maxMessageBytes: number;
  handle(request: WireRequest): Promise<PaperAnswer>;
  stream(socket: WebSocket): void;
  error(error: PaperError): PaperAnswer;
  /** Where the venue has one to a chain. */
  readonly bridge?: BridgePort;
  /** Response headers beside the content's, made for each answer. */
  headers(): Readonly<Record<string, string>>;
}

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly control: boolean;
}

export class PaperServer {
  private readonly main: Server;
  private readonly control: Server | null;
  private readonly streams: WebSocketServer;
  private readonly sockets = new Set<Socket>();
  private relisten: NodeJS.Timeout | null = null;
  port = 0;
  controlPort = 0;

  constructor(
    private readonly venue: PaperVenue,
    private readonly options: ServerOptions,
    private readonly wire: WireProtocol,
  ) {
    this.streams = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: wire.maxMessageBytes });
    this.main = this.newServer();
    this.main.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    this.main.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.upgrade(request, socket, head));
    this.control = options.control ? this.newServer() : null;
  }

  async start(): Promise<void> {
    this.port = await listen(this.main, this.options.host, this.options.port);
    if (this.control !== null) this.controlPort = await listen(this.control, this.options.host, 0);
  }

  async stop(): Promise<void> {
    if (this.relisten !== null) clearTimeout(this.relisten);
    this.venue.hub.terminateAll();
    await Promise.all([this.main, this.control].filter((server) => server?.listening === true).map((server) => closeServer(server as Server)));
  }

  private newServer(): Server {
    const server = createServer((request, response) => {
      this.serve(request, response).catch((error: Error) => {
        this.venue.options.warn(`${request.method ?? ''} ${request.url ?? ''} failed: ${error.stack ?? error.message}`);
        this.send(response, this.wire.error(new PaperError('INTERNAL', 'internal error of the simulator; its log has it')));
      });
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    return server;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    const path = mark === -1 ? url : url.slice(0, mark);
    const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
    const method = request.method ?? 'GET';
    let answer: PaperAnswer;
    try {
      const body = await readBody(request);
      if (path === CONTROL_PREFIX || path.startsWith(`${CONTROL_PREFIX}/`)) {
        if (!this.options.control) throw new PaperError('NOT_FOUND', 'the control API is off');
        answer = { status: 200, text: await handleControl(this.venue, { method, path, query, body }, this.controlPortOf(response)) };
      } else {
        answer = await this.wire.handle({ method, path, query, headers: request.headers, body, address: request.socket.remoteAddress ?? '' });
      }
    } catch (error) {
      if (!(error instanceof PaperError)) throw error;
      answer = path.startsWith(CONTROL_PREFIX) ? errorAnswer(error) : this.wire.error(error);
    }
    this.send(response, answer);
  }

  private send(response: ServerResponse, answer: PaperAnswer): void {
    if (answer.drop === true) {
      response.destroy();
      return;
    }
    if (response.headersSent || response.destroyed) return;
    const headers: Record<string, string | number> = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer.text),
      ...this.wire.headers(),
    };
    if (answer.retryAfterSeconds !== undefined) headers['retry-after'] = answer.retryAfterSeconds;
    response.writeHead(answer.status, headers).end(answer.text);
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/ws' || this.venue.hub.refuses()) {
      socket.end(`HTTP/1.1 ${path === '/ws' ? '503 Service Unavailable' : '404 Not Found'}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    this.streams.handleUpgrade(request, socket, head, (client) => this.wire.stream(client));
  }

  private controlPortOf(response: ServerResponse): ControlPort {
    return {
      controlUrl: `http://${hostText(this.options.host)}:${this.controlPort}`,
      listen: (up, forMs) => this.setListening(up, forMs, response),
    };
  }

  /** Deaf: no new connection is accepted, and those there are end (after the answer that says so has left). */
  private setListening(up: boolean, forMs: number | null, response: ServerResponse): void {
    if (this.relisten !== null) clearTimeout(this.relisten);
    this.relisten = null;
    if (up) {
      if (!this.main.listening) this.reopen();
      return;
    }
    if (this.main.listening) this.main.close();
    response.once('close', () => {
      if (!this.main.listening) for (const socket of this.sockets) socket.destroySoon();
    });
    if (forMs !== null) this.relisten = setTimeout(() => this.reopen(), forMs);
  }

  private reopen(): void {
    this.main.listen(this.port, this.options.host);
  }
}

/** An address as it stands in a URL. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.method === 'GET' || request.method === 'DELETE') return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new PaperError('PAYLOAD_TOO_LARGE', `the body exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch (error) {
    throw new PaperError('BAD_REQUEST', `the body is not JSON: ${(error as Error).message}`);
  }
}
