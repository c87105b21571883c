/** S15, of what waits in workflows: conditional orders, order lists and strategies after a restored backup. */
import { expect, test } from '@jest/globals';
import type { ApiOrder } from '../support/api-client';
import { settledAndBalanced } from '../support/afterwards';
import type { Stack } from '../support/stack';

const MARKET = 'BTC-PERP';

interface World {
  stack(): Stack;
  placed(clientOrderId: string, terms: Readonly<Record<string, unknown>>): Promise<ApiOrder>;
  recovered(): Promise<void>;
  backUp(): Promise<{ restore(): Promise<void> }>;
}

export function waitingOrdersComeBack(world: World): void {
  const partsOfThePrice = async (): Promise<(part: number) => string> => {
    const { markets } = await world.stack().sim.call<{ markets: { symbol: string; mark: string }[] }>('GET', '/__sim/state');
    const base = Number(markets.find(({ symbol }) => symbol === MARKET)?.mark);
    return (part) => String(Math.round(base * part));
  };

  test('orders that wait keep the terms they were amended to, one that was canceled stays canceled, and each goes off once', async () => {
    const at = await partsOfThePrice();
    const bought = await world.placed('bought', { type: 'market', timeInForce: 'IOC', quantity: '0.04', limitPrice: undefined });
    await world.stack().client.untilState(bought.id, 'FILLED');
    const waiting = (clientOrderId: string, triggerPrice: string): Promise<ApiOrder> => world.placed(clientOrderId, { side: 'sell', type: 'stopMarket', limitPrice: undefined, triggerPrice, triggerPriceType: 'mark', reduceOnly: true });
    const amended = async ({ id, revision }: ApiOrder, triggerPrice: string): Promise<ApiOrder> => {
      const answer = await world.stack().client.call<ApiOrder>('PATCH', `/api/v1/orders/${id}`, { triggerPrice }, { 'if-match': `"${revision}"` });
      expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ triggerPrice }) as unknown]);
      return answer.body;
    };
    const [older, unwanted] = [await waiting('older', at(0.98)), await waiting('unwanted', at(0.98))];
    const backup = await world.backUp();
    const lower = await world.stack().client.until('an amendment', async () => amended(await world.stack().client.order(older.id), at(0.94)));
    const twice = await amended(await amended(await waiting('newer', at(0.98)), at(0.95)), at(0.94));
    expect((await world.stack().client.call('DELETE', `/api/v1/orders/${unwanted.id}`)).status).toBeLessThan(300);
    await world.stack().client.untilState(unwanted.id, 'CANCELED');

    await backup.restore();
    await world.recovered();
    expect((await world.stack().client.order(unwanted.id)).state).toBe('CANCELED');
    for (const known of [lower, twice]) {
      const now = await world.stack().client.order(known.id);
      expect(now).toMatchObject({ state: 'ARMED', triggerPrice: at(0.94) });
      // An old revision of before the loss is no key to the order of after it.
      expect(now.revision).toBeGreaterThanOrEqual(known.revision);
    }
    const canary = await waiting('canary', at(0.975));
    await world.stack().sim.price(MARKET, at(0.97));
    await world.stack().client.untilState(canary.id, 'FILLED');
    for (const { id } of [lower, twice]) expect((await world.stack().client.order(id)).state).toBe('ARMED');
    await world.stack().sim.price(MARKET, at(0.93));
    for (const { id } of [lower, twice]) await world.stack().client.untilState(id, 'FILLED');
    expect((await world.stack().sim.orders()).filter(({ side, status }) => side === 'sell' && status === 'filled').map(({ quantity }) => quantity)).toEqual(['0.01', '0.01', '0.01']);
    await settledAndBalanced(world.stack());
  }, 180_000);

  test('an order list and a strategy that were made after the backup are there again, and end as they would have', async () => {
    const at = await partsOfThePrice();
    const bought = await world.placed('bought', { type: 'market', timeInForce: 'IOC', quantity: '0.01', limitPrice: undefined });
    await world.stack().client.untilState(bought.id, 'FILLED');
    const backup = await world.backUp();
    const made = async (path: string, body: Readonly<Record<string, unknown>>): Promise<string> => {
      const { id } = await world.stack().client.until(`${path} to be made`, async () => {
        const answer = await world.stack().client.call<{ id: string }>('POST', path, { accountId: world.stack().accountId, symbol: MARKET, ...body });
        return answer.status < 300 ? answer.body : null;
      });
      return `${path}/${id}`;
    };
    const list = await made('/api/v1/order-lists', {
      clientListId: 'after-the-backup', type: 'OCO',
      legs: [{ side: 'sell', type: 'limit', quantity: '0.01', limitPrice: at(1.2), reduceOnly: true }, { side: 'sell', type: 'stopMarket', quantity: '0.01', triggerPrice: at(0.97), triggerPriceType: 'mark', reduceOnly: true }],
    });
    const ladder = await made('/api/v1/strategies', { clientStrategyId: 'after-the-backup', type: 'scale', side: 'buy', quantity: '0.02', parameters: { priceFrom: at(0.5), priceTo: at(0.4), levels: 2 } });
    const legsOf = async (): Promise<string[]> => (await world.stack().client.call<{ legs: { state: string }[] }>('GET', list)).body.legs.map(({ state }) => state);
    await world.stack().client.until('the list to stand', async () => ((await legsOf()).join() === 'WORKING,ARMED' ? true : null));
    const resting = async (): Promise<number> => (await world.stack().sim.orders()).filter(({ status, side }) => status === 'open' && side === 'buy').length;
    await world.stack().client.until('the ladder to stand', async () => ((await resting()) === 2 ? true : null));

    await backup.restore();
    await world.recovered();
    await world.stack().client.until('the list to stand again', async () => ((await legsOf()).join() === 'WORKING,ARMED' ? true : null));
    const { body: running } = await world.stack().client.until('the ladder to be known again', async () => {
      const answer = await world.stack().client.call<{ state: string }>('GET', ladder);
      return answer.status === 200 ? answer : null;
    });
    expect(running.state).toBe('RUNNING');
    await world.stack().sim.price(MARKET, at(0.96));
    await world.stack().client.until('the stop to have gone off', async () => ((await legsOf()).join() === 'CANCELED,FILLED' ? true : null));
    await world.stack().client.call('DELETE', ladder);
    await world.stack().client.until('the ladder to be gone', async () => ((await resting()) === 0 ? true : null));
    const orders = await world.stack().sim.orders();
    expect([orders.filter(({ side, status }) => side === 'sell' && status === 'filled').length, orders.filter(({ side }) => side === 'buy').length]).toEqual([1, 3]);
    await settledAndBalanced(world.stack());
  }, 180_000);
}
