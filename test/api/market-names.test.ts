/** A market by its venue's own spelling: what is asked of its rows finds them, as what is placed in it does. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ApiHarness, limitOrder, type Answer } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

const place = async (changes: Record<string, unknown>): Promise<string> => (await api.ask('POST', '/api/v1/orders', { body: limitOrder(changes) })).body.id;
const symbols = async (query: string): Promise<string[]> => (await api.ask('GET', `/api/v1/orders?${query}`)).body.orders.map((order: Answer['body']) => order.symbol);

test.each(['accountId=main', 'all=true'])('cancelling all of one cancels its orders and no others: %s', async (query) => {
  const btc = await place({ clientOrderId: 'btc' });
  await place({ clientOrderId: 'eth', symbol: 'ETHUSD' });
  const answer = await api.ask('DELETE', `/api/v1/orders?${query}&symbol=BTCUSD`);
  expect(answer.body.results.map((result: Answer['body']) => [result.orderId, result.status])).toEqual([[btc, 200]]);
  expect(await symbols('status=open')).toEqual(['ETH-PERP']);
});

test('its orders are listed, and those of a market that is gone by the name they have', async () => {
  const id = await place({});
  for (const query of ['symbol=BTCUSD', 'symbol=BTCUSD&accountId=main', 'symbol=BTCUSD&venue=paper', 'symbol=XBT/USD']) expect([query, await symbols(query)]).toEqual([query, ['BTC-PERP']]);
  expect(await symbols('symbol=BTCUSD&venue=other')).toEqual([]);
  api.backend.change(id, { symbol: 'GONE-PERP' });
  expect(await symbols('symbol=GONE-PERP')).toEqual(['GONE-PERP']);
  expect(await symbols('symbol=BTCUSD')).toEqual([]);
});

test('that two venues have for different markets is a question back', async () => {
  await api.close();
  api = await new ApiHarness().start((ports) => ({ ...ports, markets: { ...ports.markets, get: async (venue, name) => (name === 'BTC' ? ports.markets.get(venue, venue === 'paper' ? 'ETH-PERP' : 'BTC-PERP') : ports.markets.get(venue, name)) } }));
  const answer = await api.ask('GET', '/api/v1/orders?symbol=BTC');
  expect([answer.status, answer.body.error.message]).toEqual([400, 'BTC is ETH-PERP at one venue, and at another BTC-PERP: name the one that is meant']);
  expect(await symbols('symbol=BTC&venue=other')).toEqual([]);
});
