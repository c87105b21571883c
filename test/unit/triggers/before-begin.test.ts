/** What a watcher hears before it has its scope: it fires nothing that was accepted later, and nothing of it is lost. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { HeldPrices } from '../../../src/streams/prices/held-prices';
import { TriggerIndex } from '../../../src/streams/triggers/trigger-index';
import { until } from '../../contract/streams/bus-until';
import { closeEngines, status, stop, trail, World } from './engine-world';
import { triggerNamed } from './naive-triggers';

afterEach(closeEngines);

const WRITER = { scope: 'market/paper', epoch: 1 };
const onMark = { ...stop, priceType: 'mark' } as const;
const trailOfMark = { ...trail, priceType: 'mark' } as const;

describe('a price that was heard before the watcher had its scope', () => {
  test('fires what was accepted before it, and not what was accepted after it', async () => {
    const world = new World(triggerNamed('before', onMark, { armedAtMs: 1_000_000, checkpointAtMs: 1_000_000 }));
    const engine = world.open();
    await engine.load();
    engine.hear(world.ticker({ mark: '92' }));
    engine.hear(world.ticker({ mark: '89' }));
    world.put(triggerNamed('after', onMark, { armedAtMs: world.nowMs + 1, checkpointAtMs: world.nowMs + 1 }));
    engine.hear(world.ticker({ mark: '92' }));
    await engine.begin(WRITER, 1_000_000);
    await until('the earlier one was told', () => world.told.length > 0);
    await engine.checkpoint();
    expect([status(world, 'before'), status(world, 'after'), engine.armed]).toEqual(['FIRED', 'ARMED', 1]);
    engine.hear(world.ticker({ mark: '89.5' }));
    await until('the later one was told', () => world.told.length === 2);
    expect(world.told[1]).toMatchObject({ triggerId: 'after', price: '89.5' });
  });

  test('is no news to a trail whose mark is of after it: the peak in the mark came later than the dip', async () => {
    const world = new World(triggerNamed('t', trailOfMark, { extreme: '96', checkpointAtMs: 1_000_000 }));
    const engine = world.open();
    await engine.load();
    engine.hear(world.ticker({ mark: '96' }));
    engine.hear(world.ticker({ mark: '97' }));
    // The one before heard both, and 103 after them, and stored it.
    world.put(triggerNamed('t', trailOfMark, { extreme: '103', checkpointAtMs: world.nowMs + 50 }));
    engine.hear(world.ticker({ mark: '99' }));
    await engine.begin(WRITER, world.nowMs);
    await engine.checkpoint();
    expect([status(world), world.rows.get('t')?.extreme]).toEqual(['ARMED', '103']);
    engine.hear(world.ticker({ mark: '98' }));
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ extreme: '103', level: '98', price: '98' });
  });

  test('is where a trail begins that was accepted after it', async () => {
    const world = new World();
    const engine = world.open();
    await engine.load();
    engine.hear(world.ticker({ mark: '100' }));
    world.put(triggerNamed('t', trailOfMark, { armedAtMs: world.nowMs + 1, checkpointAtMs: world.nowMs + 1 }));
    engine.hear(world.ticker({ mark: '95' }));
    await engine.begin(WRITER, world.nowMs);
    await until('it was told', () => world.told.length === 1);
    expect(world.told[0]).toMatchObject({ extreme: '100', level: '95', price: '95' });
  });

  test('and is one more than can be held, is missing from then on, and so is all that follows', () => {
    const held = new HeldPrices(2);
    const heard: number[] = [];
    for (const ms of [1, 2, 3, 4]) held.add({ observedAtMs: ms, evaluate: () => heard.push(ms) });
    held.hear(new TriggerIndex(), () => undefined);
    expect([heard, held.unheldSinceMs]).toEqual([[1, 2], 3]);
  });
});
