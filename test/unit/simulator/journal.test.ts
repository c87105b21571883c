/** A restart has the same book, orders, balances, fills and numbers, however the process ended. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Decimal, decimal } from '../../../src/domain/decimal';
import { Journal } from '../../../src/simulator/journal';
import { tradeView } from '../../../src/simulator/order';
import { type StartedSimulator, startPaperSimulator } from '../../../src/simulator';
import { startSimulator } from '../../support/servers';
import { TestClient, TestStream, startQuiet } from './paper-client';

/** The kill comes while the rest of a round's orders are on their way. */
const ANSWERS_BEFORE_KILL = 15;
const folders: string[] = [];
const running: StartedSimulator[] = [];
afterEach(async () => {
  for (const simulator of running.splice(0)) await simulator.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'surefill-journal-'));
  folders.push(folder);
  return folder;
}

async function start(folder: string, warn?: (line: string) => void, realNow?: () => number): Promise<TestClient> {
  const { simulator, client } = await startQuiet({ home: folder, ...(warn === undefined ? {} : { warn }), ...(realNow === undefined ? {} : { realNow }) });
  running.push(simulator);
  return client;
}

interface CandleView {
  readonly low: string;
  readonly high: string;
  readonly volume: string;
}

async function stop(): Promise<void> {
  await running.pop()?.close();
}

/** Everything an account and the venue remember, as the wire shows it. */
async function remembered(client: TestClient): Promise<unknown[]> {
  const paths = ['/orders?status=open', '/orders?status=closed&limit=2', '/fills?from=0', '/positions', '/balances', '/__sim/orders'];
  const answers = await Promise.all(paths.map(async (path) => (await client.get(path)).body));
  return answers.map(({ time: _time, sequence: _sequence, ...rest }) => rest);
}

/** Leaves an open, a partly filled, an amended, a filled and a canceled order, and a position. */
async function trade(client: TestClient): Promise<void> {
  await client.place({ clientId: 'open' });
  await client.place({ clientId: 'partly', price: '1.9501', quantity: '20000' });
  await client.place({ clientId: 'amended', price: '1.6' });
  await client.post('/orders/amend', { expiresAt: 9_999_999_999_999, clientId: 'amended', quantity: '7', amendId: 'a' });
  await client.place({ clientId: 'filled', type: 'market', timeInForce: 'IOC', price: undefined });
  await client.place({ clientId: 'exit', side: 'sell', price: '2.5', reduceOnly: true });
  await client.place({ clientId: 'canceled' });
  await client.post('/orders/cancel', { cancels: [{ clientId: 'canceled' }] });
  await client.post('/leverage', { symbol: 'XRP-PERP', leverage: 7 });
}

describe('a restart', () => {
  test('keeps armed orders armed, ends what expired meanwhile, and remembers funding and its rate', async () => {
    const folder = home();
    const first = await start(folder);
    await first.place({ clientId: 'entry', type: 'market', timeInForce: 'IOC', price: undefined, quantity: '100' });
    await first.place({ clientId: 'stop', side: 'sell', type: 'stopMarket', price: undefined, quantity: '100', triggerPrice: '1.8', reduceOnly: true });
    const { time } = (await first.get('/time')).body as { time: number };
    await first.place({ clientId: 'brief', timeInForce: 'GTD', expireAt: time + 100_000_000 });
    await first.post('/__sim/funding', { symbol: 'XRP-PERP', rate: '0.0005', intervalMs: 3_600_000 });
    await first.post('/__sim/clock', { advanceMs: 7_200_000 });
    const paid = (await first.get('/funding-payments')).body;
    expect((paid['payments'] as unknown[]).length).toBe(2);
    const before = await remembered(first);
    await stop();
    const second = await start(folder);
    expect(await remembered(second)).toEqual(before);
    expect((await second.get('/funding-payments')).body).toEqual(paid);
    expect((await second.get('/funding?symbol=XRP-PERP')).body).toMatchObject({ rate: '0.0005', intervalMs: 3_600_000 });
    await second.post('/__sim/clock', { advanceMs: 100_000_000 });
    expect((await second.get('/orders?clientIds=brief')).body['orders']).toMatchObject([{ status: 'expired', cancelReason: 'EXPIRED' }]);
    await second.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.79' });
    expect((await second.get('/orders?clientIds=stop')).body['orders']).toMatchObject([{ status: 'filled', liquidation: false }]);
    expect((await second.get('/positions')).body).toEqual({ positions: [] });
  });

  test('has the same book, orders, positions, balances, fills and numbers', async () => {
    const folder = home();
    const first = await start(folder);
    await trade(first);
    const stream = await TestStream.account(running[0]?.wsUrl ?? '', first.key);
    const sequence = stream.heard.at(-1)?.['sequence'];
    stream.close();
    const before = await remembered(first);
    await stop();
    const second = await start(folder);
    const after = await remembered(second);
    expect(after).toEqual(before);
    const again = await TestStream.account(running[0]?.wsUrl ?? '', first.key);
    expect(again.heard.at(-1)).toMatchObject({ op: 'subscribed', sequence });
    again.close();
    for (const clientId of ['open', 'filled', 'canceled']) expect((await second.place({ clientId })).error.code).toBe('DUPLICATE_CLIENT_ID');
    const repeated = await second.post('/orders/amend', { expiresAt: 1, clientId: 'amended', quantity: '7', amendId: 'a' });
    expect(repeated.body).toMatchObject({ order: { quantity: '7', revision: 1 } });
    const next = await second.place({ clientId: 'next' });
    expect(Number(next.order.orderId)).toBe(7);
  });

  test('tells what was traded before it, trade by trade and in candles, and counts its trades on', async () => {
    const folder = home();
    const startAt = (): Promise<TestClient> => start(folder, undefined, () => 1_767_225_610_000);
    const tradesOf = async (client: TestClient): Promise<{ id: string }[]> => (await client.get('/trades?symbol=XRP-PERP&limit=500')).body['trades'] as { id: string }[];
    const candlesOf = async (client: TestClient, symbol: string): Promise<CandleView[]> => (await client.get(`/candles?symbol=${symbol}&intervalMs=60000`)).body['candles'] as CandleView[];
    const buy = (client: TestClient, quantity: string): Promise<unknown> => client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity });
    const first = await startAt();
    await buy(first, '100');
    // The mark alone: a level that it touched and left again.
    await first.post('/__sim/prices', { symbol: 'ETH-PERP', price: '3000' });
    await first.post('/__sim/prices', { symbol: 'ETH-PERP', price: '3600' });
    await first.post('/__sim/clock', { advanceMs: 60_000 });
    await buy(first, '200');
    const [trades, xrp, eth] = [await tradesOf(first), await candlesOf(first, 'XRP-PERP'), await candlesOf(first, 'ETH-PERP')];
    expect([trades.length, xrp.map(({ volume }) => volume), eth.map(({ low }) => low)]).toEqual([2, ['100', '200'], ['3000']]);
    await stop();
    // Twice: from a journal, and from the snapshot that was made of it.
    for (const _ of [1, 2]) {
      const again = await startAt();
      expect(await tradesOf(again)).toEqual(trades);
      const [minute, present] = await candlesOf(again, 'XRP-PERP');
      expect([minute, present?.volume, present?.high]).toEqual([xrp[0], '200', xrp[1]?.high]);
      expect((await candlesOf(again, 'ETH-PERP'))[0]).toEqual(eth[0]);
      await stop();
    }
    const last = await startAt();
    await buy(last, '300');
    const numbers = (await tradesOf(last)).map(({ id }) => Number(id));
    expect(numbers).toEqual([1, 2, 3]);
  });

  test('counts on over the trades of the market\'s own traffic, and keeps no more of them than it shows', async () => {
    const folder = home();
    await start(folder);
    const first = (running[0] as StartedSimulator).venue;
    const price = first.exchange.state.markOf('XRP-PERP') as Decimal;
    for (let trade = 0; trade < 2_500; trade += 1) {
      first.exchange.tradeMarket('XRP-PERP', { side: 'buy', price, quantity: decimal('1') }, first.clock.now());
      first.background();
    }
    const shown = first.marketData.tape('XRP-PERP').recentTrades(Infinity).map(tradeView);
    expect(shown).toHaveLength(1_000);
    const { tradeId } = first.exchange.state.counters;
    await stop();
    await start(folder);
    const second = (running[0] as StartedSimulator).venue;
    expect(second.marketData.tape('XRP-PERP').recentTrades(Infinity).map(tradeView)).toEqual(shown);
    expect(second.marketData.tape('XRP-PERP').trades).toHaveLength(1_000);
    expect([second.exchange.state.counters.tradeId, second.exchange.state.venue('XRP-PERP').last?.toFixed()]).toEqual([tradeId, price.toFixed()]);
  });

  test('keeps time priority: the earlier of two orders at a price fills first', async () => {
    const folder = home();
    const first = await start(folder);
    await first.place({ clientId: 'early', price: '1.9', quantity: '100' });
    await first.place({ clientId: 'late', price: '1.9', quantity: '100' });
    await first.post('/orders/amend', { expiresAt: 9_999_999_999_999, clientId: 'early', quantity: '110', amendId: 'grown' });
    await stop();
    const second = await start(folder);
    await second.post('/__sim/prices', { symbol: 'XRP-PERP', price: '1.8' });
    const { body } = await second.get('/fills?from=0');
    expect((body['fills'] as { clientId: string }[]).map(({ clientId }) => clientId)).toEqual(['late', 'early']);
  });

  test('keeps a moved price, the clock and the dead-man switch', async () => {
    const folder = home();
    const first = await start(folder);
    await first.place({ clientId: 'open', symbol: 'ETH-PERP', price: '1000', quantity: '1' });
    await first.post('/__sim/prices', { symbol: 'ETH-PERP', price: '2000' });
    await first.post('/__sim/clock', { offsetMs: -5_000_000 });
    await first.post('/dead-man', { timeoutMs: 600_000 });
    await stop();
    const second = await start(folder);
    const { body } = await second.get('/__sim/state');
    expect(body).toMatchObject({ clock: { offsetMs: -5_000_000 } });
    expect((body['markets'] as { symbol: string; mark: string }[]).find(({ symbol }) => symbol === 'ETH-PERP')?.mark).toBe('2000');
    const stream = await TestStream.account(running[0]?.wsUrl ?? '', second.key);
    await second.post('/__sim/clock', { advanceMs: 600_001 });
    await stream.until(() => stream.messages('account').some((message) => message.event?.['order']?.['cancelReason'] === 'DEAD_MAN'));
    stream.close();
  });
});

describe('a process killed with SIGKILL', () => {
  test('loses no order it acknowledged, and doubles none, round after round', async () => {
    const server = await startSimulator();
    try {
      const client = new TestClient(server.url, 'key-1');
      const acknowledged: string[] = [];
      for (let round = 0; round < 3; round += 1) {
        let answers = 0;
        const place = async (index: number): Promise<void> => {
          const clientId = `r${round}-${index}`;
          // A request in flight when the process dies has no answer: it may or may not be there afterwards.
          const result = await client.place({ clientId }).catch(() => null);
          if (result?.ok !== true) return;
          acknowledged.push(clientId);
          answers += 1;
          if (answers === ANSWERS_BEFORE_KILL) await server.kill('SIGKILL');
        };
        await Promise.all(Array.from({ length: 40 }, (_, index) => place(index)));
        await server.restart();
        const open = await client.openIds();
        expect(open).toEqual(expect.arrayContaining(acknowledged));
        expect(new Set(open).size).toBe(open.length);
      }
      expect(acknowledged.length).toBeGreaterThanOrEqual(3 * ANSWERS_BEFORE_KILL);
    } finally {
      await server.stop();
    }
  });
});

describe('the files', () => {
  test('a torn last line is told and left out; everything before it is kept', async () => {
    const folder = home();
    await trade(await start(folder));
    await stop();
    const segment = readdirSync(folder).filter((name) => name.startsWith('paper-journal')).at(-1) as string;
    appendFileSync(join(folder, segment), '{"orders":[{"orderId":"99"');
    const lines: string[] = [];
    const client = await start(folder, (line) => lines.push(line));
    expect(lines).toEqual([expect.stringContaining('torn line')]);
    expect(await client.openIds()).toEqual(expect.arrayContaining(['open', 'amended', 'exit']));
  });

  test('a damaged line in the middle stops the start with what to do', async () => {
    const folder = home();
    await trade(await start(folder));
    await stop();
    const segment = readdirSync(folder).filter((name) => name.startsWith('paper-journal')).at(-1) as string;
    writeFileSync(join(folder, segment), `not json\n${readFileSync(join(folder, segment), 'utf8')}`);
    await expect(startPaperSimulator({ home: folder, tickMs: 0 })).rejects.toThrow(/line 1 is damaged: move the folder away/);
  });

  test.each([false, true])('appends of one turn are one group, in order, and a large segment is folded (fsync %s)', async (fsync) => {
    const folder = home();
    const state: number[] = [];
    const options = { home: folder, fsync, onFailure: (error: Error) => expect(error).toBe(null), warn: (line: string) => expect(line).toBe(''), compactAboveBytes: 200 };
    const journal = new Journal(options, () => state.map((value) => JSON.stringify({ value })));
    await journal.open(() => undefined, () => undefined);
    for (let round = 0; round < 20; round += 1) {
      const group = [0, 1, 2].map((index) => {
        state.push(round * 3 + index);
        return journal.append(JSON.stringify({ value: round * 3 + index }));
      });
      await Promise.all(group);
    }
    await journal.close();
    const read: number[] = [];
    const next = new Journal(options, () => []);
    await next.open((record) => read.push((record as { value: number }).value), () => undefined);
    await next.close();
    expect([...new Set(read)]).toEqual(state);
    expect(readdirSync(folder).filter((name) => name.startsWith('paper-journal')).length).toBe(1);
  });

  test('a disk that refuses ends the promise: the append and all later ones fail', async () => {
    const folder = home();
    const failures: string[] = [];
    const journal = new Journal({ home: folder, fsync: false, warn: () => undefined, onFailure: ({ message }) => failures.push(message) }, () => []);
    await journal.open(() => undefined, () => undefined);
    await journal.append('{}');
    await journal.close();
    await expect(journal.append('{}')).rejects.toThrow('cannot be written');
    await expect(journal.append('{}')).rejects.toThrow('cannot be written');
    expect(failures).toHaveLength(1);
  });
});
