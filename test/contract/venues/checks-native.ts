/** What a venue that declares stops, take-profits, good-till-date orders or funding payments must do with them. */
import assert from 'node:assert/strict';
import type { OrderType } from '../../../src/domain/order';
import type { PrivateMessage, VenueOrder } from '../../../src/domain/venue';
import { acknowledged } from './checks-orders';
import type { ContractCheck } from './contract';
import { deadline, hasQuirk, Heard, marketOrderFor, newClientId, orderFor, place, reading, sending, termsOf, type ContractAccount, type VenueHarness } from './harness';

async function withPosition(harness: VenueHarness, type: OrderType, run: (account: ContractAccount, heard: Heard<PrivateMessage>) => Promise<void>): Promise<void> {
  if (!harness.venue.capabilities.orderTypes.includes(type)) return;
  const account = await harness.account();
  acknowledged(await place(harness, account.session, [marketOrderFor(harness)]));
  const heard = new Heard<PrivateMessage>(harness);
  const stream = account.session.streamPrivate(heard.take);
  try {
    await stream.ready;
    await run(account, heard);
  } finally {
    stream.close();
  }
}

const shifted = (harness: VenueHarness, by: number): string => String(Number(harness.price) + by);

async function ended(heard: Heard<PrivateMessage>, order: VenueOrder, status: VenueOrder['status']): Promise<VenueOrder> {
  const told = await heard.until(`${order.type} ${status}`, (message): message is Extract<PrivateMessage, { kind: 'order' }> =>
    message.kind === 'order' && message.order.venueOrderId === order.venueOrderId && message.order.status === status);
  return told.order;
}

export const NATIVE_CHECKS: readonly ContractCheck[] = [
  {
    name: 'a stop waits for its trigger, shows it, and closes the position when the price falls to it',
    run: (harness) =>
      withPosition(harness, 'stopMarket', async ({ session }, heard) => {
        const triggerPrice = shifted(harness, -1_000);
        const stop = acknowledged(await place(harness, session, [marketOrderFor(harness, { side: 'sell', type: 'stopMarket', timeInForce: 'GTC', triggerPrice, reduceOnly: true })]));
        assert.deepEqual([stop.status, stop.type, stop.triggerPrice, stop.triggeredAtMs, stop.filledQuantity], ['open', 'stopMarket', triggerPrice, null, '0']);
        assert.ok((await session.openOrders(reading())).some(({ venueOrderId }) => venueOrderId === stop.venueOrderId), 'it is among the open orders');
        await harness.control.movePrice(harness.symbol, shifted(harness, -900));
        assert.equal((await session.positions(reading())).length, 1);
        await harness.control.movePrice(harness.symbol, shifted(harness, -1_100));
        const fired = await ended(heard, stop, 'filled');
        assert.ok((fired.triggeredAtMs ?? 0) > 0 || hasQuirk(harness, 'terseViews'), 'it tells when it fired');
        assert.deepEqual(await session.positions(reading()), []);
      }),
  },
  {
    name: 'a waiting stop is moved and resized by an amendment: it stands all the while, fires at its new level alone, and once',
    run: (harness) =>
      withPosition(harness, 'stopMarket', async ({ session }, heard) => {
        if (harness.venue.capabilities.amend === 'none') return;
        const terms = { side: 'sell', type: 'stopMarket', timeInForce: 'GTC', triggerPrice: shifted(harness, -1_000), reduceOnly: true } as const;
        const stop = acknowledged(await place(harness, session, [marketOrderFor(harness, terms)]));
        const order = { venueClientId: stop.venueClientId ?? '', venueOrderId: stop.venueOrderId, venueSymbol: stop.venueSymbol };
        const moved = shifted(harness, -2_000);
        const request = session.prepareAmend({ order, terms: termsOf(stop), amendmentId: newClientId(), limitPrice: null, quantity: null, triggerPrice: moved }, await deadline(harness));
        const amended = acknowledged(await session.send(request, sending()));
        assert.deepEqual([amended.status, amended.triggerPrice ?? moved, amended.quantity], ['open', moved, stop.quantity]);
        const shown = await session.findOrder({ ...order, venueOrderId: amended.venueOrderId }, reading());
        assert.deepEqual([shown?.status, shown?.triggerPrice, shown?.quantity], ['open', moved, stop.quantity]);
        assert.equal((await session.openOrders(reading())).filter(({ type }) => type === 'stopMarket').length, 1, 'there is one stop');
        await harness.control.movePrice(harness.symbol, shifted(harness, -1_500));
        assert.equal((await session.positions(reading())).length, 1, 'its old level moves nothing');
        await harness.control.movePrice(harness.symbol, shifted(harness, -2_100));
        await ended(heard, amended, 'filled');
        assert.deepEqual(await session.positions(reading()), []);
      }),
  },
  {
    name: 'a take-profit with a limit price rests at it once its trigger is reached',
    run: (harness) =>
      withPosition(harness, 'takeProfitLimit', async ({ session }) => {
        const terms = { side: 'sell', type: 'takeProfitLimit', triggerPrice: shifted(harness, 1_000), limitPrice: shifted(harness, 3_000), reduceOnly: true } as const;
        const order = acknowledged(await place(harness, session, [orderFor(harness, terms)]));
        await harness.control.movePrice(harness.symbol, shifted(harness, 1_500));
        const found = await session.findOrder({ venueClientId: order.venueClientId ?? '', venueOrderId: order.venueOrderId, venueSymbol: order.venueSymbol }, reading());
        assert.deepEqual([found?.status, found?.limitPrice, found?.filledQuantity], ['open', terms.limitPrice, '0']);
        assert.ok((found?.triggeredAtMs ?? 0) > 0);
      }),
  },
  {
    name: 'a stop whose price was passed already is refused',
    run: (harness) =>
      withPosition(harness, 'stopMarket', async ({ session }) => {
        const late = marketOrderFor(harness, { side: 'sell', type: 'stopMarket', timeInForce: 'GTC', triggerPrice: shifted(harness, 1_000), reduceOnly: true });
        const [answer] = (await place(harness, session, [late])).items;
        assert.equal(answer?.kind === 'refused' ? answer.code : answer?.kind, 'invalidPrice');
      }),
  },
  {
    name: 'a waiting stop can be canceled, and then never fires',
    run: (harness) =>
      withPosition(harness, 'stopMarket', async ({ session }, heard) => {
        const terms = { side: 'sell', type: 'stopMarket', timeInForce: 'GTC', triggerPrice: shifted(harness, -1_000), reduceOnly: true } as const;
        const stop = acknowledged(await place(harness, session, [marketOrderFor(harness, terms)]));
        const reference = { venueClientId: stop.venueClientId ?? '', venueOrderId: stop.venueOrderId, venueSymbol: stop.venueSymbol };
        await session.send(session.prepareCancel([reference], await deadline(harness)), sending({ priority: 'exit' }));
        await ended(heard, stop, 'canceled');
        await harness.control.movePrice(harness.symbol, shifted(harness, -1_100));
        assert.equal((await session.positions(reading())).length, 1);
      }),
  },
  {
    name: 'a good-till-date order expires at its time by the clock of the venue',
    run: async (harness) => {
      if (!harness.venue.capabilities.timesInForce.includes('GTD')) return;
      const { session } = await harness.account();
      const expireAtMs = (await harness.venue.venueTimeMs(reading())) + 3_600_000;
      const order = acknowledged(await place(harness, session, [orderFor(harness, { timeInForce: 'GTD', expireAtMs })]));
      assert.deepEqual([order.status, order.expireAtMs], ['open', expireAtMs]);
      const heard = new Heard<PrivateMessage>(harness);
      const stream = session.streamPrivate(heard.take);
      try {
        await stream.ready;
        await harness.control.advanceClock(3_600_001);
        await ended(heard, order, 'expired');
      } finally {
        stream.close();
      }
      assert.deepEqual(await session.openOrders(reading()), []);
    },
  },
  {
    name: 'funding payments are told once each, oldest first, page by page, and are what the balance changed by',
    run: async (harness) => {
      const { session } = await harness.account();
      if (session.fundingPayments === undefined) return;
      acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const before = await session.balances(reading());
      // Whatever the venue's period is: two days have more payments than a page of three.
      await harness.control.advanceClock(48 * 3_600_000);
      const payments = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<NonNullable<typeof session.fundingPayments>>> = await session.fundingPayments(0, cursor, reading());
        payments.push(...page.payments);
        cursor = page.next;
      } while (cursor !== null);
      assert.ok(payments.length > 3, `${payments.length} payments`);
      assert.deepEqual(payments.map(({ atMs }) => atMs), [...new Set(payments.map(({ atMs }) => atMs))].sort((a, b) => a - b));
      const asset = payments[0]?.asset;
      const totalOf = (balances: typeof before): number => Number(balances.find((balance) => balance.asset === asset)?.total);
      const paid = payments.reduce((total, { amount }) => total + Number(amount), 0);
      assert.ok(Math.abs(totalOf(await session.balances(reading())) - totalOf(before) - paid) < 1e-6, `${paid} is not what the balance changed by`);
      const last = payments.at(-1);
      assert.deepEqual((await session.fundingPayments(last?.atMs ?? 0, null, reading())).payments, [last]);
    },
  },
];
