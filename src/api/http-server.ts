/** An HTTP server with every time-out set; Socket.io attaches to the same one. */
import { createServer, IncomingMessage, ServerResponse, type Server, type ServerOptions } from 'node:http';
import type { Express } from 'express';
import { HEADERS_TIMEOUT_MS, KEEP_ALIVE_TIMEOUT_MS, MAX_HEADERS, REQUEST_TIMEOUT_MS, SLOW_REQUESTS_CHECK_MS, SOCKET_IDLE_TIMEOUT_MS } from './limits';

/** `requestMs`, `headersMs`: within which all of a request, or its headers, must have come. */
export function createHttpServer(app: Express, { requestMs = REQUEST_TIMEOUT_MS, headersMs = HEADERS_TIMEOUT_MS }: { readonly requestMs?: number; readonly headersMs?: number } = {}): Server {
  const server = createServer({ ...messagesOf(app), requestTimeout: requestMs, headersTimeout: headersMs, connectionsCheckingInterval: SLOW_REQUESTS_CHECK_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, app);
  server.maxHeadersCount = MAX_HEADERS;
  server.setTimeout(SOCKET_IDLE_TIMEOUT_MS);
  return server;
}

/**
 * Express puts its methods on each request and response by changing the prototype of the finished object. An object so changed shares its
 * shape with no other, and every access to it, in Node as in our code, is looked up anew: three quarters of the time of a small request. Ours
 * are made with what Express would put there, so that it finds nothing to change.
 */
function messagesOf(app: Express): Pick<ServerOptions<typeof IncomingMessage, typeof ServerResponse<IncomingMessage>>, 'IncomingMessage' | 'ServerResponse'> {
  class ApiRequest extends IncomingMessage {}
  class ApiResponse extends ServerResponse<IncomingMessage> {}
  Object.setPrototypeOf(ApiRequest.prototype, app.request);
  Object.setPrototypeOf(ApiResponse.prototype, app.response);
  app.request = ApiRequest.prototype as Express['request'];
  app.response = ApiResponse.prototype as Express['response'];
  return { IncomingMessage: ApiRequest, ServerResponse: ApiResponse };
}
