/**
 * One HTTP request and its answer on an undici dispatcher, knowing for certain whether a byte of it may have left.
 *
 * A guarded request carries its body as an async iterator. undici asks for the first chunk only when the connection
 * stands, and writes the header together with that chunk (undici lib/dispatcher/client-h1.js, AsyncWriter.write). So what
 * the iterator does before its first chunk happens immediately before the socket write, and a failure before it is
 * certainly "not sent". An iterator yields once: undici can never write the same request a second time.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '../domain/clock';
import type { MaySend } from '../domain/venue';

/** setTimeout takes no more; a longer deadline is checked again by whoever set it. */
const MAX_TIMER_MS = 2_147_483_647;

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Asked immediately before the write; null for what has no effect at the venue. */
  readonly maySend: MaySend | null;
  /** Our clock, ms: the socket is destroyed then. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly maxResponseBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Our clock, ms: just before the request could leave, and when the answer was complete. */
  readonly sentAtMs: number;
  readonly receivedAtMs: number;
}

export type ExchangeFailureReason = 'fence' | 'deadline' | 'canceled' | 'connection' | 'tooLarge';

/** The exchange has no answer. `wrote`: a byte may have left. */
export class ExchangeFailure extends Error {
  override readonly name = 'ExchangeFailure';
  constructor(
    readonly wrote: boolean,
    readonly reason: ExchangeFailureReason,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Runs one exchange. Rejects with ExchangeFailure only; `onFinished` is called when the connection is free again. */
export function exchange(dispatcher: Dispatcher, clock: Clock, request: ExchangeRequest, onFinished: () => void): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    new Exchange(dispatcher, clock, request, resolve, reject, onFinished).start();
  });
}

class Exchange {
  private settled = false;
  private wrote = false;
  private sentAtMs = 0;
  private status = 0;
  private headers: IncomingHttpHeaders = {};
  private readonly chunks: Buffer[] = [];
  private receivedBytes = 0;
  private controller: Dispatcher.DispatchController | null = null;
  private timer: NodeJS.Timeout | null = null;
  private readonly onAbort = (): void => this.fail('canceled', 'canceled by the caller');

  constructor(
    private readonly dispatcher: Dispatcher,
    private readonly clock: Clock,
    private readonly request: ExchangeRequest,
    private readonly resolve: (answer: HttpAnswer) => void,
    private readonly reject: (failure: ExchangeFailure) => void,
    private readonly onFinished: () => void,
  ) {}

  start(): void {
    const { request } = this;
    const leftMs = request.deadlineMs - this.clock.nowMs();
    const refusal = this.refusal();
    if (refusal) {
      this.fail(refusal.reason, refusal.message);
      this.onFinished();
      return;
    }
    this.timer = setTimeout(() => this.fail('deadline', 'the deadline passed'), Math.min(leftMs, MAX_TIMER_MS));
    request.signal.addEventListener('abort', this.onAbort, { once: true });
    try {
      this.dispatcher.dispatch(this.options(), this.handler());
    } catch (cause) {
      // undici throws for a request it cannot express, or on a closed pool: nothing left.
      this.fail('connection', 'the request could not be dispatched', cause);
      this.onFinished();
    }
  }

  private options(): Dispatcher.DispatchOptions {
    const { method, path, headers, body, maySend } = this.request;
    const common = { method, path, headersTimeout: 0, bodyTimeout: 0 };
    if (!maySend) return { ...common, headers, body };
    const length = String(Buffer.byteLength(body ?? ''));
    // undici documents iterables as bodies; its type names only the stream.
    const guarded = this.guardedBody(maySend) as unknown as Readable;
    return { ...common, headers: { ...headers, 'content-length': length }, body: guarded };
  }

  private async *guardedBody(maySend: MaySend): AsyncGenerator<string> {
    let allowed = false;
    let cause: unknown;
    try {
      allowed = await maySend();
    } catch (error) {
      // The fence cannot be read: fail closed.
      cause = error;
    }
    const refusal = this.refusal();
    if (refusal) this.fail(refusal.reason, refusal.message);
    else if (!allowed) this.fail('fence', cause === undefined ? 'another attempt owns this request now' : 'the fence could not be read', cause);
    if (this.settled) throw new Error('nothing is sent');
    this.wrote = true;
    this.sentAtMs = this.clock.nowMs();
    yield this.request.body ?? '';
  }

  private refusal(): { reason: ExchangeFailureReason; message: string } | null {
    if (this.request.signal.aborted) return { reason: 'canceled', message: 'canceled by the caller' };
    if (this.clock.nowMs() >= this.request.deadlineMs) return { reason: 'deadline', message: 'the deadline passed' };
    return null;
  }

  private handler(): Dispatcher.DispatchHandler {
    return {
      onRequestStart: (controller) => {
        this.controller = controller;
        // Failed while it waited for a connection: it must not be written now.
        if (this.settled) controller.abort(new Error('nothing is sent'));
        else if (!this.request.maySend) {
          this.wrote = true;
          this.sentAtMs = this.clock.nowMs();
        }
      },
      onResponseStart: (_controller, status, headers) => {
        // A server may speak first (408 on a connection it finds idle): that is no answer to what we did not write.
        if (!this.wrote) this.fail('connection', `the venue answered ${status} before the request was written`);
        this.status = status;
        this.headers = headers;
      },
      onResponseData: (_controller, chunk) => {
        this.receivedBytes += chunk.length;
        if (this.receivedBytes > this.request.maxResponseBytes) this.fail('tooLarge', `the answer exceeds ${this.request.maxResponseBytes} bytes`);
        else this.chunks.push(chunk);
      },
      onResponseEnd: () => {
        this.onFinished();
        this.succeed();
      },
      onResponseError: (_controller, error) => {
        this.onFinished();
        this.fail('connection', describe(error), error);
      },
    };
  }

  private succeed(): void {
    if (this.settled) return;
    this.settle();
    const { status, headers, sentAtMs } = this;
    this.resolve({ status, headers, body: Buffer.concat(this.chunks).toString('utf8'), sentAtMs, receivedAtMs: this.clock.nowMs() });
  }

  private fail(reason: ExchangeFailureReason, message: string, cause?: unknown): void {
    if (this.settled) return;
    this.settle();
    const failure = new ExchangeFailure(this.wrote, reason, message, { cause });
    this.reject(failure);
    // Destroys the socket: an answer that comes later finds nobody.
    this.controller?.abort(failure);
  }

  private settle(): void {
    this.settled = true;
    if (this.timer) clearTimeout(this.timer);
    this.request.signal.removeEventListener('abort', this.onAbort);
  }
}

/** Error codes are safe to show; undici's messages name hosts and ports only. */
function describe(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  return `${code}: ${error.message}`;
}
