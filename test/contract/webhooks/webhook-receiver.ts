/** A receiver of webhooks over real HTTP, which verifies with the npm package standardwebhooks. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { deliverRound, type DeliveryRound } from '../../../src/activities/webhook-deliverer';
import type { GuardedClient } from '../../../src/delivery/guarded-client';
import type { AttemptEnd } from '../../../src/domain/webhook';
import type { StoreWorld } from '../store/harness';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly sequence: number;
  readonly orderId: string | null;
  readonly verifies: boolean;
  readonly body: Record<string, unknown>;
}

/** A receiver that verifies with what secret it holds and answers as it is told. */
export class Receiver {
  readonly all: Received[] = [];
  readonly accepted: Received[] = [];
  /** What it answers; `null` hangs up, `hang` answers nothing and keeps the connection. */
  answer: (received: Received) => number | null | 'hang' = () => 204;
  headers: Record<string, string> = {};
  /** Ports that requests came from. */
  readonly clients: number[] = [];
  secret = '';
  url = '';
  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      receiver.clients.push(request.socket.remotePort ?? 0);
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        const received = receiver.take(text, request.headers as Record<string, string>);
        const code = receiver.answer(received);
        if (code === 'hang') return;
        if (code === null) return request.socket.destroy();
        if (code >= 200 && code < 300) receiver.accepted.push(received);
        response.writeHead(code, receiver.headers).end(code === 204 ? undefined : 'Bearer 0123456789abcdef is not welcome');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    return receiver;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private take(text: string, headers: Record<string, string>): Received {
    const body = JSON.parse(text) as Record<string, unknown>;
    let verifies = true;
    try {
      // The library compares with the machine's clock; the test's runs ahead of it.
      new Webhook(this.secret).verify(text, { 'webhook-id': headers['webhook-id'] ?? '', 'webhook-timestamp': headers['webhook-timestamp'] ?? '', 'webhook-signature': headers['webhook-signature'] ?? '' });
    } catch (error) {
      verifies = /timestamp/i.test(String(error)) ? this.verifiesLater(text, headers) : false;
    }
    const received: Received = { id: headers['webhook-id'] ?? '', type: String(body['type']), sequence: Number(body['sequence']), orderId: body['orderId'] as string | null, verifies, body };
    this.all.push(received);
    return received;
  }

  /** As the library does at that time. */
  private verifiesLater(text: string, headers: Record<string, string>): boolean {
    const at = new Date(Number(headers['webhook-timestamp']) * 1_000);
    return (headers['webhook-signature'] ?? '').split(' ').includes(new Webhook(this.secret).sign(headers['webhook-id'] ?? '', at, text));
  }
}

/** One round as the activity makes it; nobody waits for news here. */
export function roundOf({ store, clock }: StoreWorld, client: GuardedClient, endpointId: string, onEnd: (end: AttemptEnd) => void = () => undefined): Promise<DeliveryRound> {
  const untilOver = (_id: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
  const leaving = new AbortController().signal;
  return deliverRound({ clock, outbox: store.webhookOutbox, client, secretsOf: (of) => store.webhooks.secretsOf(of), awaitNews: untilOver, lingerMs: 0, leaving, onEnd }, endpointId, leaving);
}

export const sequencesOf = (received: readonly Received[], orderId: string): number[] => received.filter((each) => each.orderId === orderId).map(({ sequence }) => sequence);
export const ascending = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
