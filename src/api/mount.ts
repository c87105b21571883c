/** Mounts the route table on express: availability, key, body, schemas, handler; 405 for other methods, 404 for the rest. */
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import type { Logger } from 'pino';
import { actorOf } from '../domain/audit';
import { DomainError } from '../domain/errors';
import { MAX_ALERT_BYTES } from '../schemas/signals';
import type { Authenticator } from './auth';
import { isExitByBody, type CallLimits } from './call-limits';
import { errorBody, toDomainError } from './errors';
import { BODY_LIMIT_BYTES } from './limits';
import type { ApiPorts } from './ports';
import type { Reply } from './replies';
import { contextOf } from './request-context';
import type { Route } from './route';

export interface MountOptions {
  readonly ports: Pick<ApiPorts, 'health' | 'clock'>;
  readonly authenticator: Authenticator;
  readonly limits: CallLimits;
}

export function mountRoutes(app: Express, routes: readonly Route[], options: MountOptions): void {
  for (const entry of routes) {
    const chain: RequestHandler[] = [named(entry.path)];
    if (entry.scope !== null) chain.push(failFast(options.ports), ...addressLimits(entry, options.limits), options.authenticator.requires(entry.scope));
    else if (entry.takesAlerts === true) chain.push(failFast(options.ports), options.limits.forAddress(entry), alertBody);
    if (entry.schemas.body !== undefined && entry.takesAlerts !== true) chain.push(requireJson(entry.schemas.bodyRequired), jsonBody);
    if (entry.scope !== null) chain.push(options.limits.forKey(entry));
    app[entry.method](expressPath(entry.path), ...chain, handler(entry));
  }
  for (const [path, methods] of methodsByPath(routes)) app.all(expressPath(path), named(path), methodNotAllowed(methods));
}

/** A body is read before the key only where an address has used up what it may, and the body may say that this call gets out of the market. */
function addressLimits(entry: Route, limits: CallLimits): RequestHandler[] {
  if (!isExitByBody(entry)) return [limits.forAddress(entry)];
  return [limits.forAddress(entry), ...[requireJson(entry.schemas.bodyRequired), jsonBody].map(onlyHeldBack), limits.forHeldBack(entry)];
}

function onlyHeldBack(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (contextOf(response).heldBack === null ? next() : handler(request, response, next));
}

/** After everything else is mounted: what nothing answered, and what anything threw. */
export function mountErrors(app: Express, ports: Pick<ApiPorts, 'health' | 'clock'>, log: Logger): void {
  app.use((request) => {
    throw new DomainError('NOT_FOUND', `no such resource: ${request.method} ${request.path.slice(0, MAX_SHOWN_PATH)}`);
  });
  app.use(errorHandler(ports, log));
}

/** A longer path is cut in the error's message. */
const MAX_SHOWN_PATH = 200;

const jsonBody = express.json({ limit: BODY_LIMIT_BYTES, strict: true, type: isJson });

/** JSON too comes as the text it is: its numbers keep their digits. */
const alertBody = express.text({ limit: MAX_ALERT_BYTES, type: () => true });

function isJson(request: { headers: { 'content-type'?: string | undefined } }): boolean {
  return /^application\/([a-z0-9.-]+\+)?json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
}

function requireJson(required: boolean): RequestHandler {
  return (request, _response, next) => {
    const length = request.headers['content-length'];
    const hasBody = request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
    if (hasBody && !isJson(request)) throw bodyError(`the content type ${request.headers['content-type'] ?? '(none)'} is not supported; send application/json`);
    if (!hasBody && required) throw bodyError('a JSON body is required, with Content-Type: application/json');
    next();
  };
}

function bodyError(message: string): DomainError {
  return new DomainError('VALIDATION', message, { details: { issues: [{ path: 'body', message }] } });
}

/** Nothing can be read or decided without PostgreSQL: say so at once instead of letting every caller run into a time-out. */
function failFast(ports: Pick<ApiPorts, 'health'>): RequestHandler {
  return (_request, _response, next) => {
    if (ports.health.postgresqlAway()) throw new DomainError('SERVICE_UNAVAILABLE', 'PostgreSQL is away', { retryAfterSeconds: 1 });
    next();
  };
}

function named(path: string): RequestHandler {
  return (_request, response, next) => {
    contextOf(response).route = path;
    next();
  };
}

function handler(entry: Route): RequestHandler {
  return async (request, response) => {
    const context = contextOf(response);
    const { params, query, headers } = request;
    const body: unknown = request.body;
    const reply = await entry.run({ params, query, body, headers, userId: context.identity?.userId ?? '', actor: actorOf(context.identity?.keyId ?? ''), requestId: context.requestId, address: request.ip ?? '' });
    send(response, reply);
  };
}

/**
 * The answer to a command is written here: express would look for a type, a charset and a freshness that are known, and send headers and body
 * apart. What is read may be answered 304, which is express's to say.
 */
function send(response: Response, reply: Reply): void {
  if (reply.headers !== undefined) response.set(reply.headers);
  response.status(reply.status);
  if (typeof reply.body === 'string') {
    response.send(reply.body);
    return;
  }
  if (response.req.method === 'GET' || response.req.method === 'HEAD') {
    response.json(reply.body);
    return;
  }
  const text = JSON.stringify(reply.body);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}

function methodNotAllowed(methods: readonly string[]): RequestHandler {
  const allowed = methods.join(', ');
  return (request, response) => {
    response.setHeader('Allow', allowed);
    throw new DomainError('METHOD_NOT_ALLOWED', `${request.method} is not possible here; use ${allowed}`, { details: { allowed: methods } });
  };
}

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) methods.set(path, [...(methods.get(path) ?? []), ...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])]);
  return methods;
}

function errorHandler(ports: Pick<ApiPorts, 'clock'>, log: Logger): ErrorRequestHandler {
  // express knows an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const context = contextOf(response);
    const known = toDomainError(error, request.method !== 'GET' && request.method !== 'HEAD');
    context.errorCode = known.code;
    if (known.code === 'INTERNAL') log.error({ err: error, request_id: context.requestId, route: context.route }, 'an error of ours');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (known.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    if (known.retryAfterSeconds !== null) response.setHeader('Retry-After', String(known.retryAfterSeconds));
    send(response, { status: known.status, body: errorBody(known, context.requestId, ports.clock.nowMs()) });
  };
}

/** `/orders/{id}` of the document is `/orders/:id` of express. */
export function expressPath(path: string): string {
  return path.replace(/\{(\w+)\}/g, ':$1');
}
