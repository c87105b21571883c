/** S31 and its kin on real chains: what is credited is what final transfers brought, whatever the bridge says and the chains do. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { EvmChain } from '../../../src/chains/evm-chain';
import { assetOf, type Deposit } from '../../../src/domain/deposit';
import { DomainError } from '../../../src/domain/errors';
import { RELAYER } from '../../support/anvil';
import { CONFIRMATIONS, openDepositWorld, type DepositWorld } from './deposit-world';

let world: DepositWorld;
beforeAll(async () => {
  world = await openDepositWorld();
});
afterAll(() => world.closeAll());
beforeEach(() => void Object.assign(world.lifi.faults, { outcome: 'pay', notFound: 0, http: null, target: null }));

const inWallet = async ({ userId, to }: Deposit): Promise<string> => (await world.books(userId))[`wallet ${assetOf(to)}`] ?? '0';
const inSuspense = async ({ userId, to }: Deposit): Promise<string> => (await world.books(userId))[`suspense ${assetOf(to)}`] ?? '0';

describe('a deposit', () => {
  test('is quoted with an approval of exactly its amount, signed by the user, and credited from the transfer', async () => {
    const quoted = await world.quoted();
    expect(quoted).toMatchObject({ state: 'AWAITING_SIGNATURE', quote: { tool: 'test-bridge', receive: '99', approval: { amount: '100', spender: world.bridge }, fees: [{ name: 'bridge fee', amount: '1', included: true }, { name: 'gas (send)' }] } });
    const hash = await world.sign(quoted);
    expect(await world.path.take(quoted.id, hash)).toEqual({ state: 'SOURCE_SUBMITTED', refused: null });
    expect(await world.path.lookAtSource(quoted.id, 0, 60_000)).toBe('SOURCE_SUBMITTED');
    await world.source.mine(CONFIRMATIONS);
    expect(await world.path.lookAtSource(quoted.id, 0, 60_000)).toBe('SOURCE_CONFIRMED');
    expect(await world.arrivals.look(quoted.id)).toBe('DEST_SEEN');
    await world.destination.mine(CONFIRMATIONS);
    expect(await world.arrivals.look(quoted.id)).toBe('CREDITED');
    const done = await world.read(quoted.id);
    expect(Number(done.source?.gasFee)).toBeGreaterThan(0);
    expect([await inWallet(done), await world.held(done)]).toEqual(['99', '99']);
  });

  test('is quoted anew when its minute is over, and may be signed by either quote', async () => {
    const quoted = await world.quoted();
    const first = quoted.quote;
    if (first === null) throw new Error('it has no quote');
    expect(Date.parse(first.expiresAt) - Date.parse(first.quotedAt)).toBe(60_000);
    world.clock.ms += 61_000;
    expect(Date.parse(first.expiresAt)).toBeLessThan(world.clock.ms);
    expect(await world.path.quote(quoted.id)).toEqual({ state: 'AWAITING_SIGNATURE', refused: null });
    const requoted = await world.read(quoted.id);
    expect(Date.parse(requoted.quote?.expiresAt ?? '')).toBe(world.clock.ms + 60_000);
    // What the wallet had signed before it heard of the new one is this deposit's all the same.
    expect(await world.path.take(quoted.id, await world.sign(quoted))).toEqual({ state: 'SOURCE_SUBMITTED', refused: null });
    expect((await world.path.quote(quoted.id)).refused).toMatchObject({ code: 'CONFLICT' });
  });

  test('of the chain\'s own coin needs no approval', async () => {
    const coin = await world.chains.get(1)?.token('0x0000000000000000000000000000000000000000');
    const quoted = await world.quoted({ from: coin, amount: '2' });
    expect(quoted.quote).toMatchObject({ approval: null, transaction: { value: '2000000000000000000' } });
  });

  test.each([
    ['payShort', '49.5'],
    ['payTwice', '99'],
    ['payTwiceAtOnce', '99'],
  ] as const)('is credited what arrived, not what the bridge says, where it does %s', async (outcome, credited) => {
    world.lifi.faults.outcome = outcome;
    const done = await world.settle((await world.confirmed()).id);
    expect([done.state, await inWallet(done)]).toEqual(['CREDITED', credited]);
    await world.arrivals.scan(world.destination.id);
    expect(Number(await inWallet(done)) + Number(await inSuspense(done))).toBe(Number(await world.held(done)));
    const told = (await world.store.events.since(`user:${done.userId}`, 0, 100)).filter((each) => each.type === 'deposit.unclaimed').length;
    expect(told).toBe(outcome === 'payShort' ? 0 : 1);
  });

  test('in another token waits for a person, its money counted in that token', async () => {
    world.lifi.faults.outcome = 'partial';
    const done = await world.settle((await world.confirmed()).id);
    expect(done).toMatchObject({ state: 'PARTIAL_REVIEW', reason: 'OTHER_TOKEN' });
    expect((await world.books(done.userId))[`wallet ${assetOf(world.other)}`]).toBe(done.received[0]?.amount);
  });

  test.each(['refund', 'failedThenRefund'] as const)('that comes back (%s) is REFUNDED by the transfer, what was kept back is a cost', async (outcome) => {
    world.lifi.faults.outcome = outcome;
    const { id } = await world.confirmed();
    await world.arrivals.look(id);
    const done = await world.settle(id);
    expect(done).toMatchObject({ state: 'REFUNDED', refunds: [{ amount: '98' }] });
    expect(await world.books(done.userId)).toMatchObject({ [`fees ${assetOf(world.from)}`]: '2', [`transfers ${assetOf(world.from)}`]: '-2' });
  });

  test.each(['failed', 'invalid', 'pending'] as const)('of which the bridge says %s is not given up by its word', async (outcome) => {
    world.lifi.faults.outcome = outcome;
    const { id } = await world.confirmed();
    expect(await world.arrivals.look(id)).toBe('BRIDGING');
    expect(await world.path.note(id, { kind: 'graceOver', reason: 'BRIDGE_SILENT' })).toBe('MANUAL_REVIEW');
    world.lifi.faults.outcome = 'pay';
    expect((await world.settle(id)).state).toBe('CREDITED');
  });

  test.each([429, 500, 'hang'] as const)('goes on when the bridge answers %s for a while', async (http) => {
    const { id } = await world.confirmed();
    world.lifi.faults.http = http;
    expect(await world.arrivals.look(id)).toBe('SOURCE_CONFIRMED');
    Object.assign(world.lifi.faults, { http: null, notFound: 2 });
    await world.arrivals.look(id);
    expect(await world.arrivals.look(id)).toBe('BRIDGING');
    expect((await world.settle(id)).state).toBe('CREDITED');
    expect(world.lifi.requests.filter((url) => url.includes('undefined'))).toEqual([]);
  });

  test('is found by reading the chain where the bridge never tells', async () => {
    world.lifi.faults.outcome = 'silentButPays';
    const { id } = await world.confirmed();
    await world.settle(id);
    await world.arrivals.scan(world.destination.id);
    expect((await world.read(id)).state).toBe('BRIDGING');
    world.clock.ms += 61_000;
    await world.arrivals.scan(world.destination.id);
    expect([(await world.read(id)).state, await inWallet(await world.read(id))]).toEqual(['CREDITED', '99']);
  });
});

describe('the destination chain', () => {
  test('that reorganises before a transfer is final credits nothing; after, the credit is taken back, and what comes instead is counted', async () => {
    const early = await world.confirmed();
    await world.arrivals.look(early.id);
    await world.reorganise(world.destination, 1);
    await world.destination.mine(CONFIRMATIONS);
    expect(await world.arrivals.look(early.id)).toBe('BRIDGING');
    expect(await inWallet(early)).toBe('0');

    const late = await world.settle((await world.confirmed()).id);
    expect(await inWallet(late)).toBe('99');
    await world.reorganise(world.destination, CONFIRMATIONS + 1);
    expect(await world.arrivals.look(late.id)).toBe('MANUAL_REVIEW');
    expect([await inWallet(late), await world.held(late)]).toEqual(['0', '0']);
    await world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [late.toAddress, 99_000_000n]);
    await world.destination.mine(CONFIRMATIONS);
    world.clock.ms += 61_000;
    await world.arrivals.scan(world.destination.id);
    world.clock.ms += 61_000;
    await world.arrivals.scan(world.destination.id);
    expect(Number(await inWallet(late)) + Number(await inSuspense(late))).toBe(99);
  });

  test('is read for what nobody announced, across a reorganisation, each transfer once', async () => {
    const quoted = await world.quoted();
    await world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [quoted.toAddress, 7_000_000n]);
    await world.arrivals.scan(world.destination.id);
    expect(await inWallet(quoted)).toBe('0');
    await world.reorganise(world.destination, 1);
    await world.destination.call(RELAYER, world.to.address, world.contracts.token, 'mint', [quoted.toAddress, 5_000_000n]);
    await world.destination.mine(CONFIRMATIONS);
    for (let looks = 0; looks < 3; looks += 1) await world.arrivals.scan(world.destination.id);
    expect([await inWallet(quoted), await world.held(quoted)]).toEqual(['5', '5']);
  });
});

test('endpoints are asked in turn; when none answers it says so, and names no key', async () => {
  const health = await world.chains.get(1)?.health();
  expect(health?.map((each) => each.ok)).toEqual([false, true]);
  const dead = new EvmChain({ id: 1, name: 'dead', confirmations: 1, rpcUrls: ['http://127.0.0.1:9/v2/secret-key'], timeoutMs: 500 });
  const error = await dead.head().then(() => null, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(DomainError);
  expect(String((error as DomainError).message)).not.toContain('secret-key');
});

test('tokens are named by symbol where the bridge lists one, and read from the chain', async () => {
  expect(await world.lifiBridge.addressOf(1, 'tkn')).toBe(world.from.address);
  expect(await world.lifiBridge.addressOf(1, 'nope')).toBeNull();
  expect(await world.chains.get(1)?.token(world.from.address)).toEqual(world.from);
  await expect(world.chains.get(1)?.token(world.wallet)).rejects.toMatchObject({ code: 'VALIDATION' });
});
