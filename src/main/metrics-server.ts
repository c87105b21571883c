/** /metrics of a process that serves nothing else: a worker or a watcher. Also what its container's health check asks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens on `host` and `port` (0: any free one).
 * @throws the system's error when the port is taken: it was asked for, so none other will do.
 */
export async function serveMetrics(host: string, port: number): Promise<MetricsServer> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'surefill_' });
  const server = createServer((request, response) => {
    const asked = request.url?.split('?', 1)[0];
    if (asked !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(asked === '/metrics' ? 405 : 404, { 'content-type': 'text/plain' }).end('only GET /metrics is served here\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error instanceof Error ? error.message : String(error)}\n`),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host}:${address.port}/metrics`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
