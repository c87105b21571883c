/** Which web pages may call: none but this server's own, unless their origins are listed. */
import cors from 'cors';
import type { RequestHandler } from 'express';

/** A browser asks again after this; the list changes with a restart only. */
const PREFLIGHT_MAX_AGE_SECONDS = 600;

/** No cookies are used, so none are allowed. A page that is not listed gets no header, and its browser refuses it the answer. */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  return cors({
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'X-Request-Id'],
    exposedHeaders: ['ETag', 'Location', 'Retry-After', 'X-Request-Id', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'RateLimit-Policy'],
    credentials: false,
    maxAge: PREFLIGHT_MAX_AGE_SECONDS,
  });
}
