/** What the venue may answer when it, or something before it, is not well: by what is read of it, an order is never taken for more or less than was said. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../../src/domain/clock';
import type { PlaceRequest, SendAnswer, VenueAccountSession } from '../../../../src/domain/venue';
import { HyperliquidVenue } from '../../../../src/venues/hyperliquid/venue';

const USER = `0x${'a'.repeat(40)}`;
const DEXES = ['xyz'];
const reading = { signal: new AbortController().signal, priority: 'read' } as const;
const sending = { maySend: () => Promise.resolve(true), signal: reading.signal, priority: 'entry' } as const;

/** What /exchange answers, and /info by its type. */
let said: { status: number; text: string } = { status: 200, text: '' };
const infos = new Map<string, unknown>();
let server: Server;
let venue: HyperliquidVenue;
let session: VenueAccountSession;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.url === '/exchange') {
        response.writeHead(said.status, { 'content-type': 'application/json' });
        response.end(said.text);
        return;
      }
      const asked = JSON.parse(body) as { type: string; dex?: string };
      response.end(JSON.stringify(infos.get(`${asked.type} ${asked.dex ?? ''}`) ?? infos.get(asked.type) ?? null));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  infos.set('meta ', { universe: [{ name: 'BTC', szDecimals: 5, maxLeverage: 40 }], collateralToken: 0 });
  infos.set('meta xyz', { universe: [{ name: 'xyz:TSLA', szDecimals: 3, maxLeverage: 10, onlyIsolated: true }], collateralToken: 0 });
  infos.set('perpDexs', [null, { name: 'xyz' }]);
  infos.set('exchangeStatus', { time: Date.now(), specialStatuses: null });
  infos.set('userRateLimit', { cumVlm: '0.0', nRequestsUsed: 0, nRequestsCap: 10_000 });
  venue = new HyperliquidVenue({ name: 'hyperliquid', httpUrl: url, wsUrl: url.replace('http', 'ws'), options: { dexes: DEXES }, clock: systemClock });
  await venue.markets(reading);
  session = venue.session({ agentKey: '7'.repeat(64), address: USER });
});
afterAll(async () => {
  await venue.close();
  await new Promise((resolve) => server.close(resolve));
});

const order = (more: Partial<PlaceRequest> = {}): PlaceRequest => ({ venueClientId: '01'.repeat(16), venueSymbol: 'BTC', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.01', limitPrice: '90000', postOnly: false, reduceOnly: false, ...more });
let nonce = Date.now();
async function answered(text: string, { orders = [order()], status = 200 }: { orders?: PlaceRequest[]; status?: number } = {}): Promise<SendAnswer> {
  said = { status, text };
  nonce += 1;
  return session.send(session.preparePlace(orders, { nonce: String(nonce), venueDeadlineMs: Date.now() + 10_000 }), { ...sending, sendBeforeMs: Date.now() + 10_000 });
}
const ok = (...statuses: unknown[]): string => JSON.stringify({ status: 'ok', response: { type: 'order', data: { statuses } } });

test('a market without a book costs no other market its prices, whether the venue says null of its middle or nothing', async () => {
  const context = { funding: '0.0', markPx: '90000.0', oraclePx: '90001.0' };
  infos.set('metaAndAssetCtxs ', [infos.get('meta '), [{ ...context, midPx: null }]]);
  infos.set('metaAndAssetCtxs xyz', [infos.get('meta xyz'), [context]]);
  expect(await venue.tickers(reading)).toMatchObject([{ symbol: 'BTC', mark: '90000', index: '90001' }, { symbol: 'xyz:TSLA', mark: '90000' }]);
});

describe('an answer to an order', () => {
  test.each<[string, string, number?]>([
    ['that is a page', '<html><body>Service expired</body></html>'],
    ['that is cut off', ok({ resting: { oid: 1 } }).slice(0, -9)],
    ['that is empty', ''],
    ['that is another kind of JSON', '[]'],
    ['that is null', 'null'],
    ['without statuses', JSON.stringify({ status: 'ok', response: { type: 'order', data: {} } })],
    ['that is done and says nothing of the order', JSON.stringify({ status: 'ok', response: { type: 'default' } })],
    ['with fewer statuses than orders', ok()],
    ['with more statuses than orders', ok({ resting: { oid: 1 } }, { resting: { oid: 2 } })],
    ['whose id is beyond what a number can hold', ok({ resting: { oid: 1e300 } })],
    ['whose id is no whole number', ok({ resting: { oid: 1.5 } })],
    ['whose id is a text', ok({ resting: { oid: '1' } })],
    ['whose size is no plain decimal', ok({ filled: { oid: 1, totalSz: '1e-2', avgPx: '90000' } })],
    ['whose size is not a number at all', ok({ filled: { oid: 1, totalSz: 'NaN', avgPx: '90000' } })],
    ['with an error that is no sentence', JSON.stringify({ status: 'err', response: { code: 7 } })],
    ['with a status nobody knows', JSON.stringify({ status: 'maybe', response: 'soon' })],
    ['from a gateway that is down', '<html>502</html>', 502],
    ['that redirects', '', 302],
    ['larger than any answer', `"${'x'.repeat(9 * 1024 * 1024)}"`],
  ])('%s leaves it unknown', async (_what, text, status = 200) => {
    await expect(answered(text, { status })).rejects.toMatchObject({ name: 'VenueOutcomeUnknown' });
  });

  test.each<[string, string, number, string]>([
    ['a sentence of the whole request', JSON.stringify({ status: 'err', response: 'Insufficient margin to place order.' }), 200, 'insufficientMargin'],
    ['a body that the venue cannot read', 'Failed to deserialize the JSON body into the target type', 422, 'other'],
  ])('that is %s refuses it', async (_what, text, status, code) => {
    await expect(answered(text, { status })).rejects.toMatchObject({ name: 'VenueRefused', code });
  });

  test('says by order what became of each, an error inside a good answer too', async () => {
    const orders = [order(), order({ venueClientId: '02'.repeat(16) }), order({ venueClientId: '03'.repeat(16) })];
    const { items } = await answered(ok({ resting: { oid: 1 } }, { error: 'Insufficient margin to place order. asset=0' }, 'waitingForFill'), { orders });
    expect(items).toMatchObject([{ kind: 'acknowledged', order: { venueOrderId: '1', status: 'open' } }, { kind: 'refused', code: 'insufficientMargin' }, { kind: 'accepted', venueOrderId: null }]);
  });

  test('with one error for the whole list refuses each of it', async () => {
    const { items } = await answered(ok({ error: 'Order has invalid size.' }), { orders: [order(), order({ venueClientId: '02'.repeat(16) })] });
    expect(items).toMatchObject([{ kind: 'refused', code: 'invalidQuantity' }, { kind: 'refused', code: 'invalidQuantity' }]);
  });

  test('with one good status for a list leaves all of it unknown', async () => {
    await expect(answered(ok({ resting: { oid: 1 } }), { orders: [order(), order({ venueClientId: '02'.repeat(16) })] })).rejects.toMatchObject({ name: 'VenueOutcomeUnknown' });
  });

  test('about a nonce that was used is a question, for each order of the list', async () => {
    const { items } = await answered(JSON.stringify({ status: 'err', response: `Invalid nonce: duplicate nonce ${nonce}` }), { orders: [order(), order({ venueClientId: '02'.repeat(16) })] });
    expect(items).toMatchObject([{ code: 'duplicateClientId' }, { code: 'duplicateClientId' }]);
  });
});

const fill = (more: object = {}): object => ({ coin: 'BTC', px: '90000.0', sz: '0.01', side: 'B', time: 1_700_000_000_000, startPosition: '0.0', dir: 'Open Long', closedPnl: '0.0', hash: `0x${'0'.repeat(64)}`, oid: 7, crossed: true, fee: '0.4', tid: 9, feeToken: 'USDC', twapId: null, ...more });
const shown = { side: 'B', limitPx: '1.0', sz: '1.0', oid: 5, timestamp: 1, origSz: '1.0', cloid: null } as const;

describe('what is told of an account', () => {
  test('fills with a rebate, a builder\'s share and of a liquidation are read as they are', async () => {
    infos.set('userFillsByTime', [fill({ fee: '-0.12', tid: 1, crossed: false }), fill({ tid: 2, builderFee: '0.1', builder: USER, fee: '0.5' }), fill({ tid: 3, side: 'A', dir: 'Close Long', liquidation: { liquidatedUser: USER, markPx: '89000.0', method: 'market' }, closedPnl: '-10.5' })]);
    const { fills } = await session.fillsSince(0, null, reading);
    expect(fills.map(({ venueFillId, fee, liquidity, realizedPnl }) => [venueFillId, fee, liquidity, realizedPnl])).toEqual([['1', '-0.12', 'maker', '0'], ['2', '0.5', 'taker', '0'], ['3', '0.4', 'taker', '-10.5']]);
  });

  test('spot pairs, dust that the venue sells, other markets and dexes that are not traded here are nobody\'s positions', async () => {
    const others = ['@107', 'PURR/USDC', '#12', '+3', 'flx:TSLA'];
    infos.set('userFillsByTime', [fill(), ...others.map((coin) => fill({ coin, tid: 0, dir: 'Spot Dust Conversion' })), fill({ coin: 'xyz:TSLA' })]);
    infos.set('historicalOrders', ['BTC', ...others, 'xyz:TSLA'].map((coin, oid) => ({ order: { ...shown, coin, oid }, status: 'canceled', statusTimestamp: 2 })));
    infos.set('frontendOpenOrders', []);
    infos.set('frontendOpenOrders ', ['BTC', ...others].map((coin, oid) => ({ ...shown, coin, oid })));
    infos.set('userFunding', ['BTC', ...others].map((coin) => ({ time: 1, hash: '0x0', delta: { type: 'funding', coin, usdc: '1.0', szi: '1.0', fundingRate: '0.1', nSamples: null } })));
    const coins = (list: readonly { readonly venueSymbol: string }[]): string[] => list.map(({ venueSymbol }) => venueSymbol).sort();
    expect(coins((await session.fillsSince(0, null, reading)).fills)).toEqual(['BTC', 'xyz:TSLA']);
    expect(coins(await session.closedOrders(0, reading))).toEqual(['BTC', 'xyz:TSLA']);
    expect(coins(await session.openOrders(reading))).toEqual(['BTC']);
    expect(coins((await session.fundingPayments?.(0, null, reading))?.payments ?? [])).toEqual(['BTC']);
  });

  test('a page full of what is not traded here is read past', async () => {
    infos.set('userFillsByTime', Array.from({ length: 2_000 }, (_, tid) => fill({ coin: '@107', tid, time: 1_700_000_000_000 + tid })));
    const { fills, next } = await session.fillsSince(0, null, reading);
    expect([fills, next === null]).toEqual([[], false]);
  });

  test('a read that cannot be understood is an error and never an empty list', async () => {
    infos.set('userFillsByTime', [fill({ px: '1e5' })]);
    await expect(session.fillsSince(0, null, reading)).rejects.toMatchObject({ name: 'VenueOutcomeUnknown' });
    infos.set('userFillsByTime', [fill({ tid: 2 ** 60 })]);
    await expect(session.fillsSince(0, null, reading)).rejects.toMatchObject({ name: 'VenueOutcomeUnknown' });
  });
});
