/** Stops at the venue, with us, and both, with real servers: what protects a position. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { booksAgree } from '../support/afterwards';
import type { SimulatedOrder } from '../support/simulator-control';
import { startStack, type Stack } from '../support/stack';

interface ShownPosition {
  readonly side: string;
  readonly quantity: string;
  readonly protection: string;
  readonly desiredStop: { readonly orderId: string; readonly triggerPrice: string | null } | null;
  readonly confirmedStop: { readonly orderId: string; readonly triggerPrice: string | null; readonly quantity: string } | null;
  readonly unprotectedMs: number;
}
type VenueOrder = SimulatedOrder & { readonly type: string; readonly triggerPrice: string | null; readonly reduceOnly: boolean };

let stack: Stack;
beforeAll(async () => {
  // Prices move when a test says so, and stay there.
  stack = await startStack({ tickMs: 0, environment: { SUREFILL_UNPROTECTED_ALERT_MS: '1000' } });
  await stack.sim.call('POST', '/__sim/accounts', { account: OTHER, key: OTHER, collateral: '10000000' });
}, 180_000);
afterAll(() => stack.stop());

/** Somebody else at the venue, who takes what rests and makes the last price. */
const OTHER = 'somebody-else';
const elsewhere = (side: 'buy' | 'sell', quantity: string): Promise<void> => stack.sim.trade(OTHER, 'BTC-PERP', side, quantity);

/** Others trade at this price, and at 50,000 again. */
async function dip(to: string): Promise<void> {
  await stack.sim.price('BTC-PERP', to);
  await elsewhere('sell', '0.001');
  await stack.sim.price('BTC-PERP', '50000');
  await elsewhere('buy', '0.001');
}

interface Told {
  readonly origin: string;
  readonly price: string;
  readonly observedAtMs: number;
}
/** What fired it, and when it was accepted. */
async function firing(id: string): Promise<{ trigger: Told | undefined; createdAt: string }> {
  const { body } = await stack.client.call<{ order: { createdAt: string }; events: { type: string; data: { trigger?: Told } }[] }>('GET', `/api/v1/orders/${id}/timeline`);
  return { trigger: body.events.find(({ type }) => type === 'order.triggered')?.data.trigger, createdAt: body.order.createdAt };
}

const venueOrders = async (): Promise<VenueOrder[]> => (await stack.sim.orders()) as VenueOrder[];
const openStops = async (): Promise<VenueOrder[]> => (await venueOrders()).filter(({ status, triggerPrice }) => status === 'open' && triggerPrice !== null);
/** In ten-thousandths; what others sell is not reduce-only here. */
const sold = async (): Promise<number> => (await venueOrders()).filter(({ side, reduceOnly }) => side === 'sell' && reduceOnly).reduce((sum, { filledQuantity }) => sum + Math.round(Number(filledQuantity) * 1e4), 0);

async function position(): Promise<ShownPosition | null> {
  const { body } = await stack.client.call<{ positions: ShownPosition[] }>('GET', `/api/v1/positions?accountId=${stack.accountId}`);
  return body.positions[0] ?? null;
}
const positionThat = (what: string, holds: (shown: ShownPosition) => boolean): Promise<ShownPosition> =>
  stack.client.until(`the position to be ${what}`, async () => {
    const shown = await position();
    return shown !== null && holds(shown) ? shown : null;
  });

async function placed(body: Readonly<Record<string, unknown>>): Promise<ApiOrder> {
  const answer = await stack.client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', ...body });
  if (answer.status !== 201) throw new Error(`POST /orders answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A long of 0.01 at 50,000. */
async function entered(): Promise<void> {
  const entry = await stack.client.until('an entry', async () => {
    await stack.sim.price('BTC-PERP', '50000');
    return placed({ side: 'buy', type: 'market', quantity: '0.01' });
  });
  await stack.client.untilState(entry.id, 'FILLED');
  await positionThat('0.01 long', ({ quantity }) => quantity === '0.01');
}

const exit = (body: Readonly<Record<string, unknown>>): Promise<ApiOrder> => placed({ side: 'sell', quantity: '0.01', reduceOnly: true, triggerPriceType: 'mark', ...body });

const isFlat = (): Promise<true> => stack.client.until('flat', async () => ((await position()) === null ? true : null));

async function flat(): Promise<void> {
  await isFlat();
  await booksAgree(stack, [OTHER]);
}

async function amended(id: string, terms: Readonly<Record<string, string>>): Promise<void> {
  await stack.client.until(`${id} to be amended`, async () => {
    const { revision } = await stack.client.order(id);
    return (await stack.client.call('PATCH', `/api/v1/orders/${id}`, terms, { 'if-match': `"${revision}"` })).status === 200 ? true : null;
  });
}

test('a position without a stop is shown to have none, and its account is told', async () => {
  await entered();
  expect(await position()).toMatchObject({ protection: 'none', desiredStop: null, confirmedStop: null });
  const told = await stack.client.until('the alert', async () => {
    const { body } = await stack.client.call<{ events: { type: string; data: Record<string, unknown> }[] }>('GET', `/api/v1/events?accountId=${stack.accountId}&limit=200`);
    return body.events.find(({ type, data }) => type === 'account.alert' && data['kind'] === 'UNPROTECTED')?.data ?? null;
  });
  expect(told).toMatchObject({ symbol: 'BTC-PERP', side: 'long', quantity: '0.01', belowMinimum: false });
  await placed({ side: 'sell', type: 'market', quantity: '0.01', reduceOnly: true });
  await flat();
}, 120_000);

describe('execution both', () => {
  test('has the venue\'s stop as backstop: resized and moved with it, and it exits alone while Surefill is dead, once', async () => {
    await entered();
    const stop = await exit({ type: 'stopMarket', triggerPrice: '49000', execution: 'both' });
    await positionThat('protected by both', ({ protection }) => protection === 'both');
    expect(await position()).toMatchObject({ desiredStop: { orderId: stop.id, triggerPrice: '49000' }, confirmedStop: { triggerPrice: '49000', quantity: '0.01' }, unprotectedMs: 0 });
    await amended(stop.id, { triggerPrice: '49200', quantity: '0.005' });
    await stack.client.until('one native stop of the new terms', async () => {
      const open = await openStops();
      expect(open.length).toBeLessThanOrEqual(1);
      return open[0]?.triggerPrice === '49200' && open[0].quantity === '0.005' ? true : null;
    });
    await positionThat('covered in part', ({ protection }) => protection === 'none');
    await amended(stop.id, { quantity: '0.01' });
    await positionThat('protected by both again', ({ protection, confirmedStop }) => protection === 'both' && confirmedStop?.quantity === '0.01');
    const before = await sold();
    await Promise.all([stack.worker.kill(), stack.watcher.kill()]);
    await stack.sim.price('BTC-PERP', '49100');
    await stack.client.until('the venue\'s own exit', async () => ((await sold()) - before === 100 ? true : null));
    await Promise.all([stack.worker.start(), stack.watcher.start()]);
    expect((await stack.client.untilState(stop.id, 'FILLED')).filledQuantity).toBe('0.01');
    await flat();
    expect([(await sold()) - before, (await openStops()).length]).toEqual([100, 0]);
  }, 180_000);

  test('takes the backstop away when it is canceled', async () => {
    await entered();
    const before = await sold();
    const canceled = await exit({ type: 'stopMarket', triggerPrice: '48000', execution: 'both' });
    await positionThat('protected by both', ({ protection }) => protection === 'both');
    expect((await stack.client.call('DELETE', `/api/v1/orders/${canceled.id}`)).status).toBeLessThan(300);
    await stack.client.untilState(canceled.id, 'CANCELED');
    expect([await openStops(), await sold()]).toEqual([[], before]);
    await positionThat('unprotected', ({ protection, desiredStop }) => protection === 'none' && desiredStop === null);
    const profit = await exit({ type: 'takeProfitMarket', triggerPrice: '51000', execution: 'durable' });
    // A take-profit keeps no loss away.
    expect((await position())?.protection).toBe('none');
    await stack.sim.price('BTC-PERP', '51000');
    await stack.client.untilState(profit.id, 'FILLED');
    await flat();
    expect((await sold()) - before).toBe(100);
  }, 180_000);
});

test('execution native: the venue holds the stop and the take-profit, and fires them', async () => {
  await entered();
  const stop = await exit({ type: 'stopMarket', triggerPrice: '49000', execution: 'native' });
  await positionThat('protected by the venue', ({ protection, desiredStop, confirmedStop }) => protection === 'native' && desiredStop?.orderId === stop.id && confirmedStop?.orderId === stop.id);
  const profit = await exit({ type: 'takeProfitMarket', triggerPrice: '50500', execution: 'native' });
  await stack.sim.price('BTC-PERP', '50600');
  await stack.client.untilState(profit.id, 'FILLED');
  await stack.client.call('DELETE', `/api/v1/orders/${stop.id}`);
  await stack.client.untilState(stop.id, 'CANCELED', 'EXPIRED');
  await flat();
}, 120_000);

test('a trailing stop begins at the price that stands, follows it up, and fires from its best', async () => {
  await entered();
  const trail = await exit({ type: 'trailingStopMarket', trailingOffset: '2', trailingOffsetType: 'percent' });
  /** Told anew at each look, each time a little otherwise, so that it is fresh however slow this machine is. */
  let looks = 0;
  const comeTo = (price: number): Promise<ShownPosition> =>
    stack.client.until(`the trail to come below ${price}`, async () => {
      looks += 1;
      await stack.sim.price('BTC-PERP', String(price + (looks % 2)));
      const shown = await position();
      const level = Number(shown?.desiredStop?.triggerPrice ?? 0);
      return level >= price * 0.98 && level < price * 0.981 ? shown : null;
    });
  expect(await comeTo(50_000)).toMatchObject({ protection: 'durable', confirmedStop: null, desiredStop: { orderId: trail.id } });
  await comeTo(51_000);
  await stack.sim.price('BTC-PERP', '49900');
  await stack.client.untilState(trail.id, 'FILLED');
  await flat();
}, 120_000);

test('a stop that begins at a time begins then, whoever is dead: what was traded since fires it on return, once, and says where that is known from', async () => {
  await entered();
  const before = await sold();
  const startMs = Date.now() + 2_000;
  const stop = await exit({ type: 'stopMarket', triggerPrice: '49500', triggerPriceType: 'last', startAt: new Date(startMs).toISOString() });
  await Promise.all([stack.worker.kill(), stack.watcher.kill()]);
  await stack.client.until('its time', async () => (Date.now() > startMs ? true : null));
  await dip('49400');
  await stack.watcher.start();
  await stack.worker.start();
  expect((await stack.client.untilState(stop.id, 'FILLED')).filledQuantity).toBe('0.01');
  expect((await firing(stop.id)).trigger?.origin).toBe('trades');
  await flat();
  expect((await sold()) - before).toBe(100);
}, 120_000);

test('a stop whose time had come before it was accepted counts nothing of before', async () => {
  await entered();
  await dip('49300');
  const stop = await exit({ type: 'stopMarket', triggerPrice: '49500', triggerPriceType: 'last', startAt: new Date(Date.now() - 3_600_000).toISOString() });
  await positionThat('protected', ({ desiredStop }) => desiredStop?.orderId === stop.id);
  await stack.sim.price('BTC-PERP', '49400');
  await elsewhere('sell', '0.001');
  await stack.client.untilState(stop.id, 'FILLED');
  const { trigger, createdAt } = await firing(stop.id);
  expect(Number(trigger?.price)).toBeGreaterThan(49_350);
  expect(trigger?.observedAtMs).toBeGreaterThanOrEqual(Date.parse(createdAt));
  await flat();
}, 120_000);

test('S22: a parent fills below what the venue takes as a stop: it is told once, nothing loops, and it is protected as soon as it can be', async () => {
  const alerts = async (): Promise<Record<string, unknown>[]> => {
    const found: Record<string, unknown>[] = [];
    for (let sequence = 0; ; ) {
      const { body } = await stack.client.call<{ events: { type: string; sequence: number; data: Record<string, unknown> }[] }>('GET', `/api/v1/events?accountId=${stack.accountId}&sinceSequence=${sequence}&limit=200`);
      const last = body.events.at(-1);
      if (last === undefined) return found;
      found.push(...body.events.filter(({ type }) => type === 'account.alert').map(({ data }) => data));
      sequence = last.sequence;
    }
  };
  const alert = (what: string, holds: (data: Record<string, unknown>) => boolean): Promise<Record<string, unknown>> => stack.client.until(what, async () => (await alerts()).find(holds) ?? null);
  await stack.sim.price('BTC-PERP', '60000');
  const { markets } = await stack.sim.call<{ markets: { symbol: string; bid: string; ask: string }[] }>('GET', '/__sim/state');
  const quote = markets.find(({ symbol }) => symbol === 'BTC-PERP');
  // Alone at its price, before every other bid: whoever sells meets it first.
  const limitPrice = (Number(quote?.bid) + 0.1).toFixed(1);
  expect(Number(limitPrice)).toBeLessThan(Number(quote?.ask));
  const parent = await placed({ side: 'buy', type: 'limit', limitPrice, quantity: '0.001' });
  await stack.client.untilState(parent.id, 'WORKING');
  await elsewhere('sell', '0.0001');
  await positionThat('0.0001 long', ({ quantity }) => quantity === '0.0001');
  // 0.0001 at 45,000 is worth 4.5: the venue takes nothing below 5.
  const refused = await exit({ type: 'stopMarket', quantity: '0.0001', triggerPrice: '45000', execution: 'native' });
  await stack.client.untilState(refused.id, 'REJECTED');
  const isOfPart = ({ kind, quantity }: Record<string, unknown>): boolean => kind === 'UNPROTECTED' && quantity === '0.0001';
  expect(await alert('the alert', isOfPart)).toMatchObject({ symbol: 'BTC-PERP', side: 'long' });

  const stop = await exit({ type: 'stopMarket', quantity: '0.0001', triggerPrice: '45000', execution: 'both' });
  await positionThat('protected by a workflow at least', ({ protection }) => protection === 'durable');
  await alert('the alert that the venue takes none', ({ kind, orderId }) => kind === 'noNativeStop' && orderId === stop.id);
  const tries = async (): Promise<number> => (await stack.client.orders(`status=closed&accountId=${stack.accountId}`)).filter((order) => (order as ApiOrder & { parentOrderId: string | null }).parentOrderId === stop.id && order.state === 'REJECTED').length;
  expect(await tries()).toBe(5);

  await elsewhere('sell', '0.0009');
  await positionThat('whole, and not covered', ({ quantity, protection }) => quantity === '0.001' && protection === 'none');
  await amended(stop.id, { quantity: '0.001' });
  await positionThat('protected by both', ({ protection, confirmedStop }) => protection === 'both' && confirmedStop?.quantity === '0.001');
  expect([await tries(), (await alerts()).filter(isOfPart).length]).toEqual([5, 1]);
  await stack.sim.price('BTC-PERP', '44900');
  await stack.client.untilState(stop.id, 'FILLED');
  await flat();
  expect(await openStops()).toEqual([]);
}, 180_000);
