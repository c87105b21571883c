/** A stop that is amended while what fired of its former terms is still being stored: the database was away meanwhile. */
import { afterEach, expect, test } from '@jest/globals';
import type { TriggerEngine } from '../../../src/streams/triggers/trigger-engine';
import { until } from '../../contract/streams/bus-until';
import { closeEngines, prices, status, stop, World } from './engine-world';
import { triggerNamed } from './naive-triggers';

afterEach(closeEngines);

const amendedTo = (triggerPrice: string, revision: number, checkpointAtMs: number) => triggerNamed('t', { ...stop, triggerPrice }, { revision, checkpointAtMs });

/** Its first re-read is over. */
async function following(world: World): Promise<TriggerEngine> {
  const engine = await world.begun();
  await new Promise((resolve) => setImmediate(resolve));
  return engine;
}

test('fires at its new price, though the former firing is not stored yet', async () => {
  const world = new World(triggerNamed('t', stop));
  const engine = await following(world);
  world.storeDown = true;
  prices(world, engine, '95', '89');
  world.put(amendedTo('85', 2, world.nowMs + 1));
  const { reads } = world;
  engine.noticed();
  await until('the amendment is read', () => world.reads >= reads + 1 && engine.armed === 1);
  world.tellsChanges = false;
  prices(world, engine, '86', '84', '88');
  expect(engine.armed).toBe(0);
  world.storeDown = false;
  await until('it has fired', () => status(world) === 'FIRED');
  expect(world.rows.get('t')?.evidence).toMatchObject({ revision: 2, price: '84', level: '85' });
});

test('fires at its new price where the database tells of the amendment when it refuses the former firing', async () => {
  const world = new World(triggerNamed('t', stop));
  const engine = await following(world);
  world.tellsChanges = false;
  world.storeDown = true;
  prices(world, engine, '95');
  world.put(amendedTo('88', 2, world.nowMs));
  prices(world, engine, '87');
  world.storeDown = false;
  await until('it has fired', () => status(world) === 'FIRED');
  expect(world.rows.get('t')?.evidence).toMatchObject({ revision: 2, price: '87', level: '88' });
});

test('nobody is told that all was watched before the crossing of its new terms is stored too', async () => {
  const world = new World(triggerNamed('t', stop));
  const engine = await following(world);
  world.tellsChanges = false;
  world.storeDown = true;
  prices(world, engine, '95');
  world.put(amendedTo('88', 2, world.nowMs));
  prices(world, engine, '87');
  let [isBeingStored, isTold] = [false, false];
  let goOn = (): void => undefined;
  world.beforeStoring = ({ revision }) => {
    isBeingStored ||= revision === 2;
    return revision === 2 ? new Promise((resolve) => (goOn = resolve)) : Promise.resolve();
  };
  const checkpoint = engine.checkpoint().finally(() => (isTold = true));
  world.storeDown = false;
  await until('the new crossing is being stored', () => isBeingStored);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([isTold, status(world)]).toEqual([false, 'ARMED']);
  goOn();
  await checkpoint;
  expect(status(world)).toBe('FIRED');
});
