/**
 * The bus over Redis: publications by PUBLISH, newest values of retained topics in one hash, budgets as atomic scripts.
 * Two connections, because one that subscribes may not ask. Losing Redis costs speed: what is published meanwhile waits in
 * a bounded outbox, and each process goes on with its own eighth of the budgets.
 */
import { Redis, ReplyError, type RedisOptions, type Result } from 'ioredis';
import type { Clock } from '../../domain/clock';
import type { RateBudget } from '../../domain/rate-budget';
import { backOffMs } from '../../venues/back-off';
import { BUS_PING_MS, BUS_SILENCE_MS, MAX_MESSAGE_BYTES, MAX_UNANSWERED_PINGS, reasonOf, type Bus, type BusListener, type JsonObject, type OnBusReport } from './bus';
import { BusRateBudget, callerLimits, withinMs } from './bus-budget';
import { BUS_BACK_OFF } from './hub-bus';
import { Outbox, TOO_LONG_AWAY } from '../outbox';
import { RedisRateBudget } from './redis-budget';
import { PUBLISH_SCRIPT } from './redis-scripts';
import { Subscriptions, type CatchUp } from '../subscriptions';
import { checkTopic, isRetained } from './topics';

/** Publications Redis has not yet confirmed; beyond it is stuck, and what follows waits in the outbox, newest first. */
const MAX_UNCONFIRMED = 2_000;
/** Fields of the hash looked at in one step. */
const SCAN_COUNT = 1_000;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    surefillPublish(hash: string, topic: string, text: string, channel: string): Result<number, Context>;
  }
}

export interface RedisBusOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Keeps several installations on one Redis apart. */
  readonly prefix?: string;
  readonly onReport?: OnBusReport;
  /** How long the shared budget may take to answer; BUDGET_ANSWER_MS. */
  readonly budgetAnswerMs?: number;
}

export class RedisBus implements Bus {
  readonly rateBudget: BusRateBudget;
  readonly callerLimits: Pick<RateBudget, 'take'>;
  private readonly prefix: string;
  private readonly onReport: OnBusReport;
  private readonly outbox = new Outbox();
  private readonly subscriptions: Subscriptions;
  private readonly asking: Redis;
  private readonly listening: Redis;
  private unconfirmed = 0;
  private published = 0;
  /** Everything asked of the listening connection so far. */
  private subscribing: Promise<void> = Promise.resolve();
  private subscribed = false;
  private failedToSubscribe = false;
  /** Pings since either connection was last heard. */
  private readonly unanswered = { asking: 0, listening: 0 };
  private closed = false;
  private readonly pingTimer: NodeJS.Timeout;

  /** Connects in the background. */
  constructor(options: RedisBusOptions) {
    this.prefix = options.prefix ?? 'surefill';
    this.onReport = options.onReport ?? (() => undefined);
    this.subscriptions = new Subscriptions(this.onReport);
    const connection: RedisOptions = {
      // What cannot be sent now fails now: the outbox and the fallback budget decide what becomes of it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResubscribe: false,
      // Sent again, a taken token would be taken twice.
      autoResendUnfulfilledCommands: false,
      // The first reconnect waits for no timer.
      retryStrategy: (times) => (times === 1 ? 0 : backOffMs(BUS_BACK_OFF, times - 2)),
      connectTimeout: BUS_SILENCE_MS,
    };
    this.asking = new Redis(options.url, connection);
    this.listening = new Redis(options.url, connection);
    this.asking.defineCommand('surefillPublish', { numberOfKeys: 1, lua: PUBLISH_SCRIPT });
    this.watch(this.asking, 'asking');
    this.watch(this.listening, 'listening');
    this.listening.on('message', (channel: string, text: string) => this.heard(this.topicOf(channel), channel, text));
    this.listening.on('pmessage', (pattern: string, channel: string, text: string) => this.heard(this.topicOf(pattern).slice(0, -1), channel, text));
    const shared = new RedisRateBudget(this.asking, this.prefix, options.clock);
    this.rateBudget = new BusRateBudget(this, shared, options.clock, this.onReport, options.budgetAnswerMs);
    this.callerLimits = callerLimits(shared, options.clock, this.onReport, options.budgetAnswerMs);
    this.pingTimer = setInterval(() => this.ping(), BUS_PING_MS);
  }

  publish(topic: string, message: JsonObject | string): void {
    checkTopic(topic);
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES) throw new RangeError(`a message on ${topic} is larger than ${MAX_MESSAGE_BYTES} bytes`);
    // Never past what waits: an older value would come after a newer one.
    const order = (this.published += 1);
    if (this.canSend() && this.outbox.empty) this.send(topic, text, order);
    else this.outbox.put(topic, text, order);
  }

  subscribe(topicOrPrefix: string, listener: BusListener): () => void {
    const { remove, catchUp } = this.subscriptions.add(topicOrPrefix, listener);
    if (this.bothReady()) this.ask(topicOrPrefix, catchUp);
    else catchUp.end(); // fetched for everyone on return
    return () => {
      if (remove() && this.listening.status === 'ready') this.forget(topicOrPrefix);
    };
  }

  async synced(): Promise<void> {
    await this.subscribing;
    // In order on one connection: what was published before is there when this is answered.
    await withinMs(this.asking.ping(), BUS_SILENCE_MS, 'Redis');
    if (!this.subscribed || this.failedToSubscribe) throw new Error('Redis is away');
  }

  healthy(): boolean {
    return this.subscribed && !this.failedToSubscribe && Object.values(this.unanswered).every((pings) => pings < MAX_UNANSWERED_PINGS);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.rateBudget.close();
    clearInterval(this.pingTimer);
    // What was published reaches Redis; one that does not answer is not waited for.
    if (this.asking.status === 'ready') await withinMs(this.asking.quit(), BUS_SILENCE_MS, 'Redis').catch((error: unknown) => this.onReport({ kind: 'disconnected', reason: reasonOf(error) }));
    this.asking.disconnect();
    this.listening.disconnect();
  }

  private watch(redis: Redis, which: 'asking' | 'listening'): void {
    let reason = 'Redis closed the connection';
    redis.on('error', (error: Error) => {
      reason = error.message;
    });
    redis.on('ready', () => {
      this.unanswered[which] = 0;
      if (which === 'asking') this.onReport({ kind: 'connected' });
      if (this.bothReady()) this.subscribeAll();
      if (which === 'asking') this.sendWaiting();
    });
    redis.on('close', () => {
      this.subscribed = false;
      if (!this.closed && which === 'asking') this.onReport({ kind: 'disconnected', reason });
    });
  }

  private subscribeAll(): void {
    this.failedToSubscribe = false;
    for (const name of this.subscriptions.names()) this.ask(name, this.subscriptions.catchUpAll(name));
    this.subscribing = this.subscribing.then(() => {
      this.subscribed = this.bothReady() && !this.failedToSubscribe;
    });
  }

  /** Subscribed first, then the newest values: what is published between is heard live. */
  private ask(name: string, catchUp: CatchUp): void {
    const done = (name.endsWith('/') ? this.listening.psubscribe(`${this.channel(name)}*`) : this.listening.subscribe(this.channel(name)))
      .then(() => this.fetchNewest(name, catchUp))
      // Half a subscription is none: the connection that broke asks for all again when it is back.
      .catch((error: unknown) => {
        this.failedToSubscribe = true;
        this.onReport({ kind: 'disconnected', reason: reasonOf(error) });
      })
      .finally(() => catchUp.end());
    this.subscribing = Promise.all([this.subscribing, done]).then(() => undefined);
  }

  private async fetchNewest(name: string, catchUp: CatchUp): Promise<void> {
    if (!name.endsWith('/')) {
      const text = isRetained(name) ? await this.asking.hget(this.hash, name) : null;
      if (text !== null) catchUp.give(name, text);
      return;
    }
    if (!isRetained(name)) return;
    let cursor = '0';
    do {
      const [next, fields] = await this.asking.hscan(this.hash, cursor, 'MATCH', `${name}*`, 'COUNT', SCAN_COUNT);
      for (let index = 0; index + 1 < fields.length; index += 2) catchUp.give(fields[index] ?? '', fields[index + 1] ?? '');
      cursor = next;
    } while (cursor !== '0');
  }

  private forget(name: string): void {
    const done = name.endsWith('/') ? this.listening.punsubscribe(`${this.channel(name)}*`) : this.listening.unsubscribe(this.channel(name));
    // Without it we only hear what nobody listens to.
    done.catch((error: unknown) => this.onReport({ kind: 'disconnected', reason: reasonOf(error) }));
  }

  /** Redis brings a message once for each name it fits. */
  private heard(name: string, channel: string, text: string): void {
    this.unanswered.listening = 0;
    this.subscriptions.deliverTo([name], this.topicOf(channel), text);
  }

  private send(topic: string, text: string, order: number): void {
    this.unconfirmed += 1;
    const sent = isRetained(topic) ? this.asking.surefillPublish(this.hash, topic, text, this.channel(topic)) : this.asking.publish(this.channel(topic), text);
    sent.then(
      () => {
        this.unanswered.asking = 0;
        this.unconfirmed -= 1;
        this.sendWaiting();
      },
      (error: unknown) => {
        this.unconfirmed -= 1;
        // Lost with the connection: the newest value is told again on return, a moment has passed. What Redis itself refused
        // it would refuse again.
        if (isRetained(topic) && !(error instanceof ReplyError)) this.outbox.put(topic, text, order);
        else this.onReport({ kind: 'dropped', count: 1, reason: reasonOf(error) });
      },
    );
  }

  private sendWaiting(): void {
    if (this.outbox.empty || !this.canSend()) return;
    const count = this.outbox.drain((topic, text, order) => this.send(topic, text, order));
    if (count > 0) this.onReport({ kind: 'dropped', count, reason: TOO_LONG_AWAY });
  }

  private canSend(): boolean {
    return this.asking.status === 'ready' && this.unconfirmed < MAX_UNCONFIRMED;
  }

  private ping(): void {
    for (const which of ['asking', 'listening'] as const) {
      const redis = this[which];
      if (redis.status !== 'ready') continue;
      // Counted, not timed: a process that was busy itself has answers waiting to be read.
      if (this.unanswered[which] >= MAX_UNANSWERED_PINGS) {
        this.restart(redis);
        continue;
      }
      this.unanswered[which] += 1;
      redis.ping().then(
        () => {
          this.unanswered[which] = 0;
        },
        () => undefined, // its failure is the connection's, which is reported
      );
    }
    // What failed while the connection was breaking.
    this.sendWaiting();
  }

  /** Drops the connection at once and lets it come back by itself. */
  private restart(redis: Redis): void {
    if (!this.closed) redis.disconnect(true);
  }

  private bothReady(): boolean {
    return this.asking.status === 'ready' && this.listening.status === 'ready';
  }

  private topicOf(channel: string): string {
    return channel.slice(this.prefix.length + 1);
  }

  private channel(topic: string): string {
    return `${this.prefix}:${topic}`;
  }

  private get hash(): string {
    return `${this.prefix}:newest`;
  }
}
