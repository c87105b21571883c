/** A ticker tells the last of several trades before the trades themselves come: each of those was a price. */
import { afterEach, expect, test } from '@jest/globals';
import type { PublicTrade } from '../../../src/domain/market';
import type { PublicMessage } from '../../../src/domain/venue';
import { until } from '../../contract/streams/bus-until';
import { closeEngines, prices, status, stop, World } from './engine-world';
import { triggerNamed } from './naive-triggers';

afterEach(closeEngines);

const trades = (...all: readonly (readonly [price: string, at: number])[]): PublicMessage =>
  ({ kind: 'trades', symbol: 'BTC-PERP', trades: all.map(([price, at]): PublicTrade => ({ id: String(at), price, quantity: '1', side: 'sell', at })) });
/** The world's clock goes on by 100 ms with each ticker; what is said here happened around now. */
const standing = async (world: World) => {
  const engine = await world.begun();
  prices(world, engine, '95');
  return { engine, now: world.nowMs };
};

test.each([true, false])('what was traded through a stop just before a ticker fires it (the ticker was asked for: %s)', async (asked) => {
  const world = new World(triggerNamed('t', stop));
  const { engine, now } = await standing(world);
  engine.hear(world.ticker({ last: '91', at: now + 12 }), asked);
  engine.hear(trades(['89', now + 10], ['91', now + 11]));
  await until('it has fired', () => status(world) === 'FIRED');
  expect(world.rows.get('t')?.evidence).toMatchObject({ price: '89', atMs: now + 10 });
});

test('trades that newer trades overtook, and a ticker that they overtook, are no news', async () => {
  const world = new World(triggerNamed('t', stop));
  const { engine, now } = await standing(world);
  engine.hear(trades(['92', now + 20]));
  engine.hear(trades(['89', now + 10]));
  engine.hear(world.ticker({ last: '88', at: now + 15 }));
  expect([engine.armed, status(world)]).toEqual([1, 'ARMED']);
});
