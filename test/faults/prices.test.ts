/** What prices do by themselves, with real servers. S24: a bad price fires nothing, and a silent market is heard at the venue named as its backup. Losses trip their limits. */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { booksAgree } from '../support/afterwards';
import { SimulatorControl } from '../support/simulator-control';
import { startStack, WIDE_LIMITS, type Stack } from '../support/stack';

let stack: Stack;
let other: SimulatorControl;
let database: Client;
/** Where the market stands at first; a jump beyond the band would itself be a spike. */
let base: number;
/** A part of it. */
const part = (of: number): string => String(Math.round(base * of));
beforeAll(async () => {
  // Prices move when a test says so, and stay there.
  stack = await startStack({ tickMs: 0, moreVenues: ['other'], environment: { SUREFILL_TRIGGER_BACKUPS: 'paper/BTC-PERP=other/BTC-PERP' } });
  database = new Client({ connectionString: stack.postgres.url });
  await database.connect();
  other = new SimulatorControl(stack.simulators.get('other')?.url ?? '');
  const { markets } = await stack.sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
  base = Number(markets.find(({ symbol }) => symbol === 'BTC-PERP')?.mark);
}, 180_000);
afterEach(() => stack.sim.clearFaults());
afterAll(async () => {
  await database.end();
  await stack.stop();
});

interface Evidence {
  readonly price: string;
  readonly extreme: string | null;
  readonly source: string;
  readonly backup: boolean;
  readonly origin: string;
}

const order = (body: Readonly<Record<string, unknown>>) => stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', type: 'market', ...body });
const entry = (quantity: string) => order({ side: 'buy', quantity });
/** Once there is a fresh price to judge it by. */
const entered = (quantity: string) => stack.client.until('an entry', async () => {
  const answer = await entry(quantity);
  return answer.status === 201 ? answer : null;
});
const exit = (quantity: string) => order({ side: 'sell', quantity, reduceOnly: true });

async function filled(placing: ReturnType<typeof order>): Promise<void> {
  const { status, body } = await placing;
  expect([status, body]).toEqual([201, expect.objectContaining({ id: expect.any(String) as unknown })]);
  await stack.client.untilState(body.id, 'FILLED');
}

async function waiting(body: Readonly<Record<string, unknown>>): Promise<string> {
  const answer = await order({ side: 'sell', quantity: '0.01', triggerPriceType: 'mark', reduceOnly: true, ...body });
  expect([answer.status, answer.body.state]).toEqual([201, 'ARMED']);
  return answer.body.id;
}

async function firedBy(id: string): Promise<Evidence | undefined> {
  const { body } = await stack.client.call<{ events: { type: string; data: { trigger?: Evidence } }[] }>('GET', `/api/v1/orders/${id}/timeline`);
  return body.events.find(({ type }) => type === 'order.triggered')?.data.trigger;
}

const exits = async (): Promise<number> => (await stack.sim.orders()).filter(({ side }) => side === 'sell').length;

test('S24: a stale, zero, crossed or far price fires neither a stop nor a trail, and makes no peak; the price itself does', async () => {
  await stack.sim.price('BTC-PERP', part(1));
  await filled(entered('0.02'));
  const stop = await waiting({ type: 'stopMarket', triggerPrice: part(0.99) });
  const trail = await waiting({ type: 'trailingStopMarket', trailingOffset: '2', trailingOffsetType: 'percent' });
  const low = { bid: part(0.977), ask: part(0.979), last: part(0.978), mark: part(0.978) };
  const bad: readonly [string, Readonly<Record<string, unknown>>][] = [
    ['stale', { ...low, agoMs: 60_000 }], ['zero', { mark: '0' }], ['crossed', { ...low, bid: part(0.979), ask: part(0.977) }], ['spike', { mark: part(0.4) }], ['spike', { mark: part(1.8) }],
  ];
  // The watcher has heard them when it says that it refused each of its kind.
  for (const [, wrong] of bad) await stack.sim.call('POST', '/__sim/ticker', { symbol: 'BTC-PERP', ...wrong });
  for (const [verdict] of bad) await stack.client.until(`${verdict} to be refused`, async () => (stack.watcher.log().includes(`"verdict":"${verdict}"`) ? true : null));
  expect([(await stack.client.order(stop)).state, (await stack.client.order(trail)).state, await exits()]).toEqual(['ARMED', 'ARMED', 0]);
  await stack.sim.price('BTC-PERP', part(0.978));
  for (const id of [stop, trail]) await stack.client.untilState(id, 'FILLED');
  expect(await exits()).toBe(2);
  const [byStop, byTrail] = [await firedBy(stop), await firedBy(trail)];
  expect(byStop).toMatchObject({ source: 'paper', backup: false, origin: 'stream', extreme: null });
  expect([byStop?.price, byTrail?.price, byTrail?.extreme]).toEqual([part(0.978), part(0.978), part(1)]);
  await booksAgree(stack);
}, 120_000);

test('S24: a market that its venue is silent about is heard at its named backup, and the event says so; the exit goes to its own venue', async () => {
  for (const sim of [stack.sim, other]) await sim.price('BTC-PERP', part(1));
  await filled(entered('0.01'));
  const stop = await waiting({ type: 'stopMarket', triggerPrice: part(0.99) });
  const before = await exits();
  // Orders pass: only its prices are silent, on the stream and where they are asked for.
  await stack.sim.fault({ kind: 'stallStream', durationMs: 600_000, match: { channel: 'ticker' } });
  await stack.sim.fault({ kind: 'refuse', code: 'OVERLOADED', message: 'later', count: 10_000, match: { path: '/tickers' } });
  await other.price('BTC-PERP', part(0.98));
  await stack.client.untilState(stop, 'FILLED');
  expect(await firedBy(stop)).toMatchObject({ source: 'other', backup: true, origin: 'stream' });
  expect((await exits()) - before).toBe(1);
  await stack.sim.clearFaults();
  await booksAgree(stack);
}, 120_000);

/** Where the price goes, of where it stood when the order was armed, and where it comes back to: a trail's limit is placed at the level that fired it. */
const [UP, DOWN, BACK_DOWN, BACK_UP] = [1.012, 0.988, 1.008, 0.992];

test.each([
  ['exit', { type: 'stopLimit', triggerPrice: 0.99, limitPrice: 0.98, triggerPriceType: 'mid' }, [DOWN]],
  ['exit', { type: 'takeProfitMarket', triggerPrice: 1.01, triggerPriceType: 'mid' }, [UP]],
  ['exit', { type: 'takeProfitLimit', triggerPrice: 1.01, limitPrice: 1, triggerPriceType: 'mark' }, [UP]],
  ['exit', { type: 'trailingStopLimit', trailingOffset: '100', trailingOffsetType: 'bps', triggerPriceType: 'mid' }, [DOWN, BACK_UP]],
  ['entry', { type: 'stopMarket', triggerPrice: 1.01, triggerPriceType: 'mid' }, [UP]],
  ['entry', { type: 'stopLimit', triggerPrice: 1.01, limitPrice: 1.02, triggerPriceType: 'mark' }, [UP]],
  ['entry', { type: 'takeProfitMarket', triggerPrice: 0.99, triggerPriceType: 'mark' }, [DOWN]],
  ['entry', { type: 'takeProfitLimit', triggerPrice: 0.99, limitPrice: 1, triggerPriceType: 'mid' }, [DOWN]],
  ['entry', { type: 'trailingStopMarket', trailingOffset: 0.01, trailingOffsetType: 'price', triggerPriceType: 'mark' }, [UP]],
  ['entry', { type: 'trailingStopLimit', trailingOffset: '1', trailingOffsetType: 'percent', triggerPriceType: 'mark' }, [UP, BACK_DOWN]],
] as const)('an %s waits for its price, goes out when that comes, whole, and says which price it was: %j', async (kind, terms, path) => {
  const isExit = kind === 'exit';
  await stack.sim.price('BTC-PERP', part(1));
  if (isExit) await filled(entered('0.01'));
  const inPrices = Object.fromEntries(Object.entries(terms).map(([name, value]) => [name, typeof value === 'number' ? part(value) : value]));
  // An entry that waits is judged by a fresh price too.
  const { id } = await stack.client.until('it to wait', async () => {
    await stack.sim.price('BTC-PERP', part(1));
    const { status, body } = await order({ side: isExit ? 'sell' : 'buy', quantity: '0.01', reduceOnly: isExit, ...inPrices });
    return status === 201 ? body : null;
  });
  expect((await stack.client.order(id)).state).toBe('ARMED');
  for (const [n, to] of path.entries()) {
    // A limit that is placed behind the price waits for it to come back; told anew at each look, so that it is fresh however slow this machine is.
    let looks = 0;
    await stack.client.until(`the price at ${to} to be met`, async () => {
      await stack.sim.price('BTC-PERP', String(Number(part(to)) + (looks++ % 2)));
      const { state } = await stack.client.order(id);
      return state === 'FILLED' || (n < path.length - 1 && state === 'TRIGGERED') ? true : null;
    });
  }
  expect((await stack.client.order(id)).filledQuantity).toBe('0.01');
  expect(await firedBy(id)).toMatchObject({ priceType: terms.triggerPriceType, source: 'paper', backup: false, origin: 'stream' });
  if (!isExit) await filled(exit('0.01'));
  await booksAgree(stack);
}, 60_000);

test('a stop for more than is still held closes what is held: its holder closed a part by hand', async () => {
  await stack.sim.price('BTC-PERP', part(1));
  await filled(entered('0.02'));
  const id = await waiting({ type: 'stopMarket', triggerPrice: part(0.99), quantity: '0.02' });
  await filled(exit('0.01'));
  await stack.client.until('the stop to have closed the rest', async () => {
    await stack.sim.price('BTC-PERP', part(DOWN));
    return ['FILLED', 'CANCELED'].includes((await stack.client.order(id)).state) ? true : null;
  });
  expect((await stack.client.order(id)).filledQuantity).toBe('0.01');
  await booksAgree(stack);
  const { body } = await stack.client.call<{ positions: { symbol: string; quantity: string }[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`);
  expect(body.positions.filter(({ symbol, quantity }) => symbol === 'BTC-PERP' && quantity !== '0')).toEqual([]);
}, 60_000);

describe('losses trip their limits by themselves', () => {
  const limits = (changes: Readonly<Record<string, unknown>>) => stack.client.call('PUT', `/api/v1/risk-limits?accountId=${stack.accountId}`, { ...WIDE_LIMITS, maxDrawdown: null, ...changes });
  const released = () => stack.client.call('PATCH', `/api/v1/accounts/${stack.accountId}`, { status: 'ACTIVE' });
  const account = async () => (await stack.client.call<{ status: string; statusReason: string | null }>('GET', `/api/v1/accounts/${stack.accountId}`)).body;
  const restricted = (to: string) => stack.client.until(`the account to be ${to}`, async () => ((await account()).status === to ? account() : null));
  const codeOf = async (placing: ReturnType<typeof order>) => (await placing).body.error.code;

  test('the day\'s loss makes the account REDUCING: entries are refused, exits pass, until a person releases it within a wider limit', async () => {
    await stack.sim.price('BTC-PERP', part(1));
    expect((await limits({ maxDailyLoss: '300' })).status).toBe(200);
    await filled(entered('0.5'));
    await stack.sim.price('BTC-PERP', part(0.98));
    expect((await restricted('REDUCING')).statusReason).toContain('daily loss limit');
    expect(await codeOf(entry('0.01'))).toBe('RISK_ACCOUNT_REDUCING');
    await filled(exit('0.1'));
    // Released too early, it trips again.
    await released();
    await restricted('REDUCING');
    await limits({});
    await released();
    await filled(entered('0.1'));
    expect((await account()).status).toBe('ACTIVE');
  }, 120_000);

  test('a drawdown HALTs it, over a restart of all that watches: entries are refused, exits pass; released, its peak is counted anew', async () => {
    await limits({ maxDrawdown: '100000' });
    // A peak is kept by the first look that knows of the limit: what fell before that is no drawdown.
    await stack.client.until('a peak', async () => ((await database.query('SELECT 1 FROM equity_peaks WHERE account_id = $1', [stack.accountId])).rows.length === 1 ? true : null));
    expect((await limits({ maxDrawdown: '400' })).status).toBe(200);
    await stack.sim.price('BTC-PERP', part(0.94));
    expect((await restricted('HALTED')).statusReason).toContain('drawdown limit');
    await Promise.all([stack.watcher, stack.worker].map(async (role) => {
      await role.kill();
      await role.start();
    }));
    expect(await codeOf(entry('0.01'))).toBe('RISK_ACCOUNT_HALTED');
    await filled(exit('0.1'));
    await released();
    await filled(exit('0.1'));
    await filled(entered('0.1'));
    await filled(exit('0.4'));
    expect((await account()).status).toBe('ACTIVE');
    await booksAgree(stack);
  }, 120_000);
});
