/** Recordings of real markets played into orders, fills and positions; what must come out is reckoned here from the raw rows. */
import { afterEach, expect, test } from '@jest/globals';
import { Decimal, ZERO, decimal, decimalText } from '../../../src/domain/decimal';
import { type StartedSimulator, startPaperSimulator } from '../../../src/simulator';
import { scaledCount } from '../../support/scale';
import { TestClient } from './paper-client';
import { type RawCandle, type RawTrade, arrayTrades, csvCandles, csvTrades, describeWith, pathOf } from './recorded-files';

/** Against hanging: a whole file is some 80,000 events in the full run. */
const WHOLE_FILE_MS = 600_000;
const running: StartedSimulator[] = [];
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close();
});

async function play(data: string): Promise<TestClient> {
  const simulator = await startPaperSimulator({ tickMs: 0, speed: 0, data });
  running.push(simulator);
  return new TestClient(simulator.url, 'key-1');
}

interface WireFill {
  readonly orderId: string;
  readonly side: string;
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly realizedPnl: string;
}

async function fillsOf(client: TestClient, orderId: string): Promise<WireFill[]> {
  const fills: WireFill[] = [];
  for (let cursor: unknown = undefined; ; ) {
    const { body } = await client.get(`/fills?from=0&limit=1000${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`);
    fills.push(...(body['fills'] as WireFill[]));
    cursor = body['next'];
    if (cursor === undefined) return fills.filter((fill) => fill.orderId === orderId);
  }
}

/** What stands at a price before an order that would be placed there now. */
async function queueAt(client: TestClient, symbol: string, side: 'bids' | 'asks', price: string): Promise<Decimal> {
  const { body } = await client.get(`/orderbook?symbol=${symbol}&depth=1000`);
  return decimal((body[side] as [string, string][]).find(([at]) => at === price)?.[1] ?? '0');
}

/** The quantities by which trades fill one resting order, by the rule: first what was before it, then its share of each trade. */
function expectedFills(trades: readonly RawTrade[], order: { side: 'buy' | 'sell'; price: string; quantity: string; ahead: Decimal }): string[] {
  let { ahead } = order;
  let left = decimal(order.quantity);
  const fills: string[] = [];
  for (const trade of trades) {
    const beyond = order.side === 'buy' ? decimal(order.price).minus(trade.price) : decimal(trade.price).minus(order.price);
    if (trade.side === order.side || beyond.isNegative()) continue;
    let volume = decimal(trade.quantity);
    if (beyond.isZero()) {
      const passed = Decimal.min(volume, ahead);
      ahead = ahead.minus(passed);
      volume = volume.minus(passed);
    }
    const part = Decimal.min(volume, left);
    if (part.isZero()) continue;
    left = left.minus(part);
    fills.push(decimalText(part));
    if (left.isZero()) break;
  }
  return fills;
}

const totalOf = (quantities: readonly string[]): Decimal => quantities.reduce((total, quantity) => total.plus(quantity), ZERO);

describeWith('binance-ethusdt-trades-2023-02-02.csv.gz', 'a replay of Binance trades (CSV)', (path) => {
  test.each([
    ['far below the market, off every shown level', 'buy', '1666.5', '40'],
    ['at the best bid, behind what is shown there', 'buy', '1666.79', '3'],
    ['above the market', 'sell', '1667.2', '60'],
    ['more than ever trades there', 'sell', '1667.25', '5000'],
  ] as const)('fills a resting order %s by the volume that traded after its turn', async (_where, side, price, quantity) => {
    const client = await play(path);
    expect(running[0]?.source).toMatch(/^recording binance-ethusdt-trades-2023-02-02\.csv\.gz for ETH-PERP \(trades CSV\) at speed 0/);
    await client.get('/balances');
    const [account] = (await client.get('/__sim/state')).body['accounts'] as string[];
    await client.post('/__sim/credit', { account, asset: 'USDC', amount: '10000000' });
    const ahead = await queueAt(client, 'ETH-PERP', side === 'buy' ? 'bids' : 'asks', price);
    const { order } = await client.place({ symbol: 'ETH-PERP', side, price, quantity, postOnly: true });
    const trades = csvTrades(path);
    expect((await client.post('/__sim/replay', { count: 100_000 })).body).toEqual({ applied: trades.length - 1 });
    const expected = expectedFills(trades.slice(1), { side, price, quantity, ahead });
    expect(expected.length).toBeGreaterThan(0);
    const fills = await fillsOf(client, order.orderId);
    expect(fills.map((fill) => [fill.price, fill.quantity])).toEqual(expected.map((part) => [price, part]));
    const filled = totalOf(expected);
    const [position] = (await client.get('/positions')).body['positions'] as Record<string, string>[];
    expect(position).toMatchObject({ symbol: 'ETH-PERP', side: side === 'buy' ? 'long' : 'short', quantity: filled.toFixed(), entryPrice: price });
    const [balance] = (await client.get('/balances')).body['balances'] as { total: string }[];
    expect(balance?.total).toBe(decimal('10100000').minus(filled.times(price).times('0.0002')).toFixed());
  });

  test('prints every trade once, with all of its volume, whoever was filled by it', async () => {
    const client = await play(path);
    await client.place({ symbol: 'ETH-PERP', price: '1666.79', quantity: '2', postOnly: true });
    await client.post('/__sim/replay', { count: 400 });
    const { trades } = (await client.get('/trades?symbol=ETH-PERP&limit=1000')).body as { trades: { quantity: string }[] };
    const raw = csvTrades(path).slice(1, 401);
    expect(totalOf(trades.map(({ quantity }) => quantity)).toFixed()).toBe(totalOf(raw.map(({ quantity }) => quantity)).toFixed());
  });
});

describeWith('xrp-eth-trades-2019-10.json.gz', 'a replay of XRP/ETH trades (JSON array)', (path) => {
  test('fills a bid and an offer over two and a half days, and moves both assets by exactly that', async () => {
    const client = await play(path);
    expect(running[0]?.source).toMatch(/^recording xrp-eth-trades-2019-10\.json\.gz for XRP-ETH \(JSON array of trades\)/);
    await client.get('/balances');
    const [account] = (await client.get('/__sim/state')).body['accounts'] as string[];
    await client.post('/__sim/credit', { account, asset: 'ETH', amount: '100' });
    await client.post('/__sim/credit', { account, asset: 'XRP', amount: '50000' });
    const all = arrayTrades(path);
    const trades = all.slice(1, scaledCount(all.length - 1) + 1);
    // Prices the played part reaches, below and above where it begins, so that both orders rest first.
    const start = decimal(all[0]?.price ?? '0');
    const middleOf = (side: 'buy' | 'sell'): string => {
      const reached = trades.filter((trade) => trade.side !== side).map(({ price }) => decimal(price)).filter((price) => (side === 'buy' ? price.lessThan(start) : price.greaterThan(start)));
      reached.sort((one, other) => one.comparedTo(other));
      return decimalText(reached[Math.floor(reached.length / 2)] ?? ZERO);
    };
    const wanted = [
      { side: 'buy', price: middleOf('buy'), quantity: '20000' },
      { side: 'sell', price: middleOf('sell'), quantity: '30000' },
    ] as const;
    const placed = [];
    for (const order of wanted) {
      const ahead = await queueAt(client, 'XRP-ETH', order.side === 'buy' ? 'bids' : 'asks', order.price);
      placed.push({ ...order, ahead, orderId: (await client.place({ symbol: 'XRP-ETH', ...order, postOnly: true })).order.orderId });
    }
    await client.post('/__sim/replay', { count: trades.length });
    let [xrp, eth] = [decimal('50000'), decimal('100')];
    for (const order of placed) {
      const expected = expectedFills(trades, order);
      const fills = await fillsOf(client, order.orderId);
      expect(fills.map(({ quantity }) => quantity)).toEqual(expected);
      const filled = totalOf(expected);
      expect(filled.greaterThan(0)).toBe(true);
      const signed = order.side === 'buy' ? filled : filled.negated();
      xrp = xrp.plus(signed);
      eth = eth.minus(signed.times(order.price)).minus(filled.times(order.price).times('0.001'));
    }
    const balances = (await client.get('/balances')).body['balances'] as { asset: string; total: string }[];
    const totals = Object.fromEntries(balances.map(({ asset, total }) => [asset, total]));
    expect([totals['XRP'], totals['ETH']]).toEqual([xrp.toFixed(), eth.toFixed()]);
  }, WHOLE_FILE_MS);
});

/** The prices a candle goes through: the extreme against its close first. */
function wayOf({ open, high, low, close }: RawCandle): string[] {
  return decimal(close).greaterThanOrEqualTo(open) ? [open, low, high, close] : [open, high, low, close];
}

describeWith('btc-perp-1m-2022-01.csv.gz', 'a replay of a month of one-minute candles', (path) => {
  test('reaches stops, take-profits and limits at the candle that does, and counts the profit', async () => {
    const client = await play(path);
    expect(running[0]?.source).toMatch(/^recording btc-perp-1m-2022-01\.csv\.gz for BTC-PERP \(1-minute candles CSV\)/);
    const candles = csvCandles(path).slice(0, scaledCount(20_000));
    const way = candles.flatMap(wayOf).slice(1);
    const { order: entry } = await client.place({ symbol: 'BTC-PERP', type: 'market', timeInForce: 'IOC', price: undefined, quantity: '0.5' });
    const lowest = way.reduce((low, price) => Decimal.min(low, price), decimal('99999'));
    const [bought] = await fillsOf(client, entry.orderId);
    const trigger = decimalText(lowest.plus(5));
    const stop = { symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', price: undefined, quantity: '0.5', triggerPrice: trigger, triggerPriceType: 'last', reduceOnly: true };
    const { order } = await client.place(stop);
    const at = way.findIndex((price) => decimal(price).lessThanOrEqualTo(trigger));
    expect(at).toBeGreaterThan(100);
    await client.post('/__sim/replay', { count: at });
    const status = async (): Promise<unknown> => ((await client.get(`/orders?clientIds=${order.clientId}`)).body['orders'] as { status: string }[])[0]?.status;
    expect(await status()).toBe('open');
    await client.post('/__sim/replay', { count: 1 });
    expect(await status()).toBe('filled');
    const sold = await fillsOf(client, order.orderId);
    const proceeds = sold.reduce((total, { price, quantity }) => total.plus(decimal(price).times(quantity)), ZERO);
    expect(sold.reduce((total, { realizedPnl }) => total.plus(realizedPnl), ZERO).toFixed()).toBe(proceeds.minus(decimal(entry.avgPrice ?? '0').times('0.5')).toFixed());
    // At the price that fired it, or a few made-up levels below.
    expect(sold.every(({ price }) => decimal(price).lessThanOrEqualTo(way[at] ?? '0') && decimal(price).greaterThan(lowest.minus(100)))).toBe(true);
    expect((await client.get('/positions')).body).toEqual({ positions: [] });
    expect(bought?.side).toBe('buy');
  }, WHOLE_FILE_MS);

  test('a resting order gets at most the volume of the quarters of candles that reach it', async () => {
    const client = await play(path);
    const candles = csvCandles(path).slice(0, scaledCount(2_000));
    const steps = candles.flatMap((candle) => wayOf(candle).map((price) => ({ price, volume: decimal(candle.volume).dividedBy(4) })));
    let previous = '';
    const trades = steps.map(({ price, volume }, index): RawTrade => {
      const candle = candles[Math.floor(index / 4)] as RawCandle;
      const rose = decimal(candle.close).greaterThanOrEqualTo(candle.open);
      const side = previous === '' || decimal(previous).equals(price) ? (rose ? 'buy' : 'sell') : decimal(price).greaterThan(previous) ? 'buy' : 'sell';
      previous = price;
      return { side, price, quantity: volume.dividedBy(price).toDecimalPlaces(4, Decimal.ROUND_DOWN).toFixed() };
    });
    const lowest = trades.reduce((low, { price }) => Decimal.min(low, price), decimal('99999'));
    const wanted = { side: 'buy', price: decimalText(lowest.plus('10')), quantity: '20' } as const;
    const ahead = await queueAt(client, 'BTC-PERP', 'bids', wanted.price);
    await client.get('/balances');
    const [account] = (await client.get('/__sim/state')).body['accounts'] as string[];
    await client.post('/__sim/credit', { account, asset: 'USDC', amount: '10000000' });
    const { order } = await client.place({ symbol: 'BTC-PERP', ...wanted });
    await client.post('/__sim/replay', { count: trades.length - 1 });
    const fills = await fillsOf(client, order.orderId);
    const expected = expectedFills(trades.slice(1), { ...wanted, ahead });
    expect(expected.length).toBeGreaterThan(0);
    expect(fills.map(({ quantity }) => quantity)).toEqual(expected);
  }, WHOLE_FILE_MS);
});

describeWith('bybit-xrpusdt-ob500-2024-12-01.jsonl', 'a replay of Bybit order books', () => {
  test('a market order walks the levels in, another walks them out after the recording, and the difference is the profit', async () => {
    const client = await play(pathOf('bybit-xrpusdt-ob500-2024-12-01.jsonl'));
    expect(running[0]?.source).toMatch(/for XRP-PERP \(Bybit order-book lines\)/);
    const market = { type: 'market', timeInForce: 'IOC', price: undefined, quantity: '60000' };
    const walk = async (side: 'asks' | 'bids'): Promise<[string, string][]> => {
      const { body } = await client.get('/orderbook?symbol=XRP-PERP&depth=1000');
      let left = decimal('60000');
      const parts: [string, string][] = [];
      for (const [price, quantity] of body[side] as [string, string][]) {
        const part = Decimal.min(left, quantity);
        if (part.isZero()) break;
        parts.push([price, decimalText(part)]);
        left = left.minus(part);
      }
      return parts;
    };
    const paidFor = await walk('asks');
    expect(paidFor.length).toBeGreaterThan(3);
    const { order: bought } = await client.place(market);
    expect((await fillsOf(client, bought.orderId)).map(({ price, quantity }) => [price, quantity])).toEqual(paidFor);
    await client.post('/__sim/replay', { count: 1_000 });
    const soldFor = await walk('bids');
    const { order: sold } = await client.place({ ...market, side: 'sell' });
    const out = await fillsOf(client, sold.orderId);
    expect(out.map(({ price, quantity }) => [price, quantity])).toEqual(soldFor);
    const valueOf = (parts: readonly [string, string][]): Decimal => parts.reduce((total, [price, quantity]) => total.plus(decimal(price).times(quantity)), ZERO);
    const profit = valueOf(soldFor).minus(valueOf(paidFor));
    expect(out.reduce((total, { realizedPnl }) => total.plus(realizedPnl), ZERO).toDecimalPlaces(8).toFixed()).toBe(profit.toDecimalPlaces(8).toFixed());
    const [balance] = (await client.get('/balances')).body['balances'] as { total: string }[];
    const fees = valueOf([...soldFor, ...paidFor]).times('0.00055');
    expect(decimal(balance?.total ?? '0').toDecimalPlaces(8).toFixed()).toBe(decimal('100000').plus(profit).minus(fees).toDecimalPlaces(8).toFixed());
  });
});
