/** One connected socket and its subscriptions. */
import type { z } from 'zod';
import { DomainError } from '../domain/errors';
import { subscribeSchema, unsubscribeSchema, type AccountSubscribeRequest, type MarketSubscribeRequest, type UnsubscribeRequest, type UserSubscribeRequest } from '../schemas/socket';
import { AccountSubscription } from './account-subscription';
import type { MarketFeed } from './prices/market-feed';
import type { Outgoing } from './outgoing';
import type { Subscribed } from './socket-events';
import type { SocketLimits, SocketOptions } from './socket-options';

interface Opened {
  readonly subscribed: Subscribed;
  readonly start: () => void;
}

export class SocketSession {
  private readonly subscriptions = new Map<string, { close(): void }>();
  private pending = 0;
  private closed = false;

  constructor(
    private readonly userId: string,
    private readonly out: Outgoing,
    private readonly options: SocketOptions,
    private readonly limits: SocketLimits,
    private readonly markets: MarketFeed,
  ) {}

  /** Throws DomainError. `start` is called after the answer was sent. */
  async subscribe(message: unknown): Promise<Opened> {
    const request = parsed(subscribeSchema, message);
    if (this.pending >= this.limits.pendingSubscribes) throw new DomainError('RATE_LIMITED', `at most ${this.limits.pendingSubscribes} subscribe messages at once; wait for their answers`);
    this.pending += 1;
    try {
      // A snapshot may be large: not before the client has read the last ones.
      await this.out.room();
      return 'symbol' in request ? await this.openMarket(request) : await this.openStream(request);
    } finally {
      this.pending -= 1;
    }
  }

  /** Throws DomainError NOT_FOUND where there is no such subscription. */
  async unsubscribe(message: unknown): Promise<void> {
    const request = parsed(unsubscribeSchema, message);
    const market = 'symbol' in request ? await this.options.resolveMarket(request.venue, request.symbol) : null;
    const name = market ? nameOf({ ...request, ...market }) : nameOf(request);
    const subscription = this.subscriptions.get(name);
    if (!subscription) throw new DomainError('NOT_FOUND', 'no such subscription on this socket');
    this.subscriptions.delete(name);
    subscription.close();
  }

  close(): void {
    this.closed = true;
    for (const subscription of this.subscriptions.values()) subscription.close();
    this.subscriptions.clear();
  }

  private async openStream(request: AccountSubscribeRequest | UserSubscribeRequest): Promise<Opened> {
    if ('accountId' in request && !(await this.options.ownsAccount(this.userId, request.accountId))) throw new DomainError('NOT_FOUND', 'no such account');
    const { tail, snapshots, lastStreamAlert, onError } = this.options;
    const subscription = new AccountSubscription(request, this.userId, { tail, snapshots, lastStreamAlert, onError, ...this.options.subscription }, this.out);
    this.keep(nameOf(request), subscription);
    try {
      const subscribed = await subscription.open();
      return { subscribed, start: () => subscription.start() };
    } catch (error) {
      this.drop(nameOf(request), subscription);
      throw error;
    }
  }

  private async openMarket(request: MarketSubscribeRequest): Promise<Opened> {
    const market = await this.options.resolveMarket(request.venue, request.symbol);
    if (!market) throw new DomainError('NOT_FOUND', `no market ${request.symbol} at ${request.venue}`);
    const subject = { channel: request.channel, venue: market.venue, symbol: market.symbol };
    this.checkRoom(nameOf(subject));
    const { subscribed, close } = this.markets.open(subject, this.out);
    this.keep(nameOf(subject), { close });
    return { subscribed, start: () => undefined };
  }

  /** The same subject again takes the place of the earlier subscription. */
  private keep(name: string, subscription: { close(): void }): void {
    this.checkRoom(name);
    this.subscriptions.get(name)?.close();
    this.subscriptions.set(name, subscription);
    if (this.closed) this.drop(name, subscription);
  }

  private drop(name: string, subscription: { close(): void }): void {
    subscription.close();
    if (this.subscriptions.get(name) === subscription) this.subscriptions.delete(name);
  }

  private checkRoom(name: string): void {
    if (this.subscriptions.has(name) || this.subscriptions.size < this.limits.subscriptionsPerSocket) return;
    throw new DomainError('RATE_LIMITED', `at most ${this.limits.subscriptionsPerSocket} subscriptions per socket; unsubscribe others first, or open another socket`);
  }
}

function nameOf(request: UnsubscribeRequest): string {
  if (!('symbol' in request)) return 'accountId' in request ? `${request.channel}/${request.accountId}` : request.channel;
  return `${request.channel}/${request.venue}/${request.symbol}`;
}

function parsed<Schema extends z.ZodType>(schema: Schema, message: unknown): z.infer<Schema> {
  const result = schema.safeParse(message);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message: text }) => ({ path: path.join('.'), message: text }));
  throw new DomainError('VALIDATION', `the message is not valid: ${issues[0]?.path ?? ''} ${issues[0]?.message ?? ''}`.trim(), { details: { issues } });
}
