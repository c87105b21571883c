/** What PostgreSQL tells of a kill switch that flattens: until when it is not done, and why. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Account } from '../../../src/domain/account';
import { flatnessOf, type KillSwitch } from '../../../src/domain/kill-switch';
import { fillOf, intentFor, openStoreWorld, OWNER, SYMBOL, type StoreWorld } from './harness';

let world: StoreWorld;
beforeAll(async () => {
  world = await openStoreWorld();
});
afterAll(() => world.close());

async function latched(): Promise<{ readonly account: Account; readonly killSwitch: KillSwitch }> {
  const account = await world.newAccount({ userId: (await world.store.users.createUser('a trader')).id });
  const { killSwitch } = await world.store.killSwitches.latch({ id: randomUUID(), userId: account.userId, scope: 'account', accountId: account.id, venue: null, mode: 'flatten', reason: null }, 'key:boss');
  return { account, killSwitch };
}

describe('a kill switch that flattens', () => {
  test('is confirmed by a read of the venue after the last fill only, and a late fill takes that back', async () => {
    const { account, killSwitch } = await latched();
    const state = async (): Promise<string> => {
      const [facts] = await world.store.killSwitches.facts(killSwitch.id);
      return facts === undefined ? 'no account' : flatnessOf(killSwitch, facts).state;
    };
    expect(await state()).toBe('FLATTENING');
    const readMs = world.clock.ms + 1_000;
    await world.store.watching.checkpoint(`account/${account.id}`, { fillsReadToMs: readMs, lookedFromMs: readMs });
    expect(await state()).toBe('FLAT_CONFIRMED');
    const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
    await world.store.watching.applyFills(writer, account.id, [fillOf(intentFor(account), { atMs: readMs + 1 })]);
    expect(await state()).toBe('FLATTENING');
  });

  test('tells why the newest exit of a market that is held did not go through, and nothing of markets that are closed or exits that were followed by a fill', async () => {
    const { account, killSwitch } = await latched();
    const writer = await world.store.watching.takeEpoch(`account/${account.id}`, 'test');
    const trouble = async (): Promise<string | null | undefined> => (await world.store.killSwitches.facts(killSwitch.id))[0]?.exitTrouble;
    const exit = async (n: number, symbol: string, changes: Parameters<typeof intentFor>[1] = {}): Promise<ReturnType<typeof intentFor>> => {
      const recorded = await world.store.killSwitches.recordExit(killSwitch.id, { n, accountId: account.id, symbol, side: 'sell', quantity: '4' });
      const intent = intentFor(account, { id: recorded?.orderId ?? '', ...changes });
      await world.store.placing.recordOrders([intent], OWNER);
      return intent;
    };
    await world.store.watching.applyFills(writer, account.id, [fillOf(intentFor(account), { atMs: world.clock.ms })]);
    // An entry under the switch is denied: it stands for an exit that the venue refuses.
    await exit(1, 'ETH-PERP');
    expect(await trouble()).toBeNull();
    await exit(2, SYMBOL);
    expect(await trouble()).toBe('the account is HALTED');
    const filled = await exit(3, SYMBOL, { side: 'sell', quantity: '4', reduceOnly: true });
    expect(await trouble()).toBe('the account is HALTED');
    await world.store.watching.applyFills(writer, account.id, [fillOf(filled, { atMs: world.clock.ms })]);
    expect(await trouble()).toBeNull();
  });
});
