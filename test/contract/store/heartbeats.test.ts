/** Dead-man switches in PostgreSQL: what silence is, how often it is told, and until when it is not over. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isoTime } from '../../../src/domain/clock';
import { isForgotten } from '../../../src/domain/heartbeat';
import { queried } from '../../support/queried';
import { openStoreWorld, type StoreWorld } from './harness';
import { wish } from '../strategy-wish';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

test('a dead-man switch fires once after silence, and not where a heartbeat came', async () => {
  const account = await world.newAccount();
  const { heartbeats } = world.store;
  const first = await heartbeats.beat(account.id, account.userId, 1_000);
  expect(first.isSooner).toBe(true);
  expect((await heartbeats.beat(account.id, account.userId, 5_000)).isSooner).toBe(false);
  world.clock.ms += 2_000;
  expect(await heartbeats.fire(account.id, first.heartbeat.expiresAt ?? '', 1)).toBe(false);
  world.clock.ms += 4_000;
  const { expiresAt } = (await heartbeats.byAccount(account.id)) ?? {};
  expect([await heartbeats.fire(account.id, expiresAt ?? '', 1), await heartbeats.fire(account.id, expiresAt ?? '', 1)]).toEqual([true, false]);
  const alerts = (await world.store.events.since(`account:${account.id}`, 0, 100)).filter(({ type }) => type === 'account.alert');
  expect(alerts.map(({ data }) => data['kind'])).toEqual(['deadManFired']);
  await expect(heartbeats.beat(account.id, 'somebody', 1_000)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('one that fired is not over before what stood at that time is', async () => {
  const account = await world.newAccount();
  const { heartbeats, strategies, accountChanges } = world.store;
  const mine = async (): Promise<number> => (await heartbeats.unended()).filter(({ accountId }) => accountId === account.id).length;
  const standing = await strategies.create(wish(account), null);
  const { heartbeat } = await heartbeats.beat(account.id, account.userId, 1_000);
  expect(await mine()).toBe(1);
  world.clock.ms += 2_000;
  expect(await heartbeats.fire(account.id, heartbeat.expiresAt ?? '', 0)).toBe(true);
  expect(await mine()).toBe(1);
  await strategies.command(standing.id, account.userId, { kind: 'cancel', reason: null });
  expect(await mine()).toBe(0);
  // Made by somebody who sends no heartbeats.
  world.clock.ms += 1_000;
  const later = await strategies.create(wish(account), null);
  expect(await mine()).toBe(0);
  await expect(accountChanges.remove(account.id, account.userId, 'key:boss')).rejects.toMatchObject({ code: 'CONFLICT', details: { orderLists: 0, strategies: 2 } });
  for (const { id, revision } of await strategies.openOf(account.id)) await strategies.advance(id, { revision, afterN: 0, note: { state: 'CANCELED', reason: null, newRun: false, filledQuantity: '0', avgPrice: null }, place: [] });
  await heartbeats.beat(account.id, account.userId, 1_000);
  await accountChanges.remove(account.id, account.userId, 'key:boss');
  expect([await mine(), (await strategies.byId(later.id))?.state]).toEqual([0, 'CANCELED']);
});

test('one that is disarmed by a process whose clock is behind is later than the heartbeat before: nobody takes it for one of a backup', async () => {
  const account = await world.newAccount();
  const { heartbeats } = world.store;
  const { heartbeat: seen } = await heartbeats.beat(account.id, account.userId, 60_000);
  world.clock.ms -= 50;
  const { heartbeat } = await heartbeats.beat(account.id, account.userId, 0);
  world.clock.ms += 50;
  expect([heartbeat.expiresAt, heartbeat.beatAt > seen.beatAt, isForgotten(seen, heartbeat)]).toEqual([null, true, false]);
  expect(await heartbeats.rearm(account.id, seen)).toBeNull();
});

test('one that the database has lost is armed again with its whole time, and told; one that it knows as well stays as it is', async () => {
  const account = await world.newAccount();
  const { heartbeats } = world.store;
  const beatAt = isoTime(world.clock.nowMs());
  const rearmed = () => heartbeats.rearm(account.id, { timeoutMs: 5_000, beatAt });
  world.clock.ms += 60_000;
  const expiresAt = isoTime(world.clock.nowMs() + 5_000);
  expect(await rearmed()).toMatchObject({ timeoutMs: 5_000, beatAt, expiresAt, firedAt: null });
  expect(await rearmed()).toBeNull();
  const alerts = async () => (await world.store.events.since(`account:${account.id}`, 0, 100)).filter(({ type }) => type === 'account.alert').map(({ data }) => data);
  expect(await alerts()).toEqual([{ kind: 'deadManRearmed', timeoutMs: 5_000, lastHeartbeatAt: beatAt, expiresAt }]);
  // A backup's older row gives way; a heartbeat that came since does not.
  await queried(world.databaseUrl, `UPDATE heartbeats SET beat_at = beat_at - interval '1 hour', expires_at = NULL, fired_at = now() WHERE account_id = $1 RETURNING account_id`, account.id);
  expect(await rearmed()).toMatchObject({ beatAt, expiresAt, firedAt: null });
  const { heartbeat } = await heartbeats.beat(account.id, account.userId, 1_000);
  expect([await rearmed(), await heartbeats.byAccount(account.id)]).toEqual([null, heartbeat]);
  await world.store.accountChanges.remove(account.id, account.userId, 'key:boss');
  expect([await rearmed(), await heartbeats.byAccount(account.id)]).toEqual([null, null]);
});
