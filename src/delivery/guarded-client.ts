/**
 * The one way out for requests to addresses that users chose. Follows no redirect, connects within 5 s, ends within 15 s, reads
 * 8 KB of the answer. With an egress proxy the proxy connects: literals are judged here, names by the proxy's own policy.
 */
import { Agent, buildConnector, ProxyAgent, request, type Dispatcher } from 'undici';
import { retryAfterMs } from '../domain/delivery-schedule';
import type { AttemptError, AttemptOutcome } from '../domain/webhook';
import { AddressGuard, AddressRefused } from './address-guard';
import { redacted } from './redaction';

/** An endpoint that is reachable answers its SYN and its TLS greeting well within this. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Of one attempt, from its beginning to the end of what is read; the lower end of what Standard Webhooks advises. */
export const ATTEMPT_TIMEOUT_MS = 15_000;
/** Of an answer that is kept, to be looked at; what comes beyond is not read. */
export const ANSWER_BYTES = 8 * 1024;
/** Connections to one origin that are kept: as many as one endpoint has attempts under way. */
const CONNECTIONS_PER_ORIGIN = 64;
/** An idle connection is closed before most servers close theirs, so that none meets an attempt. */
const KEEP_ALIVE_MS = 4_000;

export interface GuardedClientOptions {
  readonly guard: AddressGuard;
  /** http: URLs too. */
  readonly allowHttp: boolean;
  /** http(s) URL of a proxy that makes the connections. */
  readonly proxyUrl?: string;
  readonly timeoutMs?: number;
}

export interface GuardedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

export class GuardedClient {
  private readonly dispatcher: Dispatcher;

  constructor(private readonly options: GuardedClientOptions) {
    this.dispatcher = options.proxyUrl === undefined ? directAgent(options.guard) : new ProxyAgent({ uri: options.proxyUrl, connections: CONNECTIONS_PER_ORIGIN, connectTimeout: CONNECT_TIMEOUT_MS });
  }

  /** Why this URL is never sent to; null where it may be tried. */
  refusal(text: string): string | null {
    return urlRefusal(text, this.options);
  }

  /** One attempt. Never rejects: whatever happens is an outcome. */
  async post({ url, headers, body, nowMs, signal }: GuardedRequest): Promise<AttemptOutcome> {
    const startedAtMs = performance.now();
    const ended = (outcome: Omit<AttemptOutcome, 'latencyMs'>): AttemptOutcome => ({ ...outcome, latencyMs: Math.round((performance.now() - startedAtMs) * 10) / 10 });
    const refusal = this.refusal(url);
    if (refusal !== null) return ended({ code: null, errorClass: 'blockedUrl', answer: refusal, retryAfterMs: null });
    const deadline = AbortSignal.timeout(this.options.timeoutMs ?? ATTEMPT_TIMEOUT_MS);
    try {
      const answer = await request(url, { method: 'POST', headers: { ...headers, 'user-agent': USER_AGENT }, body, dispatcher: this.dispatcher, signal: AbortSignal.any([deadline, signal]) });
      const code = answer.statusCode;
      const text = await firstBytes(answer.body);
      const retryAfter = answer.headers['retry-after'];
      const errorClass: AttemptError | null = code >= 300 && code < 400 ? 'redirect' : code >= 200 && code < 300 ? null : 'answer';
      return ended({ code, errorClass, answer: redacted(text), retryAfterMs: retryAfterMs(typeof retryAfter === 'string' ? retryAfter : null, nowMs()) });
    } catch (error) {
      const errorClass = signal.aborted ? 'interrupted' : deadline.aborted ? 'timeout' : classOf(error);
      return ended({ code: null, errorClass, answer: redacted(reasonOf(error)), retryAfterMs: null });
    }
  }

  async close(): Promise<void> {
    await this.dispatcher.destroy();
  }
}

const USER_AGENT = 'Surefill-Webhooks/1';

/** Why a URL is no address to deliver to: its scheme, credentials in it, what can be no host, a literal that is not public. */
export function urlRefusal(text: string, { guard, allowHttp }: Pick<GuardedClientOptions, 'guard' | 'allowHttp'>): string | null {
  if (!URL.canParse(text)) return 'it is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) return `its scheme must be https${allowHttp ? ' or http' : ''}`;
  if (url.username !== '' || url.password !== '') return 'it must not contain a user or a password';
  if (!isHost(url.hostname)) return `${url.hostname} is no name of a host`;
  return guard.literalRefusal(url.hostname)?.message ?? null;
}

/** RFC 1035; with the underscore, which some names have. A dot at the end says that the name is whole. */
const NAME_LENGTH = 253;
const HOST_NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/;

function isHost(hostname: string): boolean {
  return hostname.startsWith('[') || (hostname.length <= NAME_LENGTH && HOST_NAME.test(hostname));
}

function directAgent(guard: AddressGuard): Agent {
  // Node's types know dns.lookup's overloads only; the form called by sockets is this one.
  const dial = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guard.lookup });
  return new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    connect: (options, callback) => {
      const literal = guard.literalRefusal(options.hostname);
      if (literal !== null) return callback(literal, null);
      dial(options, (...[error, socket]) => {
        if (error !== null) return callback(error, null);
        const refusal = guard.refusal(options.hostname, socket.remoteAddress ?? '');
        if (refusal === null) return callback(null, socket);
        socket.destroy();
        callback(refusal, null);
      });
    },
  });
}

/**
 * The rest is not read: the connection is closed instead. Never rejects: the status was seen, and it alone says whether the delivery was taken.
 * A body that hangs, breaks off or is framed wrongly must not have it sent a second time.
 */
async function firstBytes(body: Dispatcher.ResponseData['body']): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= ANSWER_BYTES) break;
    }
  } catch {
    // What came until then is kept.
  }
  return Buffer.concat(parts).subarray(0, ANSWER_BYTES).toString('utf8');
}

const CLASS_BY_CODE: Readonly<Record<string, AttemptError>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connectTimeout', ETIMEDOUT: 'connectTimeout', EHOSTUNREACH: 'network', ENETUNREACH: 'network', ECONNREFUSED: 'refused', ENOTFOUND: 'dns', EAI_AGAIN: 'dns', EAI_FAIL: 'dns',
  ECONNRESET: 'reset', EPIPE: 'reset', UND_ERR_SOCKET: 'reset', UND_ERR_HEADERS_TIMEOUT: 'timeout', UND_ERR_BODY_TIMEOUT: 'timeout', EPROTO: 'tls',
};
const MAX_CAUSES = 5;

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let cause: unknown = error; cause !== undefined && cause !== null && causes.length < MAX_CAUSES; cause = (cause as { cause?: unknown }).cause) {
    causes.push(cause);
    if (cause instanceof AggregateError) causes.push(...(cause.errors as unknown[]));
  }
  return causes;
}

function classOf(error: unknown): AttemptError {
  const causes = causesOf(error);
  if (causes.some((cause) => cause instanceof AddressRefused)) return 'blockedAddress';
  for (const cause of causes) {
    const code = String((cause as { code?: unknown }).code ?? '');
    const known = CLASS_BY_CODE[code];
    if (known !== undefined) return known;
    if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) return 'tls';
  }
  return 'network';
}

function reasonOf(error: unknown): string {
  const [first] = causesOf(error).filter((cause): cause is Error => cause instanceof Error && cause.message !== '');
  return first?.message ?? String(error);
}
