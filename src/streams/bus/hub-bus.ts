/** The bus over the supervisor's loopback hub: one connection, which comes back by itself. */
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../domain/clock';
import type { BudgetRequest, BudgetVerdict, RateBudget } from '../../domain/rate-budget';
import { backOffMs, type BackOffRule } from '../../venues/back-off';
import { BUS_PING_MS, BUS_SILENCE_MS, MAX_MESSAGE_BYTES, MAX_UNANSWERED_PINGS, reasonOf, type Bus, type BusListener, type JsonObject, type OnBusReport } from './bus';
import { BusRateBudget, callerLimits } from './bus-budget';
import { firstWord, LineReader, MAX_LINE_BYTES } from './hub-lines';
import { Outbox, TOO_LONG_AWAY } from '../outbox';
import { Subscriptions, type CatchUp } from '../subscriptions';
import { checkTopic } from './topics';

/** The hub is on this host: it is back within a second, or its supervisor is gone. */
export const BUS_BACK_OFF: BackOffRule = { firstMs: 50, maxMs: 1_000, minMs: 20 };
/** Ours piling up unread means that the hub is stuck: what is published then is kept back, newest first. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

export interface HubBusOptions {
  readonly url: string;
  readonly token: string;
  readonly clock: Clock;
  readonly onReport?: OnBusReport;
  /** How long the shared budget may take to answer; BUDGET_ANSWER_MS. */
  readonly budgetAnswerMs?: number;
}

/** A connection that stood so long is a good one: its loss is followed by an immediate reconnect again. */
const STABLE_AFTER_MS = 1_000;

interface Question {
  /** Where the newest values go that a subscription brings before its answer. */
  readonly catchUp: CatchUp | null;
  readonly resolve: (answer: JsonObject) => void;
  readonly reject: (error: Error) => void;
}

export class HubBus implements Bus {
  readonly rateBudget: BusRateBudget;
  readonly callerLimits: Pick<RateBudget, 'take'>;
  private readonly onReport: OnBusReport;
  private readonly outbox = new Outbox();
  private readonly subscriptions: Subscriptions;
  private readonly questions = new Map<string, Question>();
  private socket: Socket | null = null;
  private admitted = false;
  private closed = false;
  private failures = 0;
  private lastId = 0;
  private published = 0;
  /** Pings since the hub was last heard. */
  private unanswered = 0;
  private admittedAtMs = 0;
  private reconnectTimer: NodeJS.Timeout | null = null;
  private readonly pingTimer: NodeJS.Timeout;

  /** Connects in the background; throws on a malformed URL. */
  constructor(private readonly options: HubBusOptions) {
    this.onReport = options.onReport ?? (() => undefined);
    this.subscriptions = new Subscriptions(this.onReport);
    const shared: RateBudget = {
      take: async (request: BudgetRequest) => (await this.ask('T', request)) as unknown as BudgetVerdict,
      ban: async (scope, untilMs) => void (await this.ask('B', { scope, untilMs })),
    };
    this.connect();
    this.rateBudget = new BusRateBudget(this, shared, options.clock, this.onReport, options.budgetAnswerMs);
    this.callerLimits = callerLimits(shared, options.clock, this.onReport, options.budgetAnswerMs);
    this.pingTimer = setInterval(() => this.ping(), BUS_PING_MS);
  }

  publish(topic: string, message: JsonObject | string): void {
    checkTopic(topic);
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES) throw new RangeError(`a message on ${topic} is larger than ${MAX_MESSAGE_BYTES} bytes`);
    if (text.includes('\n')) throw new RangeError(`a message on ${topic} must be JSON without line feeds`);
    // Never past what waits: an older value would come after a newer one.
    if (this.canWrite() && this.outbox.empty) this.write(`P ${topic} ${text}`);
    else this.outbox.put(topic, text, (this.published += 1));
  }

  subscribe(topicOrPrefix: string, listener: BusListener): () => void {
    const { remove, catchUp } = this.subscriptions.add(topicOrPrefix, listener);
    // Asked again for each subscriber: that is what brings the newest values.
    if (this.admitted) this.ask('S', topicOrPrefix, catchUp).catch(() => undefined); // asked again on return
    else catchUp.end();
    return () => {
      if (remove() && this.admitted) this.write(`U ${topicOrPrefix}`);
    };
  }

  async synced(): Promise<void> {
    await this.ask('Q', null);
  }

  healthy(): boolean {
    return this.admitted && this.unanswered < MAX_UNANSWERED_PINGS;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.rateBudget.close();
    clearInterval(this.pingTimer);
    if (this.reconnectTimer) clearTimeout(this.reconnectTimer);
    const { socket } = this;
    if (!socket || socket.destroyed) return;
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.failQuestions('the bus was closed');
    // What was published reaches the hub; one that reads nothing is not waited for.
    socket.end(() => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), BUS_SILENCE_MS);
    await gone;
    clearTimeout(timer);
  }

  private connect(): void {
    const url = new URL(this.options.url);
    const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port), noDelay: true, keepAlive: true });
    const lines = new LineReader(() => MAX_LINE_BYTES);
    this.socket = socket;
    this.unanswered = 0;
    let reason = 'the hub closed the connection';
    socket.on('connect', () => socket.write(`H ${this.options.token}\n`));
    socket.on('data', (chunk: Buffer) => {
      this.unanswered = 0;
      try {
        for (const line of lines.read(chunk)) if (!socket.destroyed) this.heard(line);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('drain', () => this.sendWaiting());
    socket.on('error', (error) => {
      reason = reasonOf(error);
    });
    socket.on('close', () => this.lost(reason));
  }

  private lost(reason: string): void {
    const wasAdmitted = this.admitted;
    if (wasAdmitted && performance.now() - this.admittedAtMs >= STABLE_AFTER_MS) this.failures = 0;
    this.admitted = false;
    this.socket = null;
    this.failQuestions(`the hub is away: ${reason}`);
    if (this.closed) return;
    if (wasAdmitted) this.onReport({ kind: 'disconnected', reason });
    const attempt = this.failures;
    this.failures += 1;
    // The first reconnect waits for no timer.
    if (attempt === 0) this.connect();
    else this.reconnectTimer = setTimeout(() => this.connect(), backOffMs(BUS_BACK_OFF, attempt - 1));
  }

  private heard(line: string): void {
    const [verb, rest] = firstWord(line);
    const [head, text] = firstWord(rest);
    if (verb === 'P') this.subscriptions.deliver(head, text);
    else if (verb === 'R') this.questions.get(head)?.catchUp?.give(...firstWord(text));
    else if (verb === 'A') this.welcomed();
    else if (verb === 'V') this.settle(head, (question) => question.resolve(JSON.parse(text) as JsonObject));
    else if (verb === 'E') this.settle(head, (question) => question.reject(new Error(`the hub refused: ${text}`)));
    else throw new Error(`the hub said ${JSON.stringify(verb.slice(0, 20))}`);
  }

  private welcomed(): void {
    this.admitted = true;
    this.admittedAtMs = performance.now();
    this.onReport({ kind: 'connected' });
    for (const name of this.subscriptions.names()) this.ask('S', name, this.subscriptions.catchUpAll(name)).catch(() => undefined); // asked again on return
    this.sendWaiting();
  }

  private sendWaiting(): void {
    if (!this.canWrite()) return;
    const count = this.outbox.drain((topic, text) => this.write(`P ${topic} ${text}`));
    if (count > 0) this.onReport({ kind: 'dropped', count, reason: TOO_LONG_AWAY });
  }

  private ask(verb: 'T' | 'B' | 'Q' | 'S', request: object | string | null, catchUp: CatchUp | null = null): Promise<JsonObject> {
    if (!this.admitted) return Promise.reject(new Error('the hub is away'));
    const id = String((this.lastId += 1));
    return new Promise((resolve, reject) => {
      this.questions.set(id, { resolve, reject, catchUp });
      const text = request === null ? '' : ` ${typeof request === 'string' ? request : JSON.stringify(request)}`;
      this.write(`${verb} ${id}${text}`);
    });
  }

  private settle(id: string, how: (question: Question) => void): void {
    const question = this.questions.get(id);
    if (!question) return;
    this.questions.delete(id);
    question.catchUp?.end();
    how(question);
  }

  private failQuestions(reason: string): void {
    const questions = [...this.questions.values()];
    this.questions.clear();
    for (const { reject, catchUp } of questions) {
      catchUp?.end();
      reject(new Error(reason));
    }
  }

  private ping(): void {
    const { socket } = this;
    if (!socket) return;
    // Counted, not timed: a process that was busy itself has answers waiting to be read.
    if (this.unanswered >= MAX_UNANSWERED_PINGS) socket.destroy(new Error(`the hub left ${MAX_UNANSWERED_PINGS} pings unanswered`));
    else {
      this.unanswered += 1;
      if (this.admitted) this.ask('Q', null).catch(() => undefined); // its failure is the connection's, which is reported
    }
  }

  private canWrite(): boolean {
    return this.admitted && this.socket !== null && this.socket.writableLength < MAX_UNSENT_BYTES;
  }

  private write(line: string): void {
    this.socket?.write(`${line}\n`);
  }
}
