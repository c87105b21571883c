/** Ways to an endpoint: through an egress proxy that makes the connections, and to one that takes requests and never answers. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { deliverRound, type DeliveryRound } from '../../../src/activities/webhook-deliverer';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { ATTEMPT_TIMEOUT_MS, GuardedClient } from '../../../src/delivery/guarded-client';
import { newWebhookSecret } from '../../../src/delivery/signature';
import { Receiver, roundOf } from './webhook-receiver';
import { WebhookWorld } from './webhook-world';

let hooks: WebhookWorld;
beforeAll(async () => {
  hooks = await WebhookWorld.open();
});
afterAll(() => hooks.close());
beforeEach(() => hooks.begin());
afterEach(() => hooks.end());

/** Connects names of its own network, and nothing else; what it was asked for. */
class ConnectProxy {
  readonly asked: string[] = [];
  /** Ports of its own ends: who connected elsewhere is known by them. */
  readonly ports: number[] = [];
  private readonly sockets = new Set<Socket>();
  private constructor(private readonly server: Server) {}

  static async start(names: ReadonlyMap<string, number>): Promise<ConnectProxy> {
    const server = createServer((_request, response) => response.writeHead(405).end());
    const proxy = new ConnectProxy(server);
    server.on('connect', (request: IncomingMessage, near: Socket, head: Buffer) => {
      const target = request.url ?? '';
      proxy.asked.push(target);
      proxy.keep(near);
      const port = names.get(target.slice(0, target.lastIndexOf(':')));
      if (port === undefined) return near.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      const far = proxy.keep(connect(port, '127.0.0.1', () => {
        proxy.ports.push(far.localPort ?? 0);
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        if (head.length > 0) far.write(head);
        near.pipe(far).pipe(near);
      }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private keep(socket: Socket): Socket {
    this.sockets.add(socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket)));
    return socket;
  }
}

describe('an egress proxy', () => {
  test('makes every connection: what it may reach is delivered, signed, by names that only it knows; what its policy refuses waits', async () => {
    const names = new Map<string, number>();
    const proxy = await ConnectProxy.start(names);
    const client = new GuardedClient({ guard: new AddressGuard(), allowHttp: true, proxyUrl: proxy.url });
    const id = await hooks.subscribe({ url: 'http://hooks.inside.test:8080/hook' });
    const orderId = await hooks.placed();

    // Its policy does not know the name yet.
    expect(await roundOf(hooks.world, client, id)).toMatchObject({ delivered: 0 });
    expect([proxy.asked.length > 0, hooks.receiver.all]).toEqual([true, []]);
    names.set('hooks.inside.test', Number(new URL(hooks.receiver.url).port));
    hooks.world.clock.ms += 60_000;
    await roundOf(hooks.world, client, id);
    hooks.world.clock.ms += 60_000;
    await roundOf(hooks.world, client, id);

    const received = hooks.receiver.accepted.filter((each) => each.orderId === orderId);
    expect(received.map(({ type, verifies }) => [type, verifies])).toEqual([['order.submitting', true], ['order.working', true]]);
    expect(new Set(proxy.asked)).toEqual(new Set(['hooks.inside.test:8080']));
    // The receiver was reached by the proxy's connections alone.
    expect(hooks.receiver.clients.every((port) => proxy.ports.includes(port))).toBe(true);
    expect(hooks.receiver.clients.length).toBeGreaterThan(0);
    await client.close();
    await proxy.stop();
  });
});

describe('an endpoint that takes requests and never answers', () => {
  const loopback = (): AddressGuard => new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null));

  test('has 15 seconds unless told otherwise; then its attempt has timed out, and the same delivery is tried again and arrives', async () => {
    expect(ATTEMPT_TIMEOUT_MS).toBe(15_000);
    const hasty = new GuardedClient({ guard: loopback(), allowHttp: true, timeoutMs: 200 });
    hooks.receiver.answer = () => 'hang';
    await hooks.placed();
    await roundOf(hooks.world, hasty, hooks.endpointId);
    const attempts = async (): Promise<unknown[]> => {
      const { deliveries } = await hooks.store.webhookDeliveries.list({ endpointId: hooks.endpointId, userId: hooks.world.userId, status: null, cursor: null, limit: 10 });
      const shown = await Promise.all(deliveries.map(({ id }) => hooks.store.webhookDeliveries.get(id, hooks.endpointId, hooks.world.userId)));
      return shown.sort((a, b) => a.eventType.localeCompare(b.eventType)).map(({ eventType, log }) => [eventType, log.map(({ code, errorClass }) => code ?? errorClass)]);
    };
    // The order's second event waits for its first.
    expect(await attempts()).toEqual([['order.submitting', ['timeout']], ['order.working', []]]);
    await hasty.close();

    hooks.receiver.answer = () => 204;
    hooks.world.clock.ms += 3_600_000;
    await hooks.round();
    expect(await attempts()).toEqual([['order.submitting', ['timeout', 204]], ['order.working', [204]]]);
    expect(hooks.receiver.accepted.map(({ type }) => type)).toEqual(['order.submitting', 'order.working']);
    expect(new Set(hooks.receiver.all.map(({ id }) => id)).size).toBe(2);
  });

  test('holds up no other endpoint: while it holds ten attempts, another has everything', async () => {
    const patient = new GuardedClient({ guard: loopback(), allowHttp: true });
    const healthy = await Receiver.start();
    healthy.secret = newWebhookSecret();
    const other = await hooks.subscribe({ url: healthy.url, secret: healthy.secret });
    const held = new Promise<void>((resolve) => {
      hooks.receiver.answer = () => {
        if (hooks.receiver.all.length === 10) resolve();
        return 'hang';
      };
    });
    for (let n = 0; n < 10; n += 1) await hooks.placed();
    const leaving = new AbortController();
    const untilOver = (_id: string, signal: AbortSignal): Promise<boolean> => new Promise((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
    const { store, clock } = hooks.world;
    const hanging: Promise<DeliveryRound> = deliverRound({ clock, outbox: store.webhookOutbox, client: patient, secretsOf: (of) => store.webhooks.secretsOf(of), awaitNews: untilOver, lingerMs: 0, leaving: leaving.signal, onEnd: () => undefined }, hooks.endpointId, leaving.signal);
    // The first event of each order is under way, and nobody answers.
    await held;
    expect(await roundOf(hooks.world, patient, other)).toMatchObject({ delivered: 20, failed: 0 });
    expect([healthy.accepted.length, hooks.receiver.all.length, hooks.receiver.accepted.length]).toEqual([20, 10, 0]);
    leaving.abort();
    expect((await hanging).delivered).toBe(0);
    await patient.close();
    await healthy.stop();
  });
});
