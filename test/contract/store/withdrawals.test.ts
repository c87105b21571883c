/** Withdrawals in PostgreSQL: what may be asked for, who may approve it, and nonces under many processes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ChainCall } from '../../../src/domain/chain-send';
import { isoTime } from '../../../src/domain/clock';
import { assetOf, type ChainTransfer, type Hex } from '../../../src/domain/deposit';
import type { Withdrawal } from '../../../src/domain/withdrawal';
import { ChainSends } from '../../../src/store/deposits/chain-sends';
import type { Transaction } from '../../../src/store/database/database';
import { openStoreWorld, type StoreWorld } from './harness';
import { hash, hex, transferSample, USDC } from '../../unit/domain/deposit-samples';
import { queried } from '../../support/queried';

const DAY_MS = 86_400_000;
const LIMITS = { minimum: '5', maximum: '500', perDay: '800' };
let world: StoreWorld;
let serial = 0;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

async function person(amount = '1000') {
  serial += 1;
  const { id: userId } = await world.store.users.createUser(`withdrawer ${serial}`);
  const wallet = hex(String(5_000 + serial));
  const transfer: ChainTransfer = transferSample({ txHash: hash(`e${serial}`), to: wallet, amount, chainId: USDC.chainId });
  await world.store.chainTransfers.keep(USDC.chainId, [{ userId, depositId: null, transfer }], null);
  const [seen] = (await world.store.chainTransfers.toJudge(USDC.chainId, 0)).filter((each) => each.userId === userId);
  if (seen === undefined) throw new Error('the money was not seen');
  await world.store.chainTransfers.count(seen, { claimWithinMs: 0, taken: USDC });
  return { userId, wallet, target: hex(`${serial}77`) };
}

const add = (userId: string, address: Hex, waitMs = 0) => world.store.withdrawalAddresses.add({ userId, address, label: 'mine', actor: 'key:asks', waitMs });

function wish({ userId, wallet, target }: { userId: string; wallet: Hex; target: Hex }, amount = '40'): Withdrawal {
  const nowMs = world.clock.nowMs();
  return { id: randomUUID(), userId, state: 'AWAITING_APPROVAL', reason: null, token: USDC, amount, fromAddress: wallet, toAddress: target, requestedBy: 'key:asks', decidedBy: null, note: null, transaction: null, revision: 1, approveBefore: isoTime(nowMs + DAY_MS), createdAt: isoTime(nowMs), updatedAt: isoTime(nowMs) };
}

async function ready() {
  const someone = await person();
  await add(someone.userId, someone.target);
  return someone;
}

describe('an address', () => {
  test('that is new waits 24 hours before anything can go to it', async () => {
    const someone = await person();
    const { usableAt } = await add(someone.userId, someone.target, DAY_MS);
    await expect(world.store.withdrawals.begin(wish(someone), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE', details: { usableAt } });
    world.clock.ms += DAY_MS - 1;
    await expect(world.store.withdrawals.begin(wish(someone), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    world.clock.ms += 1;
    expect(await world.store.withdrawals.begin(wish(someone), LIMITS)).toMatchObject({ state: 'AWAITING_APPROVAL' });
  });

  test('that is on no list, or on somebody else\'s, or was removed, takes nothing', async () => {
    const [someone, other] = [await person(), await ready()];
    await expect(world.store.withdrawals.begin(wish({ ...someone, target: other.target }), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    const { id } = await add(someone.userId, someone.target);
    await expect(world.store.withdrawalAddresses.remove(id, other.userId, 'key:asks')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const asked = await world.store.withdrawals.begin(wish(someone), LIMITS);
    await world.store.withdrawalAddresses.remove(id, someone.userId, 'key:asks');
    await expect(world.store.withdrawals.begin(wish(someone), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    // What waits for its approval cannot be approved any more.
    await expect(world.store.withdrawals.decide(asked.id, someone.userId, 'approve', 'yes', 'key:approves')).rejects.toMatchObject({ code: 'UNPROCESSABLE' });
    expect(await world.store.withdrawalAddresses.list(someone.userId)).toEqual([]);
  });

  test('is on a list once, and comes back to it as a new one', async () => {
    const someone = await person();
    const first = await add(someone.userId, someone.target);
    await expect(add(someone.userId, someone.target)).rejects.toMatchObject({ code: 'CONFLICT' });
    await world.store.withdrawalAddresses.remove(first.id, someone.userId, 'key:asks');
    const again = await add(someone.userId, someone.target, DAY_MS);
    expect(await world.store.withdrawalAddresses.list(someone.userId)).toEqual([again]);
  });
});

describe('a withdrawal', () => {
  test('of more than the wallet has beyond what is reserved is refused, however many ask at once', async () => {
    const someone = await person('100');
    await add(someone.userId, someone.target);
    const asked = await Promise.allSettled(Array.from({ length: 6 }, () => world.store.withdrawals.begin(wish(someone, '40'), LIMITS)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(asked.flatMap((each) => (each.status === 'rejected' ? [(each.reason as { code: string }).code] : []))).toEqual(Array.from({ length: 4 }, () => 'INSUFFICIENT_BALANCE'));
    expect(await world.store.deposits.books(someone.userId)).toMatchObject({ [`wallet ${assetOf(USDC)}`]: '20', [`reserved ${assetOf(USDC)}`]: '80' });
  });

  test('keeps to the least, the most, and what may leave within a day; what came to nothing does not count', async () => {
    const someone = await ready();
    for (const amount of ['4.9', '500.1']) await expect(world.store.withdrawals.begin(wish(someone, amount), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE', details: { minimum: '5', maximum: '500' } });
    const first = await world.store.withdrawals.begin(wish(someone, '500'), LIMITS);
    await expect(world.store.withdrawals.begin(wish(someone, '301'), LIMITS)).rejects.toMatchObject({ code: 'UNPROCESSABLE', details: { perDay: '800', left: '300' } });
    await world.store.withdrawals.cancel(first.id, someone.userId, 'key:asks');
    await world.store.withdrawals.begin(wish(someone, '450'), LIMITS);
    await expect(world.store.withdrawals.begin(wish(someone, '360'), LIMITS)).rejects.toMatchObject({ details: { left: '350' } });
    world.clock.ms += DAY_MS + 1;
    expect(await world.store.withdrawals.begin(wish(someone, '360'), LIMITS)).toMatchObject({ state: 'AWAITING_APPROVAL' });
  });

  test('is approved by another than who asked for it and in its time, and each word is in the audit log', async () => {
    const [someone, tardy] = [await ready(), await ready()];
    const late = await world.store.withdrawals.begin(wish(tardy), LIMITS);
    world.clock.ms += DAY_MS;
    await expect(world.store.withdrawals.decide(late.id, tardy.userId, 'approve', 'late', 'key:approves')).rejects.toMatchObject({ code: 'CONFLICT' });
    const { id } = await world.store.withdrawals.begin(wish(someone), LIMITS);
    await expect(world.store.withdrawals.decide(id, someone.userId, 'approve', 'mine', 'key:asks')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(world.store.withdrawals.decide(id, (await person()).userId, 'approve', 'theirs', 'key:other')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await world.store.withdrawals.decide(id, someone.userId, 'approve', 'known', 'key:approves')).toMatchObject({ state: 'APPROVED', decidedBy: 'key:approves' });
    // The same word again, as after a lost answer, is the same; another comes too late.
    expect(await world.store.withdrawals.decide(id, someone.userId, 'approve', 'known', 'key:approves')).toMatchObject({ state: 'APPROVED' });
    await expect(world.store.withdrawals.decide(id, someone.userId, 'refuse', 'no', 'key:third')).rejects.toMatchObject({ code: 'CONFLICT' });
    const steps = await world.store.withdrawals.steps(id, someone.userId);
    expect(steps?.map(({ fact, state }) => [fact, state])).toEqual([['requested', 'AWAITING_APPROVAL'], ['approved', 'APPROVED']]);
    const { rows } = await auditOf(someone.userId);
    expect(rows).toEqual([['withdrawalAddress.created', 'key:asks'], ['withdrawal.requested', 'key:asks'], ['withdrawal.approved', 'key:approves']]);
  });

  test('that is refused, expires or is called off gives back what it reserved, once', async () => {
    const someone = await ready();
    for (const end of ['refuse', 'expire', 'cancel'] as const) {
      const { id } = await world.store.withdrawals.begin(wish(someone), LIMITS);
      for (let again = 0; again < 2; again += 1) {
        if (end === 'refuse') await world.store.withdrawals.decide(id, someone.userId, 'refuse', 'no', 'key:approves');
        if (end === 'expire') await world.store.withdrawals.record(id, { kind: 'expired' });
        if (end === 'cancel') await world.store.withdrawals.cancel(id, someone.userId, 'key:asks');
      }
      expect(await world.store.deposits.books(someone.userId)).toEqual({ [`wallet ${assetOf(USDC)}`]: '1000', [`transfers ${assetOf(USDC)}`]: '-1000' });
    }
    const events = (await world.store.events.since(`user:${someone.userId}`, 0, 100)).map((event) => event.type).filter((type) => type.startsWith('withdrawal.'));
    expect(events).toEqual(['withdrawal.created', 'withdrawal.ended', 'withdrawal.created', 'withdrawal.ended', 'withdrawal.created', 'withdrawal.ended']);
  });

  test('is told to its own user only, page by page', async () => {
    const someone = await ready();
    const ids: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      world.clock.ms += 1;
      ids.unshift((await world.store.withdrawals.begin(wish(someone), LIMITS)).id);
    }
    const query = { userId: someone.userId, state: null, limit: 2 };
    const first = await world.store.withdrawals.list({ ...query, cursor: null });
    const rest = await world.store.withdrawals.list({ ...query, cursor: first.nextCursor });
    expect([...first.withdrawals, ...rest.withdrawals].map(({ id }) => id)).toEqual(ids);
    expect(rest.nextCursor).toBeNull();
    const stranger = (await person()).userId;
    expect([await world.store.withdrawals.get(ids[0] ?? '', stranger), await world.store.withdrawals.steps(ids[0] ?? '', stranger)]).toEqual([null, null]);
    expect((await world.store.withdrawals.list({ ...query, userId: stranger, cursor: null })).withdrawals).toEqual([]);
    expect((await world.store.withdrawals.list({ ...query, state: 'COMPLETED', cursor: null })).withdrawals).toEqual([]);
  });
});

describe('nonces', () => {
  const callOf = (from: Hex): ChainCall => ({ chainId: USDC.chainId, from, to: USDC.address, data: '0x', value: '0' });

  async function given(sends: readonly Pick<ChainSends, 'allocate'>[], from: Hex): Promise<readonly number[]> {
    const asked = await Promise.allSettled(Array.from({ length: 30 }, async (_, n) => sends[n % sends.length]?.allocate({ id: `send/${from}/${n}`, userId: world.userId, call: callOf(from), purpose: null }, 4)));
    return asked.flatMap((each) => (each.status === 'fulfilled' && each.value != null && each.value !== 'restored' ? [each.value.nonce] : []));
  }

  test('are given once each, without a gap, by several processes at the same time', async () => {
    const others = await Promise.all(Array.from({ length: 3 }, () => world.openAnother()));
    const nonces = await given(others.map((store) => store.chainSends), hex('91'));
    expect([...nonces].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n + 4));
  });

  test('belong to their transaction: asked for again, it is the same; another call under its name is refused', async () => {
    const request = { id: `send/${randomUUID()}`, userId: world.userId, call: callOf(hex('92')), purpose: null };
    const [first, again] = [await world.store.chainSends.allocate(request, 0), await world.store.chainSends.allocate(request, 9)];
    expect(again).toEqual(first);
    await expect(world.store.chainSends.allocate({ ...request, call: { ...request.call, value: '1' } }, 0)).rejects.toThrow('another transaction');
  });

  test('without the signer\'s lock are given twice or not at all: the lock is what this stands on', async () => {
    class Unlocked extends ChainSends {
      constructor(core: ConstructorParameters<typeof ChainSends>[0]) {
        super({ ...core, database: Object.assign(Object.create(core.database) as typeof core.database, { transaction: <T>(work: (tx: Transaction) => Promise<T>) => core.database.transaction((tx) => work({ ...tx, rows: async (sql, ...parameters) => (sql.includes('chain_signers') ? [] : tx.rows(sql, ...parameters)) })) }) });
      }
    }
    const core = (world.store.chainSends as unknown as { core: ConstructorParameters<typeof ChainSends>[0] }).core;
    const nonces = await given([new Unlocked(core)], hex('93'));
    // The unique index still refuses a nonce that is given twice: what is lost is that everybody gets one.
    expect(new Set(nonces).size).toBe(nonces.length);
    expect(nonces.length).toBeLessThan(30);
  });
});

async function auditOf(userId: string): Promise<{ rows: (readonly [string, string])[] }> {
  const rows = await queried<{ act: string; actor: string }>(world.databaseUrl, `SELECT act, actor FROM audit_entries WHERE user_id = $1 AND act LIKE 'withdrawal%' ORDER BY number`, userId);
  return { rows: rows.map(({ act, actor }) => [act, actor] as const) };
}

describe('a withdrawal that was asked for before the database was restored', () => {
  const approved = async () => {
    const someone = await ready();
    const { id } = await world.store.withdrawals.begin(wish(someone), LIMITS);
    await world.store.withdrawals.decide(id, someone.userId, 'approve', 'yes', 'key:approves');
    const call: ChainCall = { chainId: USDC.chainId, from: someone.wallet, to: someone.target, data: '0x', value: '0' };
    return { id, request: { id: `withdrawal/${id}`, userId: someone.userId, call, purpose: { table: 'withdrawals', id, state: 'APPROVED' } } } as const;
  };

  test('gets no other nonce, because what was signed for it may be lost; one that has its nonce keeps it, and a later one gets one', async () => {
    const [kept, lost] = [await approved(), await approved()];
    expect(await world.store.chainSends.allocate(kept.request, 0)).toMatchObject({ nonce: 0 });
    await world.store.states.begin({ lost: 'postgresql', reason: 'a test', accountIds: [] });
    expect(await world.store.chainSends.allocate(lost.request, 0)).toBe('restored');
    await world.store.states.open(null);
    expect([await world.store.chainSends.allocate(kept.request, 7), await world.store.chainSends.allocate(lost.request, 7)]).toEqual([expect.objectContaining({ nonce: 0 }), 'restored']);
    expect(await world.store.withdrawals.byId(lost.id)).toMatchObject({ state: 'APPROVED' });
    world.clock.ms += 60_000;
    const later = await approved();
    expect(await world.store.chainSends.allocate(later.request, 3)).toMatchObject({ nonce: 3 });
  });
});
