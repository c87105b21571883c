import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ApiHarness } from './harness';
import { position } from './samples';

const api = new ApiHarness();
beforeAll(async () => {
  await api.start();
  // `second` is on a venue that moves collateral, `main` on one that does not.
  api.backend.positions.set('p-other', { ...position('p-other', 'second', 'long', '1'), venue: 'other' });
  api.backend.positions.set('p-flat', { ...position('p-flat', 'second', 'flat', '0'), venue: 'other' });
  api.backend.positions.set('p-paper', position('p-paper', 'main', 'long', '1'));
});
afterAll(() => api.close());

const TRANSFER = { from: 'main', to: 'xyz', asset: 'USDC', amount: '100.50' };
const post = (path: string, body: unknown, key: string | null = randomUUID()) => api.ask('POST', path, { body, ...(key === null ? {} : { headers: { 'idempotency-key': key } }) });

test('collateral moves once for its key, is read again and listed, and another body for the key is refused', async () => {
  const key = randomUUID();
  const made = await post('/api/v1/accounts/second/transfers', TRANSFER, key);
  expect([made.status, made.body]).toMatchObject([201, { kind: 'transfer', venue: 'other', from: 'main', to: 'xyz', asset: 'USDC', amount: '100.5', state: 'APPLIED', symbol: null }]);
  const repeat = await post('/api/v1/accounts/second/transfers', { ...TRANSFER, amount: '100.5' }, key);
  expect([repeat.status, repeat.body.id]).toEqual([201, made.body.id]);
  expect((await post('/api/v1/accounts/second/transfers', { ...TRANSFER, amount: '7' }, key)).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
  expect((await api.ask('GET', made.headers.get('location') ?? '')).body).toEqual(made.body);
  expect((await api.ask('GET', '/api/v1/collateral-moves?accountId=second')).body.moves.map((move: { id: string }) => move.id)).toEqual([made.body.id]);
});

test('margin is added to a position and taken away, in the quote of its market', async () => {
  const added = await post('/api/v1/positions/p-other/margin', { amount: '25' });
  expect([added.status, added.body]).toMatchObject([201, { kind: 'margin', accountId: 'second', symbol: 'BTC-PERP', venueSymbol: 'XBT/USD', asset: 'USD', amount: '25', from: null }]);
  expect((await post('/api/v1/positions/p-other/margin', { amount: '-25' })).body.amount).toBe('-25');
});

test('what is not known yet is 202, with the move to read again', async () => {
  api.backend.collateral.ends = 'UNKNOWN';
  const made = await post('/api/v1/accounts/second/transfers', TRANSFER);
  api.backend.collateral.ends = 'APPLIED';
  expect([made.status, made.body.state, made.headers.get('location')]).toEqual([202, 'UNKNOWN', `/api/v1/collateral-moves/${made.body.id}`]);
});

test('without a key nothing moves: a repeat could move twice', async () => {
  for (const [path, body] of [['/api/v1/accounts/second/transfers', TRANSFER], ['/api/v1/positions/p-other/margin', { amount: '1' }]] as const) {
    const { status, body: answer } = await post(path, body, null);
    expect([status, answer.error.code, answer.error.message + JSON.stringify(answer.error.details)]).toEqual([400, 'VALIDATION', expect.stringContaining('move twice')]);
  }
});

test('a venue without it says so, and where to look', async () => {
  const transfer = await post('/api/v1/accounts/main/transfers', TRANSFER);
  const margin = await post('/api/v1/positions/p-paper/margin', { amount: '1' });
  expect([transfer.status, margin.status]).toEqual([422, 422]);
  expect(transfer.body.error.message).toBe('paper has one pool of collateral; GET /api/v1/venues tells which venues have several');
  expect(margin.body.error.message).toBe('paper has no margin that could be moved to a position or away; GET /api/v1/venues tells which venues have');
  const { venues } = (await api.ask('GET', '/api/v1/venues')).body;
  expect(venues.map((venue: { name: string; collateralMoves: string[] }) => [venue.name, venue.collateralMoves])).toEqual([['paper', []], ['other', ['margin', 'transfer']]]);
});

test.each([
  ['nothing', { amount: '0' }],
  ['a number', { amount: 5 }],
  ['no decimal', { amount: '1e5' }],
  ['no amount', {}],
])('margin of %s is refused', async (_what, body) => {
  expect((await post('/api/v1/positions/p-other/margin', body)).status).toBe(400);
});

test('a transfer needs two pools and an amount above zero', async () => {
  expect((await post('/api/v1/accounts/second/transfers', { ...TRANSFER, to: 'main' })).status).toBe(422);
  for (const wrong of [{ from: '' }, { to: 'A B' }, { amount: '-1' }, { asset: '' }, { more: 1 }]) expect((await post('/api/v1/accounts/second/transfers', { ...TRANSFER, ...wrong })).status).toBe(400);
});

test('a flat position has no margin', async () => {
  expect((await post('/api/v1/positions/p-flat/margin', { amount: '1' })).status).toBe(409);
});

test('nobody moves or sees what is another\'s, and a key that reads moves nothing', async () => {
  const { body } = await post('/api/v1/accounts/second/transfers', TRANSFER);
  const other = { key: api.otherKey, headers: { 'idempotency-key': randomUUID() } };
  expect((await api.ask('POST', '/api/v1/accounts/second/transfers', { ...other, body: TRANSFER })).status).toBe(404);
  expect((await api.ask('POST', '/api/v1/positions/p-other/margin', { ...other, body: { amount: '1' } })).status).toBe(404);
  expect((await api.ask('GET', `/api/v1/collateral-moves/${body.id}`, { key: api.otherKey })).status).toBe(404);
  expect((await api.ask('GET', '/api/v1/collateral-moves?accountId=second', { key: api.otherKey })).status).toBe(404);
  expect((await api.ask('GET', '/api/v1/collateral-moves', { key: api.otherKey })).body.moves).toEqual([]);
  expect((await api.ask('POST', '/api/v1/accounts/second/transfers', { key: api.readKey, headers: { 'idempotency-key': randomUUID() }, body: TRANSFER })).status).toBe(403);
});
