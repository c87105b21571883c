import { describe, expect, test } from '@jest/globals';
import type { OrderReference, PlaceRequest } from '../../../../src/domain/venue';
import { amendBytes, cancelBytes, placeBytes, readBytes, type ActionSigner, type MarketView } from '../../../../src/venues/hyperliquid/actions';
import { unknownFields } from '../../../../src/venues/hyperliquid/drift';
import { assetsOf, openOrders, slippagePrice, toOrder } from '../../../../src/venues/hyperliquid/normalize';
import { ordersSchema } from '../../../../src/venues/hyperliquid/schemas';

const [btc] = assetsOf('hyperliquid', { universe: [{ name: 'BTC', szDecimals: 5, maxLeverage: 40 }] }, 0);
const signer: ActionSigner = { venue: 'hyperliquid', privateKey: new Uint8Array(32).fill(7), network: 'testnet', vaultAddress: null };
const view: MarketView = { asset: (coin) => (coin === 'BTC' ? (btc ?? null) : null), middle: (coin) => (coin === 'BTC' ? '97000' : null), slippage: '0.05', carriesCloid: () => true };
const blind: MarketView = { ...view, middle: () => null };
const context = { nonce: '1700000000000', venueDeadlineMs: 1_700_000_002_000 };
const CLOID = '0123456789abcdef0123456789abcdef';

function order(changes: Partial<PlaceRequest> = {}): PlaceRequest {
  return { venueClientId: CLOID, venueSymbol: 'BTC', side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.001', limitPrice: '90000', postOnly: false, reduceOnly: false, ...changes };
}

/** The one order as it goes to the venue, or the refusal in its place. */
function wireOf(request: PlaceRequest, seen: MarketView = view): unknown {
  const { body, refused } = readBytes('hyperliquid', placeBytes(signer, seen, [request], context));
  return body === null ? refused[0] : (JSON.parse(body) as { action: { orders: unknown[] } }).action.orders[0];
}

describe('an order in the venue\'s words', () => {
  test.each<[string, Partial<PlaceRequest>, object]>([
    ['a limit order rests', {}, { p: '90000', s: '0.001', b: true, r: false, t: { limit: { tif: 'Gtc' } }, c: `0x${CLOID}` }],
    ['post-only', { postOnly: true }, { t: { limit: { tif: 'Alo' } } }],
    ['immediate or cancel', { timeInForce: 'IOC' }, { t: { limit: { tif: 'Ioc' } } }],
    ['a market order is a limit inside the slippage', { type: 'market', limitPrice: null }, { p: '101850', t: { limit: { tif: 'Ioc' } } }],
    ['a market sell as well', { type: 'market', limitPrice: null, side: 'sell' }, { p: '92150', b: false }],
    ['a market order with a limit of its own keeps it', { type: 'market', limitPrice: '95000' }, { p: '95000' }],
    ['a stop', { type: 'stopMarket', side: 'sell', triggerPrice: '80000', reduceOnly: true }, { r: true, t: { trigger: { isMarket: true, triggerPx: '80000', tpsl: 'sl' } } }],
    ['a take-profit with a limit', { type: 'takeProfitLimit', side: 'sell', triggerPrice: '99000', limitPrice: '98900' }, { p: '98900', t: { trigger: { isMarket: false, triggerPx: '99000', tpsl: 'tp' } } }],
  ])('%s', (_what, changes, expected) => {
    expect(wireOf(order(changes))).toMatchObject(expected);
  });

  test('without a client id of ours carries none', () => {
    expect(wireOf(order({ venueClientId: 'foreign' }))).not.toHaveProperty('c');
  });

  test.each<[string, Partial<PlaceRequest>, string, string, MarketView]>([
    ['an unknown market', { venueSymbol: 'NONE' }, 'marketClosed', 'there is no market NONE', view],
    ['a size between two lots', { quantity: '0.0000123' }, 'invalidQuantity', 'the nearest below is 0.00001', view],
    ['a price with too many figures', { limitPrice: '90000.55' }, 'invalidPrice', 'the nearest are 90000 and 90001', view],
    ['a limit order without its limit', { limitPrice: null }, 'invalidPrice', 'needs a limit price', view],
    ['fill or kill', { timeInForce: 'FOK' }, 'other', 'there is no FOK', view],
    ['a stop without a trigger', { type: 'stopLimit' }, 'other', 'there are no stopLimit orders without a trigger price', view],
    ['a trailing stop', { type: 'trailingStopMarket' }, 'other', 'there are no trailingStopMarket orders', view],
    ['a market order while no price is known', { type: 'market', limitPrice: null }, 'noLiquidity', 'needs one for its slippage limit', blind],
  ])('%s is refused before anything is sent', (_what, changes, code, words, seen) => {
    expect(wireOf(order(changes), seen)).toMatchObject({ kind: 'refused', code, venueCode: 'NOT_SENT', message: expect.stringContaining(words) as unknown });
  });
});

test.each([
  ['behind', -60_000],
  ['ahead', 60_000],
])('an action is taken for ten seconds by the venue\'s clock and little more, also where ours is a minute %s', (_where, skewMs) => {
  const venueNowMs = 1_700_000_000_000;
  const { venueDeadlineMs } = placeBytes(signer, view, [order()], { nonce: String(venueNowMs + skewMs), venueDeadlineMs: venueNowMs + 1_500, venueTimeMs: venueNowMs });
  expect((venueDeadlineMs ?? 0) - venueNowMs).toBeGreaterThanOrEqual(10_000);
  expect((venueDeadlineMs ?? 0) - venueNowMs).toBeLessThanOrEqual(15_000);
});

describe('amendments and cancels', () => {
  const reference: OrderReference = { venueClientId: CLOID, venueOrderId: '77', venueSymbol: 'BTC' };
  const terms = { side: 'buy', type: 'limit', timeInForce: 'GTC', quantity: '0.001', limitPrice: '90000', postOnly: false, reduceOnly: false, filledQuantity: '0' } as const;
  const amend = (changes: Partial<Parameters<typeof amendBytes>[2]>): unknown => amendBytes(signer, view, { order: reference, amendmentId: 'm1', limitPrice: '91000', quantity: null, terms, ...changes }, context);

  test('an amendment replaces the order under the same client id', () => {
    const { body } = readBytes('hyperliquid', amend({}) as ReturnType<typeof amendBytes>);
    expect(JSON.parse(body ?? '')).toMatchObject({ action: { type: 'batchModify', modifies: [{ oid: `0x${CLOID}`, order: { p: '91000', s: '0.001' } }] } });
  });

  test.each<[string, object, string]>([
    ['without the order\'s terms', { terms: undefined }, 'needs the order\'s terms'],
    ['of an order that is partially filled', { terms: { ...terms, filledQuantity: '0.0005' } }, 'partially filled'],
    ['to a price that cannot be', { limitPrice: '90000.55' }, 'the nearest are'],
  ])('one %s is refused', (_what, changes, words) => {
    expect(() => amend(changes)).toThrow(words);
  });

  test('cancels name orders by client id, or all by the venue\'s own, and never mixed', () => {
    const body = (orders: readonly OrderReference[]): unknown => JSON.parse(readBytes('hyperliquid', cancelBytes(signer, view, orders, context)).body ?? '');
    const foreign = { ...reference, venueClientId: 'external-77' };
    expect(body([reference])).toMatchObject({ action: { type: 'cancelByCloid', cancels: [{ asset: 0, cloid: `0x${CLOID}` }] }, expiresAfter: null });
    expect(body([foreign])).toMatchObject({ action: { type: 'cancel', cancels: [{ a: 0, o: 77 }] } });
    expect(() => cancelBytes(signer, view, [reference, foreign], context)).toThrow('either by client ids or by its own');
    expect(() => cancelBytes(signer, view, [{ ...reference, venueSymbol: 'NONE' }], context)).toThrow('no market NONE');
  });

  test('bytes that cannot be read say what to do, and a request without a nonce is a fault of ours', () => {
    const made = placeBytes(signer, view, [order()], context);
    expect(() => readBytes('hyperliquid', { ...made, bytes: 'torn' })).toThrow('prepare it again');
    expect(() => placeBytes(signer, view, [order()], { ...context, nonce: null })).toThrow(RangeError);
  });
});

describe('the venue\'s words in ours', () => {
  test('an order keeps its kind, its trigger and what is left of it', () => {
    const shown = { coin: 'BTC', side: 'A', limitPx: '79000', sz: '0.4', oid: 9, timestamp: 5, origSz: '1.0', cloid: null } as const;
    const state = (more: object, status: string) => toOrder({ order: { ...shown, ...more }, status, statusTimestamp: 6 });
    expect(state({ orderType: 'Stop Market', triggerPx: '80000', reduceOnly: true }, 'open')).toMatchObject({ type: 'stopMarket', side: 'sell', timeInForce: 'IOC', limitPrice: null, triggerPrice: '80000', triggeredAtMs: null, reduceOnly: true, filledQuantity: '0.6' });
    expect(state({ orderType: 'Stop Limit', triggerPx: '80000' }, 'triggered')).toMatchObject({ type: 'stopLimit', timeInForce: 'GTC', limitPrice: '79000', triggeredAtMs: 6, status: 'open' });
    expect(state({ tif: 'Alo' }, 'canceled')).toMatchObject({ type: 'limit', postOnly: true, status: 'canceled', reasonCode: 'canceled', venueClientId: null });
    expect(state({ tif: 'Ioc', cloid: `0x${CLOID}` }, 'filled')).toMatchObject({ timeInForce: 'IOC', filledQuantity: '1', reasonCode: null, venueClientId: CLOID });
    expect(() => state({}, 'somethingNew')).toThrow('unknown order status somethingNew');
  });

  test('exits that wait for their entry are open orders, listed once, also where they are shown inside it alone', () => {
    const exit = { coin: 'BTC', side: 'A', limitPx: '79000', sz: '0.5', origSz: '0.5', timestamp: 5, orderType: 'Stop Market', triggerPx: '80000', reduceOnly: true, children: [] } as const;
    const listed = ordersSchema.parse([{ ...exit, oid: 1, side: 'B', orderType: 'Limit', reduceOnly: false, children: [{ ...exit, oid: 2, cloid: `0x${CLOID}` }, { ...exit, oid: 3 }] }, { ...exit, oid: 3 }]);
    expect(openOrders(listed).map(({ venueOrderId, type, venueClientId, status }) => [venueOrderId, type, venueClientId, status])).toEqual([['1', 'limit', null, 'open'], ['2', 'stopMarket', CLOID, 'open'], ['3', 'stopMarket', null, 'open']]);
    expect(unknownFields(ordersSchema, [{ ...exit, oid: 1, children: [{ ...exit, oid: 2, news: 1 }] }])).toEqual(['children.news']);
  });

  test('an exit of the whole position says so, and its sizes are no fills of it', () => {
    const shown = { coin: 'BTC', side: 'A', limitPx: '79000', sz: '0.0', origSz: '0.5', oid: 9, timestamp: 5, orderType: 'Stop Market', triggerPx: '80000', reduceOnly: true, isPositionTpsl: true } as const;
    for (const status of ['open', 'triggered', 'filled', 'canceled']) expect(toOrder({ order: shown, status, statusTimestamp: 6 })).toMatchObject({ wholePosition: true, filledQuantity: '0' });
  });

  test('a slippage limit is never passed by rounding', () => {
    const rule = btc?.tickRule;
    if (rule === undefined) throw new Error('no market');
    expect([slippagePrice(rule, '97001', 'buy', '0.001'), slippagePrice(rule, '97001', 'sell', '0.001')]).toEqual(['97098', '96904']);
  });
});
