import { afterEach, describe, expect, test } from '@jest/globals';
import type { PlaceRequest, ReadOptions, SendOptions, SignedRequest, VenueCredentials } from '../../../src/domain/venue';
import { canonical, refusalCode } from '../../../src/venues/paper/normalize';
import { closeAll, errorOf, paper, reply } from './paper-server';

afterEach(closeAll);

const read: ReadOptions = { signal: new AbortController().signal, priority: 'read' };
const sending = (): SendOptions => ({ maySend: () => Promise.resolve(true), sendBeforeMs: Date.now() + 30_000, signal: read.signal, priority: 'entry' });
const context = { nonce: null, venueDeadlineMs: 1_900_000_000_000 };
const wanted: PlaceRequest = { venueClientId: 'c1', venueSymbol: 'BTC-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.1', limitPrice: '100', postOnly: false, reduceOnly: false };
const reference = { venueClientId: 'c1', venueOrderId: '7', venueSymbol: 'BTC-PERP' };
const amendment = { order: reference, amendmentId: 'a1', limitPrice: '101', quantity: null };
const wireOrder = {
  ...{ orderId: '7', clientId: 'c1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', price: '100.0', quantity: '0.10', filledQuantity: '0', avgPrice: null },
  ...{ status: 'open', cancelReason: null, postOnly: false, reduceOnly: false, revision: 1, createdAt: 1, updatedAt: 2 },
};

describe('the bytes of a paper request', () => {
  const bytesOf = (request: SignedRequest): unknown => JSON.parse(request.bytes);

  test('are method, path and body, without the key', async () => {
    const { session } = await paper();
    expect(bytesOf(session.preparePlace([wanted], context))).toEqual({
      method: 'POST',
      path: '/orders',
      body: {
        expiresAt: context.venueDeadlineMs,
        orders: [{ clientId: 'c1', symbol: 'BTC-PERP', side: 'buy', type: 'limit', timeInForce: 'GTC', price: '100', quantity: '0.1', postOnly: false, reduceOnly: false }],
      },
    });
    expect(bytesOf(session.prepareAmend(amendment, context))).toEqual({ method: 'POST', path: '/orders/amend', body: { expiresAt: context.venueDeadlineMs, orderId: '7', amendId: 'a1', price: '101' } });
    expect(session.prepareCancel([{ ...reference, venueOrderId: null }], context)).toEqual({
      ...{ kind: 'cancel', nonce: null, venueDeadlineMs: null },
      bytes: '{"method":"POST","path":"/orders/cancel","body":{"cancels":[{"clientId":"c1"}]}}',
    });
  });
  test('of a market order have no price and never rest', async () => {
    const { session } = await paper();
    const item = (change: Partial<PlaceRequest>): unknown => (bytesOf(session.preparePlace([{ ...wanted, ...change }], context)) as { body: { orders: unknown[] } }).body.orders[0];
    expect(item({ type: 'market' })).toMatchObject({ type: 'market', timeInForce: 'IOC' });
    expect(item({ type: 'market' })).not.toHaveProperty('price');
    expect(item({ type: 'market', timeInForce: 'FOK' })).toMatchObject({ timeInForce: 'FOK' });
  });
  test('of a stop, a take-profit or a good-till-date order tell trigger and end', async () => {
    const { session } = await paper();
    const item = (change: Partial<PlaceRequest>): unknown => (bytesOf(session.preparePlace([{ ...wanted, ...change }], context)) as { body: { orders: unknown[] } }).body.orders[0];
    const stop = item({ type: 'stopMarket', triggerPrice: '90' });
    expect(stop).toMatchObject({ type: 'stopMarket', timeInForce: 'GTC', triggerPrice: '90' });
    for (const field of ['price', 'triggerPriceType', 'expireAt']) expect(stop).not.toHaveProperty(field);
    expect(item({ type: 'takeProfitLimit', triggerPrice: '110', triggerPriceType: 'last' })).toMatchObject({ price: '100', triggerPrice: '110', triggerPriceType: 'last' });
    expect(item({ timeInForce: 'GTD', expireAtMs: 1_800_000_000_000 })).toMatchObject({ timeInForce: 'GTD', expireAt: 1_800_000_000_000 });
    expect(bytesOf(session.prepareAmend({ ...amendment, limitPrice: null, triggerPrice: '91' }, context))).toMatchObject({ body: { triggerPrice: '91' } });
  });
  test('are refused for what paper has not, before anything is sent', async () => {
    const { session, asked } = await paper();
    const wrong: readonly (readonly [Partial<PlaceRequest>, string])[] = [
      [{ type: 'trailingStopMarket' }, 'no trailingStopMarket orders'],
      [{ type: 'stopMarket' }, 'needs the triggerPrice of a stopMarket order'],
      [{ triggerPrice: '1' }, 'no triggerPrice for limit orders'],
      [{ type: 'stopMarket', triggerPrice: '1', triggerPriceType: 'index' }, 'no index price'],
      [{ timeInForce: 'GTD' }, 'needs expireAtMs for GTD'],
      [{ expireAtMs: 5 }, 'for GTD alone'],
    ];
    for (const [change, complaint] of wrong) expect(() => session.preparePlace([{ ...wanted, ...change }], context)).toThrow(complaint);
    expect(() => session.preparePlace([], context)).toThrow('1 to 100');
    expect(() => session.prepareCancel(Array.from({ length: 101 }, () => reference), context)).toThrow('not 101');
    for (const bytes of ['sealed', '{"method":"GET","path":"/","body":{}}']) {
      expect(await errorOf(session.send({ kind: 'place', bytes, nonce: null, venueDeadlineMs: null }, sending()))).toMatchObject({ name: 'VenueRefused', venueCode: 'BAD_BYTES' });
    }
    expect(asked).toEqual([]);
  });
});

describe('an answer of the paper venue', () => {
  test('is read into our words, with canonical decimals and the time of the venue', async () => {
    const { session } = await paper(reply(200, { time: 5, results: [{ clientId: 'c1', ok: true, order: wireOrder }] }, { 'x-paper-time': '123456' }));
    const answer = await session.send(session.preparePlace([wanted], context), sending());
    expect(answer.items).toMatchObject([{ kind: 'acknowledged', order: { quantity: '0.1', limitPrice: '100', venueClientId: 'c1' } }]);
    expect(answer.venueTimeMs).toBe(123_456);
  });
  test('without a readable time tells none', async () => {
    const { session } = await paper(reply(200, { results: [{ ok: false, error: { code: 'ORDER_NOT_FOUND', message: 'none' } }] }, { 'x-paper-time': 'noon' }));
    const answer = await session.send(session.prepareCancel([reference], context), sending());
    expect(answer).toMatchObject({ venueTimeMs: null, items: [{ kind: 'refused', code: 'notFound', venueCode: 'ORDER_NOT_FOUND', message: 'none' }] });
  });
  test.each([
    ['no JSON', '<html>'],
    ['another shape', { results: 'none' }],
    ['too few items', { results: [] }],
    ['the item of another order', { results: [{ clientId: 'c2', ok: true, order: wireOrder }] }],
    ['a number in floating point', { results: [{ clientId: 'c1', ok: true, order: { ...wireOrder, quantity: '1e-3' } }] }],
    ['a status we do not know', { results: [{ clientId: 'c1', ok: true, order: { ...wireOrder, status: 'lost' } }] }],
  ])('of %s leaves the outcome unknown', async (_what, body) => {
    const { session } = await paper(reply(200, body));
    expect(await errorOf(session.send(session.preparePlace([wanted], context), sending()))).toMatchObject({ name: 'VenueOutcomeUnknown', reason: 'unreadable' });
  });
  test('to bytes that name no list is not taken for one', async () => {
    const { session } = await paper(reply(200, { results: [] }));
    const odd = (kind: 'place' | 'cancel'): SignedRequest => ({ kind, bytes: '{"method":"POST","path":"/orders","body":{}}', nonce: null, venueDeadlineMs: null });
    for (const kind of ['place', 'cancel'] as const) expect(await errorOf(session.send(odd(kind), sending()))).toMatchObject({ reason: 'unreadable' });
    const { session: other } = await paper(reply(200, { results: [{ clientId: 'c1', ok: true, order: wireOrder }] }));
    const scalar: SignedRequest = { kind: 'place', bytes: '{"method":"POST","path":"/orders","body":{"orders":["x"]}}', nonce: null, venueDeadlineMs: null };
    expect(await errorOf(other.send(scalar, sending()))).toMatchObject({ reason: 'unreadable' });
  });
  test('of 4xx with a code refuses the whole request; without one it is unknown', async () => {
    const { session } = await paper(reply(400, { error: { code: 'EXPIRED_REQUEST', message: 'too late, sesame' } }));
    const refused = await errorOf(session.send(session.preparePlace([wanted], context), sending()));
    expect(refused).toMatchObject({ name: 'VenueRefused', code: 'expiredRequest', venueCode: 'EXPIRED_REQUEST' });
    expect(JSON.stringify(refused) + String(refused)).not.toContain('sesame');
    const { session: proxied } = await paper(reply(403, 'forbidden by a proxy'));
    expect(await errorOf(proxied.send(proxied.preparePlace([wanted], context), sending()))).toMatchObject({ name: 'VenueOutcomeUnknown', reason: 'unreadable' });
  });
  test.each([
    [404, 'ORDER_NOT_FOUND', 'notFound'],
    [409, 'ORDER_CLOSED', 'alreadyClosed'],
    [200, 'BAD_TICK', 'invalidPrice'],
    [400, 'SOMETHING_NEW', 'other'],
  ])('of %i %s to an amendment refuses its one item', async (status, code, ours) => {
    const { session } = await paper(reply(status, { error: { code, message: 'no' } }));
    expect((await session.send(session.prepareAmend(amendment, context), sending())).items).toEqual([{ kind: 'refused', code: ours, venueCode: code, message: 'no' }]);
  });
  test.each([
    [401, 'KEY_REVOKED', 'unauthorized'],
    [400, 'EXPIRED_REQUEST', 'expiredRequest'],
    [400, 'BAD_REQUEST', 'other'],
  ])('of %i %s to an amendment refuses the request', async (status, code, ours) => {
    const { session } = await paper(reply(status, { error: { code, message: 'no' } }));
    expect(await errorOf(session.send(session.prepareAmend(amendment, context), sending()))).toMatchObject({ name: 'VenueRefused', code: ours, venueCode: code });
  });
  test('of 200 with the error of a whole request to an amendment refuses its item', async () => {
    const { session } = await paper(reply(200, { error: { code: 'EXPIRED_REQUEST', message: 'late' } }));
    expect((await session.send(session.prepareAmend(amendment, context), sending())).items).toMatchObject([{ kind: 'refused', code: 'expiredRequest' }]);
  });
});

describe('reading the paper venue', () => {
  test('asks for its time once, and takes it from the body where a proxy strips the header', async () => {
    const venueNow = Date.now() + 3_600_000;
    const { venue, asked } = await paper(reply(200, { time: venueNow }));
    expect(Math.abs((await venue.venueTimeMs(read)) - venueNow)).toBeLessThan(60_000);
    await venue.venueTimeMs(read);
    expect(asked).toEqual(['GET /time']);
  });
  test('sends the key with private calls only', async () => {
    const keys: unknown[] = [];
    const { venue, session } = await paper((request, _body, response) => {
      keys.push(request.headers['x-paper-key']);
      response.end(JSON.stringify({ markets: [], positions: [] }));
    });
    await venue.markets(read);
    await session.positions(read);
    expect(keys).toEqual([undefined, 'sesame']);
  });
  test('leaves out positions that are flat', async () => {
    const position = { symbol: 'BTC-PERP', side: 'long', quantity: '0', entryPrice: '0', markPrice: null, leverage: null, margin: null, liquidationPrice: null, unrealizedPnl: null, realizedPnl: null };
    const { session } = await paper(reply(200, { positions: [position, { ...position, side: 'flat', quantity: '1' }, { ...position, side: 'short', quantity: '2.0', leverage: '10.0' }] }));
    expect(await session.positions(read)).toMatchObject([{ side: 'short', quantity: '2', leverage: '10' }]);
  });
  test('reads funding payments page by page, negative ones as what was paid', async () => {
    const payment = { id: '7', symbol: 'BTC-PERP', quantity: '-1.0', markPrice: '97000.0', rate: '0.00010', amount: '-9.70', asset: 'USDC', time: 5 };
    const { session, asked } = await paper(reply(200, { payments: [payment], next: '7' }));
    expect(await session.fundingPayments?.(3, 'c', read)).toEqual({
      payments: [{ venuePaymentId: '7', venueSymbol: 'BTC-PERP', quantity: '-1', markPrice: '97000', rate: '0.0001', amount: '-9.7', asset: 'USDC', atMs: 5 }],
      next: '7',
    });
    expect(asked).toEqual(['GET /funding-payments?from=3&limit=500&cursor=c']);
  });
  test('never reads pages without end', async () => {
    const { session, asked } = await paper(reply(200, { orders: [], next: '1' }));
    expect(await errorOf(session.openOrders(read))).toMatchObject({ name: 'VenueOutcomeUnknown', reason: 'unreadable' });
    expect(asked).toHaveLength(200);
  });
  test('sets leverage and the dead-man switch once, as urgent as asked', async () => {
    const bodies: string[] = [];
    const { session, asked } = await paper((request, body, response) => {
      bodies.push(body);
      response.end(JSON.stringify(request.url === '/leverage' ? { symbol: 'BTC-PERP', leverage: '5' } : { at: null }));
    });
    await session.setLeverage('BTC-PERP', '5', read);
    await session.setDeadManSwitch(0, { ...read, priority: 'exit' });
    expect([asked, bodies]).toEqual([['POST /leverage', 'POST /dead-man'], ['{"symbol":"BTC-PERP","leverage":"5"}', '{"timeoutMs":0}']]);
  });
  test('a failing setting is not repeated', async () => {
    const { session, asked } = await paper(reply(500, 'oops'));
    expect(await errorOf(session.setDeadManSwitch(0, read))).toMatchObject({ name: 'VenueOutcomeUnknown' });
    expect(asked).toHaveLength(1);
  });
  test('needs a key', async () => {
    const { venue } = await paper();
    const wrong: readonly VenueCredentials[] = [{}, { key: '' }];
    for (const credentials of wrong) expect(() => venue.session(credentials)).toThrow('needs credentials {key}');
  });
});

describe('words and numbers', () => {
  test.each([['1', '1'], ['1.0', '1'], ['0.50', '0.5'], ['-0', '0'], ['-0.10', '-0.1'], ['007', '7'], ['-1.5', '-1.5'], ['0', '0']])('%s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });
  test('a code we do not know is still a refusal', () => {
    expect([refusalCode('LEVERAGE_TOO_HIGH'), refusalCode('WHAT')]).toEqual(['insufficientMargin', 'other']);
  });
});
