/** Structured logs with secrets taken out by place, so that no call has to remember. */
import pino, { type Logger } from 'pino';

/** Where a secret may stand in a logged object; a test plants canaries in each. */
export const REDACTED_PATHS = [
  'authorization',
  'cookie',
  'headers.authorization',
  'headers.cookie',
  'req.headers.authorization',
  'req.headers.cookie',
  'apiKey',
  '*.apiKey',
  'secret',
  '*.secret',
  'privateKey',
  '*.privateKey',
  'signature',
  '*.signature',
  'credentials',
  '*.credentials',
  'token',
  '*.token',
  'key',
  '*.key',
] as const;

export function createLogger(level: string, role: string): Logger {
  return pino({
    level,
    base: { role, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: [...REDACTED_PATHS], censor: '[redacted]' },
  });
}

export type { Logger };
