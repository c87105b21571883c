/**
 * Money that a deposit brought to its venue and whose order is refused comes back, on a real chain and against a venue that speaks Hyperliquid: once,
 * whatever crashes, is lost, refuses or is late, and the books sum to zero.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DomainError } from '../../../src/domain/errors';
import type { WalletSigner } from '../../../src/domain/wallet-signer';
import { SimulatorControl } from '../../support/simulator-control';
import { Crash, dyingAt, type Wrap } from '../dying';
import { CONTRACT, ended, is, LATE_AFTER_MS, openFundedWorld, REFUSED, type FundedWorld } from './funded-order-world';

let world: FundedWorld;
beforeAll(async () => {
  world = await openFundedWorld();
}, 120_000);
afterAll(() => world.closeFunded());

/** The venue's ledger, before it shows a withdrawal. */
const hidden = (bridge: object): object => new Proxy(bridge, { get: (target, name) => (name === 'exitsShown' ? () => Promise.resolve([]) : (Reflect.get(target, name) as unknown)) });
/** Holds the wallets, and answers so when it is to sign a message. */
const answering = (code: 'FORBIDDEN' | 'SERVICE_UNAVAILABLE'): WalletSigner => ({
  addressOf: (userId) => world.signer.addressOf(userId),
  sign: (request) => world.signer.sign(request),
  signMessage: () => Promise.reject(new DomainError(code, `the signer says ${code}`, { details: { signer: true } })),
});

describe('money that comes back because its order was refused', () => {
  const back = { wallet: '99', fees: '1', transfers: '-100' };

  test('is USDC in the wallet again, less the venue\'s fee, counted by what the chain shows', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    const order = await world.settle(at, { until: ended });
    expect(order).toMatchObject({ state: 'RETURNED', back: { amount: '99', fee: '1', txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) } });
    expect(world.paidBack(at)).toEqual(['98']);
    expect(await world.paidTo(CONTRACT)).toContain('99');
    expect(await world.books(at.userId)).toEqual(back);
    expect((await world.eventsOf(at)).at(-1)).toBe('deposit.returned');
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
        if (state === 'PLACED') await world.listEnds(at, REFUSED);
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
      await world.listEnds(at, REFUSED);
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
    await world.refusedOnce(at);
    const control = new SimulatorControl(world.simulator.url);
    const id = await control.fault({ ...fault, count: 1, match: { path: '/exchange/withdraw3' } });
    expect((await world.settle(at, { until: ended })).state).toBe('RETURNED');
    await control.met(id);
    expect(world.paidBack(at)).toEqual(['98']);
  });

  test.each([
    ['before the venue\'s credit was counted', 'WAITING'],
    ['before its withdrawal was signed', 'PLACED'],
  ] as const)('is asked for once where the database is restored to a backup of %s: the nonce is the credit\'s', async (_what, backup) => {
    const at = await world.credited({ onRefused: 'return' });
    // There is other money of the user's at the venue: what is asked for twice would be paid twice.
    const { exchange } = world.simulator.venue;
    exchange.credit(exchange.state.openAccount(at.wallet), 'USDC', exchange.state.openAccount(at.wallet).balance('USDC').plus('500'));
    if (backup === 'PLACED') await world.settle(at, { until: is('PLACED') });
    const restore = await world.backedUp(at);
    await world.refusedOnce(at);
    await world.settle(at, { until: is('LEFT') });
    await restore();
    expect((await world.order(at)).state).toBe(backup);
    const order = await world.settle(at, { until: ended });
    expect([order.state, world.paidBack(at), await world.listsOf(at)]).toEqual(['RETURNED', ['98'], 1]);
    expect(await world.books(at.userId)).toEqual(back);
  });

  test('ends its way where what the venue paid was counted before the database was restored', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    const restore = await world.backedUp(at);
    await world.settle(at, { until: is('LEFT') });
    await world.between();
    expect(await world.books(at.userId)).toMatchObject({ wallet: '99' });
    await restore();
    world.clock.ms += 1_000;
    expect(await world.settle(at, { until: ended })).toMatchObject({ state: 'RETURNED', back: { txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) } });
    expect([world.paidBack(at), await world.books(at.userId)]).toEqual([['98'], back]);
  });

  test('is asked for once where the database was restored and what was asked for before is still on its way to the venue', async () => {
    const at = await world.credited({ onRefused: 'return' });
    const { exchange } = world.simulator.venue;
    await world.refusedOnce(at);
    exchange.credit(exchange.state.account(at.wallet), 'USDC', exchange.state.account(at.wallet).balance('USDC').plus('500'));
    await world.settle(at, { until: is('RETURNING') });
    const restore = await world.backedUp(at);
    await world.settle(at, { until: is('LEFT') });
    await restore();
    // Its ledger does not show it yet when it is asked: the same bytes are sent again, and their nonce is taken once.
    const silent: Wrap = (port) => new Proxy(port, { get: (target, name) => (name === 'bridge' ? hidden(Reflect.get(target, name) as object) : (Reflect.get(target, name) as unknown)) });
    await world.look(at, { wrap: silent });
    expect(world.paidBack(at)).toEqual(['98']);
    expect([(await world.settle(at, { until: ended })).state, world.paidBack(at)]).toEqual(['RETURNED', ['98']]);
  });

  test('is held, and a person is told what to do, where the account\'s wallet does not sign here', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    const other = `0x${'9a'.repeat(20)}` as const;
    expect(await world.settle(at, { until: ended, worker: { owner: other } })).toMatchObject({ state: 'HELD', reason: 'WALLET_NOT_OURS', back: null });
    const event = (await world.store.events.since(`user:${at.userId}`, 0, 200)).find(({ type }) => type === 'deposit.held');
    expect(event?.data).toMatchObject({ reason: 'WALLET_NOT_OURS', advice: expect.stringContaining('withdraw at the venue') });
    expect(world.paidBack(at)).toEqual([]);
  });

  test('is held where the signer\'s policy refuses, where the account is gone, and where the venue refuses', async () => {
    const [policy, noAccount, spent] = [await world.credited({ onRefused: 'return' }), await world.credited({ onRefused: 'return' }), await world.credited({ onRefused: 'return' })];
    for (const at of [policy, noAccount, spent]) await world.refusedOnce(at);
    expect(await world.settle(policy, { until: ended, worker: { signer: answering('FORBIDDEN') } })).toMatchObject({ state: 'HELD', reason: 'SIGNER_REFUSED: the signer says FORBIDDEN' });
    expect(await world.settle(noAccount, { until: ended, worker: { gone: true } })).toMatchObject({ state: 'HELD', reason: 'NO_WAY_BACK' });
    const { exchange } = world.simulator.venue;
    exchange.credit(exchange.state.account(spent.wallet), 'USDC', exchange.state.account(spent.wallet).balance('USDC').negated().plus('1'));
    expect(await world.settle(spent, { until: ended })).toMatchObject({ state: 'HELD', reason: expect.stringContaining('Insufficient balance for withdrawal') });
    for (const at of [policy, noAccount, spent]) expect(world.paidBack(at)).toEqual([]);
  });

  test('that is held is asked for anew when a person says so, once, and comes back where what refused it allows it by now', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    await world.settle(at, { until: ended, worker: { signer: answering('FORBIDDEN') } });
    const resume = () => world.store.deposits.decide(at.id, at.userId, 'resume', 'the policy allows it now', 'key:admin');
    const resumed = await resume();
    expect([resumed.state, resumed.destination?.order]).toMatchObject(['CREDITED', { state: 'RETURNING', reason: 'RESUMED' }]);
    // Said again before anything has happened, as after a lost answer, it is done already.
    expect(await resume()).toEqual(resumed);
    expect([(await world.settle(at, { until: ended })).state, world.paidBack(at), await world.books(at.userId)]).toEqual(['RETURNED', ['98'], back]);
    await expect(resume()).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(await world.actsOn(`deposit:${at.id}`)).toMatchObject([{ actor: 'key:admin', act: 'operator.decided', data: { decision: 'resume', from: 'CREDITED, order HELD', to: 'CREDITED, order RETURNING' } }]);
    expect((await world.eventsOf(at)).filter((type) => type === 'deposit.credited')).toHaveLength(2);
  });

  test('that the venue refused has another nonce when it is asked for anew: what was refused can never come after it', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    const { exchange } = world.simulator.venue;
    const have = exchange.state.account(at.wallet).balance('USDC');
    exchange.credit(exchange.state.account(at.wallet), 'USDC', have.negated().plus('1'));
    expect((await world.settle(at, { until: ended })).state).toBe('HELD');
    const refused = await world.store.venueExits.find(at.id);
    exchange.credit(exchange.state.account(at.wallet), 'USDC', have.plus('500'));
    await world.store.deposits.decide(at.id, at.userId, 'resume', 'the margin is free again', 'key:admin');
    expect([(await world.settle(at, { until: ended })).state, world.paidBack(at)]).toEqual(['RETURNED', ['98']]);
    expect(Number((await world.store.venueExits.find(at.id))?.exit.nonce) - Number(refused?.exit.nonce)).toBe(1);
  });

  test('waits for a signer that does not answer', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
    await world.settle(at, { until: is('RETURNING') });
    await expect(world.look(at, { signer: answering('SERVICE_UNAVAILABLE') })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect((await world.order(at)).state).toBe('RETURNING');
    expect((await world.settle(at, { until: ended })).state).toBe('RETURNED');
  });

  test('that the chain does not show is told of, and counted when it comes', async () => {
    const at = await world.credited({ onRefused: 'return' });
    await world.refusedOnce(at);
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
