/** Where prices come from: the recording, whose levels orders walk, else a seeded generator. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { decimal } from '../../../src/domain/decimal';
import { type StartOptions, type StartedSimulator, startPaperSimulator } from '../../../src/simulator';
import { GeneratedMarket, seededRandom } from '../../../src/simulator/generator';
import { PAPER_MARKETS } from '../../../src/simulator/market';
import { madeRecording, type Line } from './made-recording';
import { TestClient, TestStream } from './paper-client';

const SHARED = process.env['SUREFILL_SHARED_DATA'] ?? resolve(__dirname, '..', '..', '..', '..', 'shared', 'data');
const RECORDING = join(SHARED, 'bybit-xrpusdt-ob500-2024-12-01.jsonl');
const isThere = existsSync(RECORDING);
if (!isThere) process.stderr.write(`SKIPPED: the recording of the real market, because ${RECORDING} is not there (set SUREFILL_SHARED_DATA to its folder); a made one of the same format is played\n`);

const running: StartedSimulator[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function start(options: StartOptions): Promise<TestClient> {
  const simulator = await startPaperSimulator({ tickMs: 0, ...options });
  running.push(simulator);
  return new TestClient(simulator.url, 'key-1');
}

function written(lines: readonly unknown[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'surefill-recording-'));
  folders.push(folder);
  const path = join(folder, 'recording.jsonl');
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
}

const message = (type: string, ts: number, b: [string, string][], a: [string, string][], s = 'XRPUSDT'): unknown => ({ topic: `orderbook.500.${s}`, type, ts, data: { s, b, a } });

describe.each([
  ['made, in the format of the archive', null],
  ...(isThere ? [['of a real market', RECORDING] as const] : []),
])('a recording %s', (_what, recorded) => {
  const lines = recorded === null ? madeRecording(50) : readFileSync(recorded, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Line);
  const [snapshot] = lines as [Line];
  let path = '';
  beforeEach(() => {
    path = recorded ?? written(lines);
  });
  const fillsOf = async (client: TestClient): Promise<[string, string][]> =>
    ((await client.get('/fills?from=0&limit=1000')).body['fills'] as { price: string; quantity: string }[]).map(({ price, quantity }) => [price, quantity]);
  const plain = (levels: readonly [string, string][]): [string, string][] => levels.map(([price, quantity]) => [decimal(price).toFixed(), decimal(quantity).toFixed()]);

  test('an order walks its levels and fills at its prices, level by level', async () => {
    const client = await start({ data: path, speed: 0 });
    await client.post('/__sim/credit', { account: await accountOf(client), asset: 'USDC', amount: '10000000' });
    const levels = plain(snapshot.data.a).slice(0, 5);
    // The first four levels whole and half a lot more of the fifth.
    const part = '0.1';
    const quantity = levels.slice(0, 4).reduce((total, [, amount]) => total.plus(decimal(amount)), decimal(part));
    const { order } = await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: quantity.toFixed() });
    expect(await fillsOf(client)).toEqual([...levels.slice(0, 4), [levels[4]?.[0], part]]);
    const notional = [...levels.slice(0, 4), [levels[4]?.[0] ?? '', part] as const].reduce((total, [price, amount]) => total.plus(decimal(price).times(decimal(amount))), decimal('0'));
    expect(order.avgPrice).toBe(notional.dividedBy(quantity).toDecimalPlaces(18).toFixed());
    const { body } = await client.get('/orderbook?symbol=XRP-PERP&depth=1');
    const left = decimal(levels[4]?.[1] ?? '0').minus(decimal(part)).toFixed();
    expect(body['asks']).toEqual([[levels[4]?.[0], left]]);
  });

  test('played to its end, the book is what its messages add up to, and it stays', async () => {
    const client = await start({ data: path, speed: 0 });
    const sides = { b: new Map<string, string>(), a: new Map<string, string>() };
    for (const { data } of lines) {
      for (const side of ['b', 'a'] as const) {
        for (const [price, quantity] of plain(data[side])) {
          if (quantity === '0') sides[side].delete(price);
          else sides[side].set(price, quantity);
        }
      }
    }
    expect((await client.post('/__sim/replay', { count: 100_000 })).body).toEqual({ applied: lines.length - 1 });
    const { body } = await client.get('/orderbook?symbol=XRP-PERP&depth=1000');
    expect([...(body['bids'] as [])].sort()).toEqual([...sides.b].sort());
    expect([...(body['asks'] as [])].sort()).toEqual([...sides.a].sort());
    expect((await client.post('/__sim/replay', { count: 1 })).body).toEqual({ applied: 0 });
  });

  test('a resting order is filled, at its own price, by the very message that brings the recorded market to it', async () => {
    const client = await start({ data: path, speed: 0 });
    const price = decimal(snapshot.data.a[0]?.[0] ?? '0');
    const crossing = lines.findIndex(({ data }) => data.b.some(([bid, quantity]) => quantity !== '0' && decimal(bid).greaterThanOrEqualTo(price)));
    expect(crossing).toBeGreaterThan(1);
    const resting = await client.place({ side: 'sell', price: price.toFixed(), quantity: '10', postOnly: true });
    const status = async (): Promise<unknown> => (await client.get(`/orders?clientIds=${resting.clientId}`)).body['orders'];
    await client.post('/__sim/replay', { count: crossing - 1 });
    expect(await status()).toMatchObject([{ status: 'open' }]);
    await client.post('/__sim/replay', { count: 1 });
    expect(await status()).toMatchObject([{ status: 'filled', avgPrice: price.toFixed() }]);
  });

  test('it says that it is a recording, and plays by itself at the speed asked for', async () => {
    const client = await start({ data: path, speed: 1_000 });
    expect(running[0]?.source.startsWith(`recording ${basename(path)} for XRP-PERP`)).toBe(true);
    const stream = await TestStream.open(running[0]?.wsUrl ?? '');
    stream.send({ op: 'subscribe', channel: 'book', symbol: 'XRP-PERP' });
    const last = plain(lines.at(-1)?.data.b ?? []).find(([, quantity]) => quantity !== '0') ?? ['', ''];
    const shows = async (): Promise<boolean> => ((await client.get('/orderbook?symbol=XRP-PERP&depth=1000')).body['bids'] as [string, string][]).some(([price, quantity]) => price === last[0] && quantity === last[1]);
    while (!(await shows())) await new Promise((resolve) => setImmediate(resolve));
    stream.close();
  });
});

describe('a recording of our own making', () => {
  test('resting orders are filled by its deltas, in time order', async () => {
    const data = written([
      message('snapshot', 0, [['1.99', '100']], [['2.01', '100']]),
      message('delta', 10, [], [['2.01', '0'], ['2.00', '15']]),
      message('delta', 20, [['1.98', '5']], [['1.995', '100']]),
    ]);
    const client = await start({ data, speed: 0 });
    await client.place({ clientId: 'first', price: '2', quantity: '10' });
    await client.place({ clientId: 'second', price: '2', quantity: '10' });
    await client.post('/__sim/replay', { count: 1 });
    const { body } = await client.get('/orders?clientIds=first,second');
    expect(body['orders']).toMatchObject([{ filledQuantity: '10' }, { filledQuantity: '5' }]);
    await client.post('/__sim/replay', { count: 1 });
    expect(await client.openIds()).toEqual([]);
  });

  test('looped, it starts over with its snapshot', async () => {
    const data = written([message('snapshot', 0, [['1.99', '100']], [['2.01', '100']]), message('delta', 10, [['1.99', '7']], [])]);
    const client = await start({ data, speed: 0, loop: true });
    const best = async (): Promise<unknown> => ((await client.get('/orderbook?symbol=XRP-PERP&depth=1')).body['bids'] as unknown[])[0];
    await client.post('/__sim/replay', { count: 1 });
    expect(await best()).toEqual(['1.99', '7']);
    await client.post('/__sim/replay', { count: 1 });
    expect(await best()).toEqual(['1.99', '100']);
  });

  test('a market moved by hand leaves its recording', async () => {
    const data = written([message('snapshot', 0, [['1.99', '100']], [['2.01', '100']]), message('delta', 10, [['1.99', '7']], [])]);
    const client = await start({ data, speed: 0 });
    await client.post('/__sim/prices', { symbol: 'XRP-PERP', price: '3' });
    await client.post('/__sim/replay', { count: 1 });
    expect(((await client.get('/tickers')).body['tickers'] as { symbol: string; mark: string }[]).find(({ symbol }) => symbol === 'XRP-PERP')?.mark).toBe('3');
  });

  test.each([
    ['no line at all', [], 'is empty'],
    ['a delta first', [message('delta', 0, [], [])], 'does not begin with a snapshot'],
    ['a market nobody here is fed by', [message('snapshot', 0, [], [], 'DOGEUSDT')], 'records DOGEUSDT'],
    ['text', ['hello'], 'is of no known format'],
    ['a broken line', ['{oops'], 'line 1 is not JSON'],
    ['another thing', [{ a: 1 }], 'line 1 is not an order-book message'],
    ['numbers for levels', [{ type: 'snapshot', ts: 1, data: { s: 'XRPUSDT', b: [[1, 2]], a: [] } }], 'as strings'],
  ])('%s is refused with what is wrong', async (_what, lines, complaint) => {
    await expect(startPaperSimulator({ data: written(lines) })).rejects.toThrow(complaint);
  });
});

describe('the generator', () => {
  const market = PAPER_MARKETS[0] as (typeof PAPER_MARKETS)[number];

  test('the same seed gives the same books, another seed others', () => {
    const walk = (seed: number): string => {
      const generated = new GeneratedMarket(market, seed);
      return JSON.stringify(Array.from({ length: 50 }, () => generated.step()));
    };
    expect(walk(7)).toBe(walk(7));
    expect(walk(7)).not.toBe(walk(8));
  });

  test('its books are uncrossed, on the tick and the lot, and deep on both sides', () => {
    for (const each of PAPER_MARKETS) {
      const generated = new GeneratedMarket(each, 3);
      for (let step = 0; step < 100; step += 1) {
        const { bids, asks } = generated.step();
        expect([bids.length, asks.length]).toEqual([20, 20]);
        expect(bids[0]?.[0].lessThan(asks[0]?.[0] ?? 0)).toBe(true);
        expect([...bids, ...asks].every(([price, quantity]) => price.mod(each.tickSize).isZero() && quantity.mod(each.lotSize).isZero() && price.greaterThan(0) && quantity.greaterThan(0))).toBe(true);
      }
    }
  });

  test('is mulberry32: its first numbers are the published ones for seed 1', () => {
    const random = seededRandom(1);
    expect([random(), random()].map((value) => Math.floor(value * 4_294_967_296))).toEqual([2_693_262_067, 11_749_833]);
  });

  test('moves by itself, prints trades, and a moved market goes on from there', async () => {
    const client = await start({ tickMs: 1, seed: 5 });
    expect(running[0]?.source).toBe('generator seed 5');
    const stream = await TestStream.open(running[0]?.wsUrl ?? '');
    stream.send({ op: 'subscribe', channel: 'ticker', symbol: 'BTC-PERP' });
    stream.send({ op: 'subscribe', channel: 'trades', symbol: 'BTC-PERP' });
    await stream.until(() => stream.messages('ticker').length > 20 && stream.messages('trades').length > 2);
    await client.post('/__sim/prices', { symbol: 'BTC-PERP', price: '50000' });
    await stream.until(() => stream.messages('ticker').some(({ mark }) => Number(mark) < 51_000));
    stream.close();
  });
});

async function accountOf(client: TestClient): Promise<string> {
  await client.get('/balances');
  return ((await client.get('/__sim/state')).body['accounts'] as string[])[0] as string;
}
