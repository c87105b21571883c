/** A client id with other terms is told which: of every term that a caller can give, by the schemas themselves. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { STRATEGIES } from '../../src/domain/strategies/registry';
import { orderListRequestSchema } from '../../src/schemas/order-lists';
import { orderRequestSchema } from '../../src/schemas/orders';
import { strategyRequestSchema } from '../../src/schemas/strategies';
import { ApiHarness, limitOrder, type Answer } from './harness';

type Body = Readonly<Record<string, unknown>>;
/** What is asked first, and what of it is asked otherwise then. */
type Case = readonly [first: Body, change: Body];

const api = new ApiHarness();
beforeAll(async () => {
  await api.start((ports) => ({
    ...ports,
    venues: {
      ...ports.venues,
      list: () => ports.venues.list().map((venue) => (venue.name === 'paper' ? { ...venue, capabilities: { ...venue.capabilities, orderTypes: ['market', 'limit', 'stopMarket', 'stopLimit'], triggerPriceTypes: ['mark', 'last'] } } : venue)),
    },
  }));
});
afterAll(() => api.close());

const [SOON, LATER] = ['2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'];
const ESCALATION = { chaseAfterMs: 1_000, marketAfterMs: 2_000, slippageBps: 10 };
const STOP = limitOrder({ type: 'stopLimit', triggerPrice: '49000', triggerPriceType: 'mark' });
const TRAILING = limitOrder({ type: 'trailingStopMarket', limitPrice: undefined, trailingOffset: '100', trailingOffsetType: 'price' });

/** By whom and what the order is; of another account, or with another id, it is another order. */
const NAMES = ['accountId', 'clientOrderId', 'clientListId', 'clientStrategyId'];
const termsIn = (shape: object): string[] => Object.keys(shape).filter((field) => !NAMES.includes(field)).sort();

let count = 0;
async function differing(path: string, id: string, first: Body, second: Body): Promise<string[]> {
  const name = `same-${(count += 1)}`;
  const ask = (body: Body): Promise<Answer> => api.ask('POST', path, { body: { ...body, [id]: name } });
  const made = await ask(first);
  expect([made.status, made.body.error]).toEqual([201, undefined]);
  expect([(await ask(first)).body.id, (await ask(first)).status]).toEqual([made.body.id, 201]);
  const { status, body } = await ask(second);
  return status === 409 ? body.error.details.differs : [`${status} ${JSON.stringify(body.error ?? body.id)}`];
}

describe('an order that is asked for again', () => {
  const CASES: Record<string, Case> = {
    symbol: [limitOrder({ symbol: 'BTC-PERP', quantity: '1', limitPrice: '3000' }), { symbol: 'ETH-PERP' }],
    side: [limitOrder(), { side: 'sell' }],
    type: [limitOrder({ type: 'stopLimit', triggerPrice: '45000' }), { type: 'takeProfitLimit' }],
    timeInForce: [limitOrder(), { timeInForce: 'IOC' }],
    quantity: [limitOrder(), { quantity: '0.02' }],
    limitPrice: [limitOrder(), { limitPrice: '50001' }],
    postOnly: [limitOrder(), { postOnly: true }],
    reduceOnly: [limitOrder(), { reduceOnly: true }],
    triggerPrice: [STOP, { triggerPrice: '49001' }],
    triggerPriceType: [STOP, { triggerPriceType: 'last' }],
    trailingOffset: [TRAILING, { trailingOffset: '101' }],
    trailingOffsetType: [{ ...TRAILING, trailingOffset: '1' }, { trailingOffsetType: 'percent' }],
    activationPrice: [TRAILING, { activationPrice: '52000' }],
    gapPolicy: [STOP, { gapPolicy: 'current' }],
    escalation: [{ ...STOP, escalation: ESCALATION }, { escalation: { ...ESCALATION, slippageBps: 500 } }],
    startAt: [limitOrder({ startAt: SOON }), { startAt: LATER }],
    expireTime: [limitOrder({ timeInForce: 'GTD', expireTime: SOON }), { expireTime: LATER }],
    execution: [STOP, { execution: 'both' }],
  };

  test('has a case for each of its terms', () => expect(Object.keys(CASES).sort()).toEqual(termsIn(orderRequestSchema.shape)));

  test.each(Object.entries(CASES))('with another %s is a 409 that names it', async (field, [first, change]) => {
    expect(await differing('/api/v1/orders', 'clientOrderId', first, { ...first, ...change })).toEqual([field]);
  });

  test('with an escalation, or without the one it had, is a 409 that names it', async () => {
    expect(await differing('/api/v1/orders', 'clientOrderId', STOP, { ...STOP, escalation: ESCALATION })).toEqual(['escalation']);
    expect(await differing('/api/v1/orders', 'clientOrderId', { ...STOP, escalation: ESCALATION }, STOP)).toEqual(['escalation']);
  });
});

describe('an order list that is asked for again', () => {
  const ENTRY = { role: 'entry', side: 'buy', type: 'limit', quantity: '0.02', limitPrice: '50000' };
  const PROFIT = { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '52000' };
  const GUARD = { role: 'stop', type: 'stopLimit', triggerPrice: '48000', triggerPriceType: 'mark', limitPrice: '47000' };
  const BRACKET = { accountId: 'main', type: 'BRACKET', symbol: 'BTC-PERP', legs: [ENTRY, PROFIT, PROFIT, GUARD] };
  const EXIT = { side: 'sell', type: 'limit', quantity: '1', limitPrice: '52000' };
  const EXITS = { accountId: 'main', type: 'OCO', symbol: 'BTC-PERP', legs: [EXIT, EXIT] };
  const TRAIL = { ...EXIT, type: 'trailingStopMarket', limitPrice: undefined, trailingOffset: '1', trailingOffsetType: 'price' };
  const LISTS: Record<string, Case> = {
    type: [{ ...EXITS, legs: [{ ...EXIT, reduceOnly: true }, { ...EXIT, reduceOnly: true }] }, { type: 'OUO' }],
    symbol: [{ ...EXITS, legs: [{ ...EXIT, symbol: 'ETH-PERP' }, { ...EXIT, symbol: 'ETH-PERP' }] }, { symbol: 'ETH-PERP' }],
    legs: [EXITS, { legs: [EXIT, EXIT, EXIT] }],
    expireTime: [BRACKET, { expireTime: SOON }],
    timeLimitMs: [BRACKET, { timeLimitMs: 60_000 }],
    breakEvenAfter: [{ ...BRACKET, breakEvenAfter: 1 }, { breakEvenAfter: 2 }],
  };
  /** Of the last leg. */
  const LEGS: Record<string, readonly [list: Body & { readonly legs: readonly Body[] }, change: Body]> = {
    role: [{ ...BRACKET, legs: [ENTRY, GUARD, { ...PROFIT, side: 'sell' }] }, {}],
    accountId: [EXITS, { accountId: 'second' }],
    symbol: [EXITS, { symbol: 'ETH-PERP' }],
    side: [EXITS, { side: 'buy' }],
    type: [{ ...EXITS, legs: [EXIT, { ...EXIT, type: 'stopLimit', triggerPrice: '45000' }] }, { type: 'takeProfitLimit' }],
    timeInForce: [BRACKET, { timeInForce: 'IOC' }],
    quantity: [EXITS, { quantity: '2' }],
    limitPrice: [EXITS, { limitPrice: '52001' }],
    postOnly: [EXITS, { postOnly: true }],
    reduceOnly: [EXITS, { reduceOnly: true }],
    triggerPrice: [BRACKET, { triggerPrice: '48001' }],
    triggerPriceType: [BRACKET, { triggerPriceType: 'last' }],
    trailingOffset: [{ ...EXITS, legs: [EXIT, TRAIL] }, { trailingOffset: '2' }],
    trailingOffsetType: [{ ...EXITS, legs: [EXIT, TRAIL] }, { trailingOffsetType: 'percent' }],
    activationPrice: [{ ...EXITS, legs: [EXIT, TRAIL] }, { activationPrice: '53000' }],
    gapPolicy: [BRACKET, { gapPolicy: 'current' }],
    escalation: [{ ...BRACKET, legs: [ENTRY, PROFIT, { ...GUARD, escalation: ESCALATION }] }, { escalation: { ...ESCALATION, chaseAfterMs: null } }],
    execution: [BRACKET, { execution: 'both' }],
  };
  const differs = (first: Body, second: Body): Promise<string[]> => differing('/api/v1/order-lists', 'clientListId', first, second);

  test('has a case for each of its terms, and its legs\'', () => {
    expect(Object.keys(LISTS).sort()).toEqual(termsIn(orderListRequestSchema.shape));
    expect(Object.keys(LEGS).sort()).toEqual(Object.keys(orderListRequestSchema.shape.legs.element.shape).sort());
  });

  test.each(Object.entries(LISTS))('with another %s is a 409 that names it', async (field, [first, change]) => {
    expect(await differs(first, { ...first, ...change })).toEqual([field]);
  });

  test.each(Object.entries(LEGS).filter(([field]) => field !== 'role'))('with a leg of another %s is a 409 that names it', async (field, [first, change]) => {
    const last = first.legs.length - 1;
    expect(await differs(first, { ...first, legs: first.legs.map((leg, n) => (n === last ? { ...leg, ...change } : leg)) })).toEqual([`legs.${last}.${field}`]);
  });

  test('with its legs in other roles is a 409 that names them', async () => {
    const legs = [ENTRY, { ...PROFIT, quantity: '0.02' }, { ...GUARD, limitPrice: '47000' }];
    expect(await differs({ ...BRACKET, legs }, { ...BRACKET, legs: [legs[0], legs[2], legs[1]] })).toEqual(expect.arrayContaining(['legs.1.role', 'legs.2.role']));
  });

  test('is the same by what was asked for first where it was amended since, and not by what it is now', async () => {
    const ask = (body: Body): Promise<Answer> => api.ask('POST', '/api/v1/order-lists', { body: { ...body, clientListId: 'amended' } });
    const { body: made } = await ask(BRACKET);
    const amended = await api.ask('PATCH', `/api/v1/order-lists/${made.id}`, { body: { legs: [{ n: 3, triggerPrice: '47500' }], expireTime: SOON }, headers: { 'if-match': '"1"' } });
    expect([amended.status, (await ask(BRACKET)).body.id]).toEqual([200, made.id]);
    const asNow = await ask({ ...BRACKET, expireTime: SOON, legs: [ENTRY, PROFIT, PROFIT, { ...GUARD, triggerPrice: '47000' }] });
    expect([asNow.status, asNow.body.error.details.differs]).toEqual([409, ['legs.3.triggerPrice']]);
  });
});

describe('a strategy that is asked for again', () => {
  const BASE = { accountId: 'main', symbol: 'BTC-PERP', side: 'buy', quantity: '1' };
  const PARAMETERS: Record<string, Body> = {
    twap: { durationMs: 60_000, slices: 10 }, chase: { timeoutMs: 60_000 }, scale: { priceFrom: '49000', priceTo: '48000', levels: 5 }, iceberg: { limitPrice: '49000', displayQuantity: '0.25' },
  };
  const TWAP = { ...BASE, type: 'twap', parameters: PARAMETERS['twap'] };
  const CASES: Record<string, Case> = {
    type: [TWAP, { type: 'chase', parameters: PARAMETERS['chase'] }],
    symbol: [TWAP, { symbol: 'ETH-PERP' }],
    side: [TWAP, { side: 'sell' }],
    quantity: [TWAP, { quantity: '2' }],
    reduceOnly: [TWAP, { reduceOnly: true }],
    startAt: [TWAP, { startAt: SOON }],
    expireAt: [{ ...TWAP, expireAt: SOON }, { expireAt: LATER }],
  };
  const OTHER: Record<string, unknown> = {
    durationMs: 61_000, slices: 9, randomSizePercent: 1, randomTimePercent: 1, limitPrice: '48500', slippageBps: 1, catchUp: 'next', distance: '1', repriceMs: 3_000, timeoutMs: 61_000, onTimeout: 'stop',
    priceFrom: '49001', priceTo: '47999', levels: 4, priceSkew: '1.5', sizeSkew: '1.5', postOnly: 'yes', displayQuantity: '0.5',
  };
  const differs = (first: Body, second: Body): Promise<string[]> => differing('/api/v1/strategies', 'clientStrategyId', first, second);

  test('has a case for each of its terms', () => expect([...Object.keys(CASES), 'parameters'].sort()).toEqual(termsIn(strategyRequestSchema.shape)));

  test.each(Object.entries(CASES))('with another %s is a 409 that names it', async (field, [first, change]) => {
    expect(await differs(first, { ...first, ...change })).toEqual([field]);
  });

  test.each(STRATEGIES.flatMap(({ type, form }) => Object.keys(form).map((name) => [type, name] as const)))('of type %s with another %s is a 409 that names it', async (type, name) => {
    const first = { ...BASE, type, parameters: PARAMETERS[type] };
    expect(OTHER[name]).toBeDefined();
    expect(await differs(first, { ...first, parameters: { ...PARAMETERS[type], [name]: OTHER[name] } })).toEqual([`parameters.${name}`]);
  });

  test('is the same by what was asked for first where it was amended since, however its decimals are written', async () => {
    const ask = (body: Body): Promise<Answer> => api.ask('POST', '/api/v1/strategies', { body: { ...body, clientStrategyId: 'amended' } });
    const first = { ...TWAP, parameters: { ...PARAMETERS['twap'], limitPrice: '50000' } };
    const { body: made } = await ask(first);
    const amended = await api.ask('PATCH', `/api/v1/strategies/${made.id}`, { body: { quantity: '2', parameters: { slices: 20 }, expireAt: SOON }, headers: { 'if-match': '"1"' } });
    expect(amended.status).toBe(200);
    expect((await ask({ ...first, quantity: '1.0', parameters: { ...first.parameters, limitPrice: '50000.0' } })).body.id).toBe(made.id);
    const other = await ask({ ...first, parameters: { ...first.parameters, slices: 15 } });
    expect([other.status, other.body.error.details.differs]).toEqual([409, ['parameters.slices']]);
  });
});
