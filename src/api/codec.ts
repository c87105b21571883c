/**
 * The codec endpoint: decodes what Temporal stores encrypted, for its Web UI and CLI (`--codec-endpoint`). For keys that may
 * `admin`, and in a browser for the Web UI's own origin only. A page cannot be given our key, so the browser is: opened once,
 * the address asks for it (Basic, any name, the key as password), and the browser sends it along from then on.
 */
import cors from 'cors';
import express, { Router, type Express, type RequestHandler, type Response } from 'express';
import { DomainError } from '../domain/errors';
import { remotePayloadsSchema } from '../schemas/codec';
import type { z } from 'zod';
import { mayUse, type Authenticator } from './auth';
import type { CallLimits, LimitedRoute } from './call-limits';
import { errorBody } from './errors';
import { CODEC_BODY_LIMIT_BYTES } from './limits';
import type { ApiPorts } from './ports';
import { contextOf } from './request-context';

type Payloads = z.output<typeof remotePayloadsSchema>['payloads'];

export interface CodecEndpoint {
  /** Where the Web UI is served. */
  readonly origins: readonly string[];
  /** Rejects where a payload's key is not known. */
  encode(payloads: Payloads): Promise<readonly object[]>;
  decode(payloads: Payloads): Promise<readonly object[]>;
}

export interface CodecMount {
  readonly authenticator: Authenticator;
  readonly limits: CallLimits;
  readonly ports: Pick<ApiPorts, 'clock'>;
}

const PATH = '/api/v1/codec';

/** Not in the document, because its protocol is Temporal's. A page of the Web UI asks often: it counts as reads. */
const LIMITED: LimitedRoute = { method: 'post', scope: 'admin', limit: 'reads' };

/** Mount it before the API's own CORS rule, which would answer its preflights. */
export function mountCodec(app: Express, codec: CodecEndpoint, mount: CodecMount): void {
  const router = Router();
  router.use(named, cors({ origin: [...codec.origins], methods: ['POST'], allowedHeaders: ['Authorization', 'Content-Type', 'X-Namespace'], credentials: true }));
  router.use(sameOriginOr(codec.origins), mount.limits.forAddress(LIMITED), requireAdmin(mount), mount.limits.forKey(LIMITED));
  router.get('/', (_request, response) => {
    response.type('text').send(`Signed in. Set this address as codec endpoint in the Temporal Web UI, with "include cross-origin credentials".\n`);
  });
  const body = express.json({ limit: CODEC_BODY_LIMIT_BYTES, type: () => true });
  router.post('/decode', body, answering((payloads) => codec.decode(payloads)));
  router.post('/encode', body, answering((payloads) => codec.encode(payloads)));
  app.use(PATH, router);
}

const named: RequestHandler = (_request, response, next) => {
  contextOf(response).route = PATH;
  next();
};

/** A browser names the page that asks: any other than the Web UI is refused before it costs anything. */
function sameOriginOr(origins: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    const { origin } = request.headers;
    if (origin !== undefined && !origins.includes(origin)) throw new DomainError('FORBIDDEN', `pages of ${origin} may not use the codec; TEMPORAL_UI_ORIGINS lists those that may`);
    next();
  };
}

function requireAdmin({ authenticator, ports }: CodecMount): RequestHandler {
  return async (request, response, next) => {
    try {
      const identity = await authenticator.identify(bearerOf(request.headers.authorization));
      if (!mayUse(identity.scopes, 'admin')) throw new DomainError('FORBIDDEN', 'this key may not admin', { details: { needed: 'admin', scopes: identity.scopes } });
      contextOf(response).identity = identity;
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'UNAUTHENTICATED') throw error;
      return challenge(response, error, ports.clock.nowMs());
    }
    next();
  };
}

/** Makes a browser ask its user. */
function challenge(response: Response, error: DomainError, nowMs: number): void {
  const context = contextOf(response);
  context.errorCode = error.code;
  response.status(401).set('WWW-Authenticate', 'Basic realm="Surefill codec: any name, an admin API key as password", charset="UTF-8"').json(errorBody(error, context.requestId, nowMs));
}

/** What a browser sends as Basic is our Bearer key, after the name. */
function bearerOf(authorization: string | undefined): string | undefined {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return authorization;
  const pair = Buffer.from(basic, 'base64').toString('utf8');
  return `Bearer ${pair.slice(pair.indexOf(':') + 1)}`;
}

function answering(convert: (payloads: Payloads) => Promise<readonly object[]>): RequestHandler {
  return async (request, response) => {
    const parsed = remotePayloadsSchema.safeParse(request.body);
    if (!parsed.success) throw new DomainError('VALIDATION', 'the body is not {"payloads": […]} of the remote-codec protocol', { details: { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })) } });
    let payloads: readonly object[];
    try {
      payloads = await convert(parsed.data.payloads);
    } catch (cause) {
      throw new DomainError('UNPROCESSABLE', `a payload cannot be converted: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
    response.json({ payloads });
  };
}
