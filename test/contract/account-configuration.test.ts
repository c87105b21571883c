/** What one API process changes of an account, no other goes on remembering: over the loopback hub and over Redis. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Directory } from '../../src/api/directory';
import { DEFAULT_RISK_LIMITS, type Account } from '../../src/domain/account';
import type { Bus } from '../../src/streams/bus/bus';
import { configurationNews, tellStatusChanges } from '../../src/streams/bus/configuration-news';
import { busHarnesses } from './streams/bus-harness';
import { until } from './streams/bus-until';

/** Stands still: nothing is forgotten by its age. */
const CLOCK = { nowMs: () => 0 };
const ACCOUNTS = ['main', 'other'];

describe.each(busHarnesses())('API processes over $name', (harness) => {
  const opened: { bus: Bus; directory: Directory }[] = [];
  let names: Map<string, string>;
  beforeAll(() => harness.start());
  afterEach(async () => {
    for (const { bus, directory } of opened.splice(0)) {
      directory.close();
      await bus.close();
    }
  });
  afterAll(() => harness.stop());

  /** A process of its own over the same accounts. */
  async function open(): Promise<Directory> {
    const bus = harness.open();
    const get = async (id: string, userId: string): Promise<Account> => ({ id, userId, name: names.get(id) ?? '', venue: 'paper', status: 'ACTIVE', statusReason: null, signerId: 's', credentialId: null, limits: DEFAULT_RISK_LIMITS, createdAt: '2026-11-21T00:00:00.000Z' });
    const directory = new Directory({ accounts: { get }, markets: {}, venues: {}, clock: CLOCK, configurationNews: configurationNews(bus) } as unknown as ConstructorParameters<typeof Directory>[0], 60_000);
    opened.push({ bus, directory });
    await until('a healthy bus', () => bus.healthy());
    await bus.synced();
    return directory;
  }
  const nameIn = async (directory: Directory, id: string): Promise<string | undefined> => (await directory.account(id, 'user'))?.name;

  test('a change in one makes every other read that account anew, and no other account', async () => {
    names = new Map(ACCOUNTS.map((id) => [id, 'old']));
    const [one, two] = [await open(), await open()];
    for (const directory of [one, two]) for (const id of ACCOUNTS) expect(await nameIn(directory, id)).toBe('old');
    names = new Map(ACCOUNTS.map((id) => [id, 'new']));
    expect(await nameIn(two, 'main')).toBe('old');
    one.forgetAccount('main', 'user');
    expect(await nameIn(one, 'main')).toBe('new');
    await until('the other process', async () => (await nameIn(two, 'main')) === 'new');
    expect([await nameIn(one, 'other'), await nameIn(two, 'other')]).toEqual(['old', 'old']);
  });

  test('a status that a watcher sets is known to every API process at once', async () => {
    names = new Map(ACCOUNTS.map((id) => [id, 'ACTIVE']));
    const api = await open();
    for (const id of ACCOUNTS) expect(await nameIn(api, id)).toBe('ACTIVE');
    const watcher = harness.open();
    try {
      await until('the watcher\'s bus', () => watcher.healthy());
      await watcher.synced();
      names = new Map(ACCOUNTS.map((id) => [id, 'HALTED']));
      const told = tellStatusChanges(configurationNews(watcher));
      told([{ type: 'account.alert', accountId: 'other', userId: 'user' }, { type: 'account.statusChanged', accountId: 'main', userId: 'user' }]);
      await until('the API', async () => (await nameIn(api, 'main')) === 'HALTED');
      expect(await nameIn(api, 'other')).toBe('ACTIVE');
    } finally {
      await watcher.close();
    }
  });

  test('one that was closed hears no more', async () => {
    names = new Map([['main', 'old']]);
    const [one, closed, witness] = [await open(), await open(), await open()];
    expect([await nameIn(closed, 'main'), await nameIn(witness, 'main')]).toEqual(['old', 'old']);
    closed.close();
    names = new Map([['main', 'new']]);
    one.forgetAccount('main', 'user');
    await until('the witness', async () => (await nameIn(witness, 'main')) === 'new');
    await opened.find(({ directory }) => directory === closed)?.bus.synced();
    expect(await nameIn(closed, 'main')).toBe('old');
  });
});
