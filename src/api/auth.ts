/** Bearer keys: who calls, and what the key may do. */
import type { RequestHandler } from 'express';
import { DomainError } from '../domain/errors';
import { sha256Hex } from './canonical-json';
import { ExpiringCache } from './expiring-cache';
import { IDENTITY_CACHE_SIZE, IDENTITY_MAX_AGE_MS } from './limits';
import type { ApiPorts, Identity } from './ports';
import { contextOf } from './request-context';
import type { Scope } from './route';

/** RFC 6750's token characters; our keys have about 25, others cannot be ours. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]{8,256})$/i;

/** A key with `*` or `admin` may do everything; `trade` includes `read`. */
export function mayUse(scopes: readonly string[], needed: Scope): boolean {
  if (scopes.includes('*') || scopes.includes('admin')) return true;
  return scopes.includes(needed) || (needed === 'read' && scopes.includes('trade'));
}

export class Authenticator {
  private readonly identities: ExpiringCache<Identity>;

  constructor(private readonly ports: Pick<ApiPorts, 'authenticate' | 'clock'>) {
    this.identities = new ExpiringCache({ maxAgeMs: IDENTITY_MAX_AGE_MS, maxEntries: IDENTITY_CACHE_SIZE, clock: ports.clock });
  }

  /** Throws UNAUTHENTICATED. The key itself is kept nowhere, only its hash. */
  async identify(authorization: string | undefined): Promise<Identity> {
    const key = BEARER.exec(authorization ?? '')?.[1];
    if (key === undefined) throw new DomainError('UNAUTHENTICATED', authorization === undefined ? 'no API key was sent' : 'the Authorization header is not "Bearer <key>"');
    const identity = await this.identities.get(sha256Hex(key), () => this.ports.authenticate(key));
    if (identity === null) throw new DomainError('UNAUTHENTICATED', 'this API key is unknown or was revoked');
    return identity;
  }

  /** Middleware: sets the caller, or refuses. */
  requires(scope: Scope): RequestHandler {
    return async (request, response, next) => {
      const identity = await this.identify(request.headers.authorization);
      if (!mayUse(identity.scopes, scope)) throw new DomainError('FORBIDDEN', `this key may not ${scope}`, { details: { needed: scope, scopes: identity.scopes } });
      contextOf(response).identity = identity;
      next();
    };
  }
}
