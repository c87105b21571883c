/**
 * Strict nonces, from the gateway to the venue and back: real workflows, the real store, and a venue that takes a signer's
 * nonces only one after the other and loses requests or answers when told to.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Context } from '@temporalio/activity';
import { randomUUID } from 'node:crypto';
import { AttemptSender } from '../../src/activities/attempt-sender';
import { MutationSettler } from '../../src/activities/mutation-settler';
import { NonceSettler } from '../../src/activities/nonce-settler';
import { createOrderActivities } from '../../src/activities/order-path';
import { OrderResolver } from '../../src/activities/order-resolver';
import type { Account } from '../../src/domain/account';
import { isoTime, systemClock } from '../../src/domain/clock';
import type { OrderIntent } from '../../src/domain/order';
import type { ResolutionMemory } from '../../src/domain/resolution';
import type { SendOptions, SignedRequest, SendAnswer, Venue, VenueCapabilities, VenueOrder } from '../../src/domain/venue';
import { VenueOutcomeUnknown, VenueRefused, VenueUnavailable } from '../../src/domain/venue-errors';
import type { Store } from '../../src/store';
import { OrderGateway } from '../../src/temporal/order-gateway';
import { orderWorkflowId } from '../../src/temporal/workflow-ids';
import { intentFor, openStoreWorld, signingVenue, viewOf, type StoreWorld } from '../contract/store/harness';
import { startHarness, type WorkflowHarness } from './harness';

/** lost: on the way there; dropAnswer: on the way back. */
type Fate = 'answer' | 'lost' | 'dropAnswer';

class StrictVenue {
  readonly arrived: SignedRequest[] = [];
  readonly orders = new Map<string, VenueOrder>();
  readonly intents = new Map<string, OrderIntent>();
  fates: Fate[] = [];
  readable = true;
  private next = 1n;

  constructor(
    readonly name: string,
    private readonly changes: Partial<VenueCapabilities>,
  ) {}

  /** A signer of its own for each test: the count begins anew. */
  reset(): void {
    this.arrived.length = 0;
    this.fates = [];
    this.readable = true;
    this.next = 1n;
  }

  get nonces(): (string | null)[] {
    return this.arrived.map((request) => request.nonce);
  }

  get port(): Venue {
    const base = signingVenue(this.name, { nonceRule: 'increment', strictNonces: true, maxBatchSize: 1, absenceFinalAfterMs: 100, ...this.changes }, systemClock);
    const read = async <T>(answer: () => T): Promise<T> => {
      if (!this.readable) throw new VenueUnavailable(this.name, 'connection refused', 'connection');
      return answer();
    };
    return {
      ...base,
      session: (credentials) => ({
        ...base.session(credentials),
        send: (request, options) => this.send(request, options),
        findOrder: (order) => read(() => this.orders.get(order.venueClientId) ?? null),
        openOrders: () => read(() => [...this.orders.values()]),
        closedOrders: () => read(() => []),
        fillsSince: () => read(() => ({ fills: [], next: null, truncatedBeforeMs: null })),
        nextNonce: () => read(() => this.next),
      }),
    };
  }

  private async send(request: SignedRequest, options: SendOptions): Promise<SendAnswer> {
    if (!(await options.maySend())) throw new VenueUnavailable(this.name, 'nothing was sent', 'fence');
    this.arrived.push(request);
    const fate = this.fates.shift() ?? 'answer';
    if (fate === 'lost') throw new VenueOutcomeUnknown(this.name, 'timed out', 'timeout');
    if (BigInt(request.nonce ?? 0) !== this.next) throw new VenueRefused(this.name, 'other', '21104', 'invalid nonce');
    this.next += 1n;
    const { orders } = JSON.parse(request.bytes) as { orders: { venueClientId: string }[] };
    const views = orders.map(({ venueClientId }) => {
      const intent = this.intents.get(venueClientId);
      if (intent === undefined) throw new Error(`nobody meant to place ${venueClientId}`);
      return viewOf(intent);
    });
    for (const view of views) this.orders.set(view.venueClientId ?? '', view);
    if (fate === 'dropAnswer') throw new VenueOutcomeUnknown(this.name, 'reset', 'reset');
    return { items: views.map((order) => ({ kind: 'acknowledged', order })), raw: 'ok', venueTimeMs: Date.now(), latencyMs: 1 };
  }
}

const again = new StrictVenue('strict', { resendSafety: 'sameBytes' });
const once = new StrictVenue('strict-once', { resendSafety: 'none' });

let world: StoreWorld;
let store: Store;
let harness: WorkflowHarness;
let gateway: OrderGateway;
let working: { stop(): Promise<void> };

beforeAll(async () => {
  world = await openStoreWorld([again.port, once.port]);
  store = await world.openAnother({ clock: systemClock });
  harness = await startHarness();
  gateway = new OrderGateway(harness.client, () => ({ strictNonces: true, maxBatchSize: 1 }), systemClock);
  working = await harness.work(activities());
}, 120_000);
beforeEach(() => [again, once].forEach((venue) => venue.reset()));
afterAll(async () => {
  await working.stop();
  await harness.close();
  await world.close();
});

function activities(): Parameters<WorkflowHarness['work']>[0] {
  const venues = new Map([again.port, once.port].map((venue) => [venue.name, venue]));
  const ports = { clock: systemClock, venues, sending: store.sending, credentials: (accountId: string) => store.accounts.credentials(accountId), evidence: store.evidence, orderById: (id: string) => store.orders.byId(id) };
  const nonces = new NonceSettler({ nonces: store.nonces, credentials: ports.credentials });
  const settleNonce: NonceSettler['settle'] = (venue, accountId, signal) => nonces.settle(venue, accountId, signal);
  const sender = new AttemptSender(ports);
  const settler = new MutationSettler({ ...ports, mutations: store.mutations, settleNonce }, sender);
  const resolver = new OrderResolver({ ...ports, settleNonce, nameless: store.nameless, resend: store.resend, factsOf: (id) => store.placingHistory.factsOf(id), companionsOf: (id) => store.placingHistory.companionsOf(id), send: (attemptId, orderIds, signal) => sender.sendPlacing(attemptId, orderIds, signal) });
  return {
    ...createOrderActivities({
      clock: systemClock, placing: store.placing, mutations: store.mutations, sender, settler,
      onSendFailure: (call, error) => {
        throw new Error(`what came of ${call.attemptId} could not be committed`, { cause: error });
      },
    }),
    resolveOrder: ({ orderId, memory }: { orderId: string; memory: ResolutionMemory }) => resolver.step(orderId, memory, Context.current().cancellationSignal),
  };
}

/** Two accounts of one signer. */
async function accounts(venue: string): Promise<readonly [Account, Account]> {
  const signerId = randomUUID();
  return [await world.newAccount({ venue, signerId }), await world.newAccount({ venue, signerId })];
}

/** Settles when the order had its first answer, or waits for its signer. */
async function place(venue: StrictVenue, account: Account, lifeMs = 60_000): Promise<OrderIntent> {
  const intent = intentFor(account, { placeBefore: isoTime(Date.now() + lifeMs) });
  venue.intents.set(intent.venueClientId, intent);
  await gateway.place([intent]);
  return intent;
}

const stateOf = async (intent: OrderIntent): Promise<string | undefined> => (await store.orders.byId(intent.id))?.state;
const ended = (intent: OrderIntent): Promise<unknown> => harness.client.workflow.getHandle(orderWorkflowId(intent.accountId, intent.clientOrderId)).result();

describe('an unknown outcome', () => {
  test('holds the signer\'s next order until the venue\'s count is known; each is placed once, with its own nonce', async () => {
    const [a, b] = await accounts('strict');
    again.fates = ['dropAnswer'];
    again.readable = false;
    const first = await place(again, a);
    const second = await place(again, b);
    expect([await stateOf(first), await stateOf(second)]).toEqual(['UNKNOWN', 'SUBMITTING']);
    expect(again.nonces).toEqual(['1']);
    again.readable = true;
    await Promise.all([ended(first), ended(second)]);
    expect([await stateOf(first), await stateOf(second)]).toEqual(['WORKING', 'WORKING']);
    expect(again.arrived.filter((request) => request.bytes.includes(second.venueClientId)).map((request) => request.nonce)).toEqual(['2']);
  });

  test('of a request that was lost: its own bytes go again before any other of the signer', async () => {
    const [a, b] = await accounts('strict');
    again.fates = ['lost'];
    const [first, second] = await Promise.all([place(again, a), place(again, b)]);
    await Promise.all([ended(first), ended(second)]);
    expect([await stateOf(first), await stateOf(second)]).toEqual(['WORKING', 'WORKING']);
    expect(again.nonces).toEqual(['1', '1', '2']);
    expect(again.arrived[0]?.bytes).toBe(again.arrived[1]?.bytes);
  });

  test('where bytes never go twice: past the venue\'s deadline the nonce is free, and the next order uses it', async () => {
    const [a, b] = await accounts('strict-once');
    once.fates = ['lost'];
    const first = await place(once, a, 2_500);
    const second = await place(once, b);
    expect(await stateOf(second)).toBe('SUBMITTING');
    await Promise.all([ended(first), ended(second)]);
    expect(await stateOf(second)).toBe('WORKING');
    expect(await store.orders.byId(first.id)).toMatchObject({ state: 'REJECTED' });
    expect(once.nonces).toEqual(['1', '1']);
    expect([...once.orders.keys()]).toEqual([second.venueClientId]);
  }, 60_000);
});
