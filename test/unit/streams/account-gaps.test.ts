/** The venue's stream of an account was away: who is told, when, and on the account's own channel. */
import { describe, expect, test } from '@jest/globals';
import { until } from '../../contract/streams/bus-until';
import { CarefulClient, setUp } from './careful-client';

describe('while the venue\'s stream is away', () => {
  test('the venue\'s stream was away: gap, the events of the time between, then resync', async () => {
    const { table, tail, open } = await setUp();
    const client = new CarefulClient();
    await open(client);
    table.commit('a', 'account.alert', { kind: 'streamGap', from: '2026-01-31T11:59:00.000Z' });
    table.commit('a', 'order.filled');
    table.commit('a', 'account.alert', { kind: 'keyRevoked' });
    table.commit('a', 'account.alert', { kind: 'streamResynced' });
    await until('the resync', () => client.notices.length === 2);
    expect(client.notices).toEqual([
      { channel: 'orders', accountId: 'a', from: '2026-01-31T11:59:00.000Z', to: '2026-01-31T12:00:00.000Z' },
      { channel: 'orders', accountId: 'a', reason: 'venueReconciled', sequence: 2, generation: 'generation-1', snapshot: null },
    ]);
    expect([client.sequences, client.broken]).toEqual([[2], []]);
    await tail.close();
  });

  test.each([
    ['begins with a snapshot', {}],
    ['resumes behind the alert', { sinceSequence: 3 }],
  ])('one that %s while the venue is still away is told of the gap first, and of its end', async (_what, request) => {
    const { table, tail, open } = await setUp();
    table.commit('a', 'account.alert', { kind: 'streamGap', from: '2026-01-31T11:59:00.000Z' });
    table.commit('a', 'order.filled');
    table.commit('a', 'account.alert', { kind: 'keyRevoked' });
    const client = new CarefulClient();
    await open(client, request);
    expect(client.notices).toEqual([{ channel: 'orders', accountId: 'a', from: '2026-01-31T11:59:00.000Z', to: '2026-01-31T12:00:00.000Z' }]);
    table.commit('a', 'account.alert', { kind: 'streamResynced' });
    await until('the resync', () => client.notices.length === 2);
    expect(client.notices[1]).toMatchObject({ reason: 'venueReconciled' });
    const late = new CarefulClient();
    await open(late);
    table.commit('a', 'order.filled');
    await until('its event', () => late.events.length === 1);
    expect(late.notices).toEqual([]);
    await tail.close();
  });

  test('one that resumes from before the gap is told of it once, in its place', async () => {
    const { table, tail, open } = await setUp();
    table.commit('a', 'order.working');
    table.commit('a', 'account.alert', { kind: 'streamGap', from: null });
    const client = new CarefulClient();
    await open(client, { sinceSequence: 1 });
    table.commit('a', 'order.filled');
    await until('its event', () => client.events.length === 1);
    expect(client.notices.length).toBe(1);
    await tail.close();
  });

  test('the account channel has what happens to the account itself, alerts as events too', async () => {
    const { table, tail, open } = await setUp();
    const client = new CarefulClient();
    await open(client, { channel: 'account' });
    for (const type of ['account.statusChanged', 'order.filled', 'account.alert', 'account.carryIn'] as const) table.commit('a', type, { kind: 'streamGap', from: null });
    await until('three events', () => client.events.length === 3);
    expect(client.events.map(({ type, previousSequence }) => [type, previousSequence])).toEqual([['account.statusChanged', 0], ['account.alert', 1], ['account.carryIn', 3]]);
    expect([client.notices.length, client.broken]).toEqual([1, []]);
    await tail.close();
  });

  test('clients at the same place are sent the same object, so that it is encoded once; one at another place its own', async () => {
    const { table, tail, open } = await setUp();
    table.commit('a', 'order.working');
    const [first, second, other] = [new CarefulClient(), new CarefulClient(), new CarefulClient()];
    for (const client of [first, second]) await open(client);
    await open(other, { sinceSequence: 0 });
    await until('the replay', () => other.events.length === 1);
    table.commit('a', 'fill.created');
    table.commit('a', 'order.filled');
    await until('all', () => [first, second, other].every(({ at }) => at === 3));
    expect(first.events[0]).toBe(second.events[0]);
    expect([first.events[0], other.events[1]].map((event) => event?.previousSequence)).toEqual([1, 1]);
    expect([first, second, other].flatMap(({ broken }) => broken)).toEqual([]);
    await tail.close();
  });
});
