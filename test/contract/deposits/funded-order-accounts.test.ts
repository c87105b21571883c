/** A deposit's order and the account it is for: whoever looks early, and what may become of the account while money is on its way there or back. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ENDED_FUNDED_ORDER_STATES, type FundedOrder } from '../../../src/domain/funded-order';
import { spoilKey } from '../store/harness';
import { openFundedWorld, type Funded, type FundedWorld } from './funded-order-world';

const ACTOR = 'key:test';
let world: FundedWorld;
beforeAll(async () => {
  world = await openFundedWorld();
}, 120_000);
afterAll(() => world.closeFunded());

const is = (state: FundedOrder['state']) => (order: FundedOrder): boolean => order.state === state;
const ended = ({ state }: FundedOrder): boolean => ENDED_FUNDED_ORDER_STATES.has(state);

const readdress = ({ accountId, userId }: Funded) => world.store.accountChanges.apply(accountId, userId, { credential: { apiKey: 'new', address: `0x${'7b'.repeat(20)}` } }, ACTOR);
const remove = ({ accountId, userId }: Funded) => world.store.accountChanges.remove(accountId, userId, ACTOR);
const onItsWay = { code: 'CONFLICT', message: expect.stringContaining('on its way') };

test('an order that somebody looks at before its money has begun its way waits for it, and is placed', async () => {
  const at = await world.credited();
  await world.look(at, { orderFirst: true, fundingAlone: true });
  expect(await world.order(at)).toMatchObject({ state: 'WAITING', reason: null });
  await world.settle(at, { until: is('PLACED'), worker: { orderFirst: true } });
  expect(await world.listsOf(at)).toBe(1);
});

test('while the money is final on the chain and the venue does not show it, the account keeps its address and is not deleted', async () => {
  const at = await world.arrived(await world.credited());
  expect((await world.order(at)).state).toBe('WAITING');
  await expect(readdress(at)).rejects.toMatchObject(onItsWay);
  await expect(remove(at)).rejects.toMatchObject(onItsWay);
  await world.settle(at, { until: is('PLACED') });
  await world.listEnds(at, {}, '4');
  await world.settle(at, { until: ended });
  await expect(readdress(at)).resolves.toMatchObject({ id: at.accountId });
  // The bracket that it placed is the account's own matter now.
  await expect(remove(at)).rejects.toMatchObject({ code: 'CONFLICT', details: { orderLists: 1, strategies: 0 } });
});

test('what was signed on the way back is waited for where nobody can ask the venue, a person is told, and it comes back once somebody can', async () => {
  const at = await world.credited({ onRefused: 'return' });
  await world.settle(at, { until: is('PLACED') });
  await world.listEnds(at, { state: 'REJECTED', reason: 'refused' });
  await world.settle(at, { until: (order) => order.state === 'RETURNING' && order.back !== null });
  await world.look(at, { gone: true });
  expect(await world.order(at)).toMatchObject({ state: 'RETURNING', reason: 'NO_WAY_BACK' });
  expect((await world.store.events.since(`user:${at.userId}`, 0, 200)).map(({ type }) => type)).toContain('deposit.held');
  await expect(remove(at)).rejects.toMatchObject(onItsWay);
  expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'RETURNED' });
  expect(world.paidBack(at)).toEqual(['98']);
});

test('nothing leaves for a withdrawal that somebody else has given up meanwhile', async () => {
  const at = await world.credited({ onRefused: 'return' });
  await world.settle(at, { until: is('PLACED') });
  await world.listEnds(at, { state: 'REJECTED', reason: 'refused' });
  await world.settle(at, { until: is('RETURNING') });
  const { signer, store } = world;
  await world.look(at, {
    signer: {
      addressOf: (userId) => signer.addressOf(userId),
      sign: (request) => signer.sign(request),
      signMessage: async (request) => {
        await store.deposits.record(at.id, { kind: 'held', reason: 'SIGNER_REFUSED: another worker was told so' });
        return signer.signMessage(request);
      },
    },
  });
  expect(await world.order(at)).toMatchObject({ state: 'HELD', back: null });
  expect(world.paidBack(at)).toEqual([]);
});

test('a key that cannot be opened any more is replaced by another, as long as no money is on its way', async () => {
  const { id, userId } = await world.newAccount();
  await spoilKey(world, id);
  await expect(world.store.accountChanges.apply(id, userId, { credential: { apiKey: 'new', address: `0x${'7b'.repeat(20)}` } }, ACTOR)).resolves.toMatchObject({ id });
});
