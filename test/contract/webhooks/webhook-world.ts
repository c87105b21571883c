/** One account, one receiver and a webhook between them over a real PostgreSQL; time is the test's. */
import type { DeliveryRound } from '../../../src/activities/webhook-deliverer';
import { AddressGuard, networkOf } from '../../../src/delivery/address-guard';
import { GuardedClient } from '../../../src/delivery/guarded-client';
import { newWebhookSecret } from '../../../src/delivery/signature';
import type { Account } from '../../../src/domain/account';
import { Receiver, roundOf } from './webhook-receiver';
import { intentFor, openStoreWorld, OWNER, seen, viewOf, type StoreWorld } from '../store/harness';

export const HOUR_MS = 3_600_000;
export const ACTOR = 'key:test';
type Wanted = Parameters<StoreWorld['store']['webhooks']['create']>[0];

export class WebhookWorld {
  endpointId = '';
  private constructor(
    readonly world: StoreWorld,
    readonly client: GuardedClient,
    private made: { account: Account; receiver: Receiver } | null = null,
  ) {}

  static async open(): Promise<WebhookWorld> {
    const guard = new AddressGuard([networkOf('127.0.0.1')].filter((network) => network !== null));
    return new WebhookWorld(await openStoreWorld(), new GuardedClient({ guard, allowHttp: true, timeoutMs: 2_000 }));
  }

  get account(): Account {
    return this.now().account;
  }

  get receiver(): Receiver {
    return this.now().receiver;
  }

  get store(): StoreWorld['store'] {
    return this.world.store;
  }

  /** Before each test. */
  async begin(): Promise<void> {
    this.world.clock.ms = Date.now();
    this.made = { account: await this.world.newAccount(), receiver: await Receiver.start() };
    this.endpointId = await this.subscribe();
  }

  /** After each test. */
  async end(): Promise<void> {
    await this.store.webhooks.remove(this.endpointId, this.world.userId, ACTOR);
    await this.receiver.stop();
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.world.close();
  }

  async subscribe(changes: Partial<Wanted> = {}): Promise<string> {
    const { receiver, account } = this.now();
    receiver.secret = newWebhookSecret();
    const wanted: Wanted = { userId: this.world.userId, url: receiver.url, description: '', eventTypes: ['*'], accountIds: [account.id], rateLimit: null, ordering: 'perKey', secret: receiver.secret, ...changes };
    return (await this.store.webhooks.create(wanted, ACTOR)).id;
  }

  round(id = this.endpointId): Promise<DeliveryRound> {
    return roundOf(this.world, this.client, id);
  }

  /** Rounds and the waits between them, until that time has passed: what the workflow does. */
  async live(forMs: number): Promise<void> {
    const { clock } = this.world;
    const endMs = clock.ms + forMs;
    for (;;) {
      const { waitMs } = await this.round();
      if (clock.ms >= endMs) return;
      clock.ms = Math.min(endMs, clock.ms + Math.max(waitMs, 1));
    }
  }

  /** An order that is placed and works: events order.submitting and order.working. */
  async placed(): Promise<string> {
    const intent = intentFor(this.account);
    await this.store.placing.recordOrders([intent], OWNER);
    await this.store.evidence.apply([{ orderId: intent.id, evidence: seen(viewOf(intent)) }]);
    return intent.id;
  }

  private now(): { account: Account; receiver: Receiver } {
    if (this.made === null) throw new Error('begin() comes before the test');
    return this.made;
  }
}
