/** An alert expires, and so does what was started for it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ApiHarness } from './harness';

let api: ApiHarness;
beforeEach(async () => {
  api = await new ApiHarness().start();
});
afterEach(() => api.close());

test('an order may leave for the venue no later than its alert expires, however late what was started for it is worked on', async () => {
  for (const maxDelaySeconds of [5, 3_600]) {
    const template = { accountId: 'main', symbol: 'BTC-PERP', side: 'buy', type: 'limit', quantity: '0.01', limitPrice: '50000' };
    const { body } = await api.ask('POST', '/api/v1/signal-sources', { body: { name: 'alerts', kind: 'order', template, fields: { id: { kind: 'text' } }, maxDelaySeconds } });
    expect((await api.ask('POST', `/api/v1/signals/${body.token}`, { key: null, raw: '{"id":"a-1"}', headers: { 'content-type': 'text/plain' } })).status).toBe(200);
  }
  // The usual deadline of an order is 10 s (SUREFILL_PLACE_DEADLINE_MS).
  expect([...api.backend.intents.values()].map(({ placeBefore }) => Date.parse(placeBefore) - api.backend.nowMs)).toEqual([5_000, 10_000]);
});
