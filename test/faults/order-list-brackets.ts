/** Brackets with real servers: trails, break-even, time limits, halts, and how their positions are shown. Run by order-lists.test.ts. */
import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { AT_ONCE, INSIDE, INSIDE_BID, type ListKit, micro, filled } from './order-list-kit';

const ENTRY = { role: 'entry', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: AT_ONCE };
const RESTING_ENTRY = { ...ENTRY, limitPrice: INSIDE_BID };
const FAR_PROFIT = { role: 'takeProfit', type: 'limit', quantity: '0.01', limitPrice: '60000' };
const STOP = { role: 'stop', type: 'stopMarket', triggerPrice: '45000', triggerPriceType: 'mark' };
const TRAIL = { role: 'stop', type: 'trailingStopMarket', trailingOffset: '2', trailingOffsetType: 'percent', triggerPriceType: 'mark' };

export function bracketTests(kit: ListKit): void {
  type Shown = NonNullable<Awaited<ReturnType<ListKit['shown']>>>;
  const shownThat = (what: string, holds: (shown: Shown) => boolean, before: () => Promise<unknown> = () => Promise.resolve()): Promise<Shown> =>
    kit.stack.client.until(`the position to be ${what}`, async () => {
      await before();
      const shown = await kit.shown();
      return shown !== undefined && holds(shown) ? shown : null;
    });
  /** Told anew at each look, each time a little otherwise, so that it is fresh however slow this machine is. */
  const telling = (price: number): (() => Promise<void>) => {
    let looks = 0;
    return () => kit.stack.sim.price('BTC-PERP', String(price + (looks++ % 2)));
  };
  const trailAt = (price: number): Promise<Shown> =>
    shownThat(`guarded from ${price}`, ({ desiredStop }) => Number(desiredStop?.triggerPrice ?? 0) >= price * 0.98 && Number(desiredStop?.triggerPrice ?? 0) < price * 0.981, telling(price));

  test('a bracket with a trailing stop: its position is shown as protected, by the level that the trail has come to, and the trail ends it', async () => {
    const { client, sim, accountId } = kit.stack;
    const before = await kit.exits();
    const list = await kit.create('BRACKET', [ENTRY, FAR_PROFIT, TRAIL]);
    const leg = { orderId: list.id, orderListId: list.id, leg: 2 };
    expect(await trailAt(50_000)).toMatchObject({ protection: 'durable', desiredStop: leg, confirmedStop: null, unprotectedMs: 0 });
    // With a stop of its owner's at the venue it is both; without it again what the list is.
    const placed = await client.place({ accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: '40000', triggerPriceType: 'mark', reduceOnly: true, execution: 'native' });
    expect(await shownThat('protected by both', ({ protection }) => protection === 'both')).toMatchObject({ desiredStop: leg, confirmedStop: { orderId: placed.body.id } });
    await client.call('DELETE', `/api/v1/orders/${placed.body.id}`);
    await client.untilState(placed.body.id, 'CANCELED');
    expect(await kit.shown()).toMatchObject({ protection: 'durable', desiredStop: leg, confirmedStop: null });
    await trailAt(51_000);
    await sim.price('BTC-PERP', '49900');
    const done = await kit.completed(list.id);
    expect(done.legs.map(({ state, filledQuantity }) => [state, filledQuantity])).toEqual([['FILLED', '0.01'], ['CANCELED', '0'], ['FILLED', '0.01']]);
    expect([done.legs[2]?.triggered?.by, Number(done.legs[2]?.triggered?.level) >= 51_000 * 0.98, filled(await kit.sinceThen(before))]).toEqual(['price', true, 10_000]);
    await kit.flat();
    expect((await kit.sinceThen(before)).filter(({ status }) => status === 'open')).toEqual([]);
  }, 120_000);

  test('the stop is moved to break-even after the second take-profit, not after the first', async () => {
    const before = await kit.exits();
    const profit = { role: 'takeProfit', type: 'limit', quantity: '0.003', limitPrice: INSIDE };
    const list = await kit.create('BRACKET', [RESTING_ENTRY, profit, profit, { ...FAR_PROFIT, quantity: '0.004' }, STOP], { breakEvenAfter: 2 });
    await kit.until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
    await kit.bySomebody('0.01', 'sell');
    await kit.until(list.id, 'armed', ({ legs }) => legs[4]?.state === 'ARMED' && [1, 2, 3].every((n) => legs[n]?.state === 'WORKING'));
    const profitsDone = (count: number) => kit.until(list.id, `past ${count} take-profits`, ({ legs }) => [1, 2].filter((n) => legs[n]?.state === 'FILLED').length === count);
    await kit.bySomebody('0.003');
    expect((await profitsDone(1)).legs[4]?.breakEvenPrice).toBeNull();
    await kit.bySomebody('0.003');
    expect((await profitsDone(2)).legs[4]?.breakEvenPrice).toBe(INSIDE_BID);
    expect(await shownThat('guarded at break-even', ({ desiredStop }) => desiredStop?.triggerPrice === INSIDE_BID)).toMatchObject({ quantity: '0.004', protection: 'durable' });
    await kit.stack.sim.price('BTC-PERP', '49900');
    const done = await kit.completed(list.id);
    expect([done.legs[4]?.triggered?.by, done.legs.map(({ filledQuantity }) => filledQuantity), filled(await kit.sinceThen(before))]).toEqual(['breakEven', ['0.01', '0.003', '0.003', '0', '0.004'], 10_000]);
    await kit.flat();
  }, 120_000);

  test('a time limit that is over while the worker is dead: what is held is closed at the market, once, at whatever price', async () => {
    const { worker } = kit.stack;
    const before = await kit.exits();
    const list = await kit.create('BRACKET', [ENTRY, FAR_PROFIT, STOP], { timeLimitMs: 1_000 });
    await kit.until(list.id, 'entered', ({ closeAt }) => closeAt !== null);
    await worker.kill();
    await worker.start();
    const done = await kit.completed(list.id);
    const stop = done.legs[2];
    expect([stop?.triggered?.by, stop?.triggered?.level, stop?.filledQuantity, Date.parse(stop?.triggered?.at ?? '') >= Date.parse(done.closeAt ?? '')]).toEqual(['timeLimit', null, '0.01', true]);
    expect([filled(await kit.sinceThen(before)), (await kit.sinceThen(before)).filter(({ status }) => status === 'open')]).toEqual([10_000, []]);
    await kit.flat();
  }, 120_000);

  test('halted, a bracket enters nothing more and keeps its exits: they still protect what is held, and go out', async () => {
    const { sim } = kit.stack;
    const before = await kit.exits();
    const list = await kit.create('BRACKET', [RESTING_ENTRY, FAR_PROFIT, { ...STOP, triggerPrice: '49000' }]);
    await kit.until(list.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
    await kit.bySomebody('0.004', 'sell');
    await kit.until(list.id, 'armed', ({ legs }) => legs[1]?.state === 'WORKING' && legs[2]?.state === 'ARMED');
    const killSwitch = await kit.killSwitch('halt');
    await kit.until(list.id, 'halted', ({ entriesStopped }) => entriesStopped);
    await kit.stack.client.until('nothing of ours to buy', async () => ((await sim.orders()).every(({ side, status }) => side === 'sell' || status !== 'open') ? true : null));
    expect([(await kit.ask('BRACKET', [RESTING_ENTRY, FAR_PROFIT, STOP])).body.error.code, (await kit.read(list.id)).state]).toEqual(['RISK_ACCOUNT_HALTED', 'ACTIVE']);
    expect(await shownThat('protected', ({ protection }) => protection === 'durable')).toMatchObject({ quantity: '0.004', desiredStop: { orderListId: list.id, triggerPrice: '49000' } });
    const open = (await kit.sinceThen(before)).filter(({ status }) => status === 'open');
    expect(open.reduce((total, { quantity }) => total + micro(quantity), 0)).toBe(4_000);
    await sim.price('BTC-PERP', '48900');
    const done = await kit.completed(list.id);
    expect([done.legs.map(({ filledQuantity }) => filledQuantity), filled(await kit.sinceThen(before))]).toEqual([['0.004', '0', '0.004'], 4_000]);
    await kit.flat();
    await killSwitch.release();
  }, 120_000);
}
