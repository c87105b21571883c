/** The formats of recordings: how they are told apart, read, and refused. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { startPaperSimulator } from '../../../src/simulator';
import { ALL_MARKETS } from '../../../src/simulator/market';
import { type RecordedEvent, openRecording } from '../../../src/simulator/recordings';
import { TestClient } from './paper-client';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'surefill-recordings-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
  return path;
}

/** Events as short texts. */
async function readAll(path: string, symbol: string | null = null): Promise<{ format: string; symbol: string; events: string[] }> {
  const { format, market, read } = await openRecording(path, ALL_MARKETS, symbol);
  const events: string[] = [];
  const shown = (event: RecordedEvent): string =>
    event.kind === 'book' ? `${event.time} ${event.update.replace ? 'snapshot' : 'delta'}` : `${event.time} ${event.trade.side} ${event.trade.quantity.toFixed()} @ ${event.trade.price.toFixed()}`;
  for await (const event of read()) events.push(shown(event));
  return { format, symbol: market.symbol, events };
}

const CSV = ',timestamp,id,type,side,price,amount,cost,date\n0,1675329600138,12,,buy,1666.8,26.062,43440.1416,2023-02-02\n1,1675329600214,13,,sell,1666.79,0.152,253.35,2023-02-02\n';
const ARRAY = '[[1570752011620,"13519807",null,"sell",0.00141342,23.0,0.03250866],\n [1570752011621,"13519808",null,"buy",1e-7,54.0,0.07]]';
const CANDLES = 'timestamp,open,high,low,close,volume\n2022-01-01 00:00:00.000000,100,110,90,105,4400\n2022-01-01 00:01:00,105,106,95,96,0\n';

describe('a recording', () => {
  test('of trades as CSV is read row by row, gzipped or not, whatever the order of its columns', async () => {
    const events = ['1675329600138 buy 26.062 @ 1666.8', '1675329600214 sell 0.152 @ 1666.79'];
    expect(await readAll(written('binance-ethusdt-trades.csv', CSV))).toEqual({ format: 'trades CSV', symbol: 'ETH-PERP', events });
    expect(await readAll(written('ETH_USDT.csv.gz', CSV.replaceAll('\n', '\r\n')))).toEqual({ format: 'trades CSV', symbol: 'ETH-PERP', events });
    expect((await readAll(written('solusdt.csv', 'Price,Side,Amount,Timestamp\n235.1,sell,2,1675329600138'))).events).toEqual(['1675329600138 sell 2 @ 235.1']);
  });

  test('as a JSON array of trades keeps each number as it is written', async () => {
    expect(await readAll(written('xrp-eth-trades.json.gz', ARRAY))).toEqual({
      format: 'JSON array of trades',
      symbol: 'XRP-ETH',
      events: ['1570752011620 sell 23 @ 0.00141342', '1570752011621 buy 54 @ 0.0000001'],
    });
  });

  test('of candles goes through each of them in four steps, by a quarter of the volume each', async () => {
    expect(await readAll(written('btc-perp-1m.csv', CANDLES))).toEqual({
      format: '1-minute candles CSV',
      symbol: 'BTC-PERP',
      events: [
        // 1,100 USD each, in lots of 0.0001 rounded down.
        '1640995200000 buy 11 @ 100',
        '1640995215000 sell 12.2222 @ 90',
        '1640995230000 buy 10 @ 110',
        '1640995245000 sell 10.4761 @ 105',
        // Without volume only the price moves. The first step is the last price of the minute before.
        '1640995260000 sell 0 @ 105',
        '1640995275000 buy 0 @ 106',
        '1640995290000 sell 0 @ 95',
        '1640995305000 buy 0 @ 96',
      ],
    });
  });

  test('feeds the market it is told to', async () => {
    expect((await readAll(written('anything.csv', CSV), 'SOL-PERP')).symbol).toBe('SOL-PERP');
    await expect(readAll(written('trades-of-doge.csv', CSV))).rejects.toThrow(/the name of .*trades-of-doge\.csv tells no market; say which one with --data-market \(BTC-PERP/);
    await expect(readAll(written('x.csv', CSV), 'DOGE-PERP')).rejects.toThrow('--data-market DOGE-PERP is no market here');
  });

  test.each([
    ['eth-perp.csv', `${CSV}2,yesterday,14,,buy,1,1`, /line 4: timestamp must be milliseconds since 1970, not "yesterday"/],
    ['eth-perp.csv', `${CSV}2,1675329600214,14,,left,1,1`, /line 4: side must be buy or sell/],
    ['eth-perp.csv', `${CSV}2,1675329600214,14,,buy,-1,1`, /line 4: price must be a number above 0, not "-1"/],
    ['eth-perp.csv', `${CSV}2,1675329600214,14,,buy,1`, /line 4: amount must be a number above 0, not ""/],
    ['eth-perp.json', '[[1,2,3]]', /trade 1 is not \[timestamp, id, type, side, price, amount/],
    ['eth-perp.json', '[[1570752011620,"1",null,"sell",0.1,23.0,0.3],[157075', /trade 2 is not/],
    ['btc-perp.csv', `${CANDLES}2022-01-01 00:02:00,96,95,94,95,1`, /line 4: low and high must enclose open and close/],
    ['btc-perp.csv', `${CANDLES}noon,96,97,94,95,1`, /line 4: timestamp must be UTC like 2022-01-01 00:00:00, not "noon"/],
    ['btc-perp.csv', `${CANDLES}2022-01-01 00:02:00,96,97,94,95,much`, /line 4: volume must be a number of at least 0/],
    ['btc-perp.csv', 'a,b,c\n1,2,3\n', /is of no known format: give Bybit order-book lines, a trades CSV/],
    ['btc-perp.csv', '  \n', /is empty/],
  ])('that is damaged (%s, %j) is refused with where and what', async (name, text, complaint) => {
    await expect(readAll(written(name, text))).rejects.toThrow(complaint);
  });

  test('that is cut off inside its compression, or not there, is refused with its name', async () => {
    const path = join(folder, 'eth-perp.csv.gz');
    writeFileSync(path, gzipSync(CSV.repeat(100)).subarray(0, 60));
    await expect(readAll(path)).rejects.toThrow(/eth-perp\.csv\.gz cannot be read/);
    await expect(readAll(join(folder, 'nowhere.csv'))).rejects.toThrow('nowhere.csv');
  });
});

describe('a played recording of trades', () => {
  test('shows each side\'s last trade, has levels behind it for market orders, and fills a resting order by volume alone', async () => {
    const rows = ['buy,2000,3', 'sell,1999.9,2', 'buy,2000.5,1', 'sell,1990,0.4', 'sell,1990,9'];
    const text = ['timestamp,side,price,amount', ...rows.map((row, index) => `${1_675_329_600_000 + index},${row}`)].join('\n');
    const simulator = await startPaperSimulator({ tickMs: 0, speed: 0, data: written('ethusdt.csv', text) });
    try {
      const client = new TestClient(simulator.url, 'key-1');
      await client.post('/__sim/replay', { count: 1 });
      const top = async (): Promise<unknown> => {
        const { body } = await client.get('/orderbook?symbol=ETH-PERP&depth=1');
        return [body['bids'], body['asks']];
      };
      expect(await top()).toEqual([[['1999.9', '2']], [['2000', '3']]]);
      expect((await client.place({ symbol: 'ETH-PERP', type: 'market', timeInForce: 'IOC', price: undefined, quantity: '10' })).order.status).toBe('filled');
      const { order } = await client.place({ symbol: 'ETH-PERP', price: '1995', quantity: '1' });
      // The price falls through the order: only as much as traded there fills it.
      await client.post('/__sim/replay', { count: 2 });
      const filled = async (): Promise<unknown> => ((await client.get(`/orders?clientIds=${order.clientId}`)).body['orders'] as { filledQuantity: string }[])[0]?.filledQuantity;
      expect(await filled()).toBe('0.4');
      await client.post('/__sim/replay', { count: 1 });
      expect(await filled()).toBe('1');
    } finally {
      await simulator.close();
    }
  });

  test('starts over when it is looped', async () => {
    const simulator = await startPaperSimulator({ tickMs: 0, speed: 0, loop: true, data: written('xrp-eth.json', ARRAY) });
    try {
      expect(simulator.source).toMatch(/^recording xrp-eth\.json for XRP-ETH \(JSON array of trades\) at speed 0 \(looped\), generator seed 1 for the rest$/);
      expect(await simulator.venue.prices.replay(5)).toBe(5);
    } finally {
      await simulator.close();
    }
  });
});
