/** Signal sources and signals in PostgreSQL: one alert is one row, whoever comes and however often; one process has it at a time. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import type { Account } from '../../../src/domain/account';
import type { SignalSource, TakenAlert } from '../../../src/domain/signal';
import { intentFor, openStoreWorld, OWNER, type StoreWorld } from './harness';

const ACTOR = 'key:test';
let world: StoreWorld;
let account: Account;
let source: SignalSource;
let token = '';
let sql: Client;
beforeAll(async () => {
  world = await openStoreWorld();
  sql = new Client({ connectionString: world.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await world.close();
});
beforeEach(async () => {
  world.clock.ms = Date.now();
  account = await world.newAccount();
  ({ source, token } = await world.store.signalSources.create(world.userId, { name: 'alerts', kind: 'order', accountId: account.id, template: { accountId: account.id, quantity: '{{n}}' }, fields: { id: { kind: 'text' } }, alertId: '{{id}}', allowedAddresses: ['tradingview'], rateLimit: '60/min', mode: 'live', maxDelaySeconds: 60 }, ACTOR));
});

const alert = (alertId: string = randomUUID()): TakenAlert => ({ source, alertId, alert: { id: alertId }, address: '10.0.0.1', request: { accountId: account.id }, clientId: `sig-${alertId.slice(0, 20)}` });
const list = async (status: 'taken' | 'placed' | 'refused' | 'dryRun' | null = null) => (await world.store.signals.list({ sourceId: source.id, userId: world.userId, status, cursor: null, limit: 10 })).signals;
const eventsOf = async () => (await world.store.events.since(`account:${account.id}`, 0, 1_000)).filter(({ type }) => type.startsWith('signal.'));

test('fifty alerts of one id at once are one row; another source may use the same id', async () => {
  const { signals, signalSources } = world.store;
  const one = alert();
  const taken = await Promise.all(Array.from({ length: 50 }, () => signals.take(one, 10_000)));
  expect(taken.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(new Set(taken.map(({ signal }) => signal.id)).size).toBe(1);
  const { source: other } = await signalSources.create(world.userId, { ...source }, ACTOR);
  expect((await signals.take({ ...one, source: other }, 10_000)).isNew).toBe(true);
  expect(await list()).toHaveLength(1);
});

test('what was taken is one process\'s at a time, and the next one\'s once its time is over', async () => {
  const { signals } = world.store;
  const { signal } = await signals.take(alert(), 10_000);
  const mine = async (): Promise<string[]> => (await signals.due(1_000, 10_000)).filter(({ sourceId }) => sourceId === source.id).map(({ id }) => id);
  expect(await mine()).toEqual([]);
  world.clock.ms += 10_001;
  const both = await Promise.all([mine(), mine()]);
  expect(both.flat()).toEqual([signal.id]);
  await signals.delay(signal.id, { code: 'SERVICE_UNAVAILABLE', message: 'x'.repeat(5_000) }, world.clock.ms + 500);
  expect(await list('taken')).toMatchObject([{ code: 'SERVICE_UNAVAILABLE', message: expect.stringMatching(/^x{999}…$/) }]);
  world.clock.ms += 501;
  expect(await mine()).toEqual([signal.id]);
});

test('what a dead process left before the clock was set back by an hour is somebody\'s at once, not an hour late at another price', async () => {
  const { signals } = world.store;
  const due = async (): Promise<string[]> => (await signals.due(1_000, 10_000)).filter(({ sourceId }) => sourceId === source.id).map(({ id }) => id);
  const { signal } = await signals.take(alert(), 10_000);
  world.clock.ms -= 4_000;
  expect(await due()).toEqual([]);
  world.clock.ms -= 3_600_000;
  expect(await due()).toEqual([signal.id]);
  expect(await due()).toEqual([]);
  // The other tests' too are due by now.
  await sql.query(`UPDATE signals SET status = 'expired', next_attempt_at = NULL WHERE status = 'taken'`);
});

test('how it ended is told once, with what it became', async () => {
  const { signals } = world.store;
  const one = alert();
  const { signal } = await signals.take(one, 10_000);
  const intent = intentFor(account, { clientOrderId: one.clientId, origin: 'SIGNAL' });
  await world.store.placing.recordOrders([intent], OWNER);
  expect(await signals.get(signal.id, source.id, world.userId)).toMatchObject({ status: 'taken', orderId: intent.id, state: 'SUBMITTING' });
  const ends = await Promise.all([signals.settle(signal.id, { status: 'placed', code: null, message: null }), signals.settle(signal.id, { status: 'placed', code: null, message: null })]);
  expect(ends).toMatchObject([{ status: 'placed', orderId: intent.id }, { status: 'placed', orderId: intent.id }]);
  expect(await signals.settle(signal.id, { status: 'expired', code: 'CONFLICT', message: 'too late' })).toMatchObject({ status: 'placed', code: null });
  expect(await eventsOf()).toMatchObject([{ type: 'signal.placed', orderId: intent.id, data: { signal: { id: signal.id, alert: one.alert } } }]);
  expect(await signals.due(1_000, 10_000)).toEqual([]);
});

test('one that is only noted uses up no id; a dry run tells nobody', async () => {
  const { signals } = world.store;
  const one = alert();
  await signals.note(one, { status: 'dryRun', code: null, message: 'it would be placed' });
  await signals.note({ ...one, request: null }, { status: 'refused', code: 'VALIDATION', message: 'no' });
  expect((await signals.take(one, 10_000)).isNew).toBe(true);
  expect((await eventsOf()).map(({ type }) => type)).toEqual(['signal.refused']);
  expect((await list()).map(({ status }) => status).sort()).toEqual(['dryRun', 'refused', 'taken']);
  const first = await signals.list({ sourceId: source.id, userId: world.userId, status: null, cursor: null, limit: 2 });
  const rest = await signals.list({ sourceId: source.id, userId: world.userId, status: null, cursor: first.nextCursor, limit: 2 });
  expect([first.signals.length, rest.signals.length, rest.nextCursor]).toEqual([2, 1, null]);
});

test('a token is stored as its hash, the old one works for its overlap, and each change is in the audit log', async () => {
  const { signalSources, signals } = world.store;
  expect((await signalSources.byToken(token))?.id).toBe(source.id);
  const rotated = await signalSources.rotateToken(source.id, world.userId, 60, ACTOR);
  expect([(await signalSources.byToken(token))?.id, (await signalSources.byToken(rotated.token))?.id]).toEqual([source.id, source.id]);
  await signalSources.rotateToken(source.id, world.userId, 60, ACTOR);
  expect(await signalSources.byToken(token)).toBeNull();
  world.clock.ms += 60_001;
  expect(await signalSources.byToken(rotated.token)).toBeNull();
  const changed = await signalSources.change(source.id, world.userId, { name: 'renamed', allowedAddresses: null, status: 'disabled' }, ACTOR);
  expect(changed).toMatchObject({ name: 'renamed', allowedAddresses: null, status: 'disabled', template: source.template });
  await expect(signalSources.change(source.id, world.userId, { accountId: 'nobody' }, ACTOR)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(signalSources.get(source.id, 'another')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(signals.list({ sourceId: source.id, userId: 'another', status: null, cursor: null, limit: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await signalSources.remove(source.id, world.userId, ACTOR);
  expect((await signalSources.list(world.userId)).map(({ id }) => id)).not.toContain(source.id);
  const { rows: acts } = await sql.query<{ act: string; data: string }>('SELECT act, data::text AS data FROM audit_entries WHERE subject = $1 ORDER BY number', [`signalSource:${source.id}`]);
  expect(acts.map(({ act }) => act)).toEqual(['signalSource.created', 'signalSource.tokenRotated', 'signalSource.tokenRotated', 'signalSource.changed', 'signalSource.deleted']);
  const stored = JSON.stringify([acts, (await sql.query('SELECT * FROM signal_sources WHERE id = $1', [source.id])).rows]);
  for (const plain of [token, rotated.token]) expect(stored).not.toContain(plain);
});
