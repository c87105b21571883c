import { afterEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder } from './harness';
import { position } from './samples';

let api: ApiHarness;
afterEach(() => api.close());

/** An API that counts how often each read of its backend was asked. */
async function counting(): Promise<Map<string, number>> {
  const asked = new Map<string, number>();
  const counted = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get: (target, method: string) => {
        const value: unknown = Reflect.get(target, method);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          asked.set(`${name}.${method}`, (asked.get(`${name}.${method}`) ?? 0) + 1);
          return Reflect.apply(value, target, given);
        };
      },
    });
  api = await new ApiHarness().start((ports) => ({ ...ports, orders: counted('orders', ports.orders), positions: counted('positions', ports.positions), fills: counted('fills', ports.fills), balances: counted('balances', ports.balances), accounts: counted('accounts', ports.accounts) }));
  return asked;
}

describe('with a clock that stands still, so that no cache grows old', () => {
  test('an order is shown as it is now, by id, by client id and in the list', async () => {
    await counting();
    const { id } = (await api.ask('POST', '/api/v1/orders', { body: limitOrder({ clientOrderId: 'mine' }) })).body;
    const ways = [`/api/v1/orders/${id}`, '/api/v1/orders/by-client-id/mine?accountId=main', '/api/v1/orders?accountId=main&status=all'];
    const states = async (): Promise<unknown[]> => Promise.all(ways.map(async (way) => ((body) => (body.orders === undefined ? body.state : body.orders[0].state))((await api.ask('GET', way)).body)));
    expect(await states()).toEqual(['WORKING', 'WORKING', 'WORKING']);
    api.backend.change(id, { state: 'FILLED' }, 'order.filled');
    expect(await states()).toEqual(['FILLED', 'FILLED', 'FILLED']);
  });

  test('a position is shown as it is now', async () => {
    await counting();
    api.backend.positions.set('p1', position('p1', 'main', 'long', '1'));
    const quantity = async (): Promise<unknown> => (await api.ask('GET', '/api/v1/positions?accountId=main')).body.positions[0].quantity;
    expect(await quantity()).toBe('1');
    api.backend.positions.set('p1', position('p1', 'main', 'long', '3'));
    expect(await quantity()).toBe('3');
  });

  test.each([['/api/v1/orders', 'orders.list'], ['/api/v1/positions', 'positions.list'], ['/api/v1/fills', 'fills.list'], ['/api/v1/accounts/main/balances', 'balances.list']])('each GET %s reads', async (path, read) => {
    const asked = await counting();
    for (let times = 0; times < 3; times += 1) expect((await api.ask('GET', path)).status).toBe(200);
    expect(asked.get(read)).toBe(3);
  });

  test('an account\'s owner and venue are remembered for the time that is set, and then read again', async () => {
    const asked = await counting();
    const reads = async (): Promise<number> => {
      await api.ask('GET', '/api/v1/orders?accountId=main');
      return asked.get('accounts.get') ?? 0;
    };
    expect(await reads()).toBe(1);
    api.backend.nowMs += 59_999;
    expect(await reads()).toBe(1);
    api.backend.nowMs += 1;
    expect(await reads()).toBe(2);
  });
});
