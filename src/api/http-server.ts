/** An HTTP server with every time-out set; Socket.io attaches to the same one. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, MAX_HEADERS, REQUEST_TIMEOUT_MS, SLOW_REQUESTS_CHECK_MS, SOCKET_IDLE_TIMEOUT_MS } from './limits';

/** `requestMs`, `headersMs`: within which all of a request, or its headers, must have come. */
export function createHttpServer(app: RequestListener, { requestMs = REQUEST_TIMEOUT_MS, headersMs = HEADERS_TIMEOUT_MS }: { readonly requestMs?: number; readonly headersMs?: number } = {}): Server {
  const server = createServer({ requestTimeout: requestMs, headersTimeout: headersMs, connectionsCheckingInterval: SLOW_REQUESTS_CHECK_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.setTimeout(SOCKET_IDLE_TIMEOUT_MS);
  return server;
}
