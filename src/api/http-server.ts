/** An HTTP server with every time-out set; Socket.io attaches to the same one. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, MAX_HEADERS, REQUEST_TIMEOUT_MS, SOCKET_IDLE_TIMEOUT_MS } from './limits';

export function createHttpServer(app: RequestListener): Server {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.setTimeout(SOCKET_IDLE_TIMEOUT_MS);
  return server;
}
