/** Prices that a trigger could not hear because it became known later than they came, or because the stream was down: the venue's past tells them. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PublicTrade } from '../../../src/domain/market';
import type { TriggerParameters } from '../../../src/domain/trigger';
import type { History } from '../../../src/streams/triggers/trigger-catch-up';
import type { TriggerEngine } from '../../../src/streams/triggers/trigger-engine';
import { until } from '../../contract/streams/bus-until';
import { closeEngines, prices, status, stop, trail, World } from './engine-world';
import { triggerNamed } from './naive-triggers';

afterEach(closeEngines);

const trade = (price: string, at: number): PublicTrade => ({ id: String(at), price, quantity: '1', side: 'buy', at });
const traded = (...trades: readonly PublicTrade[]): History => ({ origin: 'trades', trades, candles: [], candleMs: 0, untilMs: trades.at(-1)?.at ?? 0 });

/** More prices than are remembered. */
function forgotten(world: World, engine: TriggerEngine): void {
  prices(world, engine, ...Array.from({ length: 70 }, () => '96'));
}

describe('a trigger that was accepted long before it was known here', () => {
  async function late(parameters: TriggerParameters): Promise<{ world: World; engine: TriggerEngine; sinceMs: number }> {
    const world = new World();
    const engine = await world.begun();
    const sinceMs = world.nowMs;
    world.past = traded(trade('96', sinceMs - 50), trade('89.5', sinceMs + 20), trade('99', sinceMs + 40), trade('95', sinceMs + 60));
    prices(world, engine, '89.5', '99');
    forgotten(world, engine);
    world.put(triggerNamed('t', parameters, { armedAtMs: world.nowMs, checkpointAtMs: sinceMs }));
    return { world, engine, sinceMs };
  }

  test('fires on what was traded between, once, and says where it knows it from', async () => {
    const { world, engine, sinceMs } = await late(stop);
    engine.noticed();
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ price: '89.5', origin: 'trades', atMs: sinceMs + 20 });
    expect(world.asked).toEqual([sinceMs]);
    prices(world, engine, '89');
    await engine.checkpoint();
    expect(world.told.length).toBe(1);
  });

  test('is not fired by what was traded before it was accepted, and asks for nothing where all is remembered', async () => {
    const world = new World();
    const engine = await world.begun();
    prices(world, engine, '89.5');
    world.nowMs += 1;
    world.put(triggerNamed('t', stop, { armedAtMs: world.nowMs, checkpointAtMs: world.nowMs }));
    prices(world, engine, '95', '96');
    engine.noticed();
    await until('it is watched', () => engine.armed === 1);
    await engine.checkpoint();
    expect([status(world), world.asked]).toEqual(['ARMED', []]);
  });

  test('that trails has the peak of that time in its mark', async () => {
    const { world, engine } = await late(trail);
    engine.noticed();
    await until('it fired', () => status(world) === 'FIRED');
    // From 96, which stood when it was accepted, the trail of 5 was reached at 89.5.
    expect(world.rows.get('t')?.evidence).toMatchObject({ extreme: '96', level: '91', price: '89.5', origin: 'trades' });
  });

  test('that looks at the present price only is not fired by the past', async () => {
    const { world, engine } = await late({ ...stop, gapPolicy: 'current' });
    engine.noticed();
    await until('it is watched', () => engine.armed === 1);
    await engine.checkpoint();
    expect([status(world), world.asked]).toEqual(['ARMED', []]);
  });

  test('whose venue does not tell its past yet is not counted as watched, so whoever takes over asks again', async () => {
    const { world, engine, sinceMs } = await late(stop);
    const { past } = world;
    world.past = null;
    engine.noticed();
    await until('the venue was asked', () => world.asked.length > 0);
    world.nowMs += 60_000;
    // It has read the table anew: of everything else it may say that it was watched.
    const { reads } = world;
    engine.noticed();
    await until('it was read', () => world.reads > reads);
    const armedAtMs = world.rows.get('t')?.armedAtMs ?? 0;
    const watchedMs = await engine.checkpoint();
    expect(watchedMs).toBeLessThan(armedAtMs);
    await engine.close();
    world.past = past;
    world.asked.length = 0;
    await world.begun(watchedMs);
    await until('it was told', () => world.told.length === 1);
    expect([world.asked[0], world.told[0]?.price]).toEqual([sinceMs, '89.5']);
  });

  test('that trails stores no mark while something is unread: its best may have come after what it missed', async () => {
    const { world, engine, sinceMs } = await late(trail);
    world.past = null;
    engine.noticed();
    await until('the venue was asked', () => world.asked.length > 0);
    prices(world, engine, '97');
    await engine.checkpoint();
    expect(world.rows.get('t')).toMatchObject({ extreme: null, checkpointAtMs: sinceMs });
    world.past = traded(trade('96', world.nowMs - 10));
    await until('it was read', () => world.asked.length > 1);
    await engine.checkpoint();
    expect(world.rows.get('t')).toMatchObject({ extreme: '97', checkpointAtMs: world.nowMs });
  });

  test('hears a price of that time, told once more by the stream, as no news: the peak after it stays after it', async () => {
    const { world, engine } = await late(trail);
    const [start, dip, peak] = [world.nowMs - 6_900, world.nowMs - 6_800, world.nowMs + 300];
    world.put(triggerNamed('t', trail, { armedAtMs: world.nowMs, checkpointAtMs: start }));
    world.past = traded(trade('100', start), trade('98', dip), trade('104', peak));
    engine.noticed();
    await until('its mark', () => world.asked.length > 0 && engine.armed === 1);
    await engine.checkpoint();
    // 98 came before the peak: counted after it, it would be beyond the level of 99.
    engine.hear(world.ticker({ last: '98', at: world.nowMs + 50 }));
    await engine.checkpoint();
    expect([status(world), world.rows.get('t')?.extreme]).toEqual(['ARMED', '104']);
    world.nowMs += 1_000;
    prices(world, engine, '99');
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ extreme: '104', level: '99', price: '99', origin: 'stream' });
  });

  test('and others of its market go on hearing the stream', async () => {
    const { world, engine } = await late({ ...stop, triggerPrice: '10' });
    world.put(triggerNamed('other', { ...stop, triggerPrice: '94' }, { armedAtMs: world.nowMs, checkpointAtMs: world.nowMs }));
    world.past = traded(trade('95', world.nowMs - 80_000), trade('93', world.nowMs + 500));
    engine.noticed();
    await until('the past of one was read', () => world.asked.length === 1 && engine.armed === 2);
    await engine.checkpoint();
    engine.hear(world.ticker({ last: '93' }));
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ triggerId: 'other', price: '93', origin: 'stream' });
  });
});

describe('a stream that was down for a while', () => {
  test('is read back when it is up again, from its last word on', async () => {
    const world = new World(triggerNamed('t', stop));
    const engine = await world.begun();
    world.asked.length = 0;
    prices(world, engine, '95');
    const lastMs = world.nowMs;
    world.past = traded(trade('95', lastMs), trade('88', lastMs + 10), trade('96', lastMs + 20));
    world.nowMs += 30_000;
    // The new connection tells its first prices before it tells of the gap.
    engine.hear(world.ticker({ last: '96' }));
    engine.hear({ kind: 'gap', reason: 'the connection was lost', missingForMs: world.nowMs - lastMs });
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ price: '88', origin: 'trades' });
    expect(world.asked).toEqual([lastMs]);
  });

  test('a trail does not begin at a price that was asked for meanwhile and came after what the stream lost', async () => {
    const world = new World(triggerNamed('t', trail));
    const engine = await world.begun();
    prices(world, engine, '95');
    const lastMs = world.nowMs;
    engine.hear(world.ticker({ last: '100' }), true);
    // From 95 the level is 90: only from the later 100 would 93 be beyond it.
    world.past = traded(trade('95', lastMs), trade('93', lastMs + 10), trade('100', lastMs + 90));
    engine.hear({ kind: 'gap', reason: 'the connection was lost', missingForMs: 0 });
    await until('the past was read', () => world.asked.length === 2);
    await engine.checkpoint();
    expect([status(world), world.rows.get('t')?.extreme]).toEqual(['ARMED', '100']);
  });

  test.each([['whose mark is stored', true], ['whose mark is not stored yet', false]])('a trail %s keeps the best that it had before', async (_name, stored) => {
    const world = new World(triggerNamed('t', trail));
    const engine = await world.begun();
    prices(world, engine, '99');
    if (stored) await engine.checkpoint();
    prices(world, engine, '96');
    const lastMs = world.nowMs;
    engine.hear(world.ticker({ last: '100.0' }), true);
    // A price that was asked for while the stream said nothing is in no mark: what the stream lost came before it.
    await engine.checkpoint();
    world.past = traded(trade('96', lastMs), trade('93.5', lastMs + 10), trade('100', lastMs + 90));
    engine.hear({ kind: 'gap', reason: 'the connection was lost', missingForMs: world.nowMs - lastMs });
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ extreme: '99', level: '94', price: '93.5', origin: 'trades' });
  });

  test('and was silent is not counted as watched after its last word, whatever was asked for', async () => {
    const world = new World(triggerNamed('t', trail));
    const engine = await world.begun();
    prices(world, engine, '95');
    const lastMs = world.nowMs;
    world.nowMs += 60_000;
    engine.hear(world.ticker({ last: '100' }), true);
    const { reads } = world;
    engine.noticed();
    await until('the table was read', () => world.reads > reads);
    const watchedMs = await engine.checkpoint();
    expect(watchedMs).toBeLessThanOrEqual(lastMs);
    expect(world.rows.get('t')).toMatchObject({ extreme: null, checkpointAtMs: 0 });
  });

  test('again while its venue is asked is read back once more: the answer tells nothing of the second time', async () => {
    const world = new World(triggerNamed('t', stop));
    const engine = await world.begun();
    prices(world, engine, '95');
    const lastMs = world.nowMs;
    world.past = traded(trade('95', lastMs), trade('96', lastMs + 20));
    engine.hear({ kind: 'gap', reason: 'the connection was lost', missingForMs: 0 });
    world.nowMs += 1_000;
    world.past = traded(trade('95', lastMs), trade('96', lastMs + 20), trade('88', lastMs + 900));
    engine.hear({ kind: 'gap', reason: 'the connection was lost again', missingForMs: 900 });
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ price: '88', origin: 'trades' });
  });

  test('a price that was asked for meanwhile does not hide what the stream lost', async () => {
    const world = new World(triggerNamed('t', stop));
    const engine = await world.begun();
    prices(world, engine, '95');
    const lastMs = world.nowMs;
    engine.hear(world.ticker({ last: '96' }), true);
    world.past = traded(trade('95', lastMs), trade('88', lastMs + 10), trade('96', lastMs + 20));
    engine.hear({ kind: 'gap', reason: 'the connection was lost', missingForMs: 0 });
    await until('it was told', () => world.told.length === 1);
  });
});

describe('a trigger that is amended', () => {
  test('in nothing that it looks at misses nothing and asks for nothing', async () => {
    const world = new World(triggerNamed('t', trail, { armedAtMs: 5, checkpointAtMs: 5 }));
    const engine = await world.begun();
    prices(world, engine, '100');
    forgotten(world, engine);
    world.asked.length = 0;
    world.put(triggerNamed('t', trail, { revision: 2, armedAtMs: 5, checkpointAtMs: 5 }));
    const { reads } = world;
    engine.noticed();
    await until('it was read', () => world.reads > reads);
    await engine.checkpoint();
    prices(world, engine, '95.1');
    await engine.checkpoint();
    expect([status(world), world.asked]).toEqual(['ARMED', []]);
    prices(world, engine, '95');
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ extreme: '100', revision: 2 });
  });
});

describe('S52: a venue whose clock was set back', () => {
  test('between a trade and an arming: the trade, dated later than its clock says now, does not fire what was armed after it; what is heard next does', async () => {
    const world = new World(triggerNamed('t', stop, { armedAtMs: 1_000_000, checkpointAtMs: 1_000_000 }));
    world.past = traded(trade('95', 990_000), trade('89', 1_058_000));
    const engine = await world.begun(999_000);
    await engine.checkpoint();
    expect(status(world)).toBe('ARMED');
    prices(world, engine, '89.9');
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ price: '89.9', origin: 'stream' });
  });
});
