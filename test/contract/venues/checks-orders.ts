/** What a venue's adapter must do with orders that get an answer. */
import assert from 'node:assert/strict';
import type { SendAnswer, VenueOrder } from '../../../src/domain/venue';
import { VenueRefused } from '../../../src/domain/venue-errors';
import type { ContractCheck } from './contract';
import { deadline, hasQuirk, LONG_AFTER_MS, marketOrderFor, newClientId, orderFor, place, prepared, reading, sending, termsOf } from './harness';

export function acknowledged(answer: SendAnswer, index = 0): VenueOrder {
  const item = answer.items[index];
  assert.equal(item?.kind, 'acknowledged', `expected an order, got ${JSON.stringify(item)}`);
  return item.order;
}

export function refusedCode(answer: SendAnswer, index = 0): string {
  const item = answer.items[index];
  assert.equal(item?.kind, 'refused', `expected a refusal, got ${JSON.stringify(item)}`);
  return item.code;
}

const reference = (order: VenueOrder): { venueClientId: string; venueOrderId: string; venueSymbol: string } => ({
  venueClientId: order.venueClientId ?? '',
  venueOrderId: order.venueOrderId,
  venueSymbol: order.venueSymbol,
});

export const ORDER_CHECKS: readonly ContractCheck[] = [
  {
    name: 'a limit order rests exactly as it was asked for',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const asked = orderFor(harness);
      const order = acknowledged(await place(harness, session, [asked]));
      const { venueOrderId, revision, updatedAtMs, ...shown } = order;
      assert.deepEqual(shown, {
        ...{ venueClientId: asked.venueClientId, venueSymbol: asked.venueSymbol, side: 'buy', type: 'limit', timeInForce: 'GTC' },
        ...{ quantity: asked.quantity, limitPrice: asked.limitPrice, filledQuantity: '0', avgPrice: null, status: 'open', reasonCode: null },
        ...{ postOnly: false, reduceOnly: false },
      });
      assert.ok(venueOrderId !== '' && updatedAtMs > 0 && (revision === null || revision >= 0));
      const atVenue = await harness.control.accepted(name);
      assert.deepEqual(
        atVenue.map(({ clientId, quantity, price }) => ({ clientId, quantity, price })),
        [{ clientId: asked.venueClientId, quantity: asked.quantity, price: asked.limitPrice }],
      );
    },
  },
  {
    name: 'a market order fills at the best price of the other side',
    run: async (harness) => {
      const { session } = await harness.account();
      const { asks, bids } = await harness.venue.orderBook(harness.symbol, 1, reading());
      const bought = acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      assert.deepEqual([bought.status, bought.filledQuantity, bought.avgPrice], ['filled', harness.quantity, asks[0]?.[0]]);
      const sold = acknowledged(await place(harness, session, [marketOrderFor(harness, { side: 'sell' })]));
      assert.deepEqual([sold.side, sold.status, sold.avgPrice], ['sell', 'filled', bids[0]?.[0]]);
    },
  },
  {
    name: 'an IOC takes what is there and cancels the rest; with nothing there it is canceled',
    run: async (harness) => {
      const { session } = await harness.account();
      const [best] = (await harness.venue.orderBook(harness.symbol, 1, reading())).asks;
      assert.ok(best);
      const [price, there] = best;
      const partly = acknowledged(await place(harness, session, [orderFor(harness, { timeInForce: 'IOC', limitPrice: price, quantity: String(Number(there) + 1) })]));
      assert.deepEqual([partly.status, partly.filledQuantity], ['canceled', there]);
      const second = await place(harness, session, [orderFor(harness, { timeInForce: 'IOC' })]);
      if (second.items[0]?.kind === 'refused') {
        assert.equal(refusedCode(second), 'noLiquidity');
        return;
      }
      const nothing = acknowledged(second);
      assert.deepEqual([nothing.status, nothing.filledQuantity, nothing.timeInForce], ['canceled', '0', 'IOC']);
      assert.notEqual(nothing.reasonCode, null);
    },
  },
  {
    name: 'a FOK fills all or nothing',
    run: async (harness) => {
      if (!harness.venue.capabilities.timesInForce.includes('FOK')) return;
      const { session } = await harness.account();
      const [best] = (await harness.venue.orderBook(harness.symbol, 1, reading())).asks;
      assert.ok(best);
      const [price, there] = best;
      const answer = await place(harness, session, [
        orderFor(harness, { timeInForce: 'FOK', limitPrice: price, quantity: String(Number(there) + 1) }),
        orderFor(harness, { timeInForce: 'FOK', limitPrice: price }),
      ]);
      assert.deepEqual([acknowledged(answer, 0).status, acknowledged(answer, 0).filledQuantity], ['canceled', '0']);
      assert.deepEqual([acknowledged(answer, 1).status, acknowledged(answer, 1).filledQuantity], ['filled', harness.quantity]);
    },
  },
  {
    name: 'a post-only order rests or is refused, and never takes',
    run: async (harness) => {
      const { session } = await harness.account();
      const crossing = String(Number(harness.price) * 1.01);
      const answer = await place(harness, session, [orderFor(harness, { postOnly: true, limitPrice: crossing }), orderFor(harness, { postOnly: true })]);
      assert.equal(refusedCode(answer, 0), 'postOnlyWouldCross');
      assert.deepEqual([acknowledged(answer, 1).status, acknowledged(answer, 1).postOnly], ['open', true]);
    },
  },
  {
    name: 'a reduce-only order reduces or is refused, and never opens',
    run: async (harness) => {
      const { session } = await harness.account();
      assert.equal(refusedCode(await place(harness, session, [marketOrderFor(harness, { side: 'sell', reduceOnly: true })])), 'reduceOnlyWouldIncrease');
      acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const exit = acknowledged(await place(harness, session, [marketOrderFor(harness, { side: 'sell', reduceOnly: true })]));
      assert.deepEqual([exit.status, exit.reduceOnly], ['filled', true]);
      assert.deepEqual(await session.positions(reading()), []);
    },
  },
  {
    name: 'a reduce-only order for more than is held closes what is held, and no more',
    run: async (harness) => {
      const { session } = await harness.account();
      acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const exit = acknowledged(await place(harness, session, [marketOrderFor(harness, { side: 'sell', reduceOnly: true, quantity: String(Number(harness.quantity) * 2) })]));
      assert.deepEqual([exit.status === 'open', exit.filledQuantity], [false, harness.quantity]);
      assert.deepEqual(await session.positions(reading()), []);
    },
  },
  {
    name: 'each order of a list gets its own answer, in the order of the list',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const market = (await harness.venue.markets(reading())).find(({ venueSymbol }) => venueSymbol === harness.symbol);
      assert.ok(market);
      const orders = [
        orderFor(harness),
        orderFor(harness, { limitPrice: `${orderFor(harness).limitPrice}.00000001` }),
        // Far from the market, and inside every venue's price band.
        orderFor(harness, { side: 'sell', limitPrice: String(Number(harness.price) * 1.5) }),
        orderFor(harness, { quantity: `${harness.quantity}00000001` }),
        orderFor(harness, { quantity: '1000' }),
        orderFor(harness, { venueSymbol: 'NO-SUCH-MARKET' }),
        orderFor(harness),
      ];
      const { items } = await place(harness, session, orders);
      assert.deepEqual(
        items.map((item) => (item.kind === 'refused' ? item.code : item.kind)),
        ['acknowledged', 'invalidPrice', 'acknowledged', 'invalidQuantity', 'insufficientMargin', 'marketClosed', 'acknowledged'],
      );
      const ids = items.map((item) => (item.kind === 'acknowledged' ? item.order.venueClientId : null));
      assert.deepEqual(ids, [0, null, 2, null, null, null, 6].map((index) => (index === null ? null : orders[index]?.venueClientId)));
      assert.deepEqual((await harness.control.accepted(name)).map(({ clientId }) => clientId), ids.filter((id) => id !== null));
    },
  },
  {
    name: 'a refusal keeps the words of the venue',
    run: async (harness) => {
      const { session } = await harness.account();
      const [item] = (await place(harness, session, [orderFor(harness, { quantity: '1000' })])).items;
      assert.ok(item?.kind === 'refused' && item.venueCode !== '' && item.message !== '');
    },
  },
  {
    name: 'a client id is refused when it was ever accepted, open or closed',
    run: async (harness) => {
      if (hasQuirk(harness, 'reusableClientIds')) return;
      const { session, name } = await harness.account();
      const open = orderFor(harness);
      const done = marketOrderFor(harness);
      acknowledged(await place(harness, session, [open]));
      acknowledged(await place(harness, session, [done]));
      const again = await place(harness, session, [open, done]);
      assert.deepEqual([refusedCode(again, 0), refusedCode(again, 1)], ['duplicateClientId', 'duplicateClientId']);
      assert.equal((await harness.control.accepted(name)).length, 2);
    },
  },
  {
    name: 'a request whose deadline passed by the clock of the venue has no effect',
    run: async (harness) => {
      const { session, name } = await harness.account();
      const stale = await prepared(harness, session, [orderFor(harness)]);
      await harness.control.advanceClock(LONG_AFTER_MS + 1_000);
      const code = await session.send(stale, sending()).then(
        (answer) => refusedCode(answer),
        (error: unknown) => (error instanceof VenueRefused ? error.code : String(error)),
      );
      assert.equal(code, 'expiredRequest');
      assert.deepEqual(await harness.control.accepted(name), []);
    },
  },
  {
    name: 'prepared bytes are the same each time, carry the deadline, and hold no secret',
    run: async (harness) => {
      const { session, key } = await harness.account();
      const order = orderFor(harness);
      const context = await deadline(harness);
      const [first, second] = [session.preparePlace([order], context), session.preparePlace([order], context)];
      assert.deepEqual(first, second);
      assert.equal(first.kind, 'place');
      assert.equal(first.venueDeadlineMs, context.venueDeadlineMs);
      assert.ok(!JSON.stringify(first).includes(key));
    },
  },
  {
    name: 'an amendment changes price and quantity in place, and has no second effect',
    run: async (harness) => {
      const { session } = await harness.account();
      const order = acknowledged(await place(harness, session, [orderFor(harness)]));
      const replaces = hasQuirk(harness, 'replacingAmends');
      const amendment = { order: reference(order), terms: termsOf(order), amendmentId: newClientId(), limitPrice: String(Number(harness.price) / 4), quantity: '0.02' };
      const request = session.prepareAmend(amendment, await deadline(harness));
      const amended = acknowledged(await session.send(request, sending()));
      assert.deepEqual([replaces ? order.venueOrderId : amended.venueOrderId, amended.limitPrice, amended.quantity, amended.status], [order.venueOrderId, amendment.limitPrice, '0.02', 'open']);
      await session.send(session.prepareAmend({ ...amendment, terms: termsOf(amended), amendmentId: newClientId(), limitPrice: null, quantity: '0.03' }, await deadline(harness)), sending());
      const again = await session.send(request, sending());
      if (replaces) assert.equal(refusedCode(again), 'duplicateClientId');
      else assert.equal(acknowledged(again).revision, amended.revision);
      const now = await session.findOrder(reference(order), reading());
      assert.deepEqual([now?.quantity, now?.limitPrice], ['0.03', amendment.limitPrice]);
    },
  },
  {
    name: 'an amendment of an unknown or closed order is refused as that',
    run: async (harness) => {
      const { session } = await harness.account();
      const closed = acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const terms = { ...termsOf(closed), filledQuantity: '0', type: 'limit' as const, timeInForce: 'GTC' as const, limitPrice: orderFor(harness).limitPrice };
      const amend = async (of: Pick<VenueOrder, 'venueOrderId'> & { venueClientId: string }): Promise<string> =>
        refusedCode(await session.send(session.prepareAmend({ order: { ...of, venueSymbol: harness.symbol }, terms, amendmentId: newClientId(), limitPrice: null, quantity: '0.02' }, await deadline(harness)), sending()));
      assert.equal(await amend(reference(closed)), 'alreadyClosed');
      assert.equal(await amend({ venueOrderId: '999999999', venueClientId: newClientId() }), hasQuirk(harness, 'vagueCancels') ? 'alreadyClosed' : 'notFound');
    },
  },
  {
    name: 'cancels are answered one by one: by order id, by client id, unknown, and already closed',
    run: async (harness) => {
      const { session } = await harness.account();
      const placed = await place(harness, session, [orderFor(harness), orderFor(harness), marketOrderFor(harness)]);
      const [first, second, done] = [acknowledged(placed, 0), acknowledged(placed, 1), acknowledged(placed, 2)];
      const request = session.prepareCancel(
        [{ ...reference(second), venueOrderId: null }, { ...reference(first), venueOrderId: null, venueClientId: newClientId() }, reference(done), reference(first)],
        await deadline(harness),
      );
      const answer = await session.send(request, sending({ priority: 'exit' }));
      assert.deepEqual([acknowledged(answer, 0).venueClientId, acknowledged(answer, 0).status], [second.venueClientId, 'canceled']);
      assert.deepEqual([refusedCode(answer, 1), refusedCode(answer, 2)], ['notFound', hasQuirk(harness, 'vagueCancels') ? 'notFound' : 'alreadyClosed']);
      assert.deepEqual([acknowledged(answer, 3).venueClientId, acknowledged(answer, 3).status], [first.venueClientId, 'canceled']);
      assert.deepEqual(await session.openOrders(reading()), []);
    },
  },
  {
    name: 'a list of the largest size is answered whole',
    run: async (harness) => {
      const { session } = await harness.account();
      const size = harness.venue.capabilities.maxBatchSize;
      const orders = Array.from({ length: size }, () => orderFor(harness, { quantity: '0.001' }));
      const { items } = await session.send(await prepared(harness, session, orders), sending());
      assert.deepEqual(items.map((_, index) => acknowledged({ items, raw: '', venueTimeMs: null, latencyMs: 0 }, index).venueClientId), orders.map(({ venueClientId }) => venueClientId));
      assert.equal((await session.openOrders(reading())).length, size);
    },
  },
  {
    name: 'an answer tells its time at the venue, how long it took, and the words of the venue',
    run: async (harness) => {
      const { session } = await harness.account();
      const order = orderFor(harness);
      const answer = await place(harness, session, [order]);
      assert.ok(answer.latencyMs >= 0);
      assert.ok(answer.venueTimeMs === null || answer.venueTimeMs > 0);
      assert.ok(answer.raw.includes(order.venueClientId));
    },
  },
];
