/** A deposit's money at its venue, on a real chain and against a venue that speaks Hyperliquid: an order once it is credited, however late and whoever looks. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../../src/domain/errors';
import { isoTime } from '../../../src/domain/clock';
import type { Wrap } from '../dying';
import { ended, is, LATE_AFTER_MS, openFundedWorld, REFUSED, type Funded, type FundedWorld } from './funded-order-world';

let world: FundedWorld;
beforeAll(async () => {
  world = await openFundedWorld();
}, 120_000);
afterAll(() => world.closeFunded());

const ALL = { limit: 500, after: null };
const gone = { wallet: '1', transfers: '-1' };

describe('an order that waits for its deposit\'s money', () => {
  test('is placed once the venue has credited it, and shows its first fill on the deposit and its timeline', async () => {
    const at = await world.credited();
    await world.settle(at, { until: is('PLACED') });
    expect(await world.order(at)).toMatchObject({ credited: { amount: '99' }, reason: null });
    await world.listEnds(at, {}, '4');
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'FILLED', entry: { filledQuantity: '4', avgPrice: '100' }, back: null });
    expect(await world.listsOf(at)).toBe(1);
    expect(await world.books(at.userId)).toEqual(gone);
    const steps = await world.store.deposits.steps(at.id, at.userId);
    expect(steps?.map(({ fact, state }) => `${fact} ${state}`)).toEqual(['created CREDITED', 'venueCredited CREDITED', 'orderPlaced CREDITED', 'orderFilled CREDITED']);
    expect(await world.eventsOf(at)).toEqual(['deposit.credited', 'deposit.created', 'deposit.orderChanged', 'deposit.orderChanged', 'deposit.orderChanged']);
  });

  test('is not placed before the venue shows the money, and a person is told when that takes long', async () => {
    const at = await world.credited();
    for (let turn = 0; turn < 3; turn += 1) {
      await world.look(at);
      await world.chain.mine(3);
    }
    expect([(await world.order(at)).state, await world.listsOf(at)]).toEqual(['WAITING', 0]);
    world.clock.ms += LATE_AFTER_MS;
    await world.look(at);
    expect([await world.order(at), await world.eventsOf(at)]).toMatchObject([{ state: 'WAITING', reason: 'CREDIT_LATE' }, expect.arrayContaining(['deposit.held'])]);
    await world.settle(at, { until: is('PLACED') });
  });

  test('takes no line of the venue\'s ledger that another deposit has: two of one amount and one account are two', async () => {
    const [one, two] = [await world.credited(), await world.credited()];
    await world.settle(one, { until: is('PLACED') });
    const sameWallet = { ...two, wallet: one.wallet };
    for (let turn = 0; turn < 3; turn += 1) {
      await world.look(two, { owner: one.wallet });
      await world.chain.mine(3);
    }
    expect([(await world.order(sameWallet)).state, await world.listsOf(two)]).toEqual(['WAITING', 0]);
    await world.settle(two, { until: is('PLACED') });
  });

  test.each([
    ['an hour ahead', 3_600_000, 0],
    ['an hour behind', -3_600_000, 0],
    ['an hour ahead until it was set right', 3_600_000, -3_600_000],
  ])('is placed where our clock is %s', async (_what, wrongByMs, setRightByMs) => {
    world.clock.ms += wrongByMs;
    try {
      const at = await world.arrived(await world.credited());
      world.clock.ms += setRightByMs;
      await world.settle(at, { until: is('PLACED') });
    } finally {
      world.clock.ms -= wrongByMs + setRightByMs;
    }
  });

  test('that cannot be placed for long though the venue has the money is told of, and placed when it can', async () => {
    const at = await world.credited();
    await world.settle(at, { until: is('FUNDED') });
    const away: Wrap = (port) => ('create' in port ? new Proxy(port, { get: () => () => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'the database is away')) }) : port);
    await expect(world.look(at, { wrap: away })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect((await world.order(at)).reason).toBeNull();
    world.clock.ms += LATE_AFTER_MS;
    for (let look = 0; look < 2; look += 1) await expect(world.look(at, { wrap: away })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect([await world.order(at), (await world.eventsOf(at)).filter((type) => type === 'deposit.held')]).toMatchObject([{ state: 'FUNDED', reason: 'ORDER_LATE' }, ['deposit.held']]);
    expect(await world.settle(at, { until: is('PLACED') })).toMatchObject({ reason: null });
  });

  test('that is refused leaves the money at the venue where its user asked for that', async () => {
    const at = await world.credited();
    await world.refusedOnce(at);
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'KEPT', reason: REFUSED.reason, back: null });
    expect(world.paidBack(at)).toEqual([]);
  });

  test('that was canceled leaves the money at the venue, also where a refused one would not', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.settle(at, { until: is('PLACED') });
    await world.listEnds(at, { state: 'CANCELED', reason: 'its owner canceled it' });
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'UNFILLED', reason: 'its owner canceled it' });
    expect(world.paidBack(at)).toEqual([]);
  });

  test('whose transfer to the venue failed is never placed: the money is in the wallet', async () => {
    const at = await world.credited({ amount: '4' });
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'NOT_FUNDED', reason: 'BELOW_VENUE_MINIMUM' });
    expect([await world.listsOf(at), await world.books(at.userId)]).toEqual([0, { wallet: '100', transfers: '-100' }]);
  });

  test.each([
    ['whose account is halted', async (at: Funded) => void (await world.store.accounts.setStatus(at.accountId, 'HALTED', 'somebody halted it')), {}, /^RISK_ACCOUNT_HALTED: .*somebody halted it/],
    ['whose time is over', async () => undefined, { expireTime: isoTime(Date.now() - 1) }, /^EXPIRED/],
  ] as const)('%s is refused before anything is placed, and the money comes back', async (_what, act, options, reason) => {
    const at = await world.credited({ onRefused: 'return', ...options });
    await act(at);
    expect(await world.settle(at, { until: is('RETURNING') })).toMatchObject({ reason: expect.stringMatching(reason) });
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'RETURNED' });
    expect(await world.listsOf(at)).toBe(0);
  });
});

describe('while money is on its way', () => {
  const credential = (address: string) => ({ credential: { key: 'k', address } });
  const change = ({ accountId, userId }: Funded, address: string) => world.store.accountChanges.apply(accountId, userId, credential(address), 'key:admin');

  test('an account keeps its address at the venue, and may have another once that has ended', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await change(at, at.wallet);
    await world.look(at);
    await expect(change(at, `0x${'9a'.repeat(20)}`)).rejects.toMatchObject({ code: 'CONFLICT', details: { fundings: 1 } });
    await world.refusedOnce(at);
    await expect(change(at, `0x${'9a'.repeat(20)}`)).rejects.toMatchObject({ code: 'CONFLICT', details: { fundings: 0, fundedOrders: 1 } });
    // Another key for the same address is no other account.
    await change(at, at.wallet.toUpperCase().replace('0X', '0x'));
    await world.settle(at, { until: ended });
    await change(at, `0x${'9a'.repeat(20)}`);
  });

  test('the sweeper finds a credited deposit whose way on never began, and once it has, an order that nobody is at', async () => {
    const at = await world.credited();
    const found = async (): Promise<readonly boolean[]> => [(await world.store.deposits.unbegun(isoTime(0), ALL)).some(({ id }) => id === at.id), (await world.store.deposits.funded(ALL)).some(({ id }) => id === at.id)];
    expect(await found()).toEqual([true, false]);
    await world.look(at);
    expect(await found()).toEqual([false, true]);
    await world.settle(at, { until: is('PLACED') });
    expect(await found()).toEqual([false, true]);
    await world.listEnds(at, REFUSED);
    await world.settle(at, { until: ended });
    expect(await found()).toEqual([false, false]);
  });
});
