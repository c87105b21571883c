/** What only Hyperliquid has: dexes with tokens and rules of their own, trade without client ids, and users nobody may listen to. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../src/domain/clock';
import { OneProcessSeats, type Seats } from '../../../src/domain/seats';
import type { PlaceRequest, PrivateMessage, SignedRequest, VenueAccountSession, VenueMove } from '../../../src/domain/venue';
import { VenueRefused } from '../../../src/domain/venue-errors';
import { startPaperSimulator, type StartedSimulator } from '../../../src/simulator';
import { addressOf } from '../../../src/venues/ecdsa';
import { HyperliquidVenue } from '../../../src/venues/hyperliquid/venue';
import { SimulatorControl } from '../../support/simulator-control';
import { until } from '../streams/bus-until';
import { acknowledged } from './checks-orders';
import { Heard, newClientId, reading, sending } from './harness';

const DEXES = ['xyz', 'flx'];
const TSLA = 'xyz:TSLA';
const HEARD = { hearWithinMs: 10_000 };

let simulator: StartedSimulator;
let sim: SimulatorControl;
const opened: HyperliquidVenue[] = [];

async function venueWith(options: Readonly<Record<string, unknown>> = {}, more: { readonly seats?: Seats } = {}): Promise<HyperliquidVenue> {
  const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws'), options: { dexes: DEXES, ...options }, clock: systemClock, pingEveryMs: 250, ...more });
  opened.push(venue);
  await venue.prepare(reading());
  return venue;
}

async function account(venue: HyperliquidVenue): Promise<{ address: string; session: VenueAccountSession }> {
  const [agentKey, address] = [randomBytes(32).toString('hex'), `0x${randomBytes(20).toString('hex')}`];
  await sim.call('POST', '/__sim/accounts', { account: address, key: addressOf(Buffer.from(agentKey, 'hex')), collateral: '100000' });
  return { address, session: venue.session({ agentKey, address }) };
}

const order = (change: Partial<PlaceRequest> = {}): PlaceRequest => ({ venueClientId: newClientId(), venueSymbol: TSLA, side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '1', limitPrice: '300', postOnly: false, reduceOnly: false, ...change });

let lastNonce = Date.now();
const context = () => {
  lastNonce = Math.max(lastNonce + 1, Date.now());
  return { nonce: String(lastNonce), venueDeadlineMs: Date.now() + 20_000 };
};
const place = (session: VenueAccountSession, ...orders: PlaceRequest[]) => session.send(session.preparePlace(orders, context()), sending());

/** Signed, and not sent yet. */
async function ready({ moves }: VenueAccountSession, move: VenueMove): Promise<{ request: SignedRequest; shown: () => Promise<string> }> {
  if (moves === undefined) throw new Error('no collateral can be moved here');
  const basis = await moves.basis(move, reading());
  const request = moves.prepare(move, basis, context());
  return { request, shown: () => moves.outcome(move, basis, request.nonce, reading()) };
}
const moved = async (session: VenueAccountSession, move: VenueMove) => session.send((await ready(session, move)).request, sending());
const transfer = (amount: string, change: Partial<Extract<VenueMove, { kind: 'transfer' }>> = {}): VenueMove => ({ kind: 'transfer', fromPool: '', toPool: 'xyz', asset: 'USDC', amount, ...change });

beforeAll(async () => {
  simulator = await startPaperSimulator({ venue: 'hyperliquid', weightPerMinute: 1_000_000, tickMs: 0 });
  sim = new SimulatorControl(simulator.url);
});
afterAll(async () => {
  await Promise.all(opened.map((venue) => venue.close()));
  await simulator.close();
});

describe('dexes', () => {
  test('each market says its token, its class and when its underlying trades', async () => {
    const markets = await (await venueWith()).markets(reading());
    const shown = (venueSymbol: string) => markets.filter((market) => market.venueSymbol === venueSymbol).map(({ symbol, quote, assetClass, sessionHours }) => ({ symbol, quote, assetClass, sessionHours }));
    expect(shown('BTC')).toEqual([{ symbol: 'BTC-PERP', quote: 'USDC', assetClass: 'crypto', sessionHours: null }]);
    expect(shown(TSLA)).toEqual([{ symbol: 'xyz:TSLA-PERP', quote: 'USDC', assetClass: 'equity', sessionHours: 'Mon-Fri 09:30-16:00 America/New_York' }]);
    expect(shown('flx:TSLA')).toEqual([{ symbol: 'flx:TSLA-PERP', quote: 'USDH', assetClass: 'equity', sessionHours: 'Mon-Fri 09:30-16:00 America/New_York' }]);
  });

  test('a dex that does not exist is named with those that do', async () => {
    const venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: simulator.url, wsUrl: simulator.url.replace('http', 'ws'), options: { dexes: ['nope'] }, clock: systemClock });
    opened.push(venue);
    await expect(venue.markets(reading())).rejects.toThrow('has no dex nope; perpDexs lists xyz, flx');
  });

  test('an agent moves collateral between the account\'s own dexes, token by token, and an order there is margined by it', async () => {
    const venue = await venueWith();
    const { session } = await account(venue);
    expect((await place(session, order())).items).toMatchObject([{ kind: 'refused', code: 'insufficientMargin' }]);
    expect((await moved(session, transfer('1000'))).items).toMatchObject([{ kind: 'accepted' }]);
    expect(await session.balances(reading())).toMatchObject([{ asset: 'USDC', total: '100000' }, { asset: 'USDH', total: '0' }]);
    acknowledged(await place(session, order()));
    await expect(moved(session, transfer('1', { toPool: 'flx' }))).rejects.toThrow('Invalid token');
    await expect(moved(session, transfer('1', { fromPool: 'xyz' }))).rejects.toThrow('between two of');
    await expect(moved(session, transfer('1', { asset: 'NONE' }))).rejects.toThrow('has no token NONE');
  });

  test('the same bytes move collateral once, and the venue\'s ledger tells by their nonce that they did', async () => {
    const { session } = await account(await venueWith());
    const inXyz = async (): Promise<string> => (await moved(session, transfer('1000', { fromPool: 'xyz', toPool: '' })).then(() => 'all of it', (error: unknown) => String(error)));
    const { request, shown } = await ready(session, transfer('1000'));
    expect(await shown()).toBe('absent');
    await session.send(request, sending());
    expect((await session.send(request, sending())).items).toMatchObject([{ kind: 'refused', code: 'duplicateClientId' }]);
    expect(await shown()).toBe('applied');
    expect([await inXyz(), await inXyz()]).toEqual(['all of it', expect.stringContaining('Insufficient balance')]);
  });

  test('a position there is isolated whoever asks for leverage, and cross margin is refused in the venue\'s words', async () => {
    const { session } = await account(await venueWith());
    await moved(session, transfer('1000'));
    await session.setLeverage(TSLA, '5', reading());
    await expect(session.setLeverage(TSLA, '5', reading(), 'cross')).rejects.toThrow('Cross margin is not allowed');
    acknowledged(await place(session, order({ type: 'market', limitPrice: null, timeInForce: 'IOC' })));
    const [held] = await session.positions(reading());
    expect([held?.venueSymbol, held?.leverage, Number(held?.liquidationPrice) > 0]).toEqual([TSLA, '5', true]);
    await expect(moved(session, { kind: 'margin', venueSymbol: TSLA, amount: '0.0000001' })).rejects.toThrow('millionths');
  });

  test('what is predicted is told where the venue predicts', async () => {
    const venue = await venueWith();
    const [btc, tsla] = [await venue.funding('BTC', reading()), await venue.funding(TSLA, reading())];
    expect([typeof btc.predicted, tsla.predicted, (btc.nextAt ?? 0) > btc.at]).toEqual(['string', undefined, true]);
  });
});

describe('a dex traded without client ids', () => {
  const without = () => venueWith({ dexesWithoutCloid: ['xyz'] });

  test('orders there carry none, and are known, canceled and found by the venue\'s own id', async () => {
    const venue = await without();
    const { session, address } = await account(venue);
    await moved(session, transfer('1000'));
    const asked = order();
    const placed = acknowledged(await place(session, asked));
    expect([venue.carriesClientId(TSLA), venue.carriesClientId('BTC')]).toEqual([false, true]);
    expect((await sim.orders()).filter((each) => each.account === `${address}@xyz`).map(({ clientId }) => clientId.startsWith('0x'))).toEqual([false]);
    const reference = { venueClientId: asked.venueClientId, venueSymbol: TSLA };
    expect(await session.findOrder({ ...reference, venueOrderId: null }, reading())).toBeNull();
    expect(await session.findOrder({ ...reference, venueOrderId: placed.venueOrderId }, reading())).toMatchObject({ venueClientId: null, status: 'open' });
    expect(() => session.prepareCancel([{ ...reference, venueOrderId: null }], context())).toThrow('is not known yet');
    const amendment = { order: { ...reference, venueOrderId: placed.venueOrderId }, amendmentId: 'a', limitPrice: '301', quantity: null, terms: placed };
    expect(() => session.prepareAmend(amendment, context())).toThrow('cancel it and place anew');
    expect((await session.send(session.prepareCancel([{ ...reference, venueOrderId: placed.venueOrderId }], context()), sending())).items).toMatchObject([{ kind: 'acknowledged', order: { status: 'canceled' } }]);
  });
});

describe('an account that is added', () => {
  test('is refused with its own key, which could withdraw; the agent that it approved is taken', async () => {
    const venue = await venueWith();
    const own = randomBytes(32);
    const address = addressOf(own);
    await sim.call('POST', '/__sim/accounts', { account: address, key: address, collateral: '1' });
    const refused: unknown = await venue.session({ agentKey: own.toString('hex'), address }).checkCredentials?.(reading()).catch((thrown: unknown) => thrown);
    expect(refused).toBeInstanceOf(VenueRefused);
    expect(refused).toMatchObject({ code: 'unauthorized', message: expect.stringContaining('approve an agent wallet') });
    const { session } = await account(venue);
    await expect(session.checkCredentials?.(reading())).resolves.toBeUndefined();
  });
});

describe('a vault or sub-account', () => {
  test('is traded for by who leads it, and by nobody else', async () => {
    const venue = await venueWith();
    const { address } = await account(venue);
    const stranger = randomBytes(32).toString('hex');
    await sim.call('POST', '/__sim/accounts', { account: `0x${randomBytes(20).toString('hex')}`, key: addressOf(Buffer.from(stranger, 'hex')), collateral: '1' });
    const error: unknown = await place(venue.session({ agentKey: stranger, address, vaultAddress: address }), order({ venueSymbol: 'BTC', quantity: '0.001', limitPrice: '50000' })).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VenueRefused);
    expect(error).toMatchObject({ code: 'unauthorized' });
  });
});

describe('more users than may be listened to', () => {
  test('the second is polled: it hears its orders, fills and positions, and gets the stream when the first is gone', async () => {
    const venue = await venueWith({ dexes: [], streamedUsers: 1, pollEveryMs: 50, pollWeightPerMinute: 1_000_000 });
    const [first, second] = [await account(venue), await account(venue)];
    const heard = [new Heard<PrivateMessage>(HEARD), new Heard<PrivateMessage>(HEARD)] as const;
    const streams = [first.session.streamPrivate(heard[0].take), second.session.streamPrivate(heard[1].take)] as const;
    await Promise.all(streams.map(({ ready }) => ready));
    const btc = { venueSymbol: 'BTC', quantity: '0.01', limitPrice: '48500' } as const;
    const resting = acknowledged(await place(second.session, order(btc)));
    await heard[1].until('the resting order', (message) => message.kind === 'order' && message.order.venueOrderId === resting.venueOrderId && message.order.status === 'open');
    await place(second.session, order({ ...btc, type: 'market', limitPrice: null, timeInForce: 'IOC' }));
    await heard[1].until('the fill', ({ kind }) => kind === 'fill');
    await heard[1].until('the position', ({ kind }) => kind === 'position');
    await second.session.send(second.session.prepareCancel([{ ...resting, venueClientId: resting.venueClientId ?? '' }], context()), sending());
    await heard[1].until('the cancel', (message) => message.kind === 'order' && message.order.venueOrderId === resting.venueOrderId && message.order.status === 'canceled');
    expect(heard[1].messages.filter(({ kind }) => kind === 'fill')).toHaveLength(1);
    expect(heard[0].messages).toEqual([]);
    streams[0].close();
    await heard[1].until('the gap before the stream', (message) => message.kind === 'gap' && message.reason === 'from polling to the stream');
    heard[1].forget();
    await place(second.session, order({ ...btc, type: 'market', side: 'sell', limitPrice: null, timeInForce: 'IOC', reduceOnly: true }));
    await heard[1].until('the flat position on the stream', (message) => message.kind === 'position' && message.position.side === 'flat');
    streams[1].close();
  }, 30_000);

  test('of two processes behind one address, the second polls while the first listens, and follows when it stops', async () => {
    const seats = new OneProcessSeats();
    const [here, there] = [await venueWith({ dexes: [], streamedUsers: 1 }, { seats }), await venueWith({ dexes: [], streamedUsers: 1, pollEveryMs: 50, pollWeightPerMinute: 1_000_000 }, { seats })];
    const [first, second] = [await account(here), await account(there)];
    const heard = new Heard<PrivateMessage>(HEARD);
    const streams = [first.session.streamPrivate(() => undefined)];
    await streams[0]?.ready;
    streams.push(second.session.streamPrivate(heard.take));
    await streams[1]?.ready;
    const resting = acknowledged(await place(second.session, order({ venueSymbol: 'BTC', quantity: '0.01', limitPrice: '48500' })));
    await heard.until('the resting order', (message) => message.kind === 'order' && message.order.venueOrderId === resting.venueOrderId);
    streams[0]?.close();
    await heard.until('the gap before the stream', (message) => message.kind === 'gap' && message.reason === 'from polling to the stream');
    streams[1]?.close();
    await until('the seat is free', () => seats.take({ scope: 'listeners/hyperliquid', name: 'another', max: 1 }));
  }, 30_000);
});
