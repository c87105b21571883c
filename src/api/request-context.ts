/** What accompanies a request: its id, its caller, its log line and its figures. */
import { randomUUID } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import type { DomainError } from '../domain/errors';
import type { ApiMetrics } from './metrics';
import type { Identity } from './ports';

export interface RequestContext {
  readonly requestId: string;
  readonly startedAt: bigint;
  identity: Identity | null;
  /** Why the caller's address may make no more of such calls, where the body is still to tell whether this one gets out of the market. */
  heldBack: DomainError | null;
  /** The route's template, for the log and the metrics; a raw path would be unbounded. */
  route: string;
  /** The error's code, once there is one. */
  errorCode: string | null;
}

const CONTEXT = Symbol('request context');

/** Ids from outside end up in logs: short, and of harmless characters. Others are replaced. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,128}$/;

export function contextOf(response: Response): RequestContext {
  const context: unknown = Reflect.get(response, CONTEXT);
  if (context === undefined) throw new Error('the request has no context: requestContext() must come first');
  return context as RequestContext;
}

/** First middleware: gives the id in and out, and one log line and one observation per answer. Headers and bodies are never logged. */
export function requestContext(log: Logger, metrics: ApiMetrics): RequestHandler {
  return (request, response, next) => {
    const given = request.get('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    const context: RequestContext = { requestId, startedAt: process.hrtime.bigint(), identity: null, heldBack: null, route: 'none', errorCode: null };
    Reflect.set(response, CONTEXT, context);
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - context.startedAt) / 1e9;
      const status = response.writableFinished ? response.statusCode : ABORTED_STATUS;
      metrics.observe({ method: request.method, route: context.route, status, seconds, errorCode: context.errorCode });
      const level = status >= 500 ? 'warn' : 'debug';
      if (!log.isLevelEnabled(level)) return;
      const line = { request_id: requestId, method: request.method, route: context.route, status, durationMs: Math.round(seconds * 1e5) / 100, userId: context.identity?.userId, keyId: context.identity?.keyId, code: context.errorCode ?? undefined };
      log[level](line, status >= 500 ? 'request failed' : 'request');
    });
    next();
  };
}

/** In logs and metrics only: the caller hung up before the answer (nginx's convention). */
const ABORTED_STATUS = 499;
