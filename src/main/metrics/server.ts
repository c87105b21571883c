/** /metrics of a process that serves nothing else: a worker or a watcher. Also what its container's health check asks. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { httpAddress } from '../http-address';

export interface MetricsServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Listens on `host` and `port` (0: any free one). `coreUrl`: where the Temporal SDK's core serves its figures; they are
 * printed after ours, so that there is one address to scrape.
 * @throws the system's error when the port is taken: it was asked for, so none other will do.
 */
export async function serveMetrics(registry: Registry, host: string, port: number, coreUrl: string | null = null): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const asked = request.url?.split('?', 1)[0];
    if (asked !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(asked === '/metrics' ? 405 : 404, { 'content-type': 'text/plain' }).end('only GET /metrics is served here\n');
      return;
    }
    Promise.all([registry.metrics(), coreUrl === null ? '' : figuresOf(coreUrl)]).then(
      (texts) => response.writeHead(200, { 'content-type': registry.contentType }).end(texts.join('\n')),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${error instanceof Error ? error.message : String(error)}\n`),
    );
  });
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `${httpAddress(host, address.port)}/metrics`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The core answers from memory on this host. */
const CORE_TIMEOUT_MS = 1_000;

async function figuresOf(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(CORE_TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  return answer.text();
}
