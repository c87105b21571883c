/** What a venue's adapter must tell of an account: orders, fills, positions, balances, settings. */
import assert from 'node:assert/strict';
import { decimal, decimalText } from '../../../src/domain/decimal';
import type { PrivateMessage, VenueAccountSession, VenueFill, VenueOrder } from '../../../src/domain/venue';
import { acknowledged } from './checks-orders';
import type { ContractCheck } from './contract';
import { comparable, deadline, hasQuirk, Heard, marketOrderFor, newClientId, orderFor, place, reading, sending, type VenueHarness } from './harness';

/** Every fill since a time, page by page. */
export async function allFills(session: VenueAccountSession, sinceMs: number): Promise<VenueFill[]> {
  const fills: VenueFill[] = [];
  let cursor: string | null = null;
  // A cursor that never ends is a defect too.
  for (let page = 0; page < 100; page += 1) {
    const answer = await session.fillsSince(sinceMs, cursor, reading());
    fills.push(...answer.fills);
    if (answer.next === null) return fills;
    cursor = answer.next;
  }
  return assert.fail('the pages of fills never ended');
}

async function orderBy(harness: VenueHarness, session: VenueAccountSession, change: Parameters<typeof marketOrderFor>[1]): Promise<ReturnType<typeof acknowledged>> {
  return acknowledged(await place(harness, session, [marketOrderFor(harness, change)]));
}

export const ACCOUNT_CHECKS: readonly ContractCheck[] = [
  {
    name: 'an order is found by its client id, open or closed; an unknown one is null',
    run: async (harness) => {
      const { session } = await harness.account();
      const open = acknowledged(await place(harness, session, [orderFor(harness)]));
      const done = await orderBy(harness, session, {});
      const find = (venueClientId: string, venueOrderId: string | null = null) => session.findOrder({ venueClientId, venueOrderId, venueSymbol: harness.symbol }, reading());
      const same = (seen: VenueOrder | null, order: VenueOrder, why?: string): void => assert.deepEqual(comparable(harness, seen), comparable(harness, order), why);
      same(await find(open.venueClientId ?? ''), open);
      same(await find(done.venueClientId ?? ''), done);
      assert.equal(await find(newClientId()), null);
      same(await find('', open.venueOrderId), open, 'an order without a client id is found by its order id');
      same(await find('', done.venueOrderId), done);
      assert.equal(await find('', '999999999'), null);
    },
  },
  {
    name: 'an order of another account is not found',
    run: async (harness) => {
      const [mine, theirs] = [await harness.account(), await harness.account()];
      const order = acknowledged(await place(harness, mine.session, [orderFor(harness)]));
      assert.equal(await theirs.session.findOrder({ venueClientId: order.venueClientId ?? '', venueOrderId: order.venueOrderId, venueSymbol: order.venueSymbol }, reading()), null);
      assert.deepEqual(await theirs.session.openOrders(reading()), []);
    },
  },
  {
    name: 'a query that fails is an error and never an empty answer',
    run: async (harness) => {
      const { session } = await harness.account();
      for (const read of [
        () => session.findOrder({ venueClientId: newClientId(), venueOrderId: null, venueSymbol: harness.symbol }, reading()),
        () => session.openOrders(reading()),
        () => session.fillsSince(0, null, reading()),
        () => session.positions(reading()),
      ]) {
        await harness.control.rateLimit('read', 1);
        await assert.rejects(read);
      }
    },
  },
  {
    name: 'open and closed orders are told apart, whole, and from a time on inclusive',
    run: async (harness) => {
      const { session } = await harness.account();
      const placed = await place(harness, session, [orderFor(harness), ...Array.from({ length: 7 }, () => marketOrderFor(harness))]);
      const ids = placed.items.map((item) => (item.kind === 'acknowledged' ? item.order.venueOrderId : ''));
      assert.deepEqual((await session.openOrders(reading())).map(({ venueOrderId }) => venueOrderId), ids.slice(0, 1));
      assert.deepEqual((await session.closedOrders(0, reading())).map(({ venueOrderId }) => venueOrderId), ids.slice(1));
      const last = (await session.closedOrders(0, reading())).at(-1);
      assert.ok(last);
      assert.ok((await session.closedOrders(last.updatedAtMs, reading())).some(({ venueOrderId }) => venueOrderId === last.venueOrderId));
      assert.deepEqual(await session.closedOrders(last.updatedAtMs + 1, reading()), []);
    },
  },
  {
    name: 'every fill comes once, oldest first, over as many pages as it takes',
    run: async (harness) => {
      const { session } = await harness.account();
      // More than two pages, in one request and so mostly of one millisecond.
      const orders = Array.from({ length: 8 }, (_, index) => marketOrderFor(harness, { side: index % 2 === 0 ? 'buy' : 'sell' }));
      await place(harness, session, orders);
      const fills = await allFills(session, 0);
      assert.deepEqual(fills.map(({ venueClientId }) => venueClientId), orders.map(({ venueClientId }) => venueClientId));
      assert.equal(new Set(fills.map(({ venueFillId, side }) => `${venueFillId}/${side}`)).size, 8);
      assert.deepEqual(fills.map(({ atMs }) => atMs), fills.map(({ atMs }) => atMs).sort((a, b) => a - b));
    },
  },
  {
    name: 'fills since a time include those of that very time',
    run: async (harness) => {
      const { session } = await harness.account();
      await orderBy(harness, session, {});
      const [fill] = await allFills(session, 0);
      assert.ok(fill);
      assert.deepEqual(await allFills(session, fill.atMs), [fill]);
      assert.deepEqual(await allFills(session, fill.atMs + 1), []);
    },
  },
  {
    name: 'a fill tells side, price, quantity, fee and liquidity as they were',
    run: async (harness) => {
      const { session } = await harness.account();
      const market = (await harness.venue.markets(reading())).find(({ venueSymbol }) => venueSymbol === harness.symbol);
      assert.ok(market);
      const taken = await orderBy(harness, session, {});
      const resting = orderFor(harness, { side: 'sell', limitPrice: String(Number(harness.price) + 1_000) });
      const made = acknowledged(await place(harness, session, [resting]));
      await harness.control.movePrice(harness.symbol, String(Number(harness.price) + 2_000));
      const [taker, maker] = await allFills(session, 0);
      const feeOf = (price: string, rate: string): string => decimalText(decimal(price).times(harness.quantity).times(rate));
      const common = { venueSymbol: harness.symbol, quantity: harness.quantity, feeAsset: taker?.feeAsset };
      assert.deepEqual(pick(taker), { ...common, venueOrderId: taken.venueOrderId, side: 'buy', price: taken.avgPrice, liquidity: 'taker', fee: feeOf(taken.avgPrice ?? '', market.takerFeeRate) });
      assert.deepEqual(pick(maker), { ...common, venueOrderId: made.venueOrderId, side: 'sell', price: resting.limitPrice, liquidity: 'maker', fee: feeOf(resting.limitPrice ?? '', market.makerFeeRate) });
      const profit = decimal(resting.limitPrice ?? '').minus(taken.avgPrice ?? '').times(harness.quantity);
      assert.ok(maker?.realizedPnl !== null && profit.equals(maker?.realizedPnl ?? ''), `${maker?.realizedPnl} is not ${profit}`);
    },
  },
  {
    name: 'fills the venue hides are said to be hidden',
    run: async (harness) => {
      const { session, name } = await harness.account();
      await orderBy(harness, session, {});
      const [fill] = await allFills(session, 0);
      assert.equal((await session.fillsSince(0, null, reading())).truncatedBeforeMs, null);
      if (hasQuirk(harness, 'silentTruncation')) return;
      const beforeMs = (fill?.atMs ?? 0) + 1;
      await harness.control.truncateHistory(name, beforeMs);
      assert.deepEqual(await session.fillsSince(0, null, reading()), { fills: [], next: null, truncatedBeforeMs: beforeMs });
    },
  },
  {
    name: 'a position is long after buying, short after selling, and gone when flat',
    run: async (harness) => {
      const { session } = await harness.account();
      const bought = await orderBy(harness, session, {});
      const [long] = await session.positions(reading());
      assert.deepEqual([long?.venueSymbol, long?.side, long?.quantity, long?.entryPrice], [harness.symbol, 'long', harness.quantity, bought.avgPrice]);
      const sold = await orderBy(harness, session, { side: 'sell', quantity: decimalText(decimal(harness.quantity).times(3)) });
      const [short] = await session.positions(reading());
      assert.deepEqual([short?.side, short?.quantity, short?.entryPrice], ['short', decimalText(decimal(harness.quantity).times(2)), sold.avgPrice]);
      await orderBy(harness, session, { quantity: decimalText(decimal(harness.quantity).times(2)) });
      assert.deepEqual(await session.positions(reading()), []);
    },
  },
  {
    name: 'balances fall by the fee, and what an order holds is not available',
    run: async (harness) => {
      const { session } = await harness.account();
      const balanceOf = async (asset: string) => {
        const found = (await session.balances(reading())).find((balance) => balance.asset === asset);
        assert.ok(found, `no balance of ${asset}`);
        return found;
      };
      await orderBy(harness, session, {});
      const [fill] = await allFills(session, 0);
      assert.ok(fill);
      const after = await balanceOf(fill.feeAsset);
      const start = decimal(after.total).plus(fill.fee);
      assert.ok(start.isInteger(), `a whole deposit less the fee ${fill.fee}, not ${after.total}`);
      acknowledged(await place(harness, session, [orderFor(harness)]));
      assert.ok(decimal((await balanceOf(fill.feeAsset)).available).lessThan(after.available));
    },
  },
  {
    name: 'leverage is set for the market',
    run: async (harness) => {
      const { session } = await harness.account();
      await session.setLeverage(harness.symbol, '4', reading());
      await orderBy(harness, session, {});
      assert.equal((await session.positions(reading()))[0]?.leverage, '4');
      await assert.rejects(() => session.setLeverage(harness.symbol, '0', reading()), RangeError);
    },
  },
  {
    name: 'the dead-man switch cancels what is open when it runs out, and can be disarmed',
    run: async (harness) => {
      const { session } = await harness.account();
      if (!harness.venue.capabilities.deadManSwitch) return;
      const order = acknowledged(await place(harness, session, [orderFor(harness)]));
      await session.setDeadManSwitch(60_000, reading());
      await session.setDeadManSwitch(0, reading());
      await harness.control.advanceClock(61_000);
      assert.equal((await session.openOrders(reading())).length, 1);
      const heard = new Heard<PrivateMessage>(harness);
      const stream = session.streamPrivate(heard.take);
      try {
        await stream.ready;
        await session.setDeadManSwitch(60_000, reading());
        await harness.control.advanceClock(61_000);
        await heard.until('the cancel', (message) => message.kind === 'order' && message.order.venueOrderId === order.venueOrderId && message.order.status === 'canceled');
      } finally {
        stream.close();
      }
      assert.deepEqual(await session.openOrders(reading()), []);
    },
  },
  {
    name: 'the clock of the venue is followed, also after it jumped',
    run: async (harness) => {
      const { session } = await harness.account();
      const before = await harness.venue.venueTimeMs(reading());
      await harness.control.advanceClock(3_600_000);
      // Any answer brings the new time: one stale request at most, then the deadline is right again.
      await session.openOrders(reading());
      const after = await harness.venue.venueTimeMs(reading());
      // A jump may be known to the second only, until the next exact stamp.
      const exactMs = hasQuirk(harness, 'terseViews') ? 1_000 : 0;
      assert.ok(after - before >= 3_600_000 - exactMs && after - before < 3_660_000, `${after - before}`);
      acknowledged(await session.send(session.preparePlace([orderFor(harness)], await deadline(harness)), sending()));
    },
  },
];

function pick(fill: VenueFill | undefined): Partial<VenueFill> {
  assert.ok(fill);
  const { venueOrderId, venueSymbol, side, price, quantity, fee, feeAsset, liquidity } = fill;
  return { venueSymbol, quantity, feeAsset, venueOrderId, side, price, liquidity, fee };
}
