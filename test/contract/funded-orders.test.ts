/**
 * A deposit's money at its venue, on a real chain and against a venue that speaks Hyperliquid: an order once it is credited, and the way back
 * where the order is refused. Whatever crashes, there is one order, one withdrawal, and the books sum to zero.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../src/domain/errors';
import { ENDED_FUNDED_ORDER_STATES, type FundedOrder } from '../../src/domain/funded-order';
import { isoTime } from '../../src/domain/clock';
import type { WalletSigner } from '../../src/domain/wallet-signer';
import { SimulatorControl } from '../support/simulator-control';
import { Crash, dyingAt } from './dying';
import { CONTRACT, LATE_AFTER_MS, openFundedWorld, type Funded, type FundedWorld } from './funded-order-world';

let world: FundedWorld;
beforeAll(async () => {
  world = await openFundedWorld();
}, 120_000);
afterAll(() => world.closeFunded());

const is = (state: FundedOrder['state']) => (order: FundedOrder): boolean => order.state === state;
const ended = ({ state }: FundedOrder): boolean => ENDED_FUNDED_ORDER_STATES.has(state);
const refused = { state: 'REJECTED', reason: 'RISK_MAX_ORDER_NOTIONAL: the order is worth more than the account may' } as const;
/** Placed, and then refused by risk or by the venue. */
async function refusedOnce(at: Funded): Promise<void> {
  await world.settle(at, { until: is('PLACED') });
  await world.listEnds(at, refused);
}
async function eventsOf({ userId }: Funded): Promise<readonly string[]> {
  return (await world.store.events.since(`user:${userId}`, 0, 200)).filter(({ type }) => type.startsWith('deposit.')).map(({ type }) => type);
}
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
    expect(await eventsOf(at)).toEqual(['deposit.credited', 'deposit.created', 'deposit.orderChanged', 'deposit.orderChanged', 'deposit.orderChanged']);
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
    expect([await world.order(at), await eventsOf(at)]).toMatchObject([{ state: 'WAITING', reason: 'CREDIT_LATE' }, expect.arrayContaining(['deposit.held'])]);
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

  test('that is refused leaves the money at the venue where its user asked for that', async () => {
    const at = await world.credited();
    await refusedOnce(at);
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'KEPT', reason: refused.reason, back: null });
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
    await refusedOnce(at);
    await expect(change(at, `0x${'9a'.repeat(20)}`)).rejects.toMatchObject({ code: 'CONFLICT', details: { fundings: 0, fundedOrders: 1 } });
    // Another key for the same address is no other account.
    await change(at, at.wallet.toUpperCase().replace('0X', '0x'));
    await world.settle(at, { until: ended });
    await change(at, `0x${'9a'.repeat(20)}`);
  });

  test('the sweeper finds a credited deposit whose way on never began, and once it has, an order that nobody is at', async () => {
    const at = await world.credited();
    const found = async (): Promise<readonly boolean[]> => [(await world.store.deposits.unbegun(isoTime(0), 500)).some(({ id }) => id === at.id), (await world.store.deposits.funded(500)).some(({ id }) => id === at.id)];
    expect(await found()).toEqual([true, false]);
    await world.look(at);
    expect(await found()).toEqual([false, true]);
    await world.settle(at, { until: is('PLACED') });
    expect(await found()).toEqual([false, true]);
    await world.listEnds(at, refused);
    await world.settle(at, { until: ended });
    expect(await found()).toEqual([false, false]);
  });
});

describe('money that comes back because its order was refused', () => {
  const back = { wallet: '99', fees: '1', transfers: '-100' };

  test('is USDC in the wallet again, less the venue\'s fee, counted by what the chain shows', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await refusedOnce(at);
    const order = await world.settle(at, { until: ended });
    expect(order).toMatchObject({ state: 'RETURNED', back: { amount: '99', fee: '1', txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) } });
    expect(world.paidBack(at)).toEqual(['98']);
    expect(await world.paidTo(CONTRACT)).toContain('99');
    expect(await world.books(at.userId)).toEqual(back);
    expect((await eventsOf(at)).at(-1)).toBe('deposit.returned');
  });

  // Dead after a call is dead before the next one.
  test('comes back once, and its order was placed once, where a worker dies after any call that it makes', async () => {
    let deaths = 0;
    for (let call = 1; ; call += 1) {
      const at = await world.arrived(await world.credited({ onRefused: 'return' }));
      const { wrap, died } = dyingAt(call, 'after');
      for (let turn = 0; turn < 24 && !ended(await world.order(at)); turn += 1) {
        // A process that died is followed by another.
        await world.look(at, died() ? {} : { wrap }).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
        });
        const { state } = await world.order(at);
        if (state === 'PLACED') await world.listEnds(at, refused);
        if (state === 'RETURNING' || state === 'LEFT') {
          await world.bridge.step();
          await world.scan();
        }
      }
      expect([call, (await world.order(at)).state, await world.listsOf(at), world.paidBack(at), await world.books(at.userId)]).toEqual([call, 'RETURNED', 1, ['98'], back]);
      if (!died()) break;
      deaths = call;
    }
    expect(deaths).toBeGreaterThan(20);
  }, 120_000);

  test('comes back once by four workers at the same time', async () => {
    const at = await world.credited({ onRefused: 'return' });
    const stores = await Promise.all(Array.from({ length: 2 }, () => world.openAnother()));
    for (let turn = 0; turn < 12 && !ended(await world.order(at)); turn += 1) {
      await Promise.all([...stores, ...stores].map((store) => world.look(at, { store })));
      await world.listEnds(at, refused);
      await world.between();
    }
    expect([(await world.order(at)).state, await world.listsOf(at), world.paidBack(at), await world.books(at.userId)]).toEqual(['RETURNED', 1, ['98'], back]);
  });

  test.each([
    ['the answer is lost', { kind: 'dropResponse' }],
    ['a gateway fails after the venue took it', { kind: 'errorAfterAccept', status: 502 }],
    ['the venue has no room', { kind: 'rateLimit', retryAfterSeconds: 1 }],
  ])('comes back once where %s: its bytes are sent unchanged, and their nonce is taken once', async (_what, fault) => {
    const at = await world.credited({ onRefused: 'return' });
    await refusedOnce(at);
    const control = new SimulatorControl(world.simulator.url);
    const id = await control.fault({ ...fault, count: 1, match: { path: '/exchange/withdraw3' } });
    expect((await world.settle(at, { until: ended })).state).toBe('RETURNED');
    await control.met(id);
    expect(world.paidBack(at)).toEqual(['98']);
  });

  test('is held, and a person is told what to do, where the account\'s wallet does not sign here', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await refusedOnce(at);
    const other = `0x${'9a'.repeat(20)}` as const;
    expect(await world.settle(at, { until: ended, worker: { owner: other } })).toMatchObject({ state: 'HELD', reason: 'WALLET_NOT_OURS', back: null });
    const event = (await world.store.events.since(`user:${at.userId}`, 0, 200)).find(({ type }) => type === 'deposit.held');
    expect(event?.data).toMatchObject({ reason: 'WALLET_NOT_OURS', advice: expect.stringContaining('withdraw at the venue') });
    expect(world.paidBack(at)).toEqual([]);
  });

  test('is held where the signer\'s policy refuses, where the account is gone, and where the venue refuses', async () => {
    const refusing: WalletSigner = { addressOf: (userId) => world.signer.addressOf(userId), sign: (request) => world.signer.sign(request), signMessage: () => Promise.reject(new DomainError('FORBIDDEN', 'policy_violation')) };
    const [policy, noAccount, spent] = [await world.credited({ onRefused: 'return' }), await world.credited({ onRefused: 'return' }), await world.credited({ onRefused: 'return' })];
    for (const at of [policy, noAccount, spent]) await refusedOnce(at);
    expect(await world.settle(policy, { until: ended, worker: { signer: refusing } })).toMatchObject({ state: 'HELD', reason: 'SIGNER_REFUSED: policy_violation' });
    expect(await world.settle(noAccount, { until: ended, worker: { gone: true } })).toMatchObject({ state: 'HELD', reason: 'NO_WAY_BACK' });
    const { exchange } = world.simulator.venue;
    exchange.credit(exchange.state.account(spent.wallet), 'USDC', exchange.state.account(spent.wallet).balance('USDC').negated().plus('1'));
    expect(await world.settle(spent, { until: ended })).toMatchObject({ state: 'HELD', reason: expect.stringContaining('Insufficient balance for withdrawal') });
    for (const at of [policy, noAccount, spent]) expect(world.paidBack(at)).toEqual([]);
  });

  test('waits for a signer that does not answer', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await refusedOnce(at);
    await world.settle(at, { until: is('RETURNING') });
    const silent: WalletSigner = { addressOf: (userId) => world.signer.addressOf(userId), sign: (request) => world.signer.sign(request), signMessage: () => Promise.reject(new DomainError('SERVICE_UNAVAILABLE', 'Privy does not answer', { details: { signer: true } })) };
    await expect(world.look(at, { signer: silent })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect((await world.order(at)).state).toBe('RETURNING');
    expect((await world.settle(at, { until: ended })).state).toBe('RETURNED');
  });

  test('that the chain does not show is told of, and counted when it comes', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await refusedOnce(at);
    world.bridge.pays = false;
    await world.settle(at, { until: is('LEFT') });
    await world.look(at);
    world.clock.ms += LATE_AFTER_MS;
    await world.look(at);
    expect(await world.order(at)).toMatchObject({ state: 'LEFT', reason: 'ARRIVAL_LATE' });
    world.bridge.pays = true;
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'RETURNED', reason: null });
    expect(await world.books(at.userId)).toEqual(back);
  });
});
