/** A receiver of webhooks over real HTTP that takes what its secret verifies, as the npm package standardwebhooks does. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Hooked {
  /** The webhook-id. */
  readonly id: string;
  readonly type: string;
  readonly stream: string | null;
  readonly sequence: number | null;
  readonly data: Readonly<Record<string, unknown>>;
}

export class HookEndpoint {
  /** What was verified and answered 204, in the order it came. */
  readonly taken: Hooked[] = [];
  /** Requests that the secret did not verify: answered 401. */
  strange = 0;
  secret = '';

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<HookEndpoint> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = new HookEndpoint(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => response.writeHead(endpoint.take(Buffer.concat(parts).toString('utf8'), request.headers as Record<string, string>) ? 204 : 401).end());
    });
    return endpoint;
  }

  of(type: string): Hooked[] {
    return this.taken.filter((each) => each.type === type);
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private take(text: string, headers: Record<string, string>): boolean {
    try {
      const body = new Webhook(this.secret).verify(text, headers) as Omit<Hooked, 'id'>;
      this.taken.push({ ...body, id: headers['webhook-id'] ?? '' });
      return true;
    } catch {
      this.strange += 1;
      return false;
    }
  }
}
