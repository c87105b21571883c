/** Lists with legs on two venues, with real servers. Run by order-lists.test.ts. */
import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { SimulatorControl } from '../support/simulator-control';
import { WIDE_LIMITS } from '../support/stack';
import { AT_ONCE, filled, INSIDE_BID, type ListKit, micro, OTHER } from './order-list-kit';

/** The second venue of the stack. */
export const ELSEWHERE = 'other';

export function listsOnTwoVenues(kit: ListKit): void {
  test('legs on two venues: what an entry fills on one is followed on the other, once, whatever is lost; the first fill on one cancels the other', async () => {
    const { stack } = kit;
    const { client, sim } = stack;
    const other = new SimulatorControl(stack.simulators.get(ELSEWHERE)?.url ?? '');
    await other.price('BTC-PERP', '50000');
    await other.call('POST', '/__sim/accounts', { account: OTHER, key: 'somebody-else', collateral: '10000000' });
    const there = (await client.call<{ id: string }>('POST', '/api/v1/accounts', { name: 'elsewhere', venue: ELSEWHERE, credentials: { key: 'elsewhere' }, limits: WIDE_LIMITS })).body.id;
    await client.balanceKnown(there);
    const oursThere = async () => (await other.orders()).filter(({ account }) => account !== OTHER);
    const openHere = async () => (await sim.orders()).filter(({ status, side, account }) => status === 'open' && side === 'buy' && account !== OTHER);

    // A buy here; what it fills is bought there too. Buys at a limit: no age of a price can refuse them.
    const bid = { side: 'buy', type: 'limit', quantity: '0.01', limitPrice: INSIDE_BID };
    const oto = await kit.create('OTO', [bid, { ...bid, accountId: there, limitPrice: AT_ONCE }]);
    await kit.until(oto.id, 'waiting for its entry', ({ legs }) => legs[0]?.state === 'WORKING');
    const lost = await other.fault({ kind: 'dropResponse', count: 1, match: { method: 'POST', path: '/orders' } });
    await kit.bySomebody('0.004', 'sell');
    await other.met(lost);
    await stack.worker.kill();
    await stack.worker.start();
    await client.until('as much there as here', async () => (filled(await oursThere()) === 4_000 ? true : null));
    await kit.bySomebody('0.006', 'sell');
    const done = await kit.completed(oto.id);
    expect([done.legs.map(({ filledQuantity }) => filledQuantity), filled(await oursThere())]).toEqual([['0.01', '0.01'], 10_000]);

    // Bought here or there, whoever fills first.
    const oco = await kit.create('OCO', [bid, { ...bid, accountId: there }]);
    await kit.until(oco.id, 'working on both', ({ legs }) => legs.every(({ state }) => state === 'WORKING'));
    await other.call('POST', '/__sim/external-order', { account: OTHER, clientId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'limit', timeInForce: 'IOC', price: INSIDE_BID, quantity: '0.01' });
    const taken = await kit.completed(oco.id);
    expect([taken.legs.map(({ state, filledQuantity }) => [state, filledQuantity]), await openHere()]).toEqual([[['CANCELED', '0'], ['FILLED', '0.01']], []]);

    await client.until('both accounts\' books to agree', async () => (micro((await kit.shown(there))?.quantity ?? '0') === 20_000 && micro(await kit.position()) === 10_000 ? true : null));
    await client.place({ accountId: stack.accountId, clientOrderId: randomUUID(), symbol: 'BTC-PERP', side: 'sell', type: 'market', quantity: '0.01', reduceOnly: true });
    await kit.flat();
  }, 120_000);
}
