/** A chain takes a credit back after the money has gone on to the venue: a person is told, the books say so, nothing is sent twice, and what comes again is counted again. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RELAYER } from '../../support/anvil';
import { CONTRACT, is, openFundedWorld, type FundedWorld } from './funded-order-world';

let world: FundedWorld;
beforeAll(async () => {
  world = await openFundedWorld();
}, 120_000);
afterAll(() => world.closeFunded());

test('a credit that a reorganisation takes back after its money went on leaves the books summing to zero, and the transfer is never sent again', async () => {
  const at = await world.credited();
  await world.settle(at, { until: is('PLACED') });
  const before = (await world.paidTo(CONTRACT)).length;
  const depth = Number(await world.chain.client.test.getBlockNumber()) - 1;
  await world.chain.client.test.request({ method: 'anvil_reorg' as never, params: [Math.min(depth, 40), []] as never });
  await world.scan();
  const books = await world.books(at.userId);
  expect(Object.values(books).reduce((sum, amount) => sum + Number(amount), 0)).toBe(0);
  expect(Number(books['wallet'] ?? '0')).toBeLessThanOrEqual(0);
  const types = (await world.store.events.since(`user:${at.userId}`, 0, 200)).map(({ type }) => type);
  expect(types).toContain('deposit.reversed');
  for (let look = 0; look < 3; look += 1) {
    await world.look(at);
    await world.chain.mine(3);
  }
  expect((await world.paidTo(CONTRACT)).length).toBeLessThanOrEqual(before);
  await world.chain.call(RELAYER, world.token.address, world.contracts.token, 'mint', [at.wallet, 99_000_000n]);
  await world.scan();
  const after = await world.books(at.userId);
  expect(Number(after['wallet'] ?? '0') - Number(books['wallet'] ?? '0')).toBe(99);
}, 120_000);
