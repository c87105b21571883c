/** Orders that hang together at the venue, and margin that belongs to one position. Venues without them pass by having none. */
import assert from 'node:assert/strict';
import type { PlaceRequest, SendAnswer, SignedRequest, VenueAccountSession, VenueOrder } from '../../../src/domain/venue';
import { VenueRefused } from '../../../src/domain/venue-errors';
import { acknowledged } from './checks-orders';
import { errorOf } from './checks-silence';
import type { ContractCheck } from './contract';
import { deadline, Heard, marketOrderFor, orderFor, place, reading, sending, type ContractAccount, type VenueHarness } from './harness';
import type { PrivateMessage } from '../../../src/domain/venue';

const at = (harness: VenueHarness, factor: number): string => String(Math.round(Number(harness.price) * factor));

function exits(harness: VenueHarness): PlaceRequest[] {
  const exit = { side: 'sell', timeInForce: 'IOC', limitPrice: null, reduceOnly: true } as const;
  return [orderFor(harness, { ...exit, type: 'takeProfitMarket', triggerPrice: at(harness, 1.02) }), orderFor(harness, { ...exit, type: 'stopMarket', triggerPrice: at(harness, 0.98) })];
}

async function placeGroup(harness: VenueHarness, session: VenueAccountSession, orders: readonly PlaceRequest[], grouping: 'entryWithExits' | 'positionExits'): Promise<SendAnswer> {
  return session.send(session.preparePlace(orders, { ...(await deadline(harness)), grouping }), sending());
}

const find = async (session: VenueAccountSession, { venueClientId, venueSymbol }: PlaceRequest): Promise<VenueOrder | null> => session.findOrder({ venueClientId, venueSymbol, venueOrderId: null }, reading());

/** Runs where the venue groups orders so, with the account's stream open and the price at its start. */
function grouped(grouping: 'entryWithExits' | 'positionExits', name: string, run: (harness: VenueHarness, account: ContractAccount, heard: Heard<PrivateMessage>) => Promise<void>): ContractCheck {
  return {
    name,
    run: async (harness) => {
      if (harness.venue.capabilities.groupings?.includes(grouping) !== true) return;
      await harness.control.movePrice(harness.symbol, harness.price);
      const account = await harness.account();
      const heard = new Heard<PrivateMessage>(harness);
      const stream = account.session.streamPrivate(heard.take);
      try {
        await stream.ready;
        await run(harness, account, heard);
      } finally {
        stream.close();
        await harness.control.movePrice(harness.symbol, harness.price);
      }
    },
  };
}

const ended = (id: string) => (message: PrivateMessage): boolean => message.kind === 'order' && message.order.venueClientId === id && message.order.status === 'canceled';

export const GROUP_CHECKS: readonly ContractCheck[] = [
  grouped('entryWithExits', 'exits wait for their entry, and the first that fills ends the other', async (harness, { session }, heard) => {
    const entry = orderFor(harness, { side: 'buy', limitPrice: at(harness, 0.995) });
    const [profit, stop] = exits(harness) as [PlaceRequest, PlaceRequest];
    const answer = await placeGroup(harness, session, [entry, profit, stop], 'entryWithExits');
    acknowledged(answer, 0);
    assert.deepEqual(answer.items.map(({ kind }) => kind), ['acknowledged', 'accepted', 'accepted']);
    // Neither fires while nothing is held, also where the price passes its trigger.
    await harness.control.movePrice(harness.symbol, at(harness, 1.03));
    const shown = (await session.openOrders(reading())).flatMap(({ venueClientId, status }) => (venueClientId === profit.venueClientId || venueClientId === stop.venueClientId ? [status] : []));
    assert.deepEqual(shown, ['open', 'open']);
    await harness.control.movePrice(harness.symbol, at(harness, 0.99));
    await heard.until('the entry', (message) => message.kind === 'fill' && message.fill.venueClientId === entry.venueClientId);
    await heard.until('the position', (message) => message.kind === 'position' && message.position.side === 'long');
    await harness.control.movePrice(harness.symbol, at(harness, 1.03));
    await heard.until('the take-profit', (message) => message.kind === 'fill' && message.fill.venueClientId === profit.venueClientId);
    await heard.until('the end of the stop', ended(stop.venueClientId));
    assert.deepEqual(await session.positions(reading()), []);
    assert.equal((await find(session, stop))?.status, 'canceled');
  }),
  grouped('entryWithExits', 'an entry that is canceled takes its exits with it', async (harness, { session }, heard) => {
    const entry = orderFor(harness);
    const [profit, stop] = exits(harness) as [PlaceRequest, PlaceRequest];
    acknowledged(await placeGroup(harness, session, [entry, profit, stop], 'entryWithExits'), 0);
    await session.send(session.prepareCancel([{ ...entry, venueOrderId: null }], await deadline(harness)), sending({ priority: 'exit' }));
    for (const exit of [profit, stop]) await heard.until('the end of an exit', ended(exit.venueClientId));
    assert.deepEqual(await session.openOrders(reading()), []);
  }),
  grouped('entryWithExits', 'a group of which one order cannot be is refused whole', async (harness, { session, name }) => {
    const [profit, stop] = exits(harness) as [PlaceRequest, PlaceRequest];
    const wrong = { ...stop, triggerPrice: `${at(harness, 0.98)}.00000001` };
    const { items } = await placeGroup(harness, session, [orderFor(harness), profit, wrong], 'entryWithExits');
    assert.deepEqual(items.map(({ kind }) => kind), ['refused', 'refused', 'refused']);
    const refusedEntry = await placeGroup(harness, session, [orderFor(harness, { quantity: '1000' }), profit, stop], 'entryWithExits');
    assert.deepEqual(refusedEntry.items.map(({ kind }) => kind), ['refused', 'refused', 'refused']);
    assert.deepEqual(await harness.control.accepted(name), []);
  }),
  grouped('positionExits', 'exits of a position take all of it as it is when they fire, and the first ends the other', async (harness, { session }, heard) => {
    acknowledged(await place(harness, session, [marketOrderFor(harness)]));
    const [profit, stop] = exits(harness) as [PlaceRequest, PlaceRequest];
    await placeGroup(harness, session, [profit, stop], 'positionExits');
    acknowledged(await place(harness, session, [marketOrderFor(harness)]));
    await harness.control.movePrice(harness.symbol, at(harness, 0.97));
    await heard.until('the end of the take-profit', ended(profit.venueClientId));
    assert.deepEqual(await session.positions(reading()), []);
    assert.equal((await find(session, stop))?.status, 'filled');
  }),
  {
    name: 'margin is added to an isolated position and taken back, and moves the price of its ruin',
    run: async (harness) => {
      const { session } = await harness.account();
      const { moves } = session;
      if (moves === undefined) return;
      const signed = async (amount: string): Promise<{ request: SignedRequest; shown: () => Promise<string> }> => {
        const move = { kind: 'margin', venueSymbol: harness.symbol, amount } as const;
        const basis = await moves.basis(move, reading());
        const request = moves.prepare(move, basis, await deadline(harness));
        return { request, shown: () => moves.outcome(move, basis, request.nonce, reading()) };
      };
      const adjust = async (amount: string): Promise<void> => void (await session.send((await signed(amount)).request, sending()));
      const none = await errorOf(signed('1'));
      assert.ok(none instanceof VenueRefused && none.venueCode === 'NOT_ISOLATED', String(none));
      await session.setLeverage(harness.symbol, '5', reading(), 'isolated');
      acknowledged(await place(harness, session, [marketOrderFor(harness)]));
      const position = async (): Promise<{ margin: number; ruin: number }> => {
        const [held] = await session.positions(reading());
        assert.ok(held);
        return { margin: Number(held.margin), ruin: Number(held.liquidationPrice) };
      };
      const available = async (): Promise<number> => Number((await session.balances(reading()))[0]?.available);
      const [before, free] = [await position(), await available()];
      const once = await signed('50');
      assert.equal(await once.shown(), 'absent');
      await session.send(once.request, sending());
      // The same bytes again have no second effect, and the position's own money tells of the first.
      assert.deepEqual((await session.send(once.request, sending())).items.map((item) => item.kind === 'refused' && item.code), ['duplicateClientId']);
      assert.equal(await once.shown(), 'applied');
      const more = await position();
      assert.deepEqual([Math.round(more.margin - before.margin), Math.round(free - (await available()))], [50, 50]);
      assert.ok(more.ruin < before.ruin, 'a long with more margin is ruined at a lower price');
      await adjust('-50');
      assert.deepEqual(await position(), before);
      const error = await errorOf(adjust('-1000'));
      assert.ok(error instanceof VenueRefused && error.code === 'insufficientMargin', String(error));
    },
  },
  {
    name: 'funding that was charged is told for a time, oldest first',
    run: async ({ venue, symbol }) => {
      if (venue.fundingHistory === undefined) return;
      const nowMs = await venue.venueTimeMs(reading());
      const charged = await venue.fundingHistory(symbol, nowMs - 3 * 24 * 3_600_000, nowMs, reading());
      assert.ok(charged.length > 1);
      assert.deepEqual(charged.map(({ at: time }) => time), [...charged.map(({ at: time }) => time)].sort((a, b) => a - b));
      const { rate: now, predicted } = await venue.funding(symbol, reading());
      assert.ok(Number.isFinite(Number(now)) && (predicted === undefined || Number.isFinite(Number(predicted))));
      assert.ok(charged.every(({ rate, at: time }) => Number.isFinite(Number(rate)) && time <= nowMs && time >= nowMs - 3 * 24 * 3_600_000));
    },
  },
];
