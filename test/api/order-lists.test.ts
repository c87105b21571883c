import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiHarness } from './harness';

const api = new ApiHarness();
beforeAll(async () => void (await api.start()));
afterAll(() => api.close());

const PATH = '/api/v1/order-lists';
const ENTRY = { role: 'entry', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '50000' };
const FIRST = { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '52000' };
const SECOND = { role: 'takeProfit', type: 'takeProfitMarket', quantity: '0.01', triggerPrice: '54000' };
const STOP = { role: 'stop', type: 'stopMarket', triggerPrice: '48000', triggerPriceType: 'mark' };
const BRACKET = { accountId: 'main', clientListId: 'b-1', type: 'BRACKET', symbol: 'BTC-PERP', legs: [ENTRY, FIRST, SECOND, STOP], timeLimitMs: 3_600_000, breakEvenAfter: 1 };
const EXIT = { side: 'sell', type: 'limit', quantity: '0.01', limitPrice: '52000' };
const EXIT_STOP = { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '48000' };
const OUO = { accountId: 'main', type: 'OUO', symbol: 'BTC-PERP', legs: [EXIT, EXIT_STOP] };
let count = 0;
const create = (body: object, headers: Record<string, string> = {}) => api.ask('POST', PATH, { body: { clientListId: `list-${(count += 1)}`, ...body }, headers });
const refused = async (body: object): Promise<readonly [number, string]> => {
  const answer = await create(body);
  return [answer.status, String(answer.body.error?.message)];
};

describe('order lists', () => {
  it('records a bracket whose exits are reduce-only on the other side, its stop as large as its entry, and starts its workflow', async () => {
    const { status, body, headers } = await create(BRACKET);
    expect([status, body.state, headers.get('etag'), headers.get('location')]).toEqual([201, 'ACTIVE', '"1"', `${PATH}/${body.id}`]);
    expect(body.legs.map((leg: Record<string, unknown>) => [leg['role'], leg['side'], leg['quantity'], leg['reduceOnly'], leg['state']])).toEqual([
      ['entry', 'buy', '0.02', false, 'WAITING'], ['takeProfit', 'sell', '0.01', true, 'WAITING'], ['takeProfit', 'sell', '0.01', true, 'WAITING'], ['stop', 'sell', '0.02', true, 'WAITING'],
    ]);
    expect(api.backend.supervision.started).toContain(body.id);
  });

  it('meets the same list on every repeat, by client id or by Idempotency-Key', async () => {
    const [first, again] = [await create(BRACKET), await create(BRACKET)];
    expect(again.body.id).toBe(first.body.id);
    const keyed = [await api.ask('POST', PATH, { body: OUO, headers: { 'idempotency-key': 'l-1' } }), await api.ask('POST', PATH, { body: OUO, headers: { 'idempotency-key': 'l-1' } })];
    expect([keyed[0]?.status, keyed[1]?.body.id]).toEqual([201, keyed[0]?.body.id]);
    expect((await api.ask('POST', PATH, { body: { ...OUO, type: 'OCO' }, headers: { 'idempotency-key': 'l-1' } })).body.error.code).toBe('IDEMPOTENCY_MISMATCH');
    expect((await api.ask('POST', PATH, { body: OUO })).status).toBe(400);
    expect((await create({ ...BRACKET, legs: [ENTRY, FIRST, STOP] })).body.error.code).toBe('CONFLICT');
  });

  it('takes a native stop behind the stop of a list where its venue has one, and says who holds each leg', async () => {
    const made = await create({ ...BRACKET, clientListId: 'durable', legs: [ENTRY, FIRST, STOP] });
    expect([made.status, made.body.legs.map((leg: Record<string, unknown>) => leg['execution'])]).toEqual([201, [null, null, 'durable']]);
    // The venue of this harness knows no trigger orders.
    expect(await refused({ ...BRACKET, legs: [ENTRY, FIRST, { ...STOP, execution: 'both' }] })).toEqual([422, expect.stringContaining('use execution durable')]);
    const native = await create({ ...BRACKET, legs: [ENTRY, FIRST, { ...STOP, execution: 'native' }] });
    expect([native.status, JSON.stringify(native.body.error.details)]).toEqual([400, expect.stringContaining('a leg that the venue alone holds could not be resized')]);
  });

  it('says which leg is wrong and what to do', async () => {
    const bracket = (legs: readonly object[], more: object = {}): Promise<readonly [number, string]> => refused({ ...BRACKET, clientListId: 'wrong', legs, ...more });
    expect(await bracket([FIRST, ENTRY, STOP])).toEqual([422, expect.stringContaining('the first leg of a BRACKET')]);
    expect(await bracket([ENTRY, FIRST])).toEqual([422, expect.stringContaining('exactly one leg of role stop')]);
    expect(await bracket([ENTRY, FIRST, FIRST, SECOND, STOP])).toEqual([422, expect.stringContaining('more than the 0.02 of the entry')]);
    expect(await bracket([ENTRY, { ...FIRST, side: 'buy' }, STOP])).toEqual([422, expect.stringContaining('its side is sell')]);
    expect(await bracket([ENTRY, { ...FIRST, reduceOnly: false }, STOP])).toEqual([422, expect.stringContaining('reduce-only')]);
    expect(await bracket([ENTRY, FIRST, { ...STOP, triggerPrice: '53000' }])).toEqual([422, expect.stringContaining('losing side')]);
    expect(await bracket([ENTRY, FIRST, { ...STOP, type: 'takeProfitMarket' }])).toEqual([422, expect.stringContaining('a stop is one of')]);
    expect(await bracket([ENTRY, { ...FIRST, symbol: 'ETH-PERP' }, STOP])).toEqual([422, expect.anything()]);
    expect(await bracket([ENTRY, FIRST, STOP], { breakEvenAfter: 2 })).toEqual([422, expect.stringContaining('there are 1 take-profits')]);
    expect(await refused({ ...OUO, legs: [EXIT, { ...EXIT_STOP, quantity: '0.02' }] })).toEqual([422, expect.stringContaining('one quantity')]);
    expect(await refused({ ...OUO, legs: [EXIT, { side: 'sell', type: 'market', quantity: '0.01' }] })).toEqual([422, expect.stringContaining('would go out at once')]);
    expect(await refused({ ...OUO, timeLimitMs: 1 })).toEqual([422, expect.stringContaining('is for a BRACKET')]);
    expect(await refused({ ...OUO, legs: [{ ...EXIT, role: 'stop' }, EXIT_STOP] })).toEqual([422, expect.stringContaining('role is for a BRACKET')]);
    expect(await refused({ ...OUO, legs: [{ ...EXIT, side: undefined }, EXIT_STOP] })).toEqual([422, expect.stringContaining('needs a side')]);
    expect(await refused({ ...OUO, expireTime: '2001-01-01T00:00:00Z' })).toEqual([422, expect.stringContaining('later than now')]);
    expect((await refused({ ...OUO, legs: [EXIT, { ...EXIT_STOP, accountId: 'foreign' }] }))[0]).toBe(404);
    expect((await refused({ ...OUO, legs: [EXIT, { ...EXIT_STOP, limitPrice: '1' }] }))[0]).toBe(400);
    expect((await refused({ ...OUO, legs: [EXIT] }))[0]).toBe(400);
  });

  it('lets what an OTO triggers on its entry\'s market only reduce, when it is an exit', async () => {
    const entry = { side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '50000' };
    const { status, body } = await create({ ...OUO, type: 'OTO', legs: [entry, EXIT] });
    expect([status, body.legs.map((leg: { reduceOnly: boolean }) => leg.reduceOnly)]).toEqual([201, [false, true]]);
    expect((await create({ ...OUO, type: 'OTO', legs: [entry, { ...EXIT, reduceOnly: false }] })).status).toBe(422);
  });

  it('takes an edit only with the revision it saw, and only of what the leg has', async () => {
    const { body: made } = await create({ ...BRACKET, clientListId: 'edit' });
    const edit = (body: object, ifMatch: string | null = '"1"') => api.ask('PATCH', `${PATH}/${made.id}`, { body, headers: ifMatch === null ? {} : { 'if-match': ifMatch } });
    const moved = { legs: [{ n: 3, triggerPrice: '47000' }] };
    expect([(await edit(moved, null)).status, (await edit(moved, '"7"')).status]).toEqual([428, 412]);
    expect((await edit({ legs: [{ n: 9, triggerPrice: '47000' }] })).status).toBe(422);
    expect((await edit({ legs: [{ n: 1, triggerPrice: '47000' }] })).status).toBe(422);
    expect((await edit({ legs: [{ n: 3, triggerPrice: '53000' }] })).status).toBe(422);
    expect((await edit({ legs: [{ n: 3, quantity: '1' }] })).status).toBe(422);
    expect((await edit({ legs: [{ n: 1, limitPrice: '52001' }, { n: 1, quantity: '0.005' }] })).status).toBe(400);
    const edited = await edit(moved);
    expect([edited.status, edited.body.revision, edited.body.legs[3].triggerPrice, edited.body.legs[3].version]).toEqual([200, 2, '47000', 1]);
    expect((await edit({ expireTime: null }, '"2"')).status).toBe(200);
  });

  it('takes an exit that is worth less than the market asks of an entry, made so or amended', async () => {
    const { body: made } = await create({ ...OUO, legs: [{ ...EXIT, quantity: '0.001', limitPrice: '9000' }, { ...EXIT_STOP, quantity: '0.001', triggerPrice: '8000' }] });
    const edited = await api.ask('PATCH', `${PATH}/${made.id}`, { body: { legs: [{ n: 0, limitPrice: '9500' }] }, headers: { 'if-match': '"1"' } });
    expect([edited.status, edited.body.legs[0].limitPrice]).toEqual([200, '9500']);
  });

  it('is canceled, once or often; lists and tells its timeline; another user finds nothing', async () => {
    const { body: made } = await create({ ...OUO, clientListId: 'cancel' });
    const path = `${PATH}/${made.id}`;
    const [first, again] = [await api.ask('DELETE', path), await api.ask('DELETE', path)];
    expect([first.status, first.body.pendingCancel, first.body.revision, again.status, again.body.revision]).toEqual([202, true, 2, 202, 2]);
    expect((await api.ask('PATCH', path, { body: { expireTime: null }, headers: { 'if-match': '"2"' } })).body.error.code).toBe('CONFLICT');
    expect((await api.ask('GET', PATH)).body.orderLists.length).toBeGreaterThan(0);
    expect((await api.ask('GET', `${path}/timeline`)).body.orderList.id).toBe(made.id);
    for (const [method, url] of [['GET', path], ['GET', `${path}/timeline`], ['DELETE', path], ['PATCH', path]] as const) {
      expect((await api.ask(method, url, { key: api.otherKey, ...(method === 'PATCH' ? { body: { expireTime: null }, headers: { 'if-match': '"1"' } } : {}) })).status).toBe(404);
    }
  });
});
