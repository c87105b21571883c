/** The channel of what belongs to a user rather than to an account: deposits and their swaps. */
import { afterEach, expect, test } from '@jest/globals';
import { errorBodySchema } from '../../../src/schemas/errors';
import { until } from './bus-until';
import { SocketsHarness } from './sockets-harness';

const harness = new SocketsHarness();
afterEach(() => harness.stop());

test('tells its own user of deposits and swaps, each event once and chained, and resumes by sequence', async () => {
  await harness.start();
  const [alice, bob] = [await harness.connected('alice'), await harness.connected('bob')];
  harness.table.commitForUser('alice', 'deposit.created', { deposit: { id: 'd', progress: { step: 1, of: 7, percent: 0 } } });
  expect(await alice.subscribe({ channel: 'deposits' })).toEqual({ snapshot: [{ of: 'alice' }], sequence: 1, generation: 'generation-1' });
  expect(await bob.subscribe({ channel: 'deposits' })).toMatchObject({ snapshot: [{ of: 'bob' }], sequence: 0 });
  harness.table.commitForUser('alice', 'swap.quoted', { deposit: { id: 'd', progress: { step: 2, of: 7, percent: 16 } } });
  harness.table.commitForUser('alice', 'deposit.credited', { deposit: { id: 'd', progress: { step: 7, of: 7, percent: 100 } } });
  harness.table.commit('a', 'order.working');
  harness.table.commitForUser('bob', 'deposit.unclaimed', { transfer: { amount: '1' } });
  await until('all of them', () => alice.events.length === 2 && bob.events.length === 1);
  expect(alice.events.map((event) => [event.channel, event.type, event.sequence, event.previousSequence])).toEqual([
    ['deposits', 'swap.quoted', 2, 1],
    ['deposits', 'deposit.credited', 3, 2],
  ]);
  expect(alice.events[1]).toMatchObject({ data: { deposit: { progress: { step: 7, of: 7, percent: 100 } } } });
  expect(alice.events.some((event) => 'accountId' in event)).toBe(false);
  expect(bob.events[0]).toMatchObject({ type: 'deposit.unclaimed', data: { transfer: { amount: '1' } } });

  const again = await harness.connected('alice');
  expect(await again.subscribe({ channel: 'deposits', sinceSequence: 1, generation: 'generation-1' })).toMatchObject({ snapshot: null, sequence: 1 });
  await until('the replay', () => again.events.length === 2);
  expect(await again.unsubscribe({ channel: 'deposits' })).toEqual({});
  expect(errorBodySchema.parse(await again.unsubscribe({ channel: 'deposits' })).error.code).toBe('NOT_FOUND');
  expect(errorBodySchema.parse(await again.subscribe({ channel: 'deposits', accountId: 'a' })).error.code).toBe('VALIDATION');
});
