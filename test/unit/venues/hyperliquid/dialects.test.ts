import { describe, expect, test } from '@jest/globals';
import type { PrivateMessage, PublicMessage, VenueOrder } from '../../../../src/domain/venue';
import { privateDialect } from '../../../../src/venues/hyperliquid/dialects';
import { midsDialect, publicDialect } from '../../../../src/venues/hyperliquid/market-dialects';
import type { SocketDialect } from '../../../../src/venues/socket';

const USER = `0x${'a'.repeat(40)}`;
const AGENT = `0x${'b'.repeat(40)}`;
const CLOID = '0123456789abcdef0123456789abcdef';

const frame = (channel: string, data: unknown): string => JSON.stringify({ channel, data });
const told = <T>(dialect: SocketDialect<T>, channel: string, data: unknown): readonly T[] => {
  const read = dialect.read(frame(channel, data));
  return read.kind === 'message' ? read.messages : [];
};

function own(options: Partial<Parameters<typeof privateDialect>[0]> = {}): { dialect: SocketDialect<PrivateMessage>; drifts: string[]; doubtful: VenueOrder[] } {
  const drifts: string[] = [];
  const doubtful: VenueOrder[] = [];
  const tellDrift = (what: string): boolean => {
    const news = !drifts.includes(what);
    drifts.push(what);
    return news;
  };
  const dialect = privateDialect({ user: USER, dexes: [], agent: AGENT, agentCheckEveryMs: 60_000, nowMs: () => 7, tellDrift, collateralOf: (dex) => (dex === 'xyz' ? 'USDH' : 'USDC'), onDoubtfulCancel: (order) => doubtful.push(order), ...options });
  return { dialect, drifts, doubtful };
}

const order = (more: object = {}) => ({ coin: 'BTC', side: 'B', limitPx: '90000.0', sz: '1.0', oid: 5, timestamp: 1, origSz: '1.0', cloid: `0x${CLOID}`, ...more });
const update = (status: string, more: object = {}) => ({ order: order(more), status, statusTimestamp: 2 });
const state = (positions: object[] = [], more: object = {}) => ({
  marginSummary: { accountValue: '1000.0', totalNtlPos: '0.0', totalRawUsd: '0.0', totalMarginUsed: '0.0' }, crossMarginSummary: {}, crossMaintenanceMarginUsed: '0.0', withdrawable: '900.0', time: 3,
  assetPositions: positions.map((position) => ({ type: 'oneWay', position })), ...more,
});
const position = { coin: 'BTC', szi: '0.5', entryPx: '90000.0', positionValue: '45000.0', unrealizedPnl: '0.0', returnOnEquity: '0.0', liquidationPx: '80000.0', marginUsed: '100.0', maxLeverage: 40, leverage: { type: 'cross', value: 20 }, cumFunding: { allTime: '0.0', sinceOpen: '0.0', sinceChange: '0.0' } };

test('orders, fills and funding of spot pairs, and of dexes that are not traded here, are told to nobody', () => {
  const { dialect, drifts } = own({ dexes: ['xyz'] });
  const fill = { coin: '@107', px: '1.0', sz: '1.0', side: 'B', time: 3, startPosition: '0.0', dir: 'Buy', closedPnl: '0.0', hash: '0x0', oid: 5, crossed: true, fee: '0.1', tid: 0, feeToken: 'HYPE', twapId: null };
  for (const coin of ['@107', 'PURR/USDC', 'flx:TSLA']) {
    expect(told(dialect, 'orderUpdates', [update('open', { coin })])).toEqual([]);
    expect(told(dialect, 'userFills', { user: USER, fills: [{ ...fill, coin }] })).toEqual([]);
    expect(told(dialect, 'userFills', { isSnapshot: false, user: USER, fills: [{ ...fill, coin }] })).toEqual([]);
    expect(told(dialect, 'userFundings', { user: USER, fundings: [{ time: 3, coin, usdc: '1.0', szi: '1.0', fundingRate: '0.1', nSamples: null }] })).toEqual([]);
  }
  expect(told(dialect, 'userFills', { user: USER, fills: [fill, { ...fill, coin: 'xyz:TSLA' }] }).length).toBe(1);
  expect(drifts).toEqual([]);
});

describe('what a venue says that its adapter does not know', () => {
  test('an unknown field is told once to the account and each time to the count, and the message is read as ever', () => {
    const { dialect, drifts } = own();
    const changed = [{ ...update('open'), fresh: 1 }];
    expect(told(dialect, 'orderUpdates', changed).map(({ kind }) => kind)).toEqual(['order', 'drift']);
    expect(told(dialect, 'orderUpdates', changed).map(({ kind }) => kind)).toEqual(['order']);
    expect(drifts).toEqual(['orderUpdates: unknown field fresh', 'orderUpdates: unknown field fresh']);
  });

  test('a state nobody knows is left out, the other orders of its message are not', () => {
    const { dialect, drifts } = own();
    const messages = told(dialect, 'orderUpdates', [update('frozen'), update('open', { oid: 6, cloid: null })]);
    expect(messages).toMatchObject([{ kind: 'order', order: { venueOrderId: '6' } }, { kind: 'drift', what: 'orderUpdates: unknown order status frozen' }]);
    expect(drifts).toEqual(['orderUpdates: unknown order status frozen']);
  });

  test.each<[string, unknown, string]>([
    ['userFills', { user: USER, fills: [{ coin: 'BTC' }] }, 'userFills: fills.side is not what the adapter knows'],
    ['clearinghouseState', { dex: '', user: USER, clearinghouseState: { time: 1 } }, 'clearinghouseState: clearinghouseState.marginSummary: '],
    ['orderUpdates', [update('open', { side: 'C' })], 'orderUpdates: order.side: '],
    ['brandNew', {}, 'brandNew: unknown channel'],
  ])('%s of another shape is told, and the stream goes on', (channel, data, words) => {
    const { dialect } = own();
    expect(told(dialect, channel, data)).toEqual([{ kind: 'drift', what: expect.stringContaining(words) as unknown, atMs: 7 }]);
    expect(told(dialect, 'orderUpdates', [update('open')])).toHaveLength(1);
  });

  test('on a public stream it is counted, and nobody else is told', () => {
    const drifts: string[] = [];
    const dialect = publicDialect('hyperliquid', ['BTC'], (what) => drifts.push(what) > 0);
    const book = { coin: 'BTC', time: 1, levels: [[{ px: '1.0', sz: '2.0', n: 1, m: 1 }], []] };
    expect(told(dialect, 'l2Book', book)).toEqual([{ kind: 'book', symbol: 'BTC', type: 'snapshot', bids: [['1', '2']], asks: [], sequence: 1, atMs: 1 }]);
    expect(told(dialect, 'trades', [{ coin: 'BTC' }])).toEqual([]);
    expect(drifts).toEqual(['l2Book: unknown field levels.m', expect.stringContaining('trades: ')]);
  });

  test('without the account\'s summary the stream stands, and any other refused subscription ends the connection', () => {
    const { dialect, drifts } = own();
    const refused = (subscription: string): string => frame('error', `Error parsing JSON into valid websocket request: {"type":"${subscription}"}`);
    expect(dialect.read(refused('webData3'))).toEqual({ kind: 'subscribed', channel: `webData3//${USER}/`, sequence: null });
    expect(drifts).toEqual(['webData3 is not known to the venue any more']);
    expect(() => dialect.read(refused('userFills'))).toThrow('the stream answered');
  });
});

describe('an account\'s own stream', () => {
  test('funding is told with the token of its dex, and the first picture of it is not', () => {
    const { dialect } = own({ dexes: ['xyz'] });
    const funding = { time: 3_600_000, coin: 'xyz:TSLA', usdc: '-1.50', szi: '2.0', fundingRate: '0.0000125', nSamples: null };
    expect(told(dialect, 'userFundings', { user: USER, isSnapshot: true, fundings: [funding] })).toEqual([]);
    expect(told(dialect, 'userFundings', { user: USER, fundings: [funding] })).toEqual([
      { kind: 'funding', atMs: 3_600_000, payment: { venuePaymentId: 'xyz:TSLA/3600000', venueSymbol: 'xyz:TSLA', amount: '-1.5', asset: 'USDH', rate: '0.0000125', quantity: '2', markPrice: null, atMs: 3_600_000 } },
    ]);
  });

  test('an order that took another\'s place under one client id is the one that counts', () => {
    const { dialect, doubtful } = own();
    expect(told(dialect, 'orderUpdates', [update('open', { oid: 6 }), update('canceled', { oid: 5 })])).toMatchObject([{ kind: 'order', order: { venueOrderId: '6', status: 'open' } }]);
    expect(told(dialect, 'orderUpdates', [update('canceled', { oid: 6 })])).toMatchObject([{ order: { venueOrderId: '6', status: 'canceled' } }]);
    expect(told(dialect, 'orderUpdates', [update('canceled', { oid: 9 })])).toEqual([]);
    expect(doubtful.map(({ venueOrderId }) => venueOrderId)).toEqual(['9']);
  });

  test('positions, what became flat, and one balance for each token come once every dex told its own', () => {
    const { dialect } = own({ dexes: ['xyz'] });
    const tell = (dex: string, said: object) => told(dialect, 'clearinghouseState', { dex, user: USER, clearinghouseState: said });
    expect(tell('', state([position]))).toEqual([]);
    expect(tell('', state([position])).map(({ kind }) => kind)).toEqual(['position']);
    expect(tell('xyz', state())).toEqual([]);
    expect(tell('', state())).toMatchObject([
      { kind: 'position', position: { venueSymbol: 'BTC', side: 'flat' } },
      { kind: 'balance', balance: { asset: 'USDC', total: '1000', available: '900', locked: '100' } },
      { kind: 'balance', balance: { asset: 'USDH', total: '1000' } },
    ]);
  });

  test('its agent is asked for when it connects, when its time has come, and when the summary stops naming it', () => {
    let nowMs = 0;
    const { dialect } = own({ nowMs: () => nowMs });
    const summary = (agentAddress: string | null) => told(dialect, 'webData3', { userState: { agentAddress, serverTime: 1 }, perpDexStates: [] });
    expect(dialect.authentication()).toContain('userRole');
    expect(dialect.ping()).toContain('ping');
    summary(AGENT.toUpperCase().replace('0X', '0x'));
    expect(dialect.ping()).toContain('ping');
    summary(null);
    expect(dialect.ping()).toContain('userRole');
    nowMs = 60_000;
    expect(dialect.ping()).toContain('userRole');
    const role = (data: object): unknown => dialect.read(frame('post', { id: 1, response: { type: 'info', payload: { type: 'userRole', data } } }));
    expect(role({ role: 'agent', data: { user: USER } })).toEqual({ kind: 'authenticated' });
    expect(role({ role: 'missing' })).toMatchObject({ kind: 'refused', code: 'AGENT_UNKNOWN' });
    expect(dialect.refused('AGENT_UNKNOWN')).toEqual({ kind: 'keyRevoked', atMs: 60_000 });
  });

  test('an account that signs itself has no agent to ask about', () => {
    const { dialect } = own({ agent: null });
    expect([dialect.authentication(), dialect.ping()]).toEqual([null, JSON.stringify({ method: 'ping' })]);
  });
});

describe('markets', () => {
  test('best prices, marks and trades become one ticker', () => {
    const dialect = publicDialect('hyperliquid', ['BTC'], () => false);
    const context = { coin: 'BTC', ctx: { funding: '0.0', markPx: '97000.0', midPx: null, oraclePx: '97010.0' } };
    expect(told(dialect, 'activeAssetCtx', context)).toEqual([]);
    expect(told(dialect, 'bbo', { coin: 'BTC', time: 1, bbo: [{ px: '96999.0', sz: '1.0' }, null] })).toEqual([{ kind: 'ticker', ticker: { venue: 'hyperliquid', symbol: 'BTC', bid: '96999', ask: null, mark: '97000', index: '97010', last: null, at: 1 } }]);
    const [trades, ticker] = told(dialect, 'trades', [{ coin: 'BTC', side: 'B', px: '97001.0', sz: '0.5', time: 2, tid: 9 }]) as [PublicMessage, PublicMessage];
    expect([trades, ticker]).toMatchObject([{ kind: 'trades', trades: [{ id: '9', price: '97001', side: 'buy' }] }, { kind: 'ticker', ticker: { last: '97001', bid: '96999' } }]);
    expect(told(dialect, 'trades', [])).toEqual([]);
    expect(told(dialect, 'activeAssetCtx', context)).toMatchObject([{ kind: 'ticker', ticker: { mark: '97000', index: '97010' } }]);
    expect(told(dialect, 'activeAssetCtx', { coin: 'BTC', ctx: { funding: '0.0', markPx: '97000.0', midPx: null } })).toMatchObject([{ kind: 'ticker', ticker: { index: null } }]);
    expect(dialect.refused('any')).toBeNull();
  });

  test.each([{ midPx: null }, {}, { midPx: null, premium: null, impactPxs: null }])('a market without a book has its mark all the same, whatever stands where its middle would: %j', (middle) => {
    const drifts: string[] = [];
    const dialect = publicDialect('hyperliquid', ['BTC'], (what) => drifts.push(what) > 0);
    told(dialect, 'bbo', { coin: 'BTC', time: 1_000, bbo: [null, null] });
    expect(told(dialect, 'activeAssetCtx', { coin: 'BTC', ctx: { funding: '0.0', markPx: '80.0', oraclePx: '80.0', ...middle } })).toMatchObject([{ ticker: { mark: '80', bid: null, ask: null } }]);
    expect(drifts).toEqual([]);
  });

  test('a mark is as new as what the venue told last, while the best prices stand', () => {
    const dialect = publicDialect('hyperliquid', ['BTC'], () => false);
    told(dialect, 'bbo', { coin: 'BTC', time: 1_000, bbo: [{ px: '99.0', sz: '1.0' }, { px: '101.0', sz: '1.0' }] });
    told(dialect, 'l2Book', { coin: 'BTC', time: 61_000, levels: [[], []] });
    expect(told(dialect, 'activeAssetCtx', { coin: 'BTC', ctx: { funding: '0.0', markPx: '80.0', midPx: '100.0', oraclePx: '80.0' } })).toMatchObject([{ ticker: { mark: '80', bid: '99', at: 61_000 } }]);
    expect(told(dialect, 'bbo', { coin: 'BTC', time: 62_000, bbo: [null, null] })).toMatchObject([{ ticker: { mark: '80', at: 62_000 } }]);
  });

  test('middles of every dex; a gap makes them unknown', () => {
    const dialect = midsDialect(['xyz'], () => false);
    expect(told(dialect, 'allMids', { mids: { 'xyz:TSLA': '400.0' }, dex: 'xyz' })).toEqual([{ 'xyz:TSLA': '400.0' }]);
    expect([dialect.gap('lost', 0), dialect.refused('any'), dialect.authentication()]).toEqual([null, null, null]);
    expect(dialect.subscriptions.map(({ channel }) => channel)).toEqual(['allMids///', 'allMids///xyz']);
  });

  test('plain words and pongs say nothing; a frame without a channel ends the connection', () => {
    const dialect = publicDialect('hyperliquid', [], () => false);
    expect([dialect.read('Websocket connection established.'), dialect.read('{"channel":"pong"}')]).toEqual([{ kind: 'ignored' }, { kind: 'ignored' }]);
    expect(() => dialect.read('{}')).toThrow('names no channel');
  });
});
