import WebSocket from 'ws';
import { type StartOptions, type StartedSimulator, startPaperSimulator } from '../../../src/simulator';
import type { OrderView } from '../../../src/simulator/order';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface PlaceResult {
  readonly clientId: string;
  readonly ok: boolean;
  readonly order: OrderView;
  readonly error: { code: string; message: string };
}

export interface OrderItem {
  readonly clientId?: string;
  readonly [field: string]: unknown;
}

/** A simulator with books that stand still, and one customer of it. */
export async function startQuiet(options: StartOptions = {}): Promise<{ simulator: StartedSimulator; client: TestClient }> {
  const simulator = await startPaperSimulator({ tickMs: 0, ...options });
  return { simulator, client: new TestClient(simulator.url, 'key-1') };
}

let nextId = 0;

/** Speaks the venue's protocol as a stranger would: fetch and ws, nothing of ours. */
export class TestClient {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { 'x-paper-key': this.key, connection: 'close' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.call('POST', path, body);
  }

  /** Places orders in one request; far in the future unless `expiresAt` says otherwise. */
  placeAll(orders: readonly OrderItem[], expiresAt = 9_999_999_999_999): Promise<Answer> {
    return this.post('/orders', { expiresAt, orders });
  }

  /** Places one order of XRP-PERP (10 at a far away 1.5, resting, unless said otherwise). */
  async place(wanted: OrderItem = {}): Promise<PlaceResult> {
    const { body } = await this.placeAll([restingOrder(wanted)]);
    return (body['results'] as PlaceResult[])[0] as PlaceResult;
  }

  async fault(fault: Record<string, unknown>): Promise<string> {
    const { status, body } = await this.post('/__sim/faults', fault);
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body['id'] as string;
  }

  /** The client ids of the account's open orders, as the venue shows them. */
  async openIds(): Promise<string[]> {
    return ((await this.get('/orders?status=open')).body['orders'] as OrderView[]).map((order) => order.clientId);
  }
}

export function restingOrder(wanted: OrderItem = {}): OrderItem {
  nextId += 1;
  return { clientId: `order-${nextId}`, symbol: 'XRP-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', price: '1.5', quantity: '10', ...wanted };
}

export type Message = Record<string, unknown> & { event?: Record<string, Record<string, unknown>> };

/** A stream connection that keeps what it heard. */
export class TestStream {
  readonly heard: Message[] = [];
  private readonly waiters = new Set<() => void>();
  closeCode: number | null = null;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.heard.push(JSON.parse(data.toString('utf8')) as Message);
      this.wake();
    });
    socket.on('close', (code) => {
      this.closeCode = code;
      this.wake();
    });
  }

  static open(url: string): Promise<TestStream> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const stream = new TestStream(socket);
      socket.on('open', () => resolve(stream));
      socket.on('error', reject);
    });
  }

  /** Opens, authenticates and subscribes to the account channel; resolves with its acknowledgement heard. */
  static async account(url: string, key: string): Promise<TestStream> {
    const stream = await TestStream.open(url);
    stream.send({ op: 'auth', key });
    stream.send({ op: 'subscribe', channel: 'account' });
    await stream.until(() => stream.heard.some((message) => message['op'] === 'subscribed'));
    return stream;
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** Resolves once the condition holds, checked with every message and on the close. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.waiters.delete(check);
        resolve();
      };
      this.waiters.add(check);
      check();
    });
  }

  /** A ping's pong: everything sent before it has been heard by then. */
  async caughtUp(): Promise<void> {
    const pongs = (): number => this.heard.filter((message) => message['op'] === 'pong').length;
    const before = pongs();
    this.send({ op: 'ping' });
    await this.until(() => pongs() > before);
  }

  messages(channel: string): Message[] {
    return this.heard.filter((message) => message['channel'] === channel && message['op'] === undefined);
  }

  close(): void {
    this.socket.terminate();
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter();
  }
}
