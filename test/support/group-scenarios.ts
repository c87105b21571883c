/** Orders that Hyperliquid keeps together: an entry with its exits, and exits of a whole position. */
import { expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ApiOrder } from './api-client';
import type { HyperliquidStack } from './hyperliquid-stack';

const PRICE = 97_000;

type Terms = Readonly<Record<string, unknown>>;
interface Results {
  readonly results?: readonly { readonly order: (ApiOrder & { readonly grouping: string | null; readonly groupId: string | null }) | null }[];
}

const exit = (type: string, triggerPrice: number): Terms => ({ side: 'sell', type, triggerPrice: String(triggerPrice), reduceOnly: true, execution: 'native' });

export function groupScenarios(hl: () => HyperliquidStack): void {
  const client = () => hl().stack.client;
  const price = (at: number): Promise<void> => hl().sim.price('BTC', String(at));

  /** Asks with one Idempotency-Key until every order of the group has its row. */
  async function group(grouping: string, orders: readonly Terms[]) {
    const body = { grouping, orders: orders.map((order) => ({ accountId: hl().accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', quantity: '0.001', ...order })) };
    const headers = { 'idempotency-key': randomUUID() };
    return client().until('an answer for each order of the group', async () => {
      const { status, body: answer } = await client().call<Results>('POST', '/api/v1/orders/batch', body, headers);
      if (status === 400 || status === 422) throw new Error(JSON.stringify(answer));
      const placed = answer.results?.map(({ order }) => order) ?? [];
      return status === 200 && placed.every((order) => order !== null) ? placed : null;
    });
  }

  const working = async (orders: readonly { readonly id: string }[]): Promise<void> => {
    for (const { id } of orders) await client().untilState(id, 'WORKING');
  };
  const flat = (): Promise<true> => client().until('no position', async () => {
    const { body } = await client().call<{ positions: { symbol: string }[] }>('GET', `/api/v1/positions?accountId=${hl().accountId}`);
    return body.positions.some(({ symbol }) => symbol === 'BTC-PERP') ? null : true;
  });

  test('an entry with its exits is one group at the venue, once, though its answer is lost and its worker dies; the exits wait for its fill, and where one fills the other ends', async () => {
    await price(PRICE);
    const before = (await hl().atVenue()).length;
    const lost = await hl().sim.fault({ kind: 'dropResponse', count: 1, match: { path: '/exchange/order' } });
    const placing = group('entryWithExits', [{ side: 'buy', type: 'limit', limitPrice: '96000' }, exit('takeProfitMarket', 98_000), exit('stopMarket', 95_000)]);
    await Promise.all([
      placing,
      (async () => {
        await hl().sim.met(lost);
        await hl().killWorkers();
        await hl().startWorkers();
      })(),
    ]);
    const [entry, profit, stop] = await placing;
    if (entry === undefined || profit === undefined || stop === undefined) throw new Error('three orders were asked for');
    expect([entry, profit, stop].map(({ grouping, groupId }) => [grouping, groupId])).toEqual(Array.from({ length: 3 }, () => ['entryWithExits', entry.id]));
    await working([entry, profit, stop]);
    expect((await hl().atVenue()).length - before).toBe(3);
    // The take-profit's level is passed while nothing is held: it waits for the entry and for nothing else.
    await price(98_500);
    await price(95_500);
    await client().untilState(entry.id, 'FILLED');
    expect((await Promise.all([profit, stop].map(({ id }) => client().order(id)))).map(({ state, filledQuantity }) => [state, filledQuantity])).toEqual([['WORKING', '0'], ['WORKING', '0']]);
    await price(98_500);
    await client().untilState(profit.id, 'FILLED');
    expect(await client().untilState(stop.id, 'CANCELED')).toMatchObject({ filledQuantity: '0' });
    await flat();
    await hl().settled();
  }, 180_000);

  test('exits of a position end all of it, as large as it is when one fires, and the other ends', async () => {
    const bought = async (): Promise<void> => void (await client().untilState((await hl().passes(PRICE, { type: 'market', limitPrice: undefined })).id, 'FILLED'));
    await bought();
    const [profit, stop] = await group('positionExits', [exit('takeProfitMarket', 99_000), exit('stopMarket', 94_000)]);
    if (profit === undefined || stop === undefined) throw new Error('two orders were asked for');
    await working([profit, stop]);
    await bought();
    await price(93_000);
    expect(await client().untilState(stop.id, 'FILLED')).toMatchObject({ quantity: '0.002', filledQuantity: '0.002' });
    await client().untilState(profit.id, 'CANCELED');
    await flat();
    await hl().settled();
  }, 120_000);
}
