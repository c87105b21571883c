/** The engine between a table, a venue and Temporal, each played here: what fires, what is stored and who is told. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Ticker } from '../../../src/domain/market';
import { disproof, type Trigger, type TriggerEvidence, type TriggerParameters } from '../../../src/domain/trigger';
import { until } from '../../contract/streams/bus-until';
import { closeEngines, prices, status, stop, trail, World } from './engine-world';
import { triggerNamed } from './naive-triggers';

afterEach(closeEngines);

describe('a price that reaches a trigger', () => {
  test('is stored with its evidence, then told to the workflow, which can check it', async () => {
    const world = new World(triggerNamed('t', trail));
    const engine = await world.begun();
    prices(world, engine, '100', '104', '99');
    await until('it was told', () => world.told.length === 1);
    expect(world.rows.get('t')).toMatchObject({ status: 'FIRED', evidence: { price: '99', level: '99', extreme: '104', source: 'paper', backup: false, origin: 'stream', scope: 'market/paper', epoch: 1 } });
    expect(disproof({ id: 't', revision: 1, parameters: trail }, world.told[0] as TriggerEvidence)).toBeNull();
  });

  test('is stored and told once both sides answer again', async () => {
    const world = new World(triggerNamed('t', stop));
    world.storeDown = true;
    world.temporalDown = true;
    const engine = await world.begun();
    prices(world, engine, '95', '89');
    await until('the store was asked in vain', () => world.troubles.length > 0);
    expect(status(world)).toBe('ARMED');
    world.storeDown = false;
    await until('it is stored', () => status(world) === 'FIRED');
    expect(world.told).toEqual([]);
    world.nowMs += 4_000;
    world.temporalDown = false;
    await until('it was told', () => world.lags.length > 0);
    // All of the time that nobody could be told counts.
    expect(world.lags).toEqual([4_000]);
  });

  test('fires nothing for a watcher that was replaced', async () => {
    const world = new World(triggerNamed('t', stop));
    const engine = await world.begun();
    world.epoch = 2;
    prices(world, engine, '95', '89');
    await expect(engine.checkpoint().then(() => engine.checkpoint())).resolves.toBeDefined();
    expect([status(world), world.told]).toEqual(['ARMED', []]);
  });

  test('that was stored before a crash is told by the next watcher', async () => {
    const world = new World(triggerNamed('t', stop));
    world.temporalDown = true;
    const first = await world.begun();
    prices(world, first, '95', '89');
    await until('it is stored', () => status(world) === 'FIRED');
    await first.close();
    world.temporalDown = false;
    await world.begun();
    await until('it was told', () => world.told.length > 0);
  });
});

describe('S24: a stale, zero, crossed or spiking price', () => {
  test.each<[string, Partial<Ticker>]>([
    ['stale', { last: '89', at: 900_000 }], ['zero', { last: '0' }], ['crossed', { last: '89', bid: '101', ask: '99' }], ['spike', { last: '50' }],
  ])('%s fires nothing', async (verdict, changes) => {
    const world = new World(triggerNamed('t', stop));
    const engine = await world.begun();
    prices(world, engine, '95');
    engine.hear(world.ticker(changes));
    prices(world, engine, '95');
    await engine.checkpoint();
    expect([status(world), world.refused]).toEqual(['ARMED', [verdict]]);
  });
});

test('a trade that comes after a ticker which told an older one again, with a newer time, still fires', async () => {
  const world = new World(triggerNamed('t', stop));
  const engine = await world.begun();
  const at = world.nowMs;
  engine.hear({ kind: 'trades', symbol: 'BTC-PERP', trades: [{ id: '1', price: '95', quantity: '1', side: 'buy', at }] });
  engine.hear(world.ticker({ last: '95', bid: '94', ask: '96' }));
  engine.hear({ kind: 'trades', symbol: 'BTC-PERP', trades: [{ id: '2', price: '89', quantity: '1', side: 'sell', at: at + 50 }, { id: '3', price: '95', quantity: '1', side: 'buy', at: at + 60 }] });
  await until('it fired', () => status(world) === 'FIRED');
  expect(world.rows.get('t')?.evidence).toMatchObject({ price: '89' });
});

describe('S24: while nobody watches', () => {
  const trade = (price: string, at: number): { id: string; price: string; quantity: string; side: 'buy'; at: number } => ({ id: String(at), price, quantity: '1', side: 'buy', at });

  test('the peak is in the mark on return, and a level that was traded through fires', async () => {
    const [peaked, fired] = [triggerNamed('t', trail, { extreme: '100', checkpointAtMs: 10 }), triggerNamed('u', stop, { checkpointAtMs: 10 })];
    const world = new World(peaked, fired, triggerNamed('current', { ...stop, gapPolicy: 'current' }, { checkpointAtMs: 10 }));
    world.past = { origin: 'trades', trades: [trade('93', 5), trade('98', 20), trade('89.5', 21), trade('92', 22), trade('97', 23)], candles: [], candleMs: 0, untilMs: 23 };
    const engine = await world.begun(10);
    await until('both were told', () => world.told.length === 2);
    expect(world.rows.get('u')?.evidence).toMatchObject({ price: '89.5', origin: 'trades', atMs: 21 });
    expect(world.rows.get('t')?.evidence).toMatchObject({ price: '89.5', extreme: '100', level: '95' });
    expect(status(world, 'current')).toBe('ARMED');
    await engine.checkpoint();
    world.put(triggerNamed('v', trail, { extreme: '100', checkpointAtMs: 10 }));
    world.past = { origin: 'trades', trades: [trade('107', 20), trade('103', 21)], candles: [], candleMs: 0, untilMs: 21 };
    const next = await world.begun(10);
    prices(world, next, '102');
    await until('the mark includes the peak', () => status(world, 'v') === 'FIRED');
    expect(world.rows.get('v')?.evidence).toMatchObject({ price: '102', extreme: '107', level: '102', origin: 'stream' });
  });

  test('what the venue does not tell yet is asked again, and the checkpoint stays where it was', async () => {
    const world = new World(triggerNamed('t', stop, { checkpointAtMs: 10 }));
    world.past = null;
    const engine = await world.begun(7);
    expect(await engine.checkpoint()).toBe(7);
    world.past = { origin: 'trades', trades: [trade('89', 20), trade('97', 21)], candles: [], candleMs: 0, untilMs: 21 };
    await until('it fired', () => status(world) === 'FIRED');
    expect(await engine.checkpoint()).toBeGreaterThan(7);
  });
});

describe('a trigger', () => {
  test('that is armed, amended or disarmed while the watcher runs counts from then on', async () => {
    const world = new World();
    const engine = await world.begun();
    prices(world, engine, '100');
    world.put(triggerNamed('t', stop, { armedAtMs: world.nowMs, checkpointAtMs: world.nowMs + 1 }));
    world.put(triggerNamed('gone', stop, { armedAtMs: world.nowMs, checkpointAtMs: world.nowMs + 1 }));
    engine.noticed();
    await until('both are watched', () => engine.armed === 2);
    world.put({ ...(world.rows.get('gone') as Trigger), status: 'DISARMED' });
    world.put(triggerNamed('t', { ...stop, triggerPrice: '98' }, { revision: 2, armedAtMs: 0, checkpointAtMs: world.nowMs + 1 }));
    engine.noticed();
    await until('one is watched', () => engine.armed === 1);
    prices(world, engine, '97');
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ triggerId: 't', revision: 2, level: '98' });
  });

  test('armed a moment before it was known here has missed nothing', async () => {
    const world = new World();
    const engine = await world.begun();
    const armedAtMs = world.nowMs;
    prices(world, engine, '100', '95', '89', '95');
    world.put(triggerNamed('t', stop, { armedAtMs, checkpointAtMs: armedAtMs }));
    engine.noticed();
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ price: '89' });
  });

  describe('that trails begins at the price that stands when it is armed', () => {
    const twoPercent: TriggerParameters = { ...trail, trailingOffset: '2', trailingOffsetType: 'percent' };

    test('so the first price after that may fire it', async () => {
      const world = new World();
      const engine = await world.begun();
      prices(world, engine, '50000');
      world.put(triggerNamed('t', twoPercent, { armedAtMs: world.nowMs + 1, checkpointAtMs: world.nowMs + 1 }));
      engine.noticed();
      await until('it is watched', () => engine.armed === 1);
      prices(world, engine, '49000');
      await until('it was told', () => world.told.length === 1);
      expect(world.told[0]).toMatchObject({ price: '49000', extreme: '50000', level: '49000' });
    });

    test('also where that price came before it was known here', async () => {
      const world = new World();
      const engine = await world.begun();
      prices(world, engine, '50000');
      const armedAtMs = world.nowMs + 1;
      prices(world, engine, '49000');
      world.put(triggerNamed('t', twoPercent, { armedAtMs, checkpointAtMs: armedAtMs }));
      engine.noticed();
      await until('it was told', () => world.told.length === 1);
      expect(world.told[0]).toMatchObject({ price: '49000', extreme: '50000' });
    });

    test('but not at one that its venue said long before, nor at one that does not activate it', async () => {
      const world = new World();
      const engine = await world.begun();
      prices(world, engine, '50000');
      world.put(triggerNamed('inactive', { ...twoPercent, activationPrice: '50001' }, { armedAtMs: world.nowMs + 1, checkpointAtMs: world.nowMs + 1 }));
      world.nowMs += 10_100;
      world.put(triggerNamed('t', twoPercent, { armedAtMs: world.nowMs, checkpointAtMs: world.nowMs }));
      engine.noticed();
      await until('both are watched', () => engine.armed === 2);
      prices(world, engine, '49000', '48100');
      await engine.checkpoint();
      expect([status(world), status(world, 'inactive'), world.rows.get('t')?.extreme, world.rows.get('inactive')?.extreme]).toEqual(['ARMED', 'ARMED', '49000', null]);
    });

    test('of the past, where nobody watched when it was armed', async () => {
      const world = new World(triggerNamed('t', twoPercent, { armedAtMs: 15, checkpointAtMs: 15 }));
      world.past = { origin: 'trades', trades: [['49900', 5], ['50000', 10], ['49000', 20]].map(([price, at]) => ({ id: String(at), price: String(price), quantity: '1', side: 'sell' as const, at: Number(at) })), candles: [], candleMs: 0, untilMs: 20 };
      await world.begun(10);
      await until('it was told', () => world.told.length === 1);
      expect(world.told[0]).toMatchObject({ price: '49000', extreme: '50000', origin: 'trades' });
    });
  });

  test.each([
    ['index', { index: '95' }, { mark: '89', last: '89.1', bid: '89', ask: '89.2', index: '94' }, { index: '89', mark: '94', last: '95', bid: '94', ask: '95' }, '89'],
    ['mid', { bid: '94', ask: '96' }, { mark: '89', last: '89.1', index: '89' }, { bid: '89', ask: '90', mark: '94', last: '94' }, '89.5'],
  ] as const)('looks at the %s price where that was asked for, and at no other', async (priceType, first, others, own, price) => {
    const world = new World(triggerNamed('t', { ...stop, priceType }));
    const engine = await world.begun();
    for (const heard of [first, others]) engine.hear(world.ticker(heard));
    await engine.checkpoint();
    expect(status(world)).toBe('ARMED');
    engine.hear(world.ticker(own));
    await engine.checkpoint();
    expect([status(world), world.rows.get('t')?.evidence]).toMatchObject(['FIRED', { priceType, price }]);
  });

  test('looks at its market\'s backup while the venue is silent, and says so', async () => {
    const world = new World(triggerNamed('t', { ...stop, priceType: 'mark' }));
    const engine = await world.begun();
    engine.hear(world.ticker({ mark: '92' }));
    const backup = (mark: string): void => engine.hearBackup('BTC-PERP', { ...world.ticker({ mark }).ticker, venue: 'other', symbol: 'BTC-USD' });
    backup('89');
    await engine.checkpoint();
    expect(status(world)).toBe('ARMED');
    world.nowMs += 6_000;
    backup('89');
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ source: 'other', backup: true, price: '89' });
  });
});
