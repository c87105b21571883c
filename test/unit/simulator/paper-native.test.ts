/** Stops, ends, funding and liquidation as a stranger sees them: over HTTP and the account's stream. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { StartedSimulator } from '../../../src/simulator';
import type { OrderView } from '../../../src/simulator/order';
import { type Message, TestClient, TestStream, startQuiet } from './paper-client';

let simulator: StartedSimulator;
let client: TestClient;
let stream: TestStream;
afterEach(async () => {
  stream.close();
  await simulator.close();
});

/** An account with a stream that is long 1,000 XRP at about 1.95. */
async function startLong(): Promise<void> {
  ({ simulator, client } = await startQuiet());
  stream = await TestStream.account(simulator.wsUrl, client.key);
  await client.place({ type: 'market', timeInForce: 'IOC', price: undefined, quantity: '1000' });
}

const events = (kind: string): Message[] => stream.messages('account').filter(({ event }) => (event as { kind?: unknown } | undefined)?.kind === kind);
const ordersHeard = (): OrderView[] => events('order').map(({ event }) => event?.['order'] as unknown as OrderView);
const movePrice = (price: string) => client.post('/__sim/prices', { symbol: 'XRP-PERP', price });

describe('a trigger order on the wire', () => {
  test('is told as armed, as fired, and as filled', async () => {
    await startLong();
    const stop = await client.place({ side: 'sell', type: 'stopMarket', price: undefined, timeInForce: undefined, quantity: '1000', triggerPrice: '1.9', reduceOnly: true });
    expect(stop.order).toMatchObject({ type: 'stopMarket', timeInForce: 'GTC', price: null, triggerPrice: '1.9', triggerPriceType: 'mark', triggeredAt: null, status: 'open', expireAt: null, liquidation: false });
    await movePrice('1.89');
    await stream.until(() => ordersHeard().some(({ clientId, status }) => clientId === stop.clientId && status === 'filled'));
    expect(ordersHeard().at(-1)).toMatchObject({ clientId: stop.clientId, triggerPrice: '1.9', triggeredAt: expect.any(Number) as unknown as number });
  });

  test('can be amended to another trigger', async () => {
    await startLong();
    const { clientId } = await client.place({ side: 'sell', type: 'takeProfitLimit', price: '2.2', quantity: '1000', triggerPrice: '2.1', triggerPriceType: 'last' });
    const amended = await client.post('/orders/amend', { expiresAt: 9_999_999_999_999, clientId, triggerPrice: '2.15', amendId: 'a' });
    expect(amended.body).toMatchObject({ order: { triggerPrice: '2.15', triggerPriceType: 'last', price: '2.2', revision: 1 } });
    const plain = await client.place();
    expect((await client.post('/orders/amend', { expiresAt: 9_999_999_999_999, clientId: plain.clientId, triggerPrice: '2.15', amendId: 'b' })).body).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });

  test.each([
    [{ type: 'stopMarket', price: '1.8', triggerPrice: '1.9' }, 'a stopMarket order has no price'],
    [{ type: 'stopLimit', price: '1.8' }, 'triggerPrice must be a decimal'],
    [{ type: 'limit', triggerPrice: '1.9' }, 'a limit order has no triggerPrice'],
    [{ type: 'stopLimit', price: '1.8', triggerPrice: '1.9', postOnly: true }, 'postOnly needs a limit order'],
    [{ type: 'stopLimit', price: '1.8', triggerPrice: '1.9', triggerPriceType: 'index' }, 'triggerPriceType must be one of mark, last'],
    [{ type: 'limit', timeInForce: 'GTD' }, 'expireAt is for timeInForce GTD'],
    [{ type: 'limit', timeInForce: 'GTD', expireAt: 1 }, 'has passed'],
    [{ type: 'market', price: undefined, timeInForce: 'GTD', expireAt: 9_999_999_999_999 }, 'a market order never rests'],
  ])('as %j is refused: %s', async (wanted, complaint) => {
    await startLong();
    const { ok, error } = await client.place({ side: 'sell', ...wanted });
    expect([ok, error.message]).toEqual([false, expect.stringContaining(complaint)]);
  });
});

describe('a good-till-date order on the wire', () => {
  test('ends by itself when its time comes, without anybody asking', async () => {
    await startLong();
    const { time } = (await client.get('/time')).body as { time: number };
    const { clientId } = await client.place({ timeInForce: 'GTD', expireAt: time + 200 });
    await stream.until(() => ordersHeard().some((order) => order.clientId === clientId && order.status === 'expired'));
    expect(ordersHeard().at(-1)).toMatchObject({ clientId, cancelReason: 'EXPIRED', expireAt: time + 200 });
  });
});

describe('funding on the wire', () => {
  test('is told on the stream and in pages, and moves balance and position', async () => {
    await startLong();
    await client.post('/__sim/funding', { symbol: 'XRP-PERP', rate: '0.001' });
    await client.post('/__sim/clock', { advanceMs: 24 * 3_600_000 });
    await stream.until(() => events('funding').length === 3);
    const [first] = events('funding');
    expect(first?.event?.['funding']).toMatchObject({ symbol: 'XRP-PERP', quantity: '1000', rate: '0.001', amount: '-1.95', asset: 'USDC' });
    const { body } = await client.get('/funding-payments?limit=2');
    const { body: rest } = await client.get(`/funding-payments?cursor=${String(body['next'])}`);
    expect([...(body['payments'] as unknown[]), ...(rest['payments'] as unknown[])]).toEqual(events('funding').map(({ event }) => event?.['funding']));
    expect(rest['next']).toBeUndefined();
    expect((await client.get('/positions')).body['positions']).toMatchObject([{ fundingPaid: '5.85' }]);
    expect(events('balance').length).toBeGreaterThan(1);
  });

  test('has limits: no rate of more than the whole position, no funding of spot', async () => {
    await startLong();
    expect((await client.post('/__sim/funding', { symbol: 'XRP-PERP', rate: '1.1' })).body).toMatchObject({ error: { message: expect.stringContaining('from -1 to 1') as unknown as string } });
    expect((await client.post('/__sim/funding', { symbol: 'BTC-USDT', rate: '0.1' })).body).toMatchObject({ error: { message: expect.stringContaining('spot market') as unknown as string } });
  });
});

describe('a liquidation on the wire', () => {
  test('shows its price beforehand, then the canceled orders, the order of the venue, and a flat position', async () => {
    await startLong();
    const [account] = (await client.get('/__sim/state')).body['accounts'] as string[];
    await client.post('/__sim/credit', { account, asset: 'USDC', amount: '-99800' });
    const [position] = (await client.get('/positions')).body['positions'] as { liquidationPrice: string }[];
    // (1000 x 1.95 - 200 + the entry's fee) / 975, about
    expect(Number(position?.liquidationPrice)).toBeCloseTo(1.796, 2);
    const { clientId } = await client.place({ side: 'sell', price: '2.5', quantity: '100' });
    await movePrice('1.79');
    await stream.until(() => ordersHeard().some(({ liquidation, status }) => liquidation && status === 'filled'));
    expect(ordersHeard().find((order) => order.clientId === clientId && order.status === 'canceled')).toMatchObject({ cancelReason: 'LIQUIDATION' });
    expect((await client.get('/positions')).body).toEqual({ positions: [] });
    expect((await client.post('/__sim/accounts', { key: 'thief', account: 'insurance-fund' })).body).toMatchObject({ error: { code: 'BAD_REQUEST' } });
  });
});
