import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiHarness } from './harness';

const api = new ApiHarness();
beforeAll(async () => void (await api.start()));
afterAll(() => api.close());

const TWAP = { accountId: 'main', clientStrategyId: 't-1', type: 'twap', symbol: 'BTC-PERP', side: 'buy', quantity: '1', parameters: { durationMs: 60_000, slices: 10, slippageBps: 50 } };
const create = (body: object, headers: Record<string, string> = {}) => api.ask('POST', '/api/v1/strategies', { body, headers });

describe('strategies', () => {
  it('is recorded with every default of its form filled in, and its workflow is started', async () => {
    const { status, body, headers } = await create(TWAP);
    expect([status, body.state, body.parameters.catchUp, body.parameters.limitPrice, headers.get('etag')]).toEqual([201, 'SCHEDULED', 'spread', null, '"1"']);
    expect(api.backend.supervision.started).toContain(body.id);
  });

  it('meets the same strategy on every repeat, by client id or by Idempotency-Key', async () => {
    const [first, again] = [await create(TWAP), await create(TWAP)];
    expect(again.body.id).toBe(first.body.id);
    const { clientStrategyId: _, ...nameless } = TWAP;
    const keyed = [await create(nameless, { 'idempotency-key': 'k-1' }), await create(nameless, { 'idempotency-key': 'k-1' })];
    expect(keyed[1]?.body.id).toBe(keyed[0]?.body.id);
    expect((await create({ ...nameless, quantity: '2' }, { 'idempotency-key': 'k-1' })).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await create(nameless)).status).toBe(400);
    expect((await create({ ...TWAP, side: 'sell' })).body.error.code).toBe('CONFLICT');
  });

  it('says which parameter is wrong, and what the market does not take', async () => {
    const wrong = await create({ ...TWAP, clientStrategyId: 'w', parameters: { durationMs: 60_000, slices: 0, colour: 'red' } });
    expect([wrong.status, wrong.body.error.message]).toEqual([400, expect.stringContaining('body.parameters')]);
    const small = await create({ ...TWAP, clientStrategyId: 'w', quantity: '0.001', parameters: { durationMs: 60_000, slices: 10 } });
    expect([small.status, small.body.error.message]).toEqual([422, expect.stringContaining('below the market\'s minimum')]);
    expect((await create({ ...TWAP, clientStrategyId: 'w', quantity: '0.00015' })).body.error.message).toContain('lot');
    expect((await create({ ...TWAP, clientStrategyId: 'w', accountId: 'foreign' })).status).toBe(404);
  });

  it('takes an edit only with the revision it saw', async () => {
    const { body: made } = await create({ ...TWAP, clientStrategyId: 'edit' });
    const edit = (ifMatch: string | null) => api.ask('PATCH', `/api/v1/strategies/${made.id}`, { body: { parameters: { slices: 20 } }, headers: ifMatch === null ? {} : { 'if-match': ifMatch } });
    expect((await edit(null)).status).toBe(428);
    expect((await edit('"7"')).status).toBe(409);
    const edited = await edit('"1"');
    expect([edited.status, edited.body.revision, edited.body.parameters.slices, edited.body.parameters.slippageBps]).toEqual([200, 2, 20, 50]);
    expect((await edit('"1"')).status).toBe(409);
  });

  it('takes no end that has passed, nor one before its start, made or edited', async () => {
    const wrong = { ...TWAP, clientStrategyId: 'over' };
    for (const times of [{ expireAt: '2020-01-01T00:00:00Z' }, { startAt: '2099-01-02T00:00:00Z', expireAt: '2099-01-01T00:00:00Z' }, { startAt: '2099-01-01T00:00:00Z', expireAt: '2099-01-01T00:00:00Z' }]) expect((await create({ ...wrong, ...times })).status).toBe(422);
    const { body: made } = await create({ ...TWAP, clientStrategyId: 'ends', startAt: '2099-01-01T00:00:00Z' });
    const edit = (expireAt: string | null) => api.ask('PATCH', `/api/v1/strategies/${made.id}`, { body: { expireAt }, headers: { 'if-match': '"1"' } });
    for (const expireAt of ['2020-01-01T00:00:00Z', '2098-01-01T00:00:00Z']) expect((await edit(expireAt)).body.error).toMatchObject({ code: 'UNPROCESSABLE', message: expect.stringContaining('expireAt must be later') });
    expect((await edit('2099-01-02T00:00:00Z')).body.expireAt).toBe('2099-01-02T00:00:00.000Z');
  });

  it('pauses, resumes and cancels; another user finds nothing', async () => {
    const { body: made } = await create({ ...TWAP, clientStrategyId: 'steps' });
    const path = `/api/v1/strategies/${made.id}`;
    expect((await api.ask('POST', `${path}/pause`)).body.state).toBe('PAUSED');
    expect((await api.ask('POST', `${path}/resume`)).body.state).toBe('SCHEDULED');
    const canceled = await api.ask('DELETE', path);
    expect([canceled.status, canceled.body.pendingCancel]).toEqual([202, true]);
    for (const [method, to] of [['GET', path], ['GET', `${path}/timeline`], ['DELETE', path], ['POST', `${path}/pause`]] as const) expect((await api.ask(method, to, { key: api.otherKey })).status).toBe(404);
    expect((await api.ask('GET', `${path}/timeline`)).body.strategy.id).toBe(made.id);
    expect((await api.ask('GET', '/api/v1/strategies?accountId=main')).body.strategies.length).toBeGreaterThan(0);
  });

  it.each([
    ['twap', { durationMs: 60_000, slices: 10 }, 10],
    ['chase', { timeoutMs: 60_000 }, 1],
    ['scale', { priceFrom: '49000', priceTo: '48000', levels: 5, sizeSkew: '1.5' }, 5],
    ['iceberg', { limitPrice: '49000', displayQuantity: '0.25' }, 4],
  ])('shows what a %s would come to, and its form', async (type, parameters, children) => {
    const { status, body } = await api.ask('POST', '/api/v1/strategies/preview', { body: { ...TWAP, type, parameters } });
    expect([status, body.children, body.legs.length]).toEqual([200, children, children]);
    expect(Number(body.cost)).toBeGreaterThanOrEqual(Number(body.fee));
    const form = (await api.ask('GET', '/api/v1/strategies/types')).body.types.find((each: { type: string }) => each.type === type);
    expect(Object.keys(form.parameters.properties)).toEqual(expect.arrayContaining(Object.keys(parameters)));
  });
});

describe('the kill switch', () => {
  const latch = (body: object) => api.ask('POST', '/api/v1/kill-switch', { body });

  it('is latched once a scope, sharpened and never made milder', async () => {
    const first = await latch({ scope: 'account', accountId: 'main', mode: 'cancel', reason: 'test' });
    const sharper = await latch({ scope: 'account', accountId: 'main', mode: 'flatten' });
    const milder = await latch({ scope: 'account', accountId: 'main', mode: 'halt' });
    expect([first.status, sharper.status, milder.status]).toEqual([201, 200, 200]);
    expect([sharper.body.id, milder.body.mode]).toEqual([first.body.id, 'flatten']);
    expect((await latch({ scope: 'account', accountId: 'foreign', mode: 'halt' })).status).toBe(404);
    expect((await latch({ scope: 'venue', mode: 'halt' })).status).toBe(400);
  });

  it('says FLATTENING and why until the venue was read after the latch, then FLAT_CONFIRMED; only then a person may release it', async () => {
    const { body } = await latch({ scope: 'account', accountId: 'main', mode: 'flatten' });
    expect(body.venues).toEqual([{ venue: 'paper', state: 'FLATTENING', reason: expect.stringContaining('never read') }]);
    expect((await api.ask('POST', `/api/v1/kill-switch/${body.id}/release`, { body: {} })).status).toBe(409);
    api.backend.supervision.facts = { readFromMs: api.backend.nowMs + 1 };
    const confirmed = (await api.ask('GET', '/api/v1/kill-switch')).body.killSwitches[0];
    expect([confirmed.confirmed, confirmed.venues[0].state]).toEqual([true, 'FLAT_CONFIRMED']);
    expect((await api.ask('POST', `/api/v1/kill-switch/${body.id}/release`, { key: api.readKey })).status).toBe(403);
    expect((await api.ask('POST', `/api/v1/kill-switch/${body.id}/release`)).body.releasedBy).toBe('key:key-of-alice');
    expect((await api.ask('GET', `/api/v1/kill-switch/${body.id}`, { key: api.otherKey })).status).toBe(404);
  });
});

it('arms the dead-man switch by a heartbeat, disarms it with 0, and finds no account of another user', async () => {
  const beat = (body: object) => api.ask('POST', '/api/v1/heartbeat', { body });
  expect((await beat({ accountId: 'main', timeoutMs: 30_000 })).body).toMatchObject({ timeoutMs: 30_000, venue: { supported: true, armed: true } });
  expect((await beat({ accountId: 'main', timeoutMs: 0 })).body.expiresAt).toBeNull();
  expect((await beat({ accountId: 'main', timeoutMs: 5 })).status).toBe(400);
  expect((await beat({ accountId: 'foreign', timeoutMs: 30_000 })).status).toBe(404);
});
